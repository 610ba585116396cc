"""Stated reasons to trust an answer less, found in the arms and in the trials themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.sentences import seeds
from fairtrial.analysis.values import ArmTrials, Caveat
from fairtrial.study.factors import Difference, confounds, implied
from fairtrial.study.schema import On, Question


def caveats(
    question: Question,
    variant: ArmTrials,
    baseline: ArmTrials,
    contrast: Contrast,
    *,
    on: On | None,
    other_engines: Mapping[str, int],
    failed: Mapping[str, Sequence[str]],
) -> tuple[Caveat, ...]:
    """Everything that makes this answer weaker than its numbers look.

    `other_engines` counts, by arm name, trials that another engine version trained; `failed` says
    of each arm which seeds ended without an outcome.
    """
    return (
        *_confounded(question, variant, baseline),
        *_implied(variant, baseline),
        *_leaked(variant, baseline, contrast, on=on),
        *_diverged(variant, baseline, contrast),
        *(
            Caveat(kind="failed", text=text)
            for name in (question.variant, question.baseline)
            for text in failed.get(name, ())
        ),
        *_missing(variant, baseline, contrast),
        *_other_engines(question, other_engines),
        *(_clocks(contrast) if contrast.metric == "time" else ()),
    )


def _confounded(question: Question, variant: ArmTrials, baseline: ArmTrials) -> Iterator[Caveat]:
    also = confounds(question, variant.arm, baseline.arm)
    if also:
        yield Caveat(kind="confounded", text=f"the arms also differ in {_listed(also)}")


def _implied(variant: ArmTrials, baseline: ArmTrials) -> Iterator[Caveat]:
    # More parameters are what a wider network is; fewer updates are not what a larger batch is asked for.
    along = tuple(one for one in implied(variant.arm, baseline.arm) if one.path == "updates")
    if along:
        yield Caveat(kind="implied change", text=f"what differs also changes the number of {_listed(along)}")


def _listed(differences: tuple[Difference, ...]) -> str:
    return "; ".join(str(difference) for difference in differences)


def _leaked(
    variant: ArmTrials, baseline: ArmTrials, contrast: Contrast, *, on: On | None
) -> Iterator[Caveat]:
    if on != "validation":
        return
    for side in (variant, baseline):
        used = [trial for trial in side.trials if trial.seed in contrast.seeds]
        seen = float(np.mean([trial.outcome.metrics["validation_seen"] for trial in used])) if used else 0.0
        if seen > 0:
            yield Caveat(
                kind="leaked validation",
                text=f"{side.arm.name} was trained on {100 * seen:.1f} % of its own validation images",
            )


def _diverged(variant: ArmTrials, baseline: ArmTrials, contrast: Contrast) -> Iterator[Caveat]:
    for text in diverged(variant, baseline, contrast):
        yield Caveat(kind="diverged", text=text)


def diverged(variant: ArmTrials, baseline: ArmTrials, contrast: Contrast) -> tuple[str, ...]:
    """`1 of 7 runs of lr-0.02 diverged`, for each of the two arms that this is true of."""
    looked_at = set(contrast.looked_at)
    total = len(looked_at)
    counts = {
        side.arm.name: sum(
            trial.seed in looked_at and trial.outcome.state == "diverged" for trial in side.trials
        )
        for side in (variant, baseline)
    }
    return tuple(
        f"{count} of {total} {'run' if total == 1 else 'runs'} of {name} diverged"
        for name, count in counts.items()
        if count
    )


def _missing(variant: ArmTrials, baseline: ArmTrials, contrast: Contrast) -> Iterator[Caveat]:
    """Seeds that both arms have, beyond one that either lacks, and so are not used."""
    both = {trial.seed for trial in variant.trials} & {trial.seed for trial in baseline.trials}
    unused = sorted(both - set(contrast.looked_at))
    if unused:
        gap = len(contrast.looked_at) + 1
        lacking = [
            side.arm.name for side in (variant, baseline) if gap not in {trial.seed for trial in side.trials}
        ]
        yield Caveat(
            kind="missing seeds",
            text=f"{seeds(len(unused))} beyond seed {gap}, which {' and '.join(lacking)} "
            "has no outcome for, not used: seeds count in order",
        )


def _other_engines(question: Question, counts: Mapping[str, int]) -> Iterator[Caveat]:
    for name in (question.variant, question.baseline):
        if counts.get(name):
            yield Caveat(
                kind="another engine version",
                text=f"{counts[name]} stored trials of {name} are of another engine version and were not used",
            )


def _clocks(contrast: Contrast) -> Iterator[Caveat]:
    yield Caveat(
        kind="shared machine",
        text="times were taken during ordinary training, when other work may have shared the machine",
    )
    if contrast.apart:
        yield Caveat(
            kind="another machine",
            text=f"{seeds(len(contrast.apart))} not used: the two arms were trained on different machines",
        )
