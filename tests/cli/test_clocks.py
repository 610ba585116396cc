"""Seconds of two machines have no mean: where a store holds trials of both, those of one are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fairtrial.analysis.clocks import clock_of, seconds_of
from fairtrial.analysis.gather import gather
from fairtrial.engine.machine import machine
from fairtrial.report.blocks import block
from fairtrial.report.figure_rows import frontier_rows
from fairtrial.report.show_markdown import times
from fairtrial.report.shown import shown
from fairtrial.store import Store
from fairtrial.study.schema import Study

Put = Callable[..., Any]


@pytest.mark.parametrize(
    ("machines", "seconds", "mean"),
    [
        (["a", "a", "b"], [1.0, 3.0, 90.0], 2.0),
        ([machine(), "b", "b"], [5.0, 90.0, 90.0], 5.0),
        (["b", "a"], [90.0, 4.0], 4.0),
    ],
    ids=["the one with most", "this one, however few", "one of two, always the same"],
)
def test_the_time_shown_is_that_of_one_machine(
    machines: list[str], seconds: list[float], mean: float, study: Study, store: Store, put: Put
) -> None:
    """Merged stores hold trials of several machines; a mean over them would be the time of none."""
    for seed, (name, took) in enumerate(zip(machines, seconds, strict=True), start=1):
        put(study.arms["narrow"], seed, machine=name, train=took)
    arm = gather([study.arms["narrow"]], store)["narrow"]
    found = block(arm)
    assert found.train_seconds is not None
    assert (found.train_seconds.mean, found.finished) == (mean, len(machines))
    assert f"(those of {found.train_seconds.n} of {len(machines)} trials: times are of one machine)" in times(
        found
    )


def test_arms_shown_together_have_one_clock(study: Study, store: Store, put: Put) -> None:
    """A fast machine's wide network beside a slow machine's narrow one would stand the answer on its head."""
    for seed in (1, 2, 3):
        put(study.arms["narrow"], seed, machine="slow", train=9.0)
        put(study.arms["wide"], seed, machine="fast", train=2.0)
    put(study.arms["wide"], 4, machine="slow", train=20.0)
    arms = gather(list(study.arms.values()), store)
    assert clock_of(trial for arm in arms.values() for trial in arm.trials) == "slow"
    assert [one["seconds"] for one in frontier_rows(arms.values())] == [9.0, 20.0]
    together = {one.name: one for one in shown(study, None, store).blocks}
    assert together["wide"].train_seconds is not None
    assert together["wide"].train_seconds.mean == 20.0
    assert seconds_of(arms["wide"].trials, "train", clock="nowhere") == []


def test_an_arm_without_a_time_on_that_machine_says_so(study: Study, store: Store, put: Put) -> None:
    """An empty line would look like a fault."""
    put(study.arms["narrow"], 1, machine=machine())
    put(study.arms["wide"], 1, machine="elsewhere")
    (wide,) = [one for one in shown(study, None, store).blocks if one.name == "wide"]
    assert wide.train_seconds is None
    assert times(wide).startswith("Training time: these trials are of another machine")
