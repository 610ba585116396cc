"""Training one image at a time skips what has no gradient and is dense Adam all the same.

The reference is dense Adam in float64, written out: every weight of every layer, every step.
"""

from __future__ import annotations

import platform
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numba import njit
from numpy.typing import NDArray
from torch.nn import functional

from fairtrial.data.catalog import Dataset, load
from fairtrial.engine import checkpoint, online_kernel
from fairtrial.engine.batched import Batched
from fairtrial.engine.checkpoint import Checkpoint
from fairtrial.engine.compiled import FAST
from fairtrial.engine.evaluate import Images
from fairtrial.engine.network import Network, build
from fairtrial.engine.online import Online
from fairtrial.engine.train import Trained, images, train
from fairtrial.stats.compare import compare_paired
from fairtrial.study.algorithm import algorithm
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.training import rate_at
from fairtrial.trial import Trial

HIDDEN = [{"dense": {"units": 60, "activation": "relu"}}, {"dense": {"units": 40, "activation": "relu"}}]
ONE: dict[str, Any] = {
    "network": {"layers": ["flatten", *HIDDEN]},
    "data": {"train": 400, "validation": 100},
    "batch_size": 1,
    "epochs": 2,
}


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> Images:
    return images(mnist.train_images[:2000], mnist.train_labels[:2000])


def arm(**changes: Any) -> Arm:
    return Arm(name="arm", settings=ArmSettings.model_validate({**ONE, **changes}))


def dense_adam(of: Arm, digits: Images, order: list[int]) -> tuple[Network, Network]:
    """The network before and after dense Adam in float64 on the images of `order`."""
    start, network = build(of, seed=1).double(), build(of, seed=1).double()
    adam: Any = of.settings.optimizer
    parameters = list(network.parameters())
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    for step, chosen in enumerate(order, start=1):
        image = digits.pixels[chosen : chosen + 1].double().div(255).permute(0, 3, 1, 2)
        loss = functional.cross_entropy(network(image), digits.labels[chosen : chosen + 1])
        gradients = torch.autograd.grad(loss, parameters)
        rate = rate_at(
            adam.learning_rate,
            step=step - 1,
            steps_per_epoch=of.steps_per_epoch,
            epochs=of.settings.epochs,
        )
        alpha = rate * (1 - adam.beta_2**step) ** 0.5 / (1 - adam.beta_1**step)
        with torch.no_grad():
            for p, m, v, g in zip(parameters, first, second, gradients, strict=True):
                m.mul_(adam.beta_1).add_(g, alpha=1 - adam.beta_1)
                v.mul_(adam.beta_2).addcmul_(g, g, value=1 - adam.beta_2)
                p.sub_(alpha * m / (v.sqrt() + adam.epsilon))
    return start, network


def online(of: Arm, digits: Images, order: list[int]) -> Network:
    """The network after the same images online."""
    network = build(of, seed=1)
    learner = Online(of, network, digits)
    learner.train(torch.tensor(order), torch.empty(len(order), 10))
    learner.settle()
    return network


def largest_departure(of: Arm, digits: Images, order: list[int]) -> float:
    """Over the layers, the largest error of the update relative to the update's norm."""
    start, exact = dense_adam(of, digits, order)
    ours, before, after = online(of, digits, order).weights(), start.weights(), exact.weights()
    return max(
        float((ours[name].double() - after[name]).norm() / (after[name] - before[name]).norm())
        for name in after
    )


@pytest.mark.parametrize("activation", online_kernel.ACTIVATIONS)
def test_tracks_dense_adam_with_every_activation(activation: str, digits: Images) -> None:
    """It is the same optimiser, not one like it: only rounding may tell them apart."""
    chain = [{"dense": {"units": units, "activation": activation}} for units in (60, 40)]
    of = arm(network={"layers": ["flatten", *chain]})
    assert largest_departure(of, digits, list(range(10))) < 5e-5
    assert largest_departure(of, digits, list(range(100))) < 1e-3


@pytest.mark.parametrize(
    "optimizer",
    [
        {"epsilon": 1e-3},
        {"epsilon": 1.0, "learning_rate": 0.1},
        {"beta_1": 0.0},
        {"beta_1": 0.5, "beta_2": 0.9},
        {"learning_rate": {"cosine": {"initial": 0.002, "warmup_epochs": 0.1}}},
        {"learning_rate": {"exponential": {"initial": 0.002, "rate": 0.01}}},
    ],
    ids=str,
)
def test_tracks_dense_adam_at_other_settings(optimizer: dict[str, Any], digits: Images) -> None:
    """What idle rows miss is summed from epsilon, both betas and the rate of each missed step."""
    of = arm(optimizer={"name": "adam", **optimizer})
    assert largest_departure(of, digits, list(range(100))) < 1e-3


def test_tracks_dense_adam_without_biases_and_with_activations_of_their_own(digits: Images) -> None:
    """An activation as a layer is the same network as the activation in the layer before it."""
    chain = [{"dense": {"units": 60, "bias": False}}, {"activation": "relu"}, {"dense": {"units": 40}}]
    of = arm(network={"layers": ["flatten", *chain]})
    assert algorithm(of) == "online"
    assert largest_departure(of, digits, list(range(100))) < 1e-3


def lit(pixels: list[list[int]]) -> Images:
    """Images that are black but for the pixels listed, of rising brightness."""
    made = torch.zeros(len(pixels), 28 * 28, dtype=torch.uint8)
    for at, some in enumerate(pixels):
        made[at, some] = torch.arange(60, 60 + len(some)).to(torch.uint8) * 2
    return Images(pixels=made.view(-1, 28, 28, 1), labels=torch.arange(len(pixels)) % 10)


def test_a_pixel_that_is_never_lit_keeps_its_weights(digits: Images) -> None:
    """Dense Adam moves a weight without gradient by nothing: not by a rounding error either."""
    order = list(range(50))
    before, after = build(arm(), seed=1).weights(), online(arm(), digits, order).weights()
    dark = digits.pixels[order].flatten(1).amax(0) == 0
    assert dark.any()
    assert torch.equal(before["dense-1/kernel"][dark], after["dense-1/kernel"][dark])
    assert not torch.equal(before["dense-1/kernel"][~dark], after["dense-1/kernel"][~dark])


@pytest.mark.parametrize("idle", [1, 2, 30, 398])
def test_a_pixel_catches_up_after_any_idle_time(idle: int) -> None:
    """Lit once, dark for long, lit again: momentum and its decay over the gap come in one step."""
    digits = lit([[3, 4, 5], [100, 101]])
    assert largest_departure(arm(), digits, [0] + [1] * idle + [0]) < 2e-5 * (1 + idle / 10)


def test_a_black_image_teaches_the_biases_alone() -> None:
    """No row of the first layer is active: it must not be touched, and nothing must fail."""
    of, digits = arm(), lit([[], [7, 8]])
    before, after = build(of, seed=1).weights(), online(of, digits, [0, 0, 0]).weights()
    assert torch.equal(before["dense-1/kernel"], after["dense-1/kernel"])
    assert not torch.equal(before["output/bias"], after["output/bias"])
    assert largest_departure(of, digits, [0, 1, 0, 0, 1, 0]) < 5e-5


def test_dead_units_stay_dead_and_harm_nobody(digits: Images) -> None:
    """A ReLU unit that no image excites has no gradient and passes none on."""
    of = arm()
    network = build(of, seed=1)
    network.weights()["dense-2/bias"][:20] = -1000
    learner = Online(of, network, digits)
    before = {name: tensor.clone() for name, tensor in network.weights().items()}
    learner.train(torch.arange(60), torch.empty(60, 10))
    learner.settle()
    after = network.weights()
    assert torch.equal(before["dense-2/kernel"][:, :20], after["dense-2/kernel"][:, :20])
    assert torch.equal(before["output/kernel"][:20], after["output/kernel"][:20])
    assert not torch.equal(before["output/kernel"][20:], after["output/kernel"][20:])
    assert all(bool(tensor.isfinite().all()) for tensor in after.values())


def test_settling_in_between_changes_rounding_alone(digits: Images) -> None:
    """Evaluations in mid-epoch settle all rows; how often one looks must not change what is learnt."""
    of, order = arm(), torch.arange(200)
    once, often = build(of, seed=1), build(of, seed=1)
    learner = Online(of, once, digits)
    learner.train(order, torch.empty(200, 10))
    learner.settle()
    learner = Online(of, often, digits)
    for begin, end in pairwise(range(0, 201, 20)):
        learner.train(order[begin:end], torch.empty(20, 10))
        learner.settle()
    start = build(of, seed=1).weights()
    for name, tensor in once.weights().items():
        moved = float((tensor - start[name]).norm())
        assert float((tensor - often.weights()[name]).norm()) < 1e-3 * moved


def test_its_logits_are_those_of_the_network(digits: Images) -> None:
    """Train accuracy and loss come from them: what the network said before it learnt from the image."""
    of, said = arm(), torch.empty(30, 10)
    network = build(of, seed=1)
    learner = Online(of, network, digits)
    learner.train(torch.arange(29), said[:29])
    learner.settle()
    learner.train(torch.arange(29, 30), said[29:])
    with torch.no_grad():
        assert torch.allclose(said[29:], network(digits.batch(torch.arange(29, 30))), atol=1e-5)
        assert torch.allclose(said[:1], build(of, seed=1)(digits.batch(torch.arange(1))), atol=1e-5)


def finished(of: Arm, mnist: Dataset, resume: Checkpoint | None = None) -> Trained:
    trial = Trial(arm=of, seed=1, precision="float32")
    *_, last = train(trial, mnist, provenance={}, resume=resume)
    assert isinstance(last, Trained)
    return last


def test_a_trial_at_batch_size_one_is_trained_online_and_repeats_bit_for_bit(
    mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is chosen by itself, and obeys its seed as every trial does."""
    used: list[str] = []

    class Watched(Online):
        def start_epoch(self, epoch: int) -> None:
            used.append("online")
            super().start_epoch(epoch)

    monkeypatch.setattr("fairtrial.engine.online.Online", Watched)
    one, other = finished(arm(), mnist), finished(arm(), mnist)
    assert used
    assert one.outcome.metrics == other.outcome.metrics
    assert one.outcome.weights_sha256 == other.outcome.weights_sha256
    assert one.outcome.metrics["test_accuracy"] > 0.6


def test_resuming_goes_on_bit_for_bit(mnist: Dataset, tmp_path: Any) -> None:
    """A row of an hour must survive a kill, and its numbers too."""
    of = arm()
    trial = Trial(arm=of, seed=1, precision="float32")
    kept = tmp_path / "checkpoint"
    for step in train(trial, mnist, provenance={}):
        if isinstance(step, Checkpoint):
            checkpoint.save(step, kept)
            break
    resumed = finished(of, mnist, resume=checkpoint.load(kept, key=trial.key))
    assert resumed.outcome.weights_sha256 == finished(of, mnist).outcome.weights_sha256


def test_numbers_that_are_none_end_as_diverged(mnist: Dataset) -> None:
    """Weights that overflow must be told, not skipped as inactive."""
    of = arm(optimizer={"name": "adam", "learning_rate": 1e30})
    outcome = finished(of, mnist).outcome
    assert outcome.state == "diverged"
    assert "loss became" in outcome.reason


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "online"),
        ({"batch_size": 100, "data": {"train": 1, "validation": 100}}, "online"),
        ({"network": {"mlp": {"width": 30, "depth": 3, "activation": "tanh"}}}, "online"),
        ({"batch_size": 2}, "batched"),
        ({"optimizer": {"name": "adamw"}}, "batched"),
        ({"optimizer": {"name": "sgd"}}, "batched"),
        ({"optimizer": {"name": "adam", "beta_1": 0.9, "beta_2": 0.9}}, "batched"),
        ({"network": {"layers": ["flatten", {"dropout": 0.1}, *HIDDEN]}}, "batched"),
        ({"network": {"layers": ["flatten", *HIDDEN, {"batch_norm": {}}]}}, "batched"),
        ({"network": {"layers": ["flatten", *HIDDEN, {"activation": "tanh"}]}}, "batched"),
        ({"network": {"layers": ["flatten", {"activation": "tanh"}, *HIDDEN]}}, "batched"),
        ({"network": {"layers": [{"conv": {"filters": 2}}, "flatten"]}}, "batched"),
    ],
    ids=str,
)
def test_what_is_trained_online(changes: dict[str, Any], expected: str, mnist: Dataset) -> None:
    """Everything the kernel does not know takes the ordinary path, which knows everything."""
    of = arm(**changes)
    assert algorithm(of) == expected
    assert finished(arm(**{**changes, "epochs": 1}), mnist).outcome.state == "finished"


def test_the_algorithm_is_part_of_the_key() -> None:
    """Two algorithms agree statistically, not bit for bit: one must never stand for the other."""
    online_arm = arm()
    key = Trial(arm=online_arm, seed=1, precision="float32").key
    from fairtrial import identity
    from fairtrial import trial as trials

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(identity, "algorithm", lambda _: "batched")
        # What is remembered of this arm was worked out before.
        patched.setattr(trials, "_identity", trials._identity.__wrapped__)  # pyright: ignore[reportPrivateUsage]
        assert Trial(arm=online_arm, seed=1, precision="float32").key != key


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86 assembly")
def test_the_update_is_compiled_to_vectors() -> None:
    """One number at a time it would be many times slower, and nothing else would tell."""
    row = np.zeros(64, np.float32)
    one = np.float32(1)
    update = njit(error_model="numpy", fastmath=FAST)(online_kernel._update.py_func)
    update(row, row.copy(), row.copy(), row.copy(), *[one] * 7)
    (assembly,) = update.inspect_asm().values()
    assert any("vsqrtps" in line and ("%ymm" in line or "%zmm" in line) for line in assembly.splitlines())


def accuracies(of: Arm, digits: Images, held_out: Images, learner: str) -> NDArray[np.float64]:
    """Held-out accuracy after one epoch, per seed."""
    reached: list[float] = []
    for seed in range(1, 11):
        network = build(of, seed=seed)
        trained = (
            Online(of, network, digits)
            if learner == "online"
            else Batched(of, network, digits, bfloat16=False)
        )
        trained.start_epoch(1)
        order = torch.randperm(len(digits.labels), generator=torch.Generator().manual_seed(seed))
        for part in order.chunk(5):
            trained.train(part, torch.empty(len(part), 10))
        trained.settle()
        with torch.no_grad():
            said = network(held_out.batch(torch.arange(len(held_out.labels)))).argmax(1)
        reached.append(float((said == held_out.labels).double().mean()))
    return np.array(reached)


@pytest.mark.slow
def test_online_and_batched_learn_equally_well(digits: Images) -> None:
    """After some hundred steps rounding parts any two implementations; what they learn must not differ.

    Ten seeds, one epoch of 2 000 images: our own verdict, at a margin of two of the spread's standard deviations.
    """
    of = arm(data={"train": 2000, "validation": 100})
    mnist = load("mnist")
    held_out = images(mnist.test_images, mnist.test_labels)
    fast, dense = (accuracies(of, digits, held_out, learner) for learner in ("online", "batched"))
    judged = compare_paired(fast - dense, margin=2 * float(dense.std(ddof=1)))
    assert not judged.verdict.value.startswith(("increase", "decrease"))
    assert dense.min() - dense.std() < np.median(fast) < dense.max() + dense.std()
