"""The lottery of one run each, drawn: every run of one arm against every run of the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.judgement import better_of
from fairtrial.analysis.values import Answer
from fairtrial.report import svg
from fairtrial.stats.intervals import log_margin
from fairtrial.stats.lottery import lottery
from fairtrial.stats.verdict import Verdict

SIDE = 96.0
_MOST_CELLS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsPicture:
    """`share` of the pairs is drawn dark; `big` and `says` together tell what that means."""

    share: float
    big: str
    says: str
    drawing: str


def pairs(answer: Answer, compared: Contrast) -> PairsPicture | None:
    """What pairs of single runs would have told; None while there is a single pair or none."""
    variant, baseline = compared.variant, compared.baseline
    if variant.size < 2:
        return None
    if answer.metric == "time":
        variant, baseline = np.log(variant), np.log(baseline)
    # Sorted, the pairs that tell one thing lie together: the dark part of the square is their share.
    table = np.sort(variant)[::-1, None] - np.sort(baseline)[None, :]
    verdict = Verdict(answer.verdict)
    margin = answer.margin or 0.0
    if verdict.direction or verdict is Verdict.NO_DIFFERENCE:
        margin = log_margin(margin) if answer.metric == "time" and margin else margin
        told = lottery(variant, baseline, verdict=verdict, margin=margin)
        dark = table * verdict.direction < 0 if verdict.direction else np.abs(table) > margin
        how = "the opposite" if verdict.direction else "of a difference that matters"
        return _picture(dark, told.share, f"would have told you {how}")
    if verdict is Verdict.NOT_WORSE:
        margin = log_margin(margin) if answer.metric == "time" else margin
        worse = table < -margin if better_of(answer.metric) == "higher" else table > margin
        says = f"would have told you that {answer.variant} is worse by more than the margin"
        return _picture(worse, float(worse.mean()), says)
    higher = table > 0
    words = ("slower", "faster") if answer.metric == "time" else ("higher", "lower")
    says = f"have {answer.variant} {words[0]}, {int((table < 0).sum())} {words[1]}"
    return _picture(higher, float(higher.mean()), says, undecided=True)


def _picture(dark: NDArray[np.bool_], share: float, says: str, *, undecided: bool = False) -> PairsPicture:
    count = f"{int(dark.sum())} of {dark.size}"
    label = f"{count} pairs of single runs {says}."
    roles = ("dark open", "light") if undecided else ("dark", "light")
    rows, columns = dark.shape
    across, down = SIDE / columns, SIDE / rows
    parts = [svg.rect(0, 0, SIDE, SIDE, role=roles[1])]
    parts.append(
        svg.boxes(
            (
                (first * across, row * down, (last - first) * across, down)
                for row in range(rows)
                for first, last in _stretches(dark[row])
            ),
            role=roles[0],
        )
    )
    if max(dark.shape) <= _MOST_CELLS:
        parts.append(
            svg.path(
                *(((place * across, 0), (place * across, SIDE)) for place in range(1, columns)),
                *(((0, place * down), (SIDE, place * down)) for place in range(1, rows)),
                role="gaps",
            )
        )
    return PairsPicture(
        share=share,
        big=count if undecided else _percent(share),
        says=f"pairs of single runs {says}" if undecided else f"of pairs of single runs {says}",
        drawing=svg.drawing(parts, width=SIDE, height=SIDE, label=label, role="pairs"),
    )


def _percent(share: float) -> str:
    """Never 0 or 100 % where there is one pair that says otherwise.

    >>> _percent(0.0), _percent(0.001), _percent(0.126), _percent(0.9999)
    ('0 %', '< 1 %', '13 %', '> 99 %')
    """
    if 0 < share < 0.005:
        return "< 1 %"
    return "> 99 %" if 0.995 < share < 1 else f"{100 * share:.0f} %"


def _stretches(row: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """From where to where the row is dark."""
    changes = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    return [(first, last) for first, last in pairwise(changes) if row[first]]
