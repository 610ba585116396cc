"""Optimisers: on from a stored state bit for bit, beside a plain reading of Keras's formulas in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from torch import Tensor
from torch.optim.adam import adam

from fairtrial.engine.optimizers import Stepper, optimizer
from fairtrial.study.training import AnyOptimizer

Array = NDArray[np.float64]

SETTINGS: dict[str, dict[str, Any]] = {
    "adam": {"name": "adam"},
    "adamw": {"name": "adamw", "weight_decay": 0.1},
    "adamw without decay": {"name": "adamw", "weight_decay": 0},
    "sgd": {"name": "sgd"},
    "sgd with momentum": {"name": "sgd", "momentum": 0.9},
    "sgd with nesterov": {"name": "sgd", "momentum": 0.9, "nesterov": True},
    "rmsprop": {"name": "rmsprop"},
    "rmsprop with momentum": {"name": "rmsprop", "momentum": 0.5},
    "adagrad": {"name": "adagrad"},
}


def settings_of(name: str) -> AnyOptimizer:
    return TypeAdapter[AnyOptimizer](AnyOptimizer).validate_python(SETTINGS[name])


def parameters() -> list[Tensor]:
    """A kernel as convolutions keep it, and a bias."""
    rng = torch.Generator().manual_seed(1)
    kernel = torch.randn(6, 4, 3, 3, generator=rng).contiguous(memory_format=torch.channels_last)
    return [kernel.requires_grad_(), torch.randn(6, generator=rng).requires_grad_()]


def gradients(step: int) -> list[Tensor]:
    """Gradients from 1e-8 to 1, some zero: epsilon matters for the smallest."""
    rng = torch.Generator().manual_seed(100 + step)
    given: list[Tensor] = []
    for parameter in parameters():
        size = 10 ** (8 * torch.rand(parameter.shape, generator=rng) - 8)
        sign = torch.randint(-1, 2, parameter.shape, generator=rng)
        given.append((size * sign).contiguous(memory_format=torch.preserve_format))
    return given


def walk(update: Stepper, of: list[Tensor], steps: range, rate: float = 0.01) -> None:
    for step in steps:
        for parameter, gradient in zip(of, gradients(step), strict=True):
            parameter.grad = gradient.contiguous(
                memory_format=torch.channels_last if gradient.dim() == 4 else torch.contiguous_format
            )
        update.step(rate)
        update.zero_grad()


def by_the_formulas(name: str, start: Array, slopes: list[Array], rate: float) -> Array:
    """Keras's update of one tensor, as its documentation has it."""
    chosen = SETTINGS[name]
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    if chosen["name"] == "adagrad":
        v += 0.1
    for t, g in enumerate(slopes, start=1):
        match chosen["name"]:
            case "adam" | "adamw":
                w -= w * rate * chosen.get("weight_decay", 0)
                m += (g - m) * (1 - 0.9)
                v += (g * g - v) * (1 - 0.999)
                w -= m * rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) / (np.sqrt(v) + 1e-7)
            case "sgd":
                m = chosen.get("momentum", 0) * m - rate * g
                w += chosen["momentum"] * m - rate * g if chosen.get("nesterov") else m
            case "rmsprop":
                v = 0.9 * v + (1 - 0.9) * g * g
                m = chosen.get("momentum", 0) * m + rate * g / np.sqrt(v + 1e-7)
                w -= m
            case _:
                v += g * g
                w -= rate * g / np.sqrt(v + 1e-7)
    return w


@pytest.mark.parametrize("name", SETTINGS)
def test_twenty_steps_follow_the_formulas_of_keras(name: str) -> None:
    """The golden vectors show three steps; here later ones, and gradients as small as epsilon.

    Keras rounds Adam's freeing from bias to float32, 1e-5 of an update at most: the formulas do not.
    """
    ours = parameters()
    walk(optimizer(settings_of(name), ours), ours, range(20))
    for at, (parameter, first) in enumerate(zip(ours, parameters(), strict=True)):
        start = first.detach().double().numpy()
        slopes = [gradients(step)[at].double().numpy() for step in range(20)]
        expected = by_the_formulas(name, start, slopes, 0.01)
        difference = np.linalg.norm(parameter.detach().double().numpy() - expected)
        assert difference <= 2e-5 * np.linalg.norm(expected - start)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_stored_state_goes_on_bit_for_bit(name: str) -> None:
    """A trial that was killed and resumed must end in the very same weights."""
    whole = parameters()
    walk(optimizer(settings_of(name), whole), whole, range(7))
    before = parameters()
    stopped = optimizer(settings_of(name), before)
    walk(stopped, before, range(3))
    stored = {key: tensor.clone() for key, tensor in stopped.state().items()}
    after = [tensor.detach().clone().requires_grad_() for tensor in before]
    resumed = optimizer(settings_of(name), after)
    resumed.load_state(stored)
    walk(stopped, before, range(3, 5))
    walk(resumed, after, range(3, 7))
    assert all(torch.equal(one, two) for one, two in zip(whole, after, strict=True))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_rate_of_zero_moves_nothing(name: str) -> None:
    """A cosine schedule may end at zero: no division by it, no decay without it."""
    ours = parameters()
    walk(optimizer(settings_of(name), ours), ours, range(1), rate=0.0)
    assert all(torch.equal(one, two) for one, two in zip(ours, parameters(), strict=True))


def test_a_state_of_another_optimiser_is_refused() -> None:
    """Half a state would train on in silence as something nobody asked for."""
    ours = parameters()
    with pytest.raises(ValueError, match="another optimiser"):
        optimizer(settings_of("adam"), ours).load_state(optimizer(settings_of("rmsprop"), ours).state())


def test_a_parameter_without_a_gradient_is_an_error() -> None:
    """Leaving it out would shift every later gradient to the wrong parameter."""
    for name in SETTINGS:
        ours = parameters()
        ours[0].grad = torch.zeros_like(ours[0])
        with pytest.raises(RuntimeError):
            optimizer(settings_of(name), ours).step(0.1)


def test_adams_kernel_is_that_of_torch() -> None:
    """The kernel has no public name: beside torch.optim's own way to it, at our epsilon, bit for bit.

    As a function: the class of the same name brings in torch's compiler, which takes longer than all tests here.
    """
    ours, theirs = parameters(), parameters()
    update = optimizer(settings_of("adam"), ours)
    # From here on float32 has no bias left to free from, so that the two rates are one.
    steps = 200_000
    update.load_state({**update.state(), "steps": torch.tensor(float(steps))})
    first, second = ([torch.zeros_like(parameter) for parameter in theirs] for _ in range(2))
    counts = [torch.tensor(float(steps)) for _ in theirs]
    for step in range(3):
        for mine, gradient in zip(ours, gradients(step), strict=True):
            mine.grad = gradient.clone()
        update.step(0.001)
        with torch.no_grad():
            adam(
                theirs, gradients(step), first, second, [], counts, fused=True, lr=0.001, beta1=0.9, beta2=0.999,
                eps=1e-7, weight_decay=0.0, amsgrad=False, maximize=False,
            )  # fmt: skip
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)
        assert not torch.equal(mine, parameters()[0 if mine.dim() == 4 else 1])


@pytest.mark.parametrize("name", SETTINGS)
def test_a_rounded_copy_gives_the_gradient_and_follows(name: str) -> None:
    """With bfloat16 copies the float32 parameters still move as with the same gradients in float32."""
    plain, exact = parameters(), parameters()
    copies = {own: own.detach().to(torch.bfloat16).requires_grad_() for own in exact}
    one, other = optimizer(settings_of(name), plain), optimizer(settings_of(name), exact, copies=copies)
    for step in range(20):
        for own, mixed, gradient in zip(plain, exact, gradients(step), strict=True):
            copies[mixed].grad = gradient.to(torch.bfloat16)
            own.grad = (
                gradient.to(torch.bfloat16)
                .float()
                .contiguous(
                    memory_format=torch.channels_last if gradient.dim() == 4 else torch.contiguous_format
                )
            )
        one.step(0.01)
        other.step(0.01)
    for own, mixed in zip(plain, exact, strict=True):
        assert torch.allclose(own, mixed, rtol=1e-5, atol=1e-7)
        assert torch.equal(copies[mixed], mixed.to(torch.bfloat16))
    other.zero_grad()
    assert all(copy.grad is None for copy in copies.values())
