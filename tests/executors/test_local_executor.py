"""What is this machine's own executor's alone: its cores, its files, how its workers start and end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from orders import outcome_of, trial

from fairtrial import scarcity
from fairtrial.data import catalog
from fairtrial.engine.worker import serve
from fairtrial.errors import DataTooLargeError, ExecutorError
from fairtrial.executors import local, worker_process
from fairtrial.executors.local import LocalExecutor
from fairtrial.trial import Lost, Unsaved
from fairtrial.wire import Order, decode_event, decode_order, encode_order


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    with LocalExecutor(workers=2) as executor:
        yield executor


def test_files_of_the_users_do_not_stand_in_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People keep a random.py and a fairtrial.py beside their study, and Python looks there first."""
    for name in ("random", "queue", "torch", "fairtrial"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    with LocalExecutor(workers=1) as executor:
        executor.start(Order(trial=trial()))
        assert outcome_of(list(executor.events()), trial().key).state == "finished"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no such limits elsewhere")
@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("(2**31, 2**31)", "the 2.0 GiB that a process may use here (`ulimit`)"),
        ("(-1, -1)", "GiB of this machine"),
    ],
)
def test_the_memory_that_is_named_is_what_the_worker_may_use(limit: str, said: str) -> None:
    """Told of the machine's 64 GiB, nobody on a shared one would look for the limit of 2 that was hit."""
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_DATA, {limit})\n"
        "from fairtrial.engine import process\n"
        "process.bound_memory(); print(process.memory_in_words())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said in done.stdout


def test_a_worker_that_cannot_start_is_an_error_and_no_trials_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation must stop the run at once, not fail every trial three times."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with LocalExecutor(workers=1) as broken:
        broken.start(Order(trial=trial()))
        with pytest.raises(ExecutorError, match="no worker can start"):
            list(broken.events())


def test_workers_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    """kill -9 of the parent must not leave trainings behind that nobody records."""
    program = (
        "import sys\n"
        "from fairtrial.executors.local import LocalExecutor\n"
        "from fairtrial.wire import Order, decode_order\n"
        "executor = LocalExecutor(workers=1)\n"
        "executor.start(Order(trial=decode_order(sys.argv[1]).trial))\n"
        "for event in executor.events():\n"
        "    print(executor._pool[0].process.pid, flush=True)\n"
    )
    order = encode_order(Order(trial=trial(epochs=100_000)))
    parent = subprocess.Popen([sys.executable, "-c", program, order], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    for _ in range(20):
        parent.stdout.readline()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(worker)


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_worker_of_another_version_says_so() -> None:
    """Two versions of fairtrial on one machine must not mix their numbers under one key."""
    line = encode_order(Order(trial=trial())).replace(trial().key, "0" * 64)
    with pytest.raises(ExecutorError, match="another version"):
        decode_order(line)


def test_there_is_a_worker_for_each_core_and_none_for_its_second_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two trials on the two threads of one core would each take nearly twice as long."""
    pairs = {0: {0, 2}, 1: {1, 3}, 2: {0, 2}, 3: {1, 3}}
    monkeypatch.setattr(local, "siblings", pairs.__getitem__)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert local.available_cores() == [0, 1]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3}, raising=False)
    assert local.available_cores() == [2, 3]


def test_a_worker_that_died_with_nothing_to_do_is_replaced_without_a_word(executor: LocalExecutor) -> None:
    """Killed in the moment between two trials it would have passed for one that is busy, and ended the run."""
    executor.start(Order(trial=trial()))
    list(executor.events())
    for worker in executor._pool:
        worker.process.kill()
        worker.process.wait()
    assert executor.free == 2
    executor.start(Order(trial=trial()))
    assert outcome_of(list(executor.events()), trial().key).state == "finished"


def test_a_damaged_checkpoint_and_one_that_cannot_be_saved_cost_time_alone(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """What is kept for an interruption must not itself interrupt; the figures are those of a training in one go."""
    executor.start(Order(trial=trial()))
    whole = outcome_of(list(executor.events()), trial().key)
    kept = tmp_path / "kept"
    kept.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{half of a header")
    executor.start(Order(trial=trial(), checkpoint=str(kept)))
    again = outcome_of(list(executor.events()), trial().key)
    assert again.weights_sha256 == whole.weights_sha256
    assert "resumed_after_epoch" not in again.provenance
    rule = {"monitor": "validation_loss", "patience": 2, "min_delta": 100.0}
    long = trial(epochs=100_000, early_stopping=rule, data={"train": 2000, "validation": 500})
    executor.start(Order(trial=long, checkpoint=str(kept / "in a file")))
    events = list(executor.events())
    assert [event.what for event in events if isinstance(event, Unsaved)] == ["checkpoint"], "said once"
    assert outcome_of(events, long.key).state == "finished"


def python_that(says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalExecutor:
    """Workers that do no more than a line of shell."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return LocalExecutor(workers=1)


def test_a_worker_killed_while_it_starts_is_tried_again_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the system picked to make room is bad luck; three in a row are a machine without room."""
    with python_that("kill -KILL $$", tmp_path, monkeypatch) as executor:
        for _ in range(worker_process.KILLED_STARTING):
            executor.start(Order(trial=trial()))
            (lost,) = [event for event in executor.events() if isinstance(event, Lost)]
            assert lost.retry and "the worker was killed by SIGKILL" in lost.reason
        executor.start(Order(trial=trial()))
        with pytest.raises(ExecutorError, match="no worker can start: the worker was killed by SIGKILL"):
            list(executor.events())


def test_too_little_memory_for_a_worker_is_called_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`failed to map segment from shared object` tells nobody to raise a limit."""
    says = "echo 'ImportError: libtorch_cpu.so: failed to map segment from shared object' >&2; exit 1"
    with python_that(says, tmp_path, monkeypatch) as executor:
        executor.start(Order(trial=trial()))
        with pytest.raises(ExecutorError, match=r"\(perhaps too little memory for a worker; .*`ulimit -v`"):
            list(executor.events())
    monkeypatch.setattr(scarcity, "address_space", lambda: 900 * 2**20)
    with python_that("echo 'OSError: no libllvmlite.so' >&2; exit 1", tmp_path, monkeypatch) as executor:
        executor.start(Order(trial=trial()))
        with pytest.raises(
            ExecutorError, match=r"too little memory for a worker: a process may use 0\.9 GiB here"
        ):
            list(executor.events())


def test_images_that_do_not_fit_into_the_memory_of_a_worker_name_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker lives and says what it could not do; without its limit nobody would know what to change."""

    class Enough(Exception):
        pass

    class Told:
        def write(self, line: str) -> None:
            event = decode_event(line)
            if isinstance(event, Lost):
                raise Enough(event)

        def flush(self) -> None:
            pass

    def orders() -> Iterator[str]:
        yield encode_order(Order(trial=trial()))
        threading.Event().wait()  # the end of its orders would be the end of this process

    def full(_: object) -> None:
        raise DataTooLargeError("images.gz: its 24 bytes do not fit into the memory there is")

    for settings in ("set_num_threads", "set_flush_denormal"):  # those of this process stay what they are
        monkeypatch.setattr(torch, settings, lambda _: None)
    monkeypatch.setattr(catalog, "load", full)
    monkeypatch.setattr(scarcity, "address_space", lambda: 900 * 2**20)
    with pytest.raises(Enough) as caught:
        serve(orders(), Told())  # pyright: ignore[reportArgumentType]
    (lost,) = caught.value.args
    assert lost.reason.startswith("images.gz: its 24 bytes do not fit into the memory there is (perhaps too")
    assert "little memory for a worker: a process may use 0.9 GiB here; end other programs" in lost.reason
    assert lost.key == trial().key and not lost.retry


def test_a_worker_that_the_system_refuses_to_start_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more processes, or no room for its files: neither is a traceback's business."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    with (
        LocalExecutor(workers=1) as executor,
        pytest.raises(ExecutorError, match="no worker can start: No such"),
    ):
        executor.start(Order(trial=trial()))
