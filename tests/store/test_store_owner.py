"""Whether the process that claimed a trial still lives, on every system that tells, and what is done where none does."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairtrial.store import owner
from fairtrial.store.owner import Owner, life, this_process

HERE = Owner(host="here", boot_id="boot", pid_namespace="ns", pid=100, started="now")
OTHER = replace(HERE, pid=200, started="before")


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    """What this machine said once is remembered: not from one test to the next."""
    for one in (owner._boot_id, owner._pid_namespace):  # pyright: ignore[reportPrivateUsage]
        one.cache_clear()
    yield
    for one in (owner._boot_id, owner._pid_namespace):  # pyright: ignore[reportPrivateUsage]
        one.cache_clear()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"host": "elsewhere"}, "unknown"),
        ({"host": "elsewhere", "boot_id": "another"}, "unknown"),
        ({"boot_id": "another"}, "dead"),
        ({"pid_namespace": "a container"}, "unknown"),
        ({"started": ""}, "unknown"),
        ({}, "alive"),
        ({"started": "long ago"}, "dead"),
    ],
)
def test_a_process_is_told_by_more_than_its_number(
    changes: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers are used again, after a restart and in every container: a claim must not live on in somebody else's."""
    monkeypatch.setattr(owner, "_exists", lambda pid: pid == 200)
    monkeypatch.setattr(owner, "_started", lambda pid: "before")
    assert life(replace(OTHER, **changes), here=HERE) == expected


def test_this_process_lives_and_one_that_is_gone_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without looking: who asks is alive, and where there is no process there is none."""
    monkeypatch.setattr(owner, "_exists", lambda pid: False)
    assert life(HERE, here=HERE) == "alive"
    assert life(OTHER, here=HERE) == "dead"


def test_where_the_system_does_not_tell_only_the_heartbeat_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems hide other users' processes: given up too soon a trial would be trained twice."""
    monkeypatch.setattr(owner, "_exists", lambda pid: True)
    monkeypatch.setattr(owner, "_started", lambda pid: None)
    assert life(OTHER, here=HERE) == "unknown"


@pytest.mark.parametrize(
    ("error", "expected"), [(None, True), (ProcessLookupError, False), (PermissionError, True)]
)
def test_a_process_of_another_user_exists(
    error: type[OSError] | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may not be signalled, and is there all the same."""
    asked: list[tuple[int, int]] = []

    def kill(pid: int, signal: int) -> None:
        asked.append((pid, signal))
        if error is not None:
            raise error

    monkeypatch.setattr(owner.os, "kill", kill)
    assert owner._exists(7) is expected  # pyright: ignore[reportPrivateUsage]
    assert asked == [(7, 0)]
    monkeypatch.setattr(owner.os, "name", "nt")
    assert owner._exists(7) is True  # pyright: ignore[reportPrivateUsage]
    assert len(asked) == 1, "there a signal of any number ends the process"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_zombie_has_ended() -> None:
    """Its parent has only not looked yet; nobody trains there any more."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        began = owner._started(child.pid)  # pyright: ignore[reportPrivateUsage]
        assert began and began.isdigit()
        child.kill()
        os.waitid(
            os.P_PID, child.pid, os.WEXITED | os.WNOWAIT
        )  # it has ended, and its parent has not looked yet
        assert owner._started(child.pid) == ""  # pyright: ignore[reportPrivateUsage]
    assert owner._started(2**22 + 5) is None  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("S    Mon Jan  5 10:00:00 2026", "Mon Jan  5 10:00:00 2026"),
        ("Z+   Mon Jan  5 10:00:00 2026", ""),
        ("", None),
    ],
)
def test_on_a_mac_ps_tells_when_a_process_began(
    said: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same words each time, or every claim would look like a dead process's."""
    asked: list[tuple[str, ...]] = []

    def output(*command: str) -> str:
        asked.append(command)
        return said

    monkeypatch.setattr(owner, "_output", output)
    monkeypatch.setattr(owner.sys, "platform", "darwin")
    assert owner._started(42) == expected  # pyright: ignore[reportPrivateUsage]
    assert asked == [("ps", "-o", "stat=,lstart=", "-p", "42")]
    assert owner._boot_id() == said  # pyright: ignore[reportPrivateUsage]
    assert asked[1:] == [("sysctl", "-n", "kern.bootsessionuuid")]


def test_elsewhere_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty is not equal to anything that a system says: such owners are told by their heartbeat alone."""

    def gone(*arguments: object, **more: object) -> Any:
        raise OSError

    monkeypatch.setattr(owner.sys, "platform", "win32")
    monkeypatch.setattr(Path, "read_text", gone)
    monkeypatch.setattr(Path, "readlink", gone)
    assert owner._started(1) is None  # pyright: ignore[reportPrivateUsage]
    me = this_process()
    assert (me.boot_id, me.pid_namespace, me.started) == ("", "", "")
    assert life(me, here=me) == "unknown"


def test_a_command_speaks_one_language_and_its_failure_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A date in another language would be another date."""
    given: list[dict[str, str]] = []

    def run(command: tuple[str, ...], **options: Any) -> Any:
        given.append(options["env"])
        assert (options["capture_output"], options["text"], options["check"]) == (True, True, False)
        assert 0 < options["timeout"] <= 10, "whoever claims a trial waits for it"
        if command[0] == "slow":
            raise subprocess.TimeoutExpired(command, 10)
        if command[0] == "none":
            raise FileNotFoundError
        return subprocess.CompletedProcess(command, returncode=int(command[0] == "fails"), stdout=" said \n")

    monkeypatch.setattr(owner.subprocess, "run", run)
    said = [owner._output(name) for name in ("works", "fails", "slow", "none")]  # pyright: ignore[reportPrivateUsage]
    assert said == ["said", "", "", ""]
    assert all((one["LC_ALL"], one["TZ"]) == ("C", "UTC") for one in given)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", [b"a) Z 1 (2", b"\xff\xfe) X"])
def test_the_name_of_a_program_does_not_tell_when_it_began(name: bytes, tmp_path: Path) -> None:
    """It stands before the other fields, in parentheses, and may hold anything: taken for them, a live process seems dead."""
    program = tmp_path / os.fsdecode(name)
    program.symlink_to(shutil.which("sleep") or "/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        try:
            while name[:15] not in Path(f"/proc/{child.pid}/stat").read_bytes():
                pass  # not yet what it is going to be
            began = owner._started(child.pid)  # pyright: ignore[reportPrivateUsage]
            assert began is not None
            since_boot = float(Path("/proc/uptime").read_text().split()[0])
            assert 0 <= since_boot - int(began) / os.sysconf("SC_CLK_TCK") < 60, (
                "ticks since the machine began"
            )
            assert owner._started(child.pid) == began  # pyright: ignore[reportPrivateUsage]
        finally:
            child.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_this_system_says_which_machine_and_which_container() -> None:
    """Without either, a claim could not be told from one of before a restart, or of next door."""
    me = this_process()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", me.boot_id)
    assert re.fullmatch(r"pid:\[\d+\]", me.pid_namespace)
    assert (me.host, me.pid) == (socket.gethostname(), os.getpid())
