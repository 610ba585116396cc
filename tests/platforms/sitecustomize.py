"""Imported by Python itself when this folder is on its path: another system's absences, here.

FAIRTRIAL_ELSEWHERE says which. What tells systems apart inside Python's own library is read while it is imported, so
everything that is needed is imported first.
"""

import os
import sys

_ELSEWHERE = os.environ.get("FAIRTRIAL_ELSEWHERE", "")

if _ELSEWHERE:
    import signal

    for _name in (
        "sched_setaffinity",
        "sched_getaffinity",
        "sysconf",
        "getloadavg",
        "nice",
        "getppid",
        "mkfifo",
        "getuid",
    ):
        if _ELSEWHERE == "win32" or _name.startswith("sched_"):
            vars(os).pop(_name, None)
    for _name in ("resource", "fcntl", "pwd", "grp", "termios"):
        if _ELSEWHERE == "win32":
            sys.modules[_name] = None
    if _ELSEWHERE == "win32":
        for _name in ("SIGKILL", "SIGHUP", "SIGSTOP", "SIGUSR1"):
            vars(signal).pop(_name, None)
    _read_text = __import__("pathlib").Path.read_text

    def _no_proc(self, *given, **named):
        if str(self).startswith(("/proc", "/sys")):
            raise FileNotFoundError(2, "No such file or directory", str(self))
        return _read_text(self, *given, **named)

    __import__("pathlib").Path.read_text = _no_proc
    sys.platform = _ELSEWHERE
