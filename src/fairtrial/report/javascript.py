"""The JavaScript of Vega, Vega-Lite and Vega-Embed as one script to put into a page.

The package vl-convert carries it and takes seconds to join it, so that the result is cached, and
joined by a process of its own while the page is written.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from fairtrial.errors import FairtrialError
from fairtrial.images import cache

_PROGRAM = """
import sys, vl_convert
sys.stdout.buffer.write(vl_convert.javascript_bundle("window.fairtrialEmbed=vegaEmbed;").encode())
"""


class Bundle:
    """The script, or the process that is joining it."""

    def __init__(self) -> None:
        version = metadata.version("vl-convert-python")
        self._path = _folder() / f"vega-{version}.js"
        self._text = _cached(self._path)
        self._process = None if self._text else _start()

    def text(self) -> str:
        """The whole script. Raises FairtrialError if it cannot be made."""
        if self._process is not None:
            out, error = self._process.communicate()
            if self._process.returncode:
                last = error.decode(errors="replace").strip().splitlines()[-1:]
                raise FairtrialError(
                    f"the JavaScript of the charts cannot be made: {''.join(last) or 'vl-convert failed'}"
                )
            self._text = out.decode()
            self._process = None
            _keep(self._path, self._text)
        return self._text


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _folder() -> Path:
    try:
        return cache.folder()
    except RuntimeError:  # a user without a home
        return Path(tempfile.gettempdir())


def _cached(path: Path) -> str:
    """What was joined before; empty if there is nothing, or half of it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if "window.fairtrialEmbed=" in text[-200:] else ""


def _keep(path: Path, text: str) -> None:
    """Where the disk does not allow it, the next page takes as long as this one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(prefix=f"{path.stem}-", suffix=".part", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(path)
    except OSError:
        return
