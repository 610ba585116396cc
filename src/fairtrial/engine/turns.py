"""Two arms that take turns on one machine, whoever trains them."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Protocol

from fairtrial.engine import load
from fairtrial.engine.machine import machine, processor
from fairtrial.pair import ArmTimes, PairTimes


class Contender(Protocol):
    """One arm of a pair."""

    @property
    def device(self) -> str:
        """What it is trained on, in words."""
        ...

    def warm_up(self) -> None: ...

    def turn(self) -> None:
        """Train for a while, clocked."""
        ...

    def times(self) -> ArmTimes:
        """What all turns so far come to for a whole training."""
        ...


def in_turn(
    number: int,
    first: Contender,
    second: Contender,
    *,
    began: float,
    provenance: dict[str, str],
    read: Callable[[], load.Reading] = load.read,
) -> PairTimes:
    """First, second, second, first, so that a drift meets both alike; both are warmed up before."""
    for contender in (first, second):
        contender.warm_up()
    before = read()
    for contender in (first, second, second, first):
        contender.turn()
    after = read()
    return PairTimes(
        seed=number,
        first=first.times(),
        second=second.times(),
        machine=machine(),
        processor=processor(),
        device=" and ".join(sorted({first.device, second.device})),
        load_average=before.average,
        other_load=load.other_load(before, after),
        seconds=perf_counter() - began,
        provenance=provenance,
    )
