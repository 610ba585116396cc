"""Real worker processes: what they send back, and what is said when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from fairtrial import scarcity
from fairtrial.data import catalog
from fairtrial.engine.worker import serve
from fairtrial.errors import DataTooLargeError, ExecutorError
from fairtrial.executors import local
from fairtrial.executors.local import LocalExecutor
from fairtrial.pair import PairTimes
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import Event, Idle, Lost, Outcome, Progress, Started, Trial, Unsaved
from fairtrial.wire import Order, TimingOrder, decode_event, decode_order, encode_event, encode_order

SMALL: dict[str, Any] = {"network": {"mlp": {"width": 8, "depth": 1}}, "data": {"train": 500}, "epochs": 2}


def trial(seed: int = 1, **changes: Any) -> Trial:
    settings = ArmSettings.model_validate({**SMALL, **changes})
    return Trial(arm=Arm(name="arm", settings=settings), seed=seed, precision="float32")


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    with LocalExecutor(workers=2) as executor:
        yield executor


def outcome_of(events: list[Event], key: str) -> Outcome:
    return next(event for event in events if isinstance(event, Outcome) and event.key == key)


def test_two_workers_train_side_by_side_and_give_the_bits_of_one_alone(executor: LocalExecutor) -> None:
    """Whatever runs beside a trial must not change a number of it."""
    alone = trial(1)
    executor.start(Order(trial=alone))
    by_itself = outcome_of(list(executor.events()), alone.key)
    executor.start(Order(trial=alone))
    executor.start(Order(trial=trial(2)))
    assert executor.free == 0
    with pytest.raises(ExecutorError, match="busy"):
        executor.start(Order(trial=trial(3)))
    events = list(executor.events())
    beside = outcome_of(events, alone.key)
    assert beside.weights_sha256 == by_itself.weights_sha256
    assert beside.metrics == by_itself.metrics
    assert sum(isinstance(event, Started) for event in events) == 2
    assert sum(isinstance(event, Progress) for event in events) == 4
    assert executor.free == 2


def test_a_killed_worker_fails_its_attempt_with_the_reason_and_is_replaced(executor: LocalExecutor) -> None:
    """One crash may cost one attempt, never the study."""
    long = trial(epochs=100_000)
    executor.start(Order(trial=long))
    killed = False
    lost: list[Lost] = []
    for event in executor.events():
        if isinstance(event, Progress) and not killed:
            killed = True
            os.kill(next(w.process.pid for w in executor._pool if w.key == long.key), signal.SIGKILL)
        if isinstance(event, Lost):
            lost.append(event)
    assert [event.state for event in lost] == ["failed"]
    assert "SIGKILL" in lost[0].reason
    executor.start(Order(trial=trial()))
    assert outcome_of(list(executor.events()), trial().key).state == "finished"


def test_stopping_a_trial_ends_it_at_once_and_says_so(executor: LocalExecutor) -> None:
    """A budget that is over must not wait for a trial of an hour."""
    long = trial(2, epochs=100_000)
    executor.start(Order(trial=long))
    began = time.monotonic()
    for event in executor.events():
        if isinstance(event, Progress):
            began = time.monotonic()
            executor.stop(long.key)
        if isinstance(event, Lost):
            assert (event.key, event.state) == (long.key, "stopped")
    assert time.monotonic() - began < 20, "it waited for a trial of an hour"


def test_more_memory_than_the_machine_has_fails_the_trial_in_words(executor: LocalExecutor) -> None:
    """The message names the batch and what to do; the worker lives on."""
    layers = [{"conv": {"filters": 4096, "kernel": 3, "padding": "same"}}, "flatten"]
    huge = trial(network={"layers": layers}, batch_size=54_000, data={"train": 54_000})
    executor.start(Order(trial=huge))
    lost = next(event for event in executor.events() if isinstance(event, Lost))
    assert (
        "out of memory" in lost.reason
        and "54000 images" in lost.reason
        and "smaller batch_size" in lost.reason
    )
    assert not lost.retry
    executor.start(Order(trial=trial()))
    assert outcome_of(list(executor.events()), trial().key).state == "finished"


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


def test_a_pair_is_timed_by_a_worker_and_comes_back_whole(executor: LocalExecutor) -> None:
    """The same warm process that trains, so that nothing differs between what is timed and what is trained."""
    order = TimingOrder(first=trial(1), second=trial(1, epochs=4))
    assert decode_order(encode_order(order)) == order
    executor.start(order)
    (pair,) = [event for event in executor.events() if isinstance(event, PairTimes)]
    assert decode_event(encode_event(pair)) == pair
    assert (pair.seed, pair.first.arm_key, pair.second.arm_key) == (
        1,
        order.first.arm_key,
        order.second.arm_key,
    )
    assert pair.second.train_seconds > pair.first.train_seconds > 0
    assert pair.provenance["threads"] == "1"
    assert executor.free == 2


def test_a_pair_that_is_stopped_frees_its_worker_and_a_trial_runs_after_it(executor: LocalExecutor) -> None:
    """The end of a budget comes in the middle of a pair as well."""
    order = TimingOrder(first=trial(1), second=trial(1, epochs=4))
    executor.start(order)
    for event in executor.events():
        if isinstance(event, Started):
            executor.stop(order.key)
        assert not isinstance(event, PairTimes)
    executor.start(Order(trial=trial()))
    assert outcome_of(list(executor.events()), trial().key).state == "finished"


def test_weights_are_kept_where_the_order_says(executor: LocalExecutor, tmp_path: Path) -> None:
    """Later answers look at weights and filters; the file carries the fingerprint it must have."""
    from safetensors import safe_open

    path = tmp_path / "new folder" / "weights.safetensors"
    executor.start(Order(trial=trial(), weights=str(path)))
    outcome = outcome_of(list(executor.events()), trial().key)
    with safe_open(path, framework="np") as file:
        assert (file.metadata() or {})["sha256"] == outcome.weights_sha256
        assert set(file.keys()) == {"dense-1/kernel", "dense-1/bias", "output/kernel", "output/bias"}


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


def test_a_worker_trains_on_moved_images(executor: LocalExecutor) -> None:
    """The amounts go through the pipe, and the same images come of them every time."""
    moved = trial(1, data={"train": 500, "augment": {"shift": 2, "rotate": 10}})
    found: list[str] = []
    for each in (moved, moved, trial(1)):
        executor.start(Order(trial=each))
        found.append(outcome_of(list(executor.events()), each.key).weights_sha256)
    assert found[0] == found[1] != found[2]


def test_orders_and_events_survive_the_wire(executor: LocalExecutor) -> None:
    """What the store records is what the worker measured, to the bit."""
    order = Order(
        trial=trial(optimizer={"name": "sgd", "learning_rate": {"cosine": {"initial": 0.1}}}), weights="w"
    )
    assert decode_order(encode_order(order)) == order
    executor.start(Order(trial=trial()))
    for event in executor.events():
        if isinstance(event, Idle):
            continue  # the executor's own: it never travels
        again = decode_event(encode_event(event))
        if isinstance(event, Outcome):
            assert (
                isinstance(again, Outcome) and event.predictions is not None and again.predictions is not None
            )
            assert (again.predictions.classes == event.predictions.classes).all()
            assert (again.predictions.probabilities == event.predictions.probabilities).all()
            assert again.metrics == event.metrics and again.history == event.history
        else:
            assert again == event


def test_a_worker_of_another_version_says_so() -> None:
    """Two versions of fairtrial on one machine must not mix their numbers under one key."""
    line = encode_order(Order(trial=trial())).replace(trial().key, "0" * 64)
    with pytest.raises(ExecutorError, match="another version"):
        decode_order(line)


def test_a_long_trial_killed_in_the_middle_goes_on_from_its_checkpoint_bit_for_bit(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """Forty minutes of training must not start over because of a power cut in the last."""
    # So many epochs are expected to take minutes, so checkpoints are kept; seven are enough to stop.
    rule = {"monitor": "validation_loss", "patience": 6, "min_delta": 100.0}
    long = trial(epochs=100_000, early_stopping=rule, data={"train": 2000, "validation": 500})
    order = Order(trial=long, checkpoint=str(tmp_path / "checkpoints" / "kept"))
    executor.start(order)
    for event in executor.events():
        if isinstance(event, Progress) and event.record.epoch == 4:
            os.kill(next(w.process.pid for w in executor._pool if w.key == long.key), signal.SIGKILL)
    assert (tmp_path / "checkpoints" / "kept").exists()
    executor.start(order)
    events = list(executor.events())
    resumed = outcome_of(events, long.key)
    assert min(event.record.epoch for event in events if isinstance(event, Progress)) > 1
    assert int(resumed.provenance["resumed_after_epoch"]) >= 3
    executor.start(Order(trial=long))
    whole = outcome_of(list(executor.events()), long.key)
    assert (resumed.epochs, resumed.metrics, resumed.weights_sha256) == (
        7,
        whole.metrics,
        whole.weights_sha256,
    )


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


def test_weights_that_cannot_be_saved_cost_no_outcome(executor: LocalExecutor, tmp_path: Path) -> None:
    """A night of training is worth more than the file beside it: the outcome comes, and why the file does not."""
    (tmp_path / "weights").write_text("a file where the folder would be")
    order = Order(trial=trial(), weights=str(tmp_path / "weights" / "final.safetensors"))
    executor.start(order)
    events = [event for event in executor.events() if isinstance(event, Outcome | Lost | Unsaved)]
    unsaved, outcome = events
    assert isinstance(unsaved, Unsaved) and isinstance(outcome, Outcome)
    assert str(unsaved).startswith("its weights could not be saved (")
    assert decode_event(encode_event(unsaved)) == unsaved


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
    monkeypatch.setattr(local.sys, "executable", str(program))
    return LocalExecutor(workers=1)


def test_a_worker_killed_while_it_starts_is_tried_again_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the system picked to make room is bad luck; three in a row are a machine without room."""
    with python_that("kill -KILL $$", tmp_path, monkeypatch) as executor:
        for _ in range(local.KILLED_STARTING):
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
    monkeypatch.setattr(local.sys, "executable", str(tmp_path / "gone"))
    with (
        LocalExecutor(workers=1) as executor,
        pytest.raises(ExecutorError, match="no worker can start: No such"),
    ):
        executor.start(Order(trial=trial()))
