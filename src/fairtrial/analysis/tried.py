"""What came of each setting that a re-tuning tries, on the seeds that are kept for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairtrial.analysis.contrast import value
from fairtrial.analysis.gather import arm_key, gather
from fairtrial.analysis.judgement import better_of
from fairtrial.analysis.terms import sha256
from fairtrial.store import Store
from fairtrial.study.schema import Arm, Retuning, Seeds, Study
from fairtrial.study.tuning import Settings, settings_tried, tuned_arm
from fairtrial.trial import ENGINE_VERSION, RETUNING, StoredTrial


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One arm with one of the settings: the validation metric over the re-tuning seeds it has finished.

    `diverged` seeds have none: whatever diverged is worse than whatever did not. `trained` counts both.
    """

    settings: Settings
    mean: float | None
    trained: int
    diverged: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "settings": dict(self.settings),
            "mean": self.mean,
            "trained": self.trained,
            "diverged": self.diverged,
        }


def tuning_key(study: Study, asked: Retuning) -> str:
    """The digest of what is chosen from, and by what; the order of settings and values changes nothing."""
    body: dict[str, Any] = {
        "arms": [arm_key(study.arms[name]) for name in (asked.variant, asked.baseline)],
        "retune": {path: sorted(map(_text, values)) for path, values in asked.retune.items()},
        "metric": asked.tuned_for,
        "over": asked.over,
        "seeds": asked.retune_seeds,
        "engine": ENGINE_VERSION,
    }
    return sha256(_text(body))


def tuning_study(study: Study, asked: Retuning) -> Study:
    """Both arms with every setting, on the re-tuning seeds; it asks nothing."""
    arms = [
        tuned_arm(study.arms[name], settings, block=RETUNING)
        for name in (asked.variant, asked.baseline)
        for settings in settings_tried(asked)
    ]
    return Study(
        name=f"{study.name}: {asked.id}, tuning",
        arms={arm.name: arm for arm in arms},
        seeds=Seeds(),
        source=study.source,
    )


def tried(arm: Arm, asked: Retuning, store: Store) -> tuple[Tried, ...]:
    """What is stored of the arm with each of the settings, in their order."""
    settings = settings_tried(asked)
    arms = [tuned_arm(arm, one, block=RETUNING) for one in settings]
    found = gather(arms, store)
    return tuple(
        _tried(one, [found[made.name].by_seed.get(seed) for seed in range(1, asked.retune_seeds + 1)], asked)
        for one, made in zip(settings, arms, strict=True)
    )


def _tried(settings: Settings, trials: Sequence[StoredTrial | None], asked: Retuning) -> Tried:
    known = [one for one in trials if one is not None]
    values = [value(one, metric=asked.tuned_for, on="validation", over=asked.over) for one in known]
    finished = [one for one in values if one is not None]
    return Tried(
        settings=settings,
        mean=sum(finished) / len(finished) if finished else None,
        trained=len(known),
        diverged=len(known) - len(finished),
    )


def best(found: Sequence[Tried], asked: Retuning) -> Tried:
    """The best mean of those that lack the fewest seeds, because they diverged or failed; of equals the first."""
    sign = -1 if better_of(asked.tuned_for) == "higher" else 1

    def rank(one: Tried) -> tuple[int, float]:
        lacking = asked.retune_seeds - (one.trained - one.diverged)
        return lacking, 0.0 if one.mean is None else sign * one.mean

    return min(found, key=rank)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def chosen_text(chosen: Mapping[str, Settings]) -> str:
    """What was chosen for `variant` and `baseline`, as a selection keeps it."""
    return _text({role: dict(settings) for role, settings in chosen.items()})
