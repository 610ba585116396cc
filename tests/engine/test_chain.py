"""Chains of dense layers: without a graph the same numbers come out as with one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fairtrial.data.catalog import load
from fairtrial.engine.batched import Batched, Learner
from fairtrial.engine.chain import Chain, chain_of
from fairtrial.engine.evaluate import Images
from fairtrial.engine.network import Network, build
from fairtrial.engine.train import images, learner_of
from fairtrial.study.schema import Arm, ArmSettings

KNOWN = ("linear", "relu", "sigmoid", "tanh", "elu", "selu", "leaky_relu")


@pytest.fixture(scope="module")
def digits() -> Images:
    mnist = load("mnist")
    return images(mnist.train_images[:700], mnist.train_labels[:700])


def arm(*hidden: Any, **changes: Any) -> Arm:
    settings: dict[str, Any] = {
        "network": {"layers": ["flatten", *hidden]},
        "data": {"train": 700, "validation": 100},
        "batch_size": 100,
        "epochs": 2,
    }
    return Arm(name="arm", settings=ArmSettings.model_validate({**settings, **changes}))


def dense(units: int, activation: str = "relu", **more: Any) -> dict[str, Any]:
    return {"dense": {"units": units, "activation": activation, **more}}


def trained(kind: type[Chain | Batched], of: Arm, digits: Images, *, bfloat16: bool) -> tuple[Any, Network]:
    """What the network said along 650 images, the last batch half a batch, and the network after them."""
    network = build(of, seed=1)
    learner: Learner = kind(of, network, digits, bfloat16=bfloat16)
    learner.start_epoch(1)
    said = torch.empty(650, 10)
    learner.train(torch.randperm(700, generator=torch.Generator().manual_seed(1))[:650], said)
    learner.settle()
    return said, network


@pytest.mark.parametrize("activation", KNOWN)
def test_in_bfloat16_a_chain_is_bit_equal_to_the_recorded_graph(activation: str, digits: Images) -> None:
    """The same products in the same order: nothing but the time it takes may differ."""
    of = arm(dense(70, activation), dense(50, activation, bias=False), dense(30, activation))
    said, network = trained(Chain, of, digits, bfloat16=True)
    expected, recorded = trained(Batched, of, digits, bfloat16=True)
    assert torch.equal(said, expected)
    for name, weights in recorded.weights().items():
        assert torch.equal(network.weights()[name], weights), name


@pytest.mark.parametrize("activation", KNOWN)
def test_in_float32_a_chain_departs_by_rounding_alone(activation: str, digits: Images) -> None:
    """One array of all weights meets its vectors' ends elsewhere than one array per layer."""
    of = arm(dense(70, activation), dense(50, activation, bias=False), dense(30, activation))
    _, network = trained(Chain, of, digits, bfloat16=False)
    _, recorded = trained(Batched, of, digits, bfloat16=False)
    for name, weights in recorded.weights().items():
        assert (network.weights()[name] - weights).norm() <= 1e-5 * weights.norm(), name


@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "sgd", "momentum": 0.9, "learning_rate": 0.01},
        {"name": "adamw", "weight_decay": 0.1},
        {"name": "adam", "learning_rate": {"cosine": {"initial": 0.002}}},
    ],
    ids=str,
)
def test_any_optimiser_and_schedule_moves_a_chain(optimizer: dict[str, Any], digits: Images) -> None:
    of = arm(dense(40), optimizer=optimizer)
    _, network = trained(Chain, of, digits, bfloat16=True)
    _, recorded = trained(Batched, of, digits, bfloat16=True)
    for name, weights in recorded.weights().items():
        assert (network.weights()[name] - weights).norm() <= 1e-3 * weights.norm(), name


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_chain_resumes_bit_for_bit(bfloat16: bool, digits: Images) -> None:
    """A kill between epochs costs time and no number."""
    of, order = arm(dense(40), dense(30)), torch.arange(600)
    weights: list[dict[str, torch.Tensor]] = []
    for resumed in (False, True):
        network = build(of, seed=1)
        learner = Chain(of, network, digits, bfloat16=bfloat16)
        learner.start_epoch(1)
        learner.train(order, torch.empty(600, 10))
        if resumed:
            tensors = {name: t.clone() for name, t in network.state_dict().items()}
            state = {name: t.clone() for name, t in learner.state().items()}
            network = build(of, seed=2)
            learner = Chain(of, network, digits, bfloat16=bfloat16)
            network.load_state_dict(tensors)
            learner.load_state(state)
        learner.start_epoch(2)
        learner.train(order, torch.empty(600, 10))
        weights.append(network.weights())
    for name, tensor in weights[0].items():
        assert torch.equal(weights[1][name], tensor), name


@pytest.mark.parametrize(
    ("layers", "taken"),
    [
        ((dense(40), dense(30, "tanh")), True),
        ((dense(40, "linear"), {"activation": "relu"}, dense(30)), True),
        ((dense(40, "gelu"),), False),
        ((dense(40, "linear"), {"activation": "softplus"}), False),
        ((dense(40, "relu"), {"activation": "relu"}), False),
        ((dense(40), {"dropout": 0.5}), False),
        ((dense(40), "batch_norm"), False),
    ],
)
def test_what_is_trained_as_a_chain(layers: tuple[Any, ...], taken: bool, digits: Images) -> None:
    """Only what a chain computes exactly goes there; all else is recorded as before."""
    of = arm(*layers)
    assert (chain_of(of) is not None) == taken
    learner = learner_of(of, build(of, seed=1), digits, bfloat16=False)
    assert isinstance(learner, Chain if taken else Batched)
