"""The rows, the work in them, and what a machine could do at most."""

from __future__ import annotations

import json

import pytest
from benchmarks.comparing import AT_LEAST
from benchmarks.roofline import Ceilings, bound
from benchmarks.rows import Work, description, our_precision, rows, work

CEILINGS = Ceilings(
    flops={"float32": {"torch": 200.0, "jax": 400.0}, "bfloat16": {"torch": 800.0}}, bandwidth=50.0
)


def test_the_rows_are_the_fifteen_models_of_the_notebook() -> None:
    """Each of them has its ratio to reach; arms that the study adds are nobody's row."""
    assert set(rows()) == set(AT_LEAST)
    assert len(AT_LEAST) == 15


def test_the_work_of_an_epoch_is_counted_by_hand() -> None:
    """Three passes of two operations over every weight, but for the gradient of the images, which nobody needs."""
    found = work(rows()["width-50"])
    first, others = 784 * 50, 50 * 50 + 50 * 10
    assert found.flops == 54_000 * 2 * (2 * first + 3 * others) + 6_000 * 2 * (first + others)
    assert found.bytes == 540 * 7 * 4 * 42_310 + 60_000 * 784
    assert found.steps == 540
    assert work(rows()["batch-1"]).steps == 54_000


def test_the_bound_is_the_longer_of_arithmetic_and_memory() -> None:
    """Peak is what the best library reached in that number format."""
    calculating = Work(flops=4000.0, bytes=100.0, steps=1)
    moving = Work(flops=400.0, bytes=100.0, steps=1)
    assert bound(calculating, CEILINGS, precision="float32").seconds == pytest.approx(10.0)
    assert bound(calculating, CEILINGS, precision="bfloat16").seconds == pytest.approx(5.0)
    assert bound(calculating, CEILINGS, precision="bfloat16").by == "arithmetic"
    assert bound(moving, CEILINGS, precision="float32").seconds == pytest.approx(2.0)
    assert bound(moving, CEILINGS, precision="float32").by == "memory"


def test_one_image_at_a_time_is_held_against_the_float32_peak() -> None:
    """Its kernel has no matrix product to round, whatever the processor could do."""
    assert our_precision(rows()["batch-1"], "bfloat16") == "float32"
    assert our_precision(rows()["depth-5"], "bfloat16") == "bfloat16"


def test_a_peer_gets_the_row_as_plain_values() -> None:
    """It runs where this package is not."""
    row = json.loads(json.dumps(description(rows()["cnn-1"])))
    assert [layer["kind"] for layer in row["layers"]] == [
        "conv", "pool", "conv", "conv", "pool", "flatten", "dense",
    ]  # fmt: skip
    assert (row["classes"], row["batch_size"], row["epochs"], row["learning_rate"]) == (10, 100, 5, 0.001)
    assert (row["train"], row["validation"], row["buffer_size"]) == (54_000, 6_000, 10_000)
