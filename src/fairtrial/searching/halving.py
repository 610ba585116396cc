"""Asynchronous successive halving: what is hopeless after a few epochs is not trained to its end.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), with epochs as the resource. What a
proposal must come to is fixed when it begins, from all that was known by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairtrial.analysis.points import Point
from fairtrial.study.searches import Search
from fairtrial.wire import Hurdle


def hurdles(search: Search, seen: Sequence[Point], *, epochs: int) -> tuple[Hurdle, ...]:
    """What a proposal of so many epochs must come to after 1, f, f squared, ... epochs, f being `search.halving`.

    To be among the best 1/f of all that came so far, itself counted; no hurdle where these are fewer than f.
    """
    if not search.halving:
        return ()
    return tuple(_hurdles(search, seen, factor=search.halving, epochs=epochs))


def _hurdles(search: Search, seen: Sequence[Point], *, factor: int, epochs: int) -> Iterator[Hurdle]:
    epoch = 1
    while epoch < epochs:
        best_first = sorted(
            (point.curve[epoch - 1] for point in seen if len(point.curve) >= epoch),
            reverse=search.metric == "accuracy",
        )
        keep = (len(best_first) + 1) // factor
        if keep:
            yield Hurdle(epoch=epoch, metric=search.metric, bound=best_first[keep - 1])
        epoch *= factor
