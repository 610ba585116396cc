"""What is done about a cluster's losses, on one that runs nothing: a contract that holds whatever the cluster is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import Begun, FakeCluster, ended, gone, node, told

from fairtrial import runner
from fairtrial.errors import ExecutorError
from fairtrial.executors import attempt as node_side
from fairtrial.executors.cluster import News, Node, Share
from fairtrial.executors.remote import ClusterExecutor
from fairtrial.executors.worker_process import KILLED_STARTING
from fairtrial.pair import ArmTimes, PairTimes, machine_called
from fairtrial.store import Store
from fairtrial.study.schema import Arm, ArmSettings, Question, Seeds, Study
from fairtrial.trial import METRICS, EpochRecord, Event, Lost, Outcome, Progress, Started, Trial, Unsaved
from fairtrial.wire import Order, TimingOrder, decode_order, encode_event

ONE = Share(cpus=1, gpus=0)


def arm(name: str, width: int) -> Arm:
    return Arm(name=name, settings=ArmSettings.model_validate({"network": {"mlp": {"width": width}}}))


def trial(seed: int = 1) -> Trial:
    return Trial(arm=arm("arm", 8), seed=seed, precision="float32")


def record(epoch: int) -> EpochRecord:
    return EpochRecord(
        epoch=epoch, train_accuracy=0.9, train_loss=0.1, validation_accuracy=0.9, validation_loss=0.1,
        train_seconds=0.1, validation_seconds=0.1,
    )  # fmt: skip


def progress(epoch: int, key: str) -> str:
    return encode_event(Progress(key=key, record=record(epoch), epochs=3))


def outcome(of: Trial, *, accuracy: float = 0.5) -> str:
    return encode_event(
        Outcome(
            key=of.key, state="finished", epochs=1,
            metrics=dict.fromkeys(METRICS, accuracy) | {"validation_seen": 0.0},
            seconds=dict.fromkeys(("setup", "train", "validation", "last_epoch", "test", "fit"), 0.1),
            history=(record(1),), provenance={"machine": "m", "processor": "p"}, weights_sha256=of.key,
        )
    )  # fmt: skip


def executor_on(cluster: FakeCluster, **options: Any) -> ClusterExecutor:
    return ClusterExecutor(cluster, share=options.pop("share", ONE), **options)


def started(cluster: FakeCluster, order: Order | TimingOrder, **options: Any) -> ClusterExecutor:
    executor = executor_on(cluster, **options)
    executor.start(order)
    return executor


def after_start(events: Iterator[Event]) -> list[Event]:
    first, *rest = events
    assert isinstance(first, Started)
    return rest


def trained(job: node_side.Job) -> str:
    order = decode_order(job.order)
    assert isinstance(order, Order)
    # Two arms that differ clearly, so that three seeds settle it.
    apart = 0.01 * (order.trial.arm.name == "wide") + 1e-5 * (order.trial.seed % 3)
    return outcome(order.trial, accuracy=0.9 + apart)


STUDY = Study(
    name="study",
    arms={"narrow": arm("narrow", 10), "wide": arm("wide", 20)},
    questions=(Question(id="Q", variant="wide", baseline="narrow"),),
    seeds=Seeds(min=3, max=50),
)


def test_a_lost_node_costs_no_trial_none_counts_as_failed_and_each_is_recorded_once(tmp_path: Path) -> None:
    """A cloud takes machines away every hour: four times here, which would be too often for a failure."""
    taken: list[int] = []

    def answer(begun: Begun) -> News:
        if len(taken) < 4:
            taken.append(begun.number)
            return gone(begun.number, "node")
        return ended(begun.number, trained(begun.job))

    cluster = FakeCluster(answer=answer)
    with Store.open(tmp_path / "store.db") as store:
        report = runner.run(STUDY, store=store, executor=executor_on(cluster), seeds=3)
        keys = [begun.job.key for begun in cluster.begun]
        attempts = [one for some in store.attempts(set(keys)).values() for one in some]
    assert (report.trained, report.remaining, report.failed) == (6, 0, {})
    assert len(keys) == 10 and len(set(keys)) == 6
    assert [(one.state, one.reason) for one in attempts] == 4 * [
        ("stopped", "its node was lost; it runs again elsewhere")
    ]


def test_a_process_that_dies_on_a_node_that_lives_has_failed() -> None:
    """Three of these and the trial is given up, or one that kills whatever runs it would go round for ever."""
    cluster = FakeCluster(answer=lambda begun: gone(begun.number, "process"))
    (lost,) = after_start(started(cluster, Order(trial=trial())).events())
    assert isinstance(lost, Lost)
    assert (lost.state, lost.retry) == ("failed", True) and "said by the cluster" in lost.reason


def test_a_process_that_dies_with_a_node_that_is_not_there_any_more_was_lost_with_it() -> None:
    """The news of the process may come before those of its node."""
    cluster = FakeCluster()
    executor = started(cluster, Order(trial=trial()))
    cluster.coming += [told(1, node="b"), gone(1, "process")]
    cluster.there = [node("a")]
    lost = [event for event in executor.events() if isinstance(event, Lost)]
    assert [(one.state, one.reason) for one in lost] == [
        ("stopped", "node b was lost; it runs again elsewhere")
    ]


def test_what_was_told_on_the_way_comes_once_and_in_order_whatever_was_lost_of_it() -> None:
    """The outcome brings everything along; a search counts on the scores of all epochs."""
    order = Order(trial=trial())
    lines = [*(progress(epoch, order.key) for epoch in (1, 2, 3)), outcome(order.trial)]
    cluster = FakeCluster()
    executor = started(cluster, order)
    cluster.coming += [
        told(1, place=0, line=lines[0]),
        told(1, place=2, line=lines[2]),
        ended(1, *lines),
        told(1, place=1, line=lines[1]),
    ]
    found = [event for event in after_start(executor.events()) if isinstance(event, Progress | Outcome)]
    assert [one.record.epoch for one in found if isinstance(one, Progress)] == [1, 2, 3]
    assert isinstance(found[-1], Outcome) and len(found) == 4
    assert found[-1].provenance == {"machine": "m", "processor": "p", "executor": "fake", "node": "a"}


def test_a_stopped_attempt_is_cancelled_and_never_heard_of_again() -> None:
    """Its outcome may be on its way: taken, the same trial would be recorded by two attempts."""
    order = Order(trial=trial())
    cluster = FakeCluster()
    executor = started(cluster, order)
    executor.stop(order.key)
    executor.stop("of no trial that runs")
    executor.start(order)
    cluster.coming += [ended(1, outcome(order.trial)), ended(2, outcome(order.trial))]
    events = list(executor.events())
    assert cluster.cancelled == [1]
    assert [type(event).__name__ for event in events if not isinstance(event, Started)] == [
        "Lost",
        "Outcome",
    ]


def out_of_memory(begun: Begun) -> News:
    lost = Lost(
        key=begun.job.key, state="failed", reason="out of memory: all of it", retry=False, memory=True
    )
    return ended(begun.number, encode_event(lost))


def test_out_of_memory_is_tried_once_more_alone_on_the_node_with_most() -> None:
    """Four trials shared 8 GB; a node of 32 GB to itself may do."""
    order = Order(trial=trial())

    def answer(begun: Begun) -> News:
        return out_of_memory(begun) if begun.number == 1 else ended(begun.number, outcome(order.trial))

    large = node("large", cpus=4, memory=32e9)
    cluster = FakeCluster(there=[node("a", cpus=4), large], answer=answer)
    executor = started(cluster, order)
    events = executor.events()
    assert isinstance(next(events), Started)
    assert isinstance(next(events), Outcome)
    first, second = cluster.begun
    assert (first.share, first.node) == (ONE, None)
    assert (second.share, second.node) == (Share(cpus=4, gpus=0), large)


def test_out_of_memory_twice_is_recorded_as_failed_and_not_tried_again() -> None:
    """There is no more memory to be had."""
    cluster = FakeCluster(there=[node("a", cpus=2)], answer=out_of_memory)
    executor = started(cluster, Order(trial=trial()))
    assert executor.free == 1
    (lost,) = after_start(executor.events())
    assert isinstance(lost, Lost) and len(cluster.begun) == 2
    assert (lost.state, lost.retry) == ("failed", False)
    assert lost.reason == "out of memory: all of it; a second time, with a node to itself, as well"


@pytest.mark.parametrize("kind", ["worker", "cluster"])
def test_without_a_larger_slice_out_of_memory_is_final_at_once(kind: str) -> None:
    """The same again on the same node would take as long and end the same way."""
    cluster = FakeCluster(
        answer=out_of_memory if kind == "worker" else lambda one: gone(one.number, "memory")
    )
    (lost,) = after_start(started(cluster, Order(trial=trial())).events())
    assert isinstance(lost, Lost) and len(cluster.begun) == 1
    assert (lost.state, lost.retry, lost.memory) == ("failed", False, True)


def test_a_trial_that_has_a_node_to_itself_takes_all_of_its_places() -> None:
    """Others begun meanwhile would wait for it on a node that is kept from them."""
    cluster = FakeCluster(there=[node("a", cpus=4), node("b", cpus=4)])
    executor = started(cluster, Order(trial=trial()))
    cluster.coming += [out_of_memory(cluster.begun[0])]
    events = executor.events()
    while len(cluster.begun) < 2:
        next(events)
    assert (executor.workers, executor.free) == (8, 4)


def pair_on(order: TimingOrder, machine: str) -> str:
    def side(one: Trial) -> ArmTimes:
        return ArmTimes(
            arm_key=one.arm_key, arm_name=one.arm.name, train_seconds=1.0, fit_seconds=1.1, process_seconds=1.0,
            timed_steps=200, timed_seconds=0.5,
        )  # fmt: skip

    return encode_event(
        PairTimes(
            seed=1, first=side(order.first), second=side(order.second), machine=machine, processor="p",
            device="cpu", load_average=1.0, other_load=0.0, seconds=2.0, provenance={"torch": "none"},
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("machine", "timed_on"),
    [("", "ours"), ("m", "z")],
    ids=["the first pair on this machine", "others where the first was"],
)
def test_all_pairs_of_two_arms_are_timed_on_one_machine(machine: str, timed_on: str) -> None:
    """Seconds of two machines compare the machines, not the arms."""
    here = machine_called(socket.gethostname())
    cluster = FakeCluster(there=[node("a"), node("ours", machine=here), node("z", machine="m")])
    order = TimingOrder(first=trial(), second=trial(), machine=machine)
    executor = started(cluster, order)
    assert cluster.begun[0].node is not None and cluster.begun[0].node.name == timed_on
    cluster.coming += [ended(1, pair_on(order, "m"), on=timed_on)]
    (pair,) = after_start(executor.events())
    assert isinstance(pair, PairTimes) and pair.provenance["node"] == timed_on


def test_a_pair_whose_machine_is_not_there_is_not_timed_on_another() -> None:
    """It would never be used, and said to be the same question's."""
    cluster = FakeCluster()
    (lost,) = after_start(started(cluster, TimingOrder(first=trial(), second=trial(), machine="m")).events())
    assert isinstance(lost, Lost) and cluster.begun == []
    assert (lost.state, lost.retry) == ("failed", False) and "timed on machine m" in lost.reason


def test_a_pair_whose_node_is_lost_has_failed_and_is_timed_again() -> None:
    """Stopped would mean that the budget has ended, and end the timing of everything."""
    cluster = FakeCluster(answer=lambda begun: gone(begun.number, "node"))
    (lost,) = after_start(started(cluster, TimingOrder(first=trial(), second=trial())).events())
    assert isinstance(lost, Lost) and (lost.state, lost.retry) == ("failed", True)


def test_weights_and_checkpoints_come_home_as_whole_files(tmp_path: Path) -> None:
    """Nodes have disks of their own; whoever goes on with a trial does so on another."""
    order = Order(trial=trial(), weights=str(tmp_path / "w" / "one"), checkpoint=str(tmp_path / "c" / "one"))
    cluster = FakeCluster()
    executor = started(cluster, order)
    cluster.coming += [told(1, node="a"), told(1, checkpoint=b"state"), gone(1, "node")]
    assert [type(event) for event in after_start(executor.events())][-1] is Lost
    executor.start(order)
    assert (cluster.begun[0].job.checkpoint, cluster.begun[1].job.checkpoint) == (b"", b"state")
    cluster.coming += [ended(2, outcome(order.trial), weights=b"weights")]
    list(executor.events())
    assert (tmp_path / "w" / "one").read_bytes() == b"weights"
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["one", "one"]


def test_a_node_on_which_no_worker_starts_ends_the_run_with_its_words() -> None:
    """A broken installation is no trial's fault, and no other will do better there."""
    cluster = FakeCluster(
        answer=lambda begun: ended(
            begun.number, broken="no worker can start: exit code 1; last words: no torch"
        )
    )
    with pytest.raises(ExecutorError, match=r"on node a no worker can start: .* no torch"):
        list(started(cluster, Order(trial=trial())).events())


def test_workers_killed_while_they_start_fail_a_trial_each_but_not_for_ever() -> None:
    """As on one machine: one that the system picked to make room is bad luck, three in a row are no room."""
    lost = encode_event(Lost(key=trial().key, state="failed", reason="killed by SIGKILL"))
    cluster = FakeCluster(
        answer=lambda begun: ended(begun.number, lost, broken="no worker can start: SIGKILL")
    )
    executor = executor_on(cluster)
    for _ in range(KILLED_STARTING):
        executor.start(Order(trial=trial()))
        assert [event.reason for event in executor.events() if isinstance(event, Lost)] == [
            "killed by SIGKILL"
        ]
    executor.start(Order(trial=trial()))
    with pytest.raises(ExecutorError, match="on node a no worker can start: SIGKILL"):
        list(executor.events())


def test_what_cannot_be_written_here_costs_no_outcome_and_is_said_once(tmp_path: Path) -> None:
    """A disk that is full at home is no reason to lose what a cluster has trained."""
    (tmp_path / "full").write_text("a file where a folder would be", encoding="utf-8")
    order = Order(
        trial=trial(), weights=str(tmp_path / "full" / "w"), checkpoint=str(tmp_path / "full" / "c")
    )
    cluster = FakeCluster()
    executor = started(cluster, order)
    cluster.coming += [told(1, checkpoint=b"state"), told(1, checkpoint=b"more")]
    cluster.coming += [ended(1, outcome(order.trial), weights=b"weights")]
    events = after_start(executor.events())
    assert [(type(event), getattr(event, "what", "")) for event in events] == [
        (Unsaved, "checkpoint"), (Unsaved, "weights"), (Outcome, ""),
    ]  # fmt: skip


def test_a_node_that_tells_of_another_trial_is_not_believed() -> None:
    """Its figures would be recorded as those of the trial that it was given."""
    cluster = FakeCluster(answer=lambda begun: ended(begun.number, outcome(trial(2))))
    with pytest.raises(ExecutorError, match="which it was not given"):
        list(started(cluster, Order(trial=trial(1))).events())


@pytest.mark.parametrize(
    ("share", "places"),
    [(Share(cpus=1, gpus=0), 8 + 4), (Share(cpus=2, gpus=0), 4 + 2), (Share(cpus=1, gpus=0.25), 4)],
)
def test_there_is_a_place_for_each_share_that_fits_on_a_node(share: Share, places: int) -> None:
    """A quarter of a GPU each: four trials, whatever CPUs there are; nothing is made of two nodes' halves."""
    there = [node("a", cpus=8.5, gpus=1), node("b", cpus=4.5)]
    executor = executor_on(FakeCluster(there=there), share=share)
    assert (executor.workers, executor.free) == (places, places)


def test_places_come_and_go_with_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that grows is used; one that has nothing left says so instead of waiting for ever."""
    monkeypatch.setattr("fairtrial.executors.remote._LOOK_SECONDS", 0.0)
    cluster = FakeCluster()
    executor = executor_on(cluster)
    assert executor.free == 2
    cluster.there.append(node("c", cpus=6))
    assert executor.free == 8
    cluster.there.clear()
    with pytest.raises(ExecutorError, match=r"no node with the 1 CPU .* it has no node"):
        _ = executor.free
    assert executor_on(cluster, workers=5).free == 5, "told so, it trusts that the cluster will grow"


def test_more_than_there_are_places_for_is_refused() -> None:
    """As on one machine: the runner's mistake, not a queue to get lost in."""
    cluster = FakeCluster(there=[node("a")])
    executor = started(cluster, Order(trial=trial(1)))
    with pytest.raises(ExecutorError, match="all 1 places"):
        executor.start(Order(trial=trial(2)))


def test_a_slice_is_the_share_of_a_nodes_memory() -> None:
    """What a trial may reckon with where as many run beside it as there are places."""
    whole = Node(name="a", machine="m", cpus=8, gpus=0, memory=32e9)
    assert whole.slice(ONE) == 4e9
    assert replace(whole, gpus=1).slice(Share(cpus=1, gpus=0.5)) == 16e9
