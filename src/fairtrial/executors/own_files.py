"""The user's own files on their way to a node: read here once, and written into a new folder for each attempt there.

A new folder, so that nothing an earlier trial left behind, or changed, is found by the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.errors import OwnCodeError
from fairtrial.study.commands import ENVIRONMENT, placeholders
from fairtrial.study.factories import module_folder, parts_of
from fairtrial.study.sources import Sources
from fairtrial.wire import Order, TimingOrder

UP = ".."


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFile:
    """Its bytes as an array, which a cluster's library maps where it would copy them."""

    content: NDArray[np.uint8]
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFiles:
    """Files by the names that a study gives them, from its folder on. `digest`: of which names and contents."""

    digest: str
    files: Mapping[str, OwnFile]


def own_sources(order: Order | TimingOrder) -> tuple[Sources, ...]:
    """What its trials are made of that no other machine has: installed modules are there already."""
    trials = (order.trial,) if isinstance(order, Order) else (order.first, order.second)
    found = (
        one.arm.sources for one in trials if _travels(one.arm.settings.network.python, one.arm.is_command)
    )
    return tuple(dict.fromkeys(one for one in found if one is not None))


def variables(order: Order | TimingOrder) -> dict[str, str]:
    """The environment variables that its commands name, as they are here."""
    trials = (order.trial,) if isinstance(order, Order) else (order.first, order.second)
    commands = [one.arm.settings.command for one in trials if one.arm.settings.command]
    names = [
        name.removeprefix(ENVIRONMENT)
        for one in commands
        for name in placeholders(one)
        if name.startswith(ENVIRONMENT)
    ]
    return {name: os.environ[name] for name in names if name in os.environ}


def packed(sources: Sources) -> OwnFiles:
    """The files as they are now, those with a whole path left out: these have to be on the node.

    Raises OwnCodeError for one that is not what it was when the study was read.
    """
    read: dict[str, OwnFile] = {}
    for name, digest in sources.files:
        if Path(name).is_absolute():
            continue
        path = Path(sources.folder) / name
        try:
            content = np.fromfile(path, dtype=np.uint8)
            executable = os.access(path, os.X_OK)
        except OSError:
            content, executable = None, False
        if content is None or hashlib.sha256(content.data).hexdigest() != digest:
            raise OwnCodeError(sources.changed() or f"{name} in {sources.folder} changes while it is read")
        read[name] = OwnFile(content=content, executable=executable)
    return OwnFiles(digest=digest_of(sources.files), files=read)


def digest_of(files: Sequence[Sequence[str]]) -> str:
    """What tells these files from others, by their names and hashes."""
    return hashlib.sha256(json.dumps([list(one) for one in files]).encode()).hexdigest()


def at_home(sent: dict[str, Any], brought: Mapping[str, OwnFiles], folder: Path) -> dict[str, Any]:
    """A trial's body from an order, with the folder on this machine that its files are in; they are written into `folder`.

    Raises OwnCodeError for what this machine lacks, and StudyError for a module that is not installed on it.
    """
    sources, settings = sent["sources"], sent["settings"]
    if sources is None:
        return sent
    python, command = settings["network"].get("python"), settings.get("command") is not None
    if not _travels(python, command):
        return {**sent, "sources": {**sources, "folder": str(module_folder(parts_of(python)[0]))}}
    for name in (name for name, _ in sources["files"] if Path(name).is_absolute()):
        if not Path(name).is_file():
            raise OwnCodeError(
                f"there is no file {name} on this node. A file that is named from the study's folder on travels to "
                "every node; one that is named by a whole path has to be there"
            )
    own = brought[digest_of(sources["files"])]
    return {**sent, "sources": {**sources, "folder": str(_unpacked(own, folder / own.digest[:12]))}}


def _travels(python: str | None, command: bool) -> bool:
    return command or python is None or parts_of(python)[0].endswith(".py")


def _unpacked(own: OwnFiles, root: Path) -> Path:
    """Write the files; the folder to name them from, so deep within `root` that none of them is outside."""
    plain = {name: PurePosixPath(os.path.normpath(name)) for name in own.files}
    home = root.joinpath(*["in"] * max((one.parts.count(UP) for one in plain.values()), default=0))
    home.mkdir(parents=True, exist_ok=True)
    for name, file in own.files.items():
        path = Path(os.path.normpath(home / plain[name]))
        path.parent.mkdir(parents=True, exist_ok=True)
        (home / name).parent.mkdir(parents=True, exist_ok=True)  # of a name like a/../b
        path.write_bytes(file.content.tobytes())
        if file.executable:
            path.chmod(0o755)
    return home
