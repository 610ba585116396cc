"""Imported by Python itself when this folder is on its path: another system's absences, here.

FAIRTRIAL_ELSEWHERE says which. What tells systems apart inside Python's own library, and in libraries, is read while it
is imported, so everything that is needed is imported first.
"""

import importlib
import os
import pathlib
import signal
import sys
import sysconfig
from typing import Any

ELSEWHERE = os.environ.get("FAIRTRIAL_ELSEWHERE", "")

FIRST = (
    "concurrent.futures", "ctypes", "multiprocessing", "platform", "queue", "socket", "sqlite3", "subprocess", "tempfile", "zoneinfo",
    "asyncio", "numba", "numpy", "optuna", "pydantic", "rich.live", "rich.table", "scipy.stats", "torch", "typer", "ruamel.yaml",
    "pydantic.types", "pydantic.functional_validators",
)  # fmt: skip


def only_here(names: tuple[str, ...], owner: Any) -> None:
    for name in names:
        vars(owner).pop(name, None)


if ELSEWHERE:
    sysconfig.get_config_vars()
    for module in FIRST:
        importlib.import_module(module)
    if "pydantic" in sys.modules:
        from pydantic import BaseModel

        class _Warm(BaseModel):
            """Makes pydantic import what it puts off."""

            number: int = 1

    only_here(("sched_setaffinity", "sched_getaffinity", "sched_getscheduler"), os)
    if ELSEWHERE == "win32":
        only_here(("sysconf", "getloadavg", "nice", "getuid", "mkfifo", "fork", "killpg"), os)
        # SIGKILL stays: on this system Python's own Popen.kill needs it, which has another way on Windows.
        only_here(("SIGHUP", "SIGSTOP", "SIGUSR1"), signal)
        for module in ("resource", "fcntl", "pwd", "grp", "termios"):
            sys.modules[module] = None  # pyright: ignore[reportArgumentType]

    read_text = pathlib.Path.read_text

    def without_proc(self: pathlib.Path, *given: Any, **named: Any) -> str:
        if str(self).startswith(("/proc", "/sys")):
            raise FileNotFoundError(2, "No such file or directory", str(self))
        return read_text(self, *given, **named)

    pathlib.Path.read_text = without_proc
    sys.platform = ELSEWHERE
