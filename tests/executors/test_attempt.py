"""What a node does with an order that was sent to it: the same worker as on this machine, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from orders import outcome_of, same_numbers, trial

from fairtrial.data import catalog
from fairtrial.executors import attempt as node_side
from fairtrial.executors.attempt import Ended, Images, Job, attempt, job_for, needs
from fairtrial.executors.local import LocalExecutor
from fairtrial.executors.mailbox import Told
from fairtrial.executors.worker_process import WORKER
from fairtrial.images import cache
from fairtrial.images.arrays import fingerprint
from fairtrial.images.facts import DatasetFacts, Source
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import Lost, Outcome, Progress, Trial
from fairtrial.wire import Order, decode_event, decode_order


@pytest.fixture(autouse=True, scope="module")
def no_worker_stays() -> Iterator[None]:
    yield
    for module in list(node_side._warm):
        node_side._forget(module)


def carried_out(job: Job) -> tuple[Ended, list[Told]]:
    told: list[Told] = []
    opened = catalog.load("mnist")
    arrays = {name: getattr(opened, name) for name in cache.ARRAYS}
    images = Images(fingerprint=opened.fingerprint, arrays=arrays)
    return attempt(job, node="here", brought=[images], tell=told.append), told


def test_an_order_gives_the_bits_of_this_machine_and_its_weights_and_writes_nowhere_else(
    tmp_path: Path,
) -> None:
    """The paths in an order are those of the machine that sends it; this one may not have them."""
    order = Order(
        trial=trial(), weights=str(tmp_path / "not" / "here"), checkpoint=str(tmp_path / "nor" / "here")
    )
    ended, told = carried_out(job_for(order))
    events = [decode_event(line) for line in ended.lines]
    assert [type(event) for event in events] == [Progress, Progress, Outcome]
    assert [(one.place, one.line) for one in told] == list(enumerate(ended.lines[:-1]))
    assert ended.weights and not list(tmp_path.iterdir())
    with LocalExecutor(workers=1) as alone:
        alone.start(order)
        here = outcome_of(list(alone.events()), order.key)
    assert same_numbers(outcome_of(events, order.key), here)
    assert (tmp_path / "not" / "here").read_bytes() == ended.weights


def test_images_of_the_users_own_reach_a_node_that_has_no_such_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of pictures is on one machine; its content is what goes to the others."""
    rng = np.random.default_rng(1)
    arrays = {
        "train_images": rng.integers(0, 256, (300, 8, 8, 1), dtype=np.uint8),
        "train_labels": np.arange(300, dtype=np.uint8) % 3,
        "test_images": rng.integers(0, 256, (60, 8, 8, 1), dtype=np.uint8),
        "test_labels": np.arange(60, dtype=np.uint8) % 3,
    }
    facts = DatasetFacts(
        name="mine", input_shape=(8, 8, 1), classes=3, train_images=300, test_images=60,
        fingerprint=fingerprint(arrays), source=Source(dataset="/elsewhere/pictures"),
    )  # fmt: skip
    values = {
        "network": {"mlp": {"width": 8, "depth": 1}},
        "data": {"dataset": "/elsewhere/pictures", "validation": 60},
        "epochs": 1,
    }
    settings = ArmSettings.model_validate(values, context={"facts": facts})
    order = Order(trial=Trial(arm=Arm(name="arm", settings=settings), seed=1, precision="float32"))
    assert needs(order) == (facts,)
    for module in list(node_side._warm):
        node_side._forget(module)  # it has another cache
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "of the node"))
    images = [Images(fingerprint=facts.fingerprint, arrays=arrays)]
    ended = attempt(job_for(order), node="there", brought=images, tell=lambda _: None)
    for module in list(node_side._warm):
        node_side._forget(module)
    assert isinstance(decode_event(ended.lines[-1]), Outcome), ended


def test_the_worker_stays_warm_and_one_that_was_killed_is_told_of_and_replaced() -> None:
    """Importing torch takes longer than a small trial; and a dead worker must not take the next trial with it."""
    carried_out(job_for(Order(trial=trial(2))))
    before = node_side._warm[WORKER].process.pid
    carried_out(job_for(Order(trial=trial(3))))
    assert node_side._warm[WORKER].process.pid == before

    job = job_for(Order(trial=trial(epochs=100_000)))

    def kill(_: Told) -> None:
        os.kill(before, signal.SIGKILL)

    ended = attempt(job, node="here", brought=(), tell=kill)
    lost = decode_event(ended.lines[-1])
    assert isinstance(lost, Lost) and (lost.key, lost.state) == (job.key, "failed")
    assert "SIGKILL" in lost.reason
    again, _ = carried_out(job_for(Order(trial=trial(3))))
    assert isinstance(decode_event(again.lines[-1]), Outcome)


def test_a_worker_that_was_given_another_gpu_is_not_kept() -> None:
    """Two trials on one GPU, and none on the other, would be slow and perhaps out of memory."""
    first, second, third = (
        node_side._worker(WORKER, {"CUDA_VISIBLE_DEVICES": devices}).process.pid
        for devices in ("0", "0", "1")
    )
    assert first == second != third


def test_a_worker_that_does_not_come_up_is_no_trials_fault() -> None:
    """Every trial would fail there three times."""
    ended, _ = carried_out(job_for(Order(trial=trial()), module="fairtrial.no_such_worker"))
    assert ended.lines == () and "no_such_worker" in ended.broken and "Try `python" in ended.broken


def test_a_checkpoint_goes_with_the_job_and_its_absence_is_no_mistake(tmp_path: Path) -> None:
    """Whoever goes on with a trial need not be who began it."""
    order = Order(trial=trial(), checkpoint=str(tmp_path / "kept"))
    assert job_for(order).checkpoint == b""
    (tmp_path / "kept").write_bytes(b"state")
    job = job_for(order)
    assert job.checkpoint == b"state"
    sent = decode_order(node_side._placed(job.order, (), tmp_path, weights=Path("w"), checkpoint=Path("c")))
    assert isinstance(sent, Order) and (sent.weights, sent.checkpoint) == ("", "c")
    assert json.loads(job.order)["checkpoint"] == str(tmp_path / "kept")
