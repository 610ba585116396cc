"""Compiled loops over bfloat16 numbers, each beside torch's own passes."""

from __future__ import annotations

import math
import platform

import numpy as np
import pytest
import torch
from torch.nn import functional

from fairtrial.engine import bits, rounded_kernel


def test_every_byte_is_rounded_as_torch_rounds_it() -> None:
    """There are 256: all are tried, in an order that is not theirs."""
    pixels = torch.arange(256, dtype=torch.uint8).repeat(3, 1)
    pixels[1] = pixels[1].flip(0)
    rows = torch.empty(2, 256, dtype=torch.bfloat16)
    rounded_kernel.gather(pixels.numpy(), np.array([1, 0]), bits.bits_of(rows))
    expected = pixels[[1, 0]].to(torch.float32).div(255).to(torch.bfloat16)
    assert torch.equal(rows, expected)


def test_adam_moves_by_the_formula_and_rounds_what_it_leaves() -> None:
    rng = torch.Generator().manual_seed(1)
    weights, momentum = torch.randn(1003, generator=rng), torch.randn(1003, generator=rng) / 100
    velocity = torch.rand(1003, generator=rng) / 100
    copy = weights.to(torch.bfloat16)
    copy.grad = torch.randn(1003, generator=rng).to(torch.bfloat16)
    g, w, m, v = copy.grad.double(), weights.double(), momentum.double(), velocity.double()
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    expected = w * (1 - 0.01) - 0.002 * m / (v.sqrt() + 1e-7)
    bits.Moved(weights, momentum, velocity, copy).by_adam(
        rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-7, decay=0.01
    )
    assert torch.allclose(weights.double(), expected, rtol=1e-6, atol=1e-7)
    assert torch.allclose(momentum.double(), m, rtol=1e-6, atol=1e-8)
    assert torch.allclose(velocity.double(), v, rtol=1e-6, atol=1e-10)
    assert torch.equal(copy, weights.to(torch.bfloat16))


def test_rounding_goes_to_even_and_keeps_what_is_no_number() -> None:
    """A NaN that was rounded to a number would hide that training has diverged."""
    given = [1.0, 1 + 2**-8, 1 + 3 * 2**-8, -(1 + 2**-8), math.nan, 3.4e38, 0.0]
    weights = torch.tensor(given)
    # Every mantissa of a NaN: rounded carelessly, some of them overflow into a zero.
    weights = torch.cat((weights, torch.tensor([0x7FFFFFFF, -1], dtype=torch.int32).view(torch.float32)))
    copy = torch.zeros(len(weights), dtype=torch.bfloat16)
    copy.grad = torch.zeros_like(copy)
    zeros = torch.zeros_like(weights)
    bits.Moved(weights, zeros, zeros.clone(), copy).by_adam(
        rate=0.0, beta_1=0.9, beta_2=0.999, epsilon=1e-7, decay=0.0
    )
    expected = torch.cat((torch.tensor(given), torch.tensor([math.nan, math.nan]))).to(torch.bfloat16)
    same = (copy == expected) | (copy.isnan() & expected.isnan())
    assert bool(same.all()), copy


@pytest.mark.parametrize("size", [(26, 26), (11, 9), (2, 3)])
def test_pooling_by_two_is_torchs_and_so_is_its_gradient(size: tuple[int, int]) -> None:
    """Few values, so that most windows hold equal ones; odd sizes leave a row and a column out."""
    rng = torch.Generator().manual_seed(1)
    images = torch.randint(-2, 3, (3, 40, *size), generator=rng).to(torch.bfloat16)
    images = images.contiguous(memory_format=torch.channels_last)
    ours, torchs = images.clone().requires_grad_(), images.clone().requires_grad_()
    pooled, expected = bits.largest_of_four(ours), functional.max_pool2d(torchs, 2)
    assert torch.equal(pooled, expected)
    slope = torch.randn(expected.shape, generator=rng).to(torch.bfloat16)
    pooled.backward(slope)
    expected.backward(slope)
    assert ours.grad is not None
    assert torchs.grad is not None
    assert torch.equal(ours.grad, torchs.grad)


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_nan_anywhere_in_a_window_goes_on(at: int, sign: float) -> None:
    images = torch.ones(1, 16, 2, 2, dtype=torch.bfloat16)
    images.flatten(2)[:, :, at] = math.copysign(math.nan, sign)
    assert bool(bits.largest_of_four(images).isnan().all())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86 assembly")
@pytest.mark.parametrize("loop", ["adam", "gather", "pool", "unpool"])
def test_the_loops_are_compiled_to_vectors(loop: str) -> None:
    """One number at a time they would be slower than the passes they replace, and nothing else would tell."""
    words, bytes_, floats = np.zeros(64, np.uint16), np.zeros(64, np.uint8), np.zeros(64, np.float32)
    one, shape = np.float32(1), np.array([1, 2, 2, 16])
    calls = {
        "adam": (floats, floats, floats, words, words, one, one, one, one, one),
        "gather": (np.zeros((2, 64), np.uint8), np.zeros(1, np.int64), np.zeros((1, 64), np.uint16)),
        "pool": (words, shape, words[:16], bytes_[:16]),
        "unpool": (words[:16], bytes_[:16], shape, words),
    }
    function = rounded_kernel.__dict__[loop]
    compiled = type(function)(function.py_func, targetoptions=function.targetoptions)
    compiled(*calls[loop])
    code = "".join(compiled.inspect_asm().values())
    assert "%ymm" in code or "%zmm" in code
