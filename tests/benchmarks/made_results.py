"""Measurements that nobody took, small enough to work out by hand."""

from __future__ import annotations

from benchmarks.contenders import OURS
from benchmarks.results import RowResult, Run
from benchmarks.roofline import Ceilings
from benchmarks.rows import Work
from benchmarks.scaling import Measurement

RATIOS = {"keras-tensorflow": 6.0, "keras-jax": 3.0, "pytorch": 0.5}


def measurement(fit: float, epoch: float = 1.0, **changes: object) -> Measurement:
    figures: dict[str, object] = {
        "way": "whole",
        "measured": "all 5 epochs",
        "fit_seconds": fit,
        "epoch_seconds": epoch,
        "setup_seconds": 1.0,
        **changes,
    }
    return Measurement(**figures)  # pyright: ignore[reportArgumentType]


def made_run(date: str = "2026-01-02T03:04:05+00:00") -> Run:
    return Run(
        date=date,
        command="benchmarks/run",
        machine="0123456789ab",
        processor="a processor",
        cores=2,
        memory_bytes=8 * 2**30,
        load_before=0.25,
        versions={"fairtrial": "0.1.0", "torch": "2.13.0"},
        ceilings=Ceilings(
            flops={"float32": {"torch": 2e11, "jax": 4e11}, "bfloat16": {"torch": 8e11}}, bandwidth=5e10
        ),
    )


def made_row(run: Run, **ratios: float) -> RowResult:
    """Ours takes 10 s a trial, 2 s an epoch; peers as many times that as their ratio says, in three rounds."""
    ours = tuple(measurement(fit, 2.0, whole_seconds=12.0, test_accuracy=0.97) for fit in (9.0, 10.0, 30.0))
    peers = {
        name: tuple(measurement(10.0 * ratio * noise, 2.0 * ratio) for noise in (0.5, 1.0, 1.1))
        for name, ratio in (ratios or RATIOS).items()
    }
    return RowResult(
        run=run.date,
        parameters=42_310,
        epochs=5,
        precision="bfloat16",
        work=Work(flops=8e11, bytes=1e10, steps=540),
        rounds={OURS: ours, **peers},
        versions={name: {"library": "1.2.3"} for name in peers},
    )
