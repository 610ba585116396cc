"""The second interval of an accuracy on the test set: had its images been drawn anew as well."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.contrast import Contrast, Over
from fairtrial.analysis.judgement import Judgement
from fairtrial.analysis.values import ArmTrials
from fairtrial.data import catalog
from fairtrial.stats.intervals import Interval, fresh_images_interval
from fairtrial.stats.verdict import Verdict
from fairtrial.store import Store

Floats = NDArray[np.float32]


class RightShares:
    """How often each test image was classified right, by trial; each trial is read once."""

    def __init__(self, store: Store) -> None:
        self._predictions = cache(store.predictions)
        self._dataset = cache(catalog.load)

    def of(self, arm: ArmTrials, seed: int, *, over: Over | None) -> Floats | None:
        """One share in [0, 1] per test image, None where the store has no predictions of the trial.

        Over the last epoch the share of the evaluations that got it right, at the end 0 or 1: its mean is
        the test accuracy that the answer is about.
        """
        said = self._predictions(arm.by_seed[seed].key)
        if said is None:
            return None
        if over == "last_epoch":
            return said.right.astype(np.float32) / np.float32(said.evaluations)
        labels = self._dataset(arm.arm.settings.data.facts).test_labels
        return (said.classes == labels).astype(np.float32)


def fresh_images(
    compared: Contrast,
    judged: Judgement,
    variant: ArmTrials,
    baseline: ArmTrials,
    *,
    over: Over | None,
    floor: float,
    right: RightShares,
) -> Interval | None:
    """The approximate interval for the mean contrast on fresh test images, over the seeds looked at.

    At the per-look level of the answer's own interval, which it always holds. None where that one is
    infinite or void, and where a trial's predictions were not stored: fewer seeds would be another question.
    """
    if judged.look is None or judged.interval is None or judged.verdict is Verdict.UNSTABLE:
        return None
    rows: list[Floats] = []
    for seed in compared.seeds:
        one, other = (right.of(arm, seed, over=over) for arm in (variant, baseline))
        if one is None or other is None or one.shape != other.shape:
            return None
        rows.append(one - other)
    found = fresh_images_interval(np.stack(rows), nominal=judged.look.nominal, floor=floor)
    return found if math.isfinite(found.bound) else None
