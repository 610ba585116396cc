"""Where networks are trained. No CUDA device is at hand: torch's device without memory stands for one.

A tensor that was left on the processor by mistake ends in an error there as it would on a CUDA device.
"""

from __future__ import annotations

import pytest
import torch

from fairtrial import Study
from fairtrial.engine import device
from fairtrial.engine.augmented import TrainingImages
from fairtrial.engine.batched import Batched
from fairtrial.engine.evaluate import Images, prepared
from fairtrial.engine.network import build
from fairtrial.errors import FairtrialError
from fairtrial.study.augment import Augment
from fairtrial.study.schema import Arm

ELSEWHERE = torch.device("meta")
ALL_LAYERS = [
    {"conv": {"filters": 4, "kernel": 3, "padding": "same", "activation": "relu"}},
    "batch_norm",
    {"activation": "relu"},
    {"pool": 2},
    {"average_pool": {"size": 3, "padding": "same"}},
    {"dropout": 0.2},
    "flatten",
    {"dense": {"units": 8, "activation": "gelu"}},
    "batch_norm",
]
OPTIMIZERS = [
    {"name": "adam"},
    {"name": "adamw"},
    {"name": "sgd", "momentum": 0.9, "nesterov": True},
    {"name": "rmsprop", "momentum": 0.5},
    {"name": "adagrad"},
]


def arm(**base: object) -> Arm:
    settings = {"network": {"layers": ALL_LAYERS}, "batch_size": 8, "epochs": 1} | base
    return Study(name="elsewhere", base=settings, arms={"a": {}}).arms["a"]


def digits(count: int, where: torch.device) -> Images:
    return Images(
        pixels=torch.zeros(count, 28, 28, 1, dtype=torch.uint8, device=where),
        labels=torch.zeros(count, dtype=torch.int64, device=where),
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: str(one["name"]))
def test_a_step_leaves_nothing_on_the_processor(optimizer: dict[str, object]) -> None:
    of = arm(optimizer=optimizer)
    learner = Batched(of, build(of, seed=1).to(ELSEWHERE), digits(20, ELSEWHERE), bfloat16=False)
    said = torch.empty(16, 10, device=ELSEWHERE)
    learner.start_epoch(1)
    learner.train(torch.zeros(16, dtype=torch.int64, device=ELSEWHERE), said)
    assert {tensor.device for tensor in learner.state().values()} <= {ELSEWHERE}


def test_a_tensor_left_behind_would_be_found() -> None:
    of = arm()
    learner = Batched(of, build(of, seed=1), digits(20, ELSEWHERE), bfloat16=False)
    learner.start_epoch(1)
    with pytest.raises(RuntimeError, match="not on the expected device"):
        learner.train(
            torch.zeros(8, dtype=torch.int64, device=ELSEWHERE), torch.empty(8, 10, device=ELSEWHERE)
        )


def test_images_to_judge_by_are_where_the_network_is() -> None:
    of = arm()
    judged = prepared(digits(20, ELSEWHERE), torch.arange(20, device=ELSEWHERE), batch_size=10)
    network = build(of, seed=1).to(ELSEWHERE).eval()
    assert [network(batch).shape for batch in judged.batches] == [(10, 10), (10, 10)]


@pytest.mark.parametrize("augment", [Augment(), Augment(shift=2)], ids=["as stored", "moved"])
def test_training_images_go_there_and_are_moved_here(augment: Augment) -> None:
    training = TrainingImages(digits(20, device.CPU), augment, seed=1, device=ELSEWHERE)
    training.start_epoch(1, torch.arange(20))
    assert training.images.pixels.device == training.images.labels.device == ELSEWHERE


def test_the_processor_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.chosen() == torch.device("cuda")
    assert device.device_of(arm()) == torch.device("cuda")
    one_by_one = arm(network={"mlp": {"width": 8, "depth": 1}}, batch_size=1)
    assert device.device_of(one_by_one) == device.CPU
    monkeypatch.setenv("FAIRTRIAL_DEVICE", "cpu")
    assert device.chosen() == device.CPU


@pytest.mark.parametrize(
    ("asked", "told"), [("gpu", "must be auto, cpu or cuda, got 'gpu'"), ("cuda", "finds no CUDA device")]
)
def test_a_device_that_is_not_there_is_an_error(
    asked: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("FAIRTRIAL_DEVICE", asked)
    with pytest.raises(FairtrialError, match=told):
        device.chosen()
