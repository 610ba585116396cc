"""Where a trial was trained: versions, processor, code. Facts beside numbers, not identity."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

import numpy
import torch

from fairtrial.engine.device import chosen, name_of
from fairtrial.engine.machine import machine, processor
from fairtrial.engine.precision import cpu_flags
from fairtrial.trial import ENGINE_VERSION


def provenance() -> dict[str, str]:
    """Facts of this process, the same for all trials it trains."""
    return {
        "fairtrial": metadata.version("fairtrial"),
        "engine": str(ENGINE_VERSION),
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "instructions": "avx512" if "avx512f" in cpu_flags() else "avx2" if "avx2" in cpu_flags() else "",
        "threads": str(torch.get_num_threads()),
        "device": name_of(chosen()),
        "machine": machine(),
    }


def commit() -> str:
    """The git commit this code was run from, with `+` if changed since; empty for an installed package."""
    folder = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        if not git("ls-files", Path(__file__).name):
            return ""
        changed = git("status", "--porcelain", "--untracked-files=no", str(folder.parent))
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return ""
