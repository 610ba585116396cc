"""Stated reasons to trust an answer less, found in the arms and in the trials themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.gather import Failed
from fairtrial.analysis.judgement import identical, repeated_weights
from fairtrial.analysis.sentences import count_of, subject
from fairtrial.analysis.values import ArmTrials, Caveat
from fairtrial.stats.signs import signs
from fairtrial.study.factors import Difference, confounds, implied
from fairtrial.study.schema import On, Question, Seeds


def caveats(
    question: Question,
    variant: ArmTrials,
    baseline: ArmTrials,
    contrast: Contrast,
    *,
    on: On | None,
    seeds: Seeds,
    other_engines: Mapping[str, int],
    failed: Mapping[str, Sequence[Failed]],
) -> tuple[Caveat, ...]:
    """Everything that makes this answer weaker than its numbers look.

    `other_engines` counts, by arm name, trials that another engine version trained; `failed` says
    of each arm which seeds ended without an outcome.
    """
    return (
        *of_the_arms(question, variant, baseline),
        *_leaked(variant, baseline, contrast, on=on),
        *of_their_runs(question, variant, baseline, seeds=len(contrast.looked_at), failed=failed),
        *_missing(variant, baseline, contrast),
        *_beyond(contrast, horizon=seeds.max),
        *_identical(variant, baseline, contrast, on=on, least=seeds.min),
        *_skewed(contrast, on=on),
        *_other_engines(question, other_engines),
    )


def of_the_arms(question: Question, variant: ArmTrials, baseline: ArmTrials) -> Iterator[Caveat]:
    """What else differs between the two arms, or changes along with what does."""
    yield from _confounded(question, variant, baseline)
    yield from _implied(variant, baseline)


def of_their_runs(
    question: Question,
    variant: ArmTrials,
    baseline: ArmTrials,
    *,
    seeds: int,
    failed: Mapping[str, Sequence[Failed]],
) -> Iterator[Caveat]:
    """Which of the first `seeds` runs diverged, and which runs failed."""
    for side in (variant, baseline):
        yield from (Caveat(kind="diverged", text=text) for text in _diverged(side, seeds=seeds))
    for name in (question.variant, question.baseline):
        yield from (Caveat(kind="failed", text=one.text) for one in failed.get(name, ()))


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
    seeds = frozenset(contrast.seeds)
    for side in (variant, baseline):
        used = [trial for trial in side.trials if trial.seed in seeds]
        seen = float(np.mean([trial.outcome.metrics["validation_seen"] for trial in used])) if used else 0.0
        if seen > 0:
            yield Caveat(
                kind="leaked validation",
                text=f"{side.arm.name} was trained on {100 * seen:.1f} % of its own validation images",
            )


def troubles(
    arms: Sequence[ArmTrials], *, seeds: int, failed: Mapping[str, Sequence[Failed]], horizon: int
) -> tuple[str, ...]:
    """`1 of 7 runs of lr-0.02 diverged`, or failed, for each of the arms that this is true of.

    Looks at the first `seeds` seeds, and at the next one, which is where a failure ends them.
    """
    return tuple(
        text
        for side in arms
        for text in (
            *_diverged(side, seeds=seeds),
            *(_failed(side, failed.get(side.arm.name, ()), seed=seeds + 1) if seeds < horizon else ()),
        )
    )


def _diverged(side: ArmTrials, *, seeds: int) -> Iterator[str]:
    count = sum(trial.seed <= seeds and trial.outcome.state == "diverged" for trial in side.trials)
    if count:
        yield f"{count} of {count_of(seeds, 'run')} of {side.arm.name} diverged"


def _failed(side: ArmTrials, failed: Sequence[Failed], *, seed: int) -> Iterator[str]:
    if any(one.seed == seed for one in failed):
        yield f"1 of {count_of(seed, 'run')} of {side.arm.name} failed"


def _missing(variant: ArmTrials, baseline: ArmTrials, contrast: Contrast) -> Iterator[Caveat]:
    """Seeds that both arms have, beyond one that either lacks, and so are not used."""
    both = {trial.seed for trial in variant.trials} & {trial.seed for trial in baseline.trials}
    unused = sorted(both - set(contrast.looked_at) - set(contrast.beyond))
    if unused:
        gap = len(contrast.looked_at) + len(contrast.beyond) + 1
        lacking = [
            side.arm.name for side in (variant, baseline) if gap not in {trial.seed for trial in side.trials}
        ]
        yield Caveat(
            kind="missing seeds",
            text=f"{count_of(len(unused), 'seed')} beyond seed {gap}, which {' and '.join(lacking)} "
            "has no outcome for, not used: seeds count in order",
        )


def _beyond(contrast: Contrast, *, horizon: int) -> Iterator[Caveat]:
    if contrast.beyond:
        yield Caveat(
            kind="beyond the horizon",
            text=f"{count_of(len(contrast.beyond), 'seed')} beyond seed {horizon} not used: the guarantee ends "
            "at the largest number of seeds, fixed before the first trial",
        )


def _identical(
    variant: ArmTrials, baseline: ArmTrials, contrast: Contrast, *, on: On | None, least: int
) -> Iterator[Caveat]:
    if identical(contrast, least=least):
        yield Caveat(
            kind="identical contrasts",
            text=f"{subject(contrast, on).lower()} differs by exactly the same on all {len(contrast.seeds)} "
            "seeds, as if seeds changed nothing: never a verdict",
        )
    for side in (variant, baseline):
        same = repeated_weights(side, seeds=contrast.looked_at)
        if same:
            yield Caveat(
                kind="identical weights",
                text=f"seeds {', '.join(map(str, same))} of {side.arm.name} ended with the same weights as "
                "another seed, as if seeds changed nothing: never a verdict",
            )


def _skewed(contrast: Contrast, *, on: On | None) -> Iterator[Caveat]:
    if contrast.seeds and signs(contrast.differences).skewed:
        yield Caveat(
            kind="skewed contrasts",
            text=f"contrasts of {subject(contrast, on).lower()} are lopsided, so that the interval for their mean "
            "deserves doubt",
        )


def _other_engines(question: Question, counts: Mapping[str, int]) -> Iterator[Caveat]:
    for name in (question.variant, question.baseline):
        if counts.get(name):
            yield Caveat(
                kind="another engine version",
                text=f"{counts[name]} stored trials of {name} are of another engine version and were not used",
            )
