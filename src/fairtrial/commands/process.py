"""A command as a process: what it finds around it, and how it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairtrial.executors.programs import OUTPUT
from fairtrial.trial import Trial

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Set to 1 for every worker, and so for what it runs."""


def environment_of(trial: Trial, output: Path) -> dict[str, str]:
    """The environment as it is here, fairtrial's interpreter first on PATH, with what a command may want to know."""
    environment = {name: value for name, value in os.environ.items() if name != "FAIRTRIAL_WORKER"}
    # Not resolved: the `python` beside an environment's own link is the environment's.
    folders = [str(Path(sys.executable).parent), *([environment["PATH"]] if environment.get("PATH") else [])]
    return {
        "PYTHONUNBUFFERED": "1",
        **environment,
        "PATH": os.pathsep.join(folders),
        "FAIRTRIAL_SEED": str(trial.number),
        "FAIRTRIAL_ARM": trial.arm.name,
        OUTPUT: str(output),
    }


def found(program: str, folder: str, path: str) -> str | None:
    """Where the program is: a path is one from the study's folder on, any other name is looked for on PATH."""
    if "/" in program or os.sep in program:
        whole = Path(folder) / program
        return str(whole) if whole.is_file() else None
    return shutil.which(program, path=path)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process with all it has started in its group, and reap it."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def children_seconds() -> float:
    """Processor time of all that this process has started and waited for."""
    times = os.times()
    return times.children_user + times.children_system


@contextlib.contextmanager
def on_cores(cores: frozenset[int]) -> Iterator[None]:
    """Start what is started within on these processors: a process has those of whoever starts it."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, own)


def exit_words(code: int) -> str:
    """What an exit code other than 0 means."""
    if code > 0:
        return f"the command ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the command was killed by {name}" + (
        " (perhaps the machine ran out of memory)" if name == "SIGKILL" else ""
    )


def last_words(last: Sequence[str]) -> str:
    """The end of what it said, its errors last: that is where the reason stands."""
    text = " | ".join(line.strip()[:200] for line in last)
    return f"; its last words: {text[-800:]}" if text else ", and said nothing"
