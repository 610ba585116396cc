"""Nothing that a study has started goes on without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import fairtrial as ft
from fairtrial.executors import programs
from fairtrial.executors.scratch import scratch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups")

LONG = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("running").write_text(f"{os.getppid()} {os.getpid()} {child.pid}")
time.sleep(60)
"""


def gone(process: int) -> bool:
    """Whether it has ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def soon(true: object) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if true():  # pyright: ignore[reportCallIssue]
            return True
        time.sleep(0.02)
    return False


def program(folder: Path) -> subprocess.Popen[bytes]:
    """One as a worker starts it: the first of its group, told where its folder is."""
    return subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={**os.environ, programs.OUTPUT: f"{folder}/x/output"},
        process_group=0,
    )


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_worker_that_is_killed_takes_its_program_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory runs out, the system kills the worker: its program must not train on beside the next attempt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "long.py").write_text(LONG)
    study = ft.Study(arms={"own": {"command": "python long.py --seed {seed}"}})
    killed: list[int] = []

    def kill_worker(_: object) -> None:
        if not killed and (tmp_path / "running").exists() and (said := (tmp_path / "running").read_text()):
            killed.extend(int(one) for one in said.split())
            os.kill(killed[0], signal.SIGKILL)
            (tmp_path / "long.py").write_text("raise SystemExit(3)")

    ft.run(study, seeds=1, workers=1, on_event=kill_worker)
    assert len(killed) == 3
    assert soon(lambda: all(gone(one) for one in killed))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="is known by /proc")
def test_only_what_runs_in_the_folder_is_ended(tmp_path: Path) -> None:
    """A number in a note may be another process's by now."""
    ours, other = program(tmp_path), program(Path(f"{tmp_path}-elsewhere"))
    try:
        for number, one in enumerate((ours, other)):
            (tmp_path / f"{number}.program").write_text(str(one.pid))
        (tmp_path / "3.program").write_text("nonsense")
        programs.end_left(tmp_path)
        assert ours.wait(20) == -signal.SIGKILL
        time.sleep(0.2)
        assert other.poll() is None
        assert not [*tmp_path.glob("?.program")][1:]
    finally:
        for one in (ours, other):
            one.kill()
            one.wait()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="is known by /proc")
def test_what_a_killed_study_left_is_cleared_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folders and programs; those of a study that runs are let alone, and so are folders just made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch.cache_clear()
    held = scratch()
    left, young, users = (
        tmp_path / f"fairtrial-{name}" for name in ("scratch-left", "scratch-young", "users")
    )
    for one in (left / "workers", young, users):
        one.mkdir(parents=True)
    running = program(left / "workers")
    try:
        (left / "workers" / "1.program").write_text(str(running.pid))
        old = time.time() - 3600
        for one in (left, held, users):
            os.utime(one, (old, old))
        scratch.cache_clear()
        scratch()
        assert running.wait(20) == -signal.SIGKILL
        assert not left.exists()
        assert held.exists() and young.exists() and users.exists()
    finally:
        running.kill()
        running.wait()
        scratch.cache_clear()
