"""Stated reasons to trust an answer less, found in the arms and in the trials themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.engines import ByVersion, not_used
from fairtrial.analysis.gather import Failed
from fairtrial.analysis.judgement import identical, repeated_weights
from fairtrial.analysis.sentences import count_of, subject
from fairtrial.analysis.values import ArmTrials, Caveat
from fairtrial.stats.signs import signs
from fairtrial.study.check import difference_in_words
from fairtrial.study.factors import confounds, implied
from fairtrial.study.schema import On, Question, Seeds


def caveats(
    question: Question,
    variant: ArmTrials,
    baseline: ArmTrials,
    contrast: Contrast,
    *,
    on: On | None,
    seeds: Seeds,
    other_engines: Mapping[str, ByVersion],
    failed: Mapping[str, Sequence[Failed]],
) -> tuple[Caveat, ...]:
    """Everything that makes this answer weaker than its numbers look.

    `other_engines` counts, by arm name and version, trials that other engine versions trained; `failed` says
    of each arm which seeds ended without an outcome.
    """
    return (
        *of_the_arms(question, variant, baseline),
        *_leaked(variant, baseline, contrast, on=on),
        *_stopped_early(variant, baseline, contrast, on=on),
        *_of_commands(question, variant, baseline, contrast, on=on),
        *of_their_runs(variant, baseline, failed=failed, horizon=seeds.max),
        *_missing(variant, baseline, contrast),
        *_beyond(contrast, horizon=seeds.max),
        *_identical(variant, baseline, contrast, on=on, least=seeds.min),
        *_skewed(contrast, on=on),
        *_other_engines(question, other_engines),
    )


def _of_commands(
    question: Question, variant: ArmTrials, baseline: ArmTrials, contrast: Contrast, *, on: On | None
) -> Iterator[Caveat]:
    """What a program of the user's own gave otherwise than ours, or did not give."""
    for side in (variant, baseline):
        if not side.arm.is_command or on is None:
            continue
        used = [trial for trial in side.trials if trial.seed in contrast.looked_at]
        over = "_last_epoch" if question.over == "last_epoch" else ""
        if over and any(trial.outcome.provenance.get("last_epoch") == "the end alone" for trial in used):
            yield Caveat(
                kind="end alone",
                text=f"{side.arm.name} gives its figures at the end alone, which stand for means over its last epoch",
            )
        name = f"{on}_{contrast.metric}{over}"
        lacking = [
            trial.seed
            for trial in used
            if trial.outcome.state == "finished" and name not in trial.outcome.metrics
        ]
        if lacking:
            yield Caveat(
                kind="not measured",
                text=f"{count_of(len(lacking), 'trial')} of {side.arm.name} told no {on} {contrast.metric}; its command "
                "tells what it was asked for when they were run (`--store` another file trains them anew)",
            )


def of_the_arms(question: Question, variant: ArmTrials, baseline: ArmTrials) -> Iterator[Caveat]:
    """What else differs between the two arms, or changes along with what does."""
    yield from _confounded(question, variant, baseline)
    yield from _implied(variant, baseline)


def of_their_runs(
    variant: ArmTrials, baseline: ArmTrials, *, failed: Mapping[str, Sequence[Failed]], horizon: int
) -> Iterator[Caveat]:
    """How many runs diverged, and which runs failed."""
    for side in (variant, baseline):
        lost = failed.get(side.arm.name, ())
        yield from (Caveat(kind="diverged", text=text) for text in _diverged(side, lost, horizon=horizon))
        yield from (Caveat(kind="failed", text=one.text) for one in lost)


def _confounded(question: Question, variant: ArmTrials, baseline: ArmTrials) -> Iterator[Caveat]:
    also = confounds(question, variant.arm, baseline.arm)
    if also:
        listed = "; ".join(difference_in_words(one, variant.arm, baseline.arm) for one in also)
        yield Caveat(kind="confounded", text=f"the arms also differ in {listed}")


def _implied(variant: ArmTrials, baseline: ArmTrials) -> Iterator[Caveat]:
    # More parameters are what a wider network is; fewer updates are not what a larger batch is asked for.
    along = tuple(one for one in implied(variant.arm, baseline.arm) if one.path == "updates")
    if along:
        listed = "; ".join(map(str, along))
        yield Caveat(kind="implied change", text=f"what differs also changes the number of {listed}")


def _leaked(
    variant: ArmTrials, baseline: ArmTrials, contrast: Contrast, *, on: On | None
) -> Iterator[Caveat]:
    if on != "validation":
        return
    seeds = frozenset(contrast.seeds)
    for side in (variant, baseline):
        used = [trial for trial in side.trials if trial.seed in seeds]
        shares = [trial.outcome.metrics.get("validation_seen", 0.0) for trial in used]
        seen = float(np.mean(shares)) if used else 0.0
        if seen > 0:
            yield Caveat(
                kind="leaked validation",
                text=f"{side.arm.name} was trained on {100 * seen:.1f} % of its own validation images",
            )


def _stopped_early(
    variant: ArmTrials, baseline: ArmTrials, contrast: Contrast, *, on: On | None
) -> Iterator[Caveat]:
    """Which arms stop where their validation tells them to, and after how many epochs they did."""
    for side in (variant, baseline):
        stopping = side.arm.settings.early_stopping
        if stopping is None:
            continue
        ran = sorted(trial.outcome.epochs for trial in side.trials if trial.seed in contrast.seeds)
        after = ""
        if ran:
            span = str(ran[0]) if ran[0] == ran[-1] else f"{ran[0]} to {ran[-1]}"
            after = f", after {span} of {count_of(side.arm.settings.epochs, 'epoch')}"
        chosen = (
            "; its validation figures have chosen the moment they were taken" if on == "validation" else ""
        )
        yield Caveat(
            kind="early stopping",
            text=f"{side.arm.name} stops early on {stopping.monitor}{after}{chosen}",
        )


def troubles(
    arms: Sequence[ArmTrials], *, failed: Mapping[str, Sequence[Failed]], horizon: int
) -> tuple[str, ...]:
    """`1 of 7 runs of lr-0.02 diverged`, or failed, for each of the arms that this is true of.

    All runs of an arm up to the horizon count, those too that this question has no use for: what an arm comes to
    on average is not defined where it may diverge.
    """
    return tuple(
        text
        for side in arms
        for lost in (failed.get(side.arm.name, ()),)
        for text in (*_diverged(side, lost, horizon=horizon), *_failed(side, lost, horizon=horizon))
    )


def _diverged(side: ArmTrials, lost: Sequence[Failed], *, horizon: int) -> Iterator[str]:
    count = sum(trial.seed <= horizon and trial.outcome.state == "diverged" for trial in side.trials)
    if count:
        yield f"{count} of {_runs(side, lost, horizon=horizon)} diverged"


def _failed(side: ArmTrials, lost: Sequence[Failed], *, horizon: int) -> Iterator[str]:
    count = sum(one.seed <= horizon for one in lost)
    if count:
        yield f"{count} of {_runs(side, lost, horizon=horizon)} failed"


def _runs(side: ArmTrials, lost: Sequence[Failed], *, horizon: int) -> str:
    count = sum(one.seed <= horizon for one in (*side.trials, *lost))
    return f"{count_of(count, 'run')} of {side.arm.name}"


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
            f"{'has' if len(lacking) == 1 else 'have'} no outcome for, not used: seeds count in order",
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


def _other_engines(question: Question, counts: Mapping[str, ByVersion]) -> Iterator[Caveat]:
    for name in (question.variant, question.baseline):
        if counts.get(name):
            yield Caveat(kind="another engine version", text=not_used(counts[name], "trial", of=name))
