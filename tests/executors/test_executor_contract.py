"""What every executor keeps to: real workers on this machine, and the same on a real Ray cluster of two nodes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from orders import outcome_of, same_numbers, trial

from fairtrial.errors import ExecutorError
from fairtrial.executors.choice import Place
from fairtrial.executors.local import LocalExecutor
from fairtrial.executors.remote import ClusterExecutor
from fairtrial.pair import PairTimes
from fairtrial.trial import Idle, Lost, Outcome, Progress, Started, Unsaved
from fairtrial.wire import Order, TimingOrder, decode_event, decode_order, encode_event, encode_order


@dataclass(frozen=True, slots=True)
class Subject:
    """An executor of two workers, and how to kill the one that trains."""

    executor: LocalExecutor | ClusterExecutor
    kill: Callable[[], None]


@pytest.fixture(
    scope="module",
    params=[
        "local",
        # What the cluster's library warns of is not ours to mend.
        pytest.param("ray", marks=[pytest.mark.long, pytest.mark.filterwarnings("ignore")]),
    ],
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "local":
        with LocalExecutor(workers=2) as executor:
            yield Subject(executor, lambda: kill_busy(executor))
        return
    nodes = request.getfixturevalue("nodes")
    nodes.at_least(2)
    with Place(name="ray", workers=2).ready() as executor:
        yield Subject(executor, nodes.kill_workers)


def kill_busy(executor: LocalExecutor) -> None:
    for worker in executor._pool:  # pyright: ignore[reportPrivateUsage]
        if worker.key is not None:
            os.kill(worker.process.pid, signal.SIGKILL)


@pytest.fixture
def executor(subject: Subject) -> LocalExecutor | ClusterExecutor:
    return subject.executor


def test_two_workers_train_side_by_side_and_give_the_bits_of_one_alone(
    executor: LocalExecutor | ClusterExecutor,
) -> None:
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


def test_a_killed_worker_fails_its_attempt_with_the_reason_and_is_replaced(
    executor: LocalExecutor | ClusterExecutor, subject: Subject
) -> None:
    """One crash may cost one attempt, never the study."""
    long = trial(epochs=100_000)
    executor.start(Order(trial=long))
    killed = False
    lost: list[Lost] = []
    for event in executor.events():
        if isinstance(event, Progress) and not killed:
            killed = True
            subject.kill()
        if isinstance(event, Lost):
            lost.append(event)
    assert [event.state for event in lost] == ["failed"]
    assert "SIGKILL" in lost[0].reason
    executor.start(Order(trial=trial()))
    assert outcome_of(list(executor.events()), trial().key).state == "finished"


def test_stopping_a_trial_ends_it_at_once_and_says_so(executor: LocalExecutor | ClusterExecutor) -> None:
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


def test_more_memory_than_the_machine_has_fails_the_trial_in_words(
    executor: LocalExecutor | ClusterExecutor,
) -> None:
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


def test_a_pair_is_timed_by_a_worker_and_comes_back_whole(executor: LocalExecutor | ClusterExecutor) -> None:
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


def test_a_pair_that_is_stopped_frees_its_worker_and_a_trial_runs_after_it(
    executor: LocalExecutor | ClusterExecutor,
) -> None:
    """The end of a budget comes in the middle of a pair as well."""
    order = TimingOrder(first=trial(1), second=trial(1, epochs=4))
    executor.start(order)
    for event in executor.events():
        if isinstance(event, Started):
            executor.stop(order.key)
        assert not isinstance(event, PairTimes)
    executor.start(Order(trial=trial()))
    assert outcome_of(list(executor.events()), trial().key).state == "finished"


def test_weights_are_kept_where_the_order_says(
    executor: LocalExecutor | ClusterExecutor, tmp_path: Path
) -> None:
    """Later answers look at weights and filters; the file carries the fingerprint it must have."""
    from safetensors import safe_open

    path = tmp_path / "new folder" / "weights.safetensors"
    executor.start(Order(trial=trial(), weights=str(path)))
    outcome = outcome_of(list(executor.events()), trial().key)
    with safe_open(path, framework="np") as file:
        assert (file.metadata() or {})["sha256"] == outcome.weights_sha256
        assert set(file.keys()) == {"dense-1/kernel", "dense-1/bias", "output/kernel", "output/bias"}


def test_weights_that_cannot_be_saved_cost_no_outcome(
    executor: LocalExecutor | ClusterExecutor, tmp_path: Path
) -> None:
    """A night of training is worth more than the file beside it: the outcome comes, and why the file does not."""
    (tmp_path / "weights").write_text("a file where the folder would be")
    order = Order(trial=trial(), weights=str(tmp_path / "weights" / "final.safetensors"))
    executor.start(order)
    events = [event for event in executor.events() if isinstance(event, Outcome | Lost | Unsaved)]
    unsaved, outcome = events
    assert isinstance(unsaved, Unsaved) and isinstance(outcome, Outcome)
    assert str(unsaved).startswith("its weights could not be saved (")
    assert decode_event(encode_event(unsaved)) == unsaved


def test_a_worker_trains_on_moved_images(executor: LocalExecutor | ClusterExecutor) -> None:
    """The amounts go through the pipe, and the same images come of them every time."""
    moved = trial(1, data={"train": 500, "augment": {"shift": 2, "rotate": 10}})
    found: list[str] = []
    for each in (moved, moved, trial(1)):
        executor.start(Order(trial=each))
        found.append(outcome_of(list(executor.events()), each.key).weights_sha256)
    assert found[0] == found[1] != found[2]


def test_orders_and_events_survive_the_wire(executor: LocalExecutor | ClusterExecutor) -> None:
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


def test_a_long_trial_killed_in_the_middle_goes_on_from_its_checkpoint_bit_for_bit(
    executor: LocalExecutor | ClusterExecutor, subject: Subject, tmp_path: Path
) -> None:
    """Forty minutes of training must not start over because of a power cut in the last."""
    # So many epochs are expected to take minutes, so checkpoints are kept; seven are enough to stop.
    rule = {"monitor": "validation_loss", "patience": 6, "min_delta": 100.0}
    long = trial(epochs=100_000, early_stopping=rule, data={"train": 2000, "validation": 500})
    order = Order(trial=long, checkpoint=str(tmp_path / "checkpoints" / "kept"))
    executor.start(order)
    for event in executor.events():
        if isinstance(event, Progress) and event.record.epoch == 4:
            subject.kill()
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


def test_a_trial_gives_the_numbers_that_it_gives_on_this_machine_alone(
    executor: LocalExecutor | ClusterExecutor,
) -> None:
    """Where a trial runs must not change a number of it."""
    one = trial(7, epochs=3)
    executor.start(Order(trial=one))
    there = outcome_of(list(executor.events()), one.key)
    with LocalExecutor(workers=1) as alone:
        alone.start(Order(trial=one))
        here = outcome_of(list(alone.events()), one.key)
    assert same_numbers(there, here)
    if isinstance(executor, ClusterExecutor):
        assert there.provenance["executor"] == "ray" and there.provenance["node"]
        assert {**there.provenance, "executor": "", "node": ""} == {
            **here.provenance, "executor": "", "node": "",
        }  # fmt: skip
