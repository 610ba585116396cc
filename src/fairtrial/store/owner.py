"""Which process holds a claim, and whether it still lives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Life = Literal["alive", "dead", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One process, for ever: a pid alone is used again, a pid with its start time and boot is not.

    `boot_id`, `pid_namespace` and `started` are empty where the system does not tell.
    """

    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    started: str


def this_process() -> Owner:
    pid = os.getpid()
    return Owner(
        host=socket.gethostname(),
        boot_id=_boot_id(),
        pid_namespace=_pid_namespace(),
        pid=pid,
        started=_started(pid) or "",
    )


def life(owner: Owner, *, here: Owner) -> Life:
    """Whether `owner` still runs, as far as the process `here` can see.

    "unknown" means that only its heartbeat can tell: it runs on another host or in another
    container, or this system does not say when a process started.
    """
    if owner.host != here.host:
        return "unknown"
    if owner.boot_id != here.boot_id:
        return "dead"
    if owner.pid_namespace != here.pid_namespace or not owner.started:
        return "unknown"
    if owner == here:
        return "alive"
    if not _exists(owner.pid):
        return "dead"
    started = _started(owner.pid)
    if started is None:
        return "unknown"
    return "alive" if started == owner.started else "dead"


def _exists(pid: int) -> bool:
    if os.name != "posix":  # elsewhere os.kill ends the process, whatever the signal
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str | None:
    """When the process started, in the system's own words; "" for one that has ended.

    None where the system does not tell. A zombie has ended: only its parent has not looked yet.
    """
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # some systems hide other users' processes; that one exists was asked before
            return None
        # The command's name, in parentheses, may itself hold spaces and parentheses.
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    if sys.platform == "darwin":
        words = _output("ps", "-o", "stat=,lstart=", "-p", str(pid)).split(maxsplit=1)
        if len(words) < 2:
            return None
        return "" if words[0].startswith("Z") else words[1].strip()
    return None


@cache
def _boot_id() -> str:
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "kern.bootsessionuuid")
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@cache
def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except (OSError, NotImplementedError):
        return ""


def _output(*command: str) -> str:
    """What the command prints, the same in every language and time zone; "" if it fails."""
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
