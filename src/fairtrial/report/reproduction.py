"""What was printed, the same protocol reproduced, and done right: three columns for each arm.

Without the middle column the honest figures look like a mistake of ours beside printed ones that
come from a validation set that was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fairtrial.analysis.clocks import clock_of
from fairtrial.analysis.gather import gather
from fairtrial.report.blocks import SHOWN
from fairtrial.report.spread import Spread, metric_spread, seconds_spread
from fairtrial.store import Store
from fairtrial.study.schema import Arm, Published, Study
from fairtrial.trial import StoredTrial

SECONDS = "fit_seconds"
"""Training with one validation per epoch: what the notebook timed, on another machine than ours."""

LABELS = {**{metric: label for label, metric in SHOWN}, SECONDS: "Training Time (s)"}

Split = Literal["reshuffled", "fixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One figure of one arm, three times. `published` is None where nothing was printed."""

    metric: str
    published: float | None
    reproduced: Spread | None
    right: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arm: its six figures and its training time, and the seeds that diverged in either protocol."""

    arm: str
    title: str
    cells: tuple[Cells, ...]
    reproduced_diverged: int
    right_diverged: int


def with_split(arm: Arm, split: Split) -> Arm:
    """The same arm under the other protocol: `reshuffled` leaks validation images, `fixed` does not."""
    data = arm.settings.data.model_copy(update={"split": split})
    return Arm(
        name=arm.name,
        settings=arm.settings.model_copy(update={"data": data}),
        title=arm.title,
        note=arm.note,
        published=arm.published,
        sources=arm.sources,
    )


def shown_arms(study: Study) -> tuple[Arm, ...]:
    """The arms that somebody printed figures for, or names in `published` without any."""
    return tuple(arm for arm in study.arms.values() if arm.published is not None)


def reproduction(arms: Sequence[Arm], store: Store) -> tuple[Row, ...]:
    """The three columns for `arms` from what the store holds of each under either protocol."""
    return rows(
        arms,
        reproduced=_trials([with_split(arm, "reshuffled") for arm in arms], store),
        right=_trials([with_split(arm, "fixed") for arm in arms], store),
    )


def _trials(arms: Sequence[Arm], store: Store) -> dict[str, tuple[StoredTrial, ...]]:
    return {name: found.trials for name, found in gather(arms, store).items()}


def rows(
    arms: Sequence[Arm],
    *,
    reproduced: Mapping[str, Sequence[StoredTrial]],
    right: Mapping[str, Sequence[StoredTrial]],
) -> tuple[Row, ...]:
    """The table's rows from the trials of each arm, by its name, under both protocols; times are of one machine."""
    clock = clock_of(trial for side in (reproduced, right) for some in side.values() for trial in some)
    return tuple(
        Row(
            arm=arm.name,
            title=arm.title or arm.name,
            cells=(
                *(
                    Cells(
                        metric=metric,
                        published=_published(arm.published, metric),
                        reproduced=metric_spread(reproduced.get(arm.name, ()), metric),
                        right=metric_spread(right.get(arm.name, ()), metric),
                    )
                    for _, metric in SHOWN
                ),
                Cells(
                    metric=SECONDS,
                    published=_published_seconds(arm),
                    reproduced=seconds_spread(reproduced.get(arm.name, ()), "fit", clock=clock),
                    right=seconds_spread(right.get(arm.name, ()), "fit", clock=clock),
                ),
            ),
            reproduced_diverged=_diverged(reproduced.get(arm.name, ())),
            right_diverged=_diverged(right.get(arm.name, ())),
        )
        for arm in arms
    )


def _published(published: Published | None, metric: str) -> float | None:
    return None if published is None else getattr(published, metric)


def _published_seconds(arm: Arm) -> float | None:
    """Seconds of the whole training as printed; a CNN's are printed per epoch."""
    published = arm.published
    if published is None or published.train_seconds is not None or published.seconds_per_epoch is None:
        return published and published.train_seconds
    return published.seconds_per_epoch * arm.settings.epochs


def _diverged(trials: Sequence[StoredTrial]) -> int:
    return sum(trial.outcome.state == "diverged" for trial in trials)
