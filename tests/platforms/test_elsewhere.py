"""Small studies with everything taken away that other systems do not have, in the study's process and in its workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from fairtrial.engine import load, process
from fairtrial.executors.local import available_cores
from fairtrial.executors.pipes import AHEAD, Pipes

ROOT = Path(__file__).parents[2]
STUDY = """
schema: fairtrial/1
name: small
data: {train: 300, validation: 100}
base: {network: {mlp: {width: 8, depth: 1}}, epochs: 1, batch_size: 50, precision: float32}
arms: {a: {}, b: {network.mlp.width: 16}}
questions: [{id: q, ask: More?, variant: b, baseline: a, metrics: [accuracy, time]}]
"""


def answers(folder: Path, elsewhere: str) -> dict[str, Any]:
    path = [str(ROOT / "src"), str(Path(__file__).parent)]
    environment = os.environ | {"FAIRTRIAL_ELSEWHERE": elsewhere, "PYTHONPATH": os.pathsep.join(path)}
    program = "import fairtrial.cli.app as a; a.main()"
    words = ["run", "small.yaml", "--seeds", "2", "-j", "1", "--json", "--store", f"{elsewhere or 'here'}.db"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "\x1b" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", ["win32", pytest.param("darwin", marks=pytest.mark.long)])
def test_a_study_trains_and_answers_without_what_linux_has(elsewhere: str, tmp_path: Path) -> None:
    """Same figures to the last bit, times apart, and a time that says nothing of the machine's load where nothing is known."""
    (tmp_path / "small.yaml").write_text(STUDY, encoding="utf-8")
    there, here = answers(tmp_path, elsewhere), answers(tmp_path, "")

    def figures(found: dict[str, Any]) -> list[Any]:
        return [
            {name: value for name, value in trial.items() if "second" not in name and name != "history"}
            for arm in found["arms"]
            for trial in arm["trials"]
        ]

    assert figures(there) == figures(here)
    assert len(figures(there)) == 4
    time = next(one for one in there["answers"] if one["metric"] == "time")
    assert time["seeds"] == 2


def test_without_affinity_every_processor_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows do not say which cores a process may use, nor can it be pinned."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert len(available_cores()) == os.cpu_count()
    assert process.pin(0) is False


def test_without_sysconf_memory_is_unknown_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no sysconf: a worker that asked for it would not start."""
    monkeypatch.delattr(os, "sysconf", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert process.machine_memory() == 0
    assert process.memory_in_words() == "the memory of this machine"
    assert process.bound_memory() == 0
    assert process.keep_freed_memory() is False
    process.die_with_parent(0)


def test_without_a_load_average_other_load_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not known is not the same as nothing."""
    monkeypatch.delattr(os, "getloadavg", raising=False)
    monkeypatch.setattr(load, "_busy_seconds", lambda: None)
    before = load.read()
    assert (
        load.other_load(before, load.Reading(wall=before.wall + 1, busy=None, own=before.own, average=None))
        is None
    )


def test_pipes_are_read_as_they_come_and_say_when_they_end() -> None:
    """What one says stays in order, whoever else speaks; an empty piece is its end; one that was left is not heard."""
    pipes: Pipes[str] = Pipes()
    ends = {name: os.pipe() for name in ("one", "two", "left")}
    readers = {name: os.fdopen(read, "rb", buffering=0) for name, (read, _) in ends.items()}
    for name, reader in readers.items():
        pipes.add(reader, name)
    pipes.remove(readers["left"])
    os.write(ends["left"][1], b"unheard")
    said = {"one": bytes(range(256)) * 2000, "two": b"abc" * 70_000}

    def speak(name: str) -> None:
        with os.fdopen(ends[name][1], "wb") as pipe:
            pipe.write(said[name])

    for name in said:
        threading.Thread(target=speak, args=(name,)).start()
    heard = {"one": b"", "two": b""}
    ended: set[str] = set()
    while len(ended) < 2:
        for name, piece in pipes.wait(10):
            heard[name] += piece
            if not piece:
                ended.add(name)
    assert heard == said
    assert pipes.wait(0.05) == []
    os.close(ends["left"][1])
    pipes.close()
    for reader in readers.values():
        reader.close()


def test_a_flood_waits_until_somebody_listens() -> None:
    """A worker gone mad must not fill the memory of the study's process."""
    pipes: Pipes[str] = Pipes()
    read, write = os.pipe()
    reader = os.fdopen(read, "rb", buffering=0)
    pipes.add(reader, "mad")
    os.set_blocking(write, False)
    written = 0
    for _ in range(50):
        try:
            while True:
                written += os.write(write, b"x" * 65_536)
        except BlockingIOError:
            threading.Event().wait(0.01)
    assert written < (AHEAD + 8) * 2**20
    pipes.remove(reader)
    os.close(write)
    reader.close()
