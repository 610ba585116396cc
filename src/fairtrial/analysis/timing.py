"""Questions about time, answered from pairs of arms timed in turn: never from the clocks of trials.

One pair is one sample and counts as a seed. All pairs of one machine count, in the order they were
taken, those beside other work among them: to leave some out would be to look before choosing. A
caveat says how many. The machine is this one; where nothing was timed on this one, the node of a cluster that
timed the first pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairtrial.analysis.answer import more_seeds, shown
from fairtrial.analysis.caveats import of_the_arms, of_their_runs, troubles
from fairtrial.analysis.claimed import judge_claim
from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.cost import on_a_cluster
from fairtrial.analysis.engines import not_used
from fairtrial.analysis.gather import Failed, arm_key
from fairtrial.analysis.held import held_line, implied_line
from fairtrial.analysis.judgement import Judgement, judge
from fairtrial.analysis.register import Promised
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.time_sentences import NOT_TIMED, time_sentence
from fairtrial.analysis.values import Answer, ArmTrials, Caveat
from fairtrial.engine.machine import machine, processor
from fairtrial.pair import PairTimes
from fairtrial.stats.intervals import log_margin
from fairtrial.stats.verdict import Verdict
from fairtrial.store import Store, StoredPair
from fairtrial.study.factors import held_fixed, implied
from fairtrial.study.schema import Question, Study
from fairtrial.trial import ENGINE_VERSION

BUSY_CORES = 0.5
"""A pair is flagged if other work kept more than this many processor cores busy meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """The pairs of two arms: those of one machine in the order they were taken, and counts of the others.

    `place` is that machine with its processor.
    """

    place: tuple[str, str]
    pairs: tuple[PairTimes, ...]
    variant_key: str
    elsewhere: int
    other_engines: Mapping[int, int]
    """By engine version."""

    def seconds(self, side: str, of: str) -> NDArray[np.float64]:
        """`train_seconds` or `fit_seconds` of the variant or the baseline, one per pair."""
        return np.array([getattr(self._side(pair, side), of) for pair in self.pairs], dtype=np.float64)

    def _side(self, pair: PairTimes, side: str) -> object:
        first_is_variant = pair.first.arm_key == self.variant_key
        return pair.first if first_is_variant == (side == "variant") else pair.second


def timed(question: Question, study: Study, store: Store) -> Timed:
    """The stored pairs of the question's arms, whichever of the two began."""
    variant, baseline = (arm_key(study.arms[name]) for name in (question.variant, question.baseline))
    return timed_on(
        judged_on(store.pairs(variant, baseline)),
        store,
        variant_key=variant,
        baseline_key=baseline,
        engine_version=ENGINE_VERSION,
    )


def judged_on(pairs: Sequence[StoredPair]) -> tuple[str, str]:
    """The machine and processor whose pairs are judged. Which it is hangs on where pairs were timed and never on what they say."""
    here = (machine(), processor())
    places = [(one.times.machine, one.times.processor) for one in pairs]
    if here in places:
        return here
    of_a_cluster = (
        place for place, one in zip(places, pairs, strict=True) if on_a_cluster(one.times.provenance)
    )
    return next(of_a_cluster, here)


def timed_on(
    place: tuple[str, str], store: Store, *, variant_key: str, baseline_key: str, engine_version: int
) -> Timed:
    """The stored pairs of two arms, those of one machine and processor apart from the others."""
    here: list[PairTimes] = []
    elsewhere = 0
    other_engines: Counter[int] = Counter()
    for one in store.pairs(variant_key, baseline_key):
        if (one.times.machine, one.times.processor) != place:
            elsewhere += 1
        elif one.engine_version != engine_version:
            other_engines[one.engine_version] += 1
        else:
            here.append(one.times)
    return Timed(
        place=place,
        pairs=tuple(here),
        variant_key=variant_key,
        elsewhere=elsewhere,
        other_engines=other_engines,
    )


def time_answer(
    study: Study,
    question: Question,
    arms: Mapping[str, ArmTrials],
    store: Store,
    *,
    promised: Promised,
    failed: Mapping[str, Sequence[Failed]],
) -> Answer:
    """The answer on training time, undecided until enough pairs have been timed on one machine."""
    variant, baseline = arms[question.variant], arms[question.baseline]
    found = timed(question, study, store)
    horizon, margin = study.seeds.max, study.margins.time
    compared = time_contrast(found, horizon=horizon)
    trouble = troubles((variant, baseline), failed=failed, horizon=horizon)
    alpha = promised.alpha(question, metric="time", on=None)
    if found.pairs or trouble:
        judged = judge(
            compared,
            margin=log_margin(margin),
            alpha=alpha,
            seeds=study.seeds,
            floor=0.0,
            goal=question.goal,
            trouble=bool(trouble),
            repeated=False,
        )
    else:
        judged = Judgement(verdict=Verdict.UNDECIDED, because=NOT_TIMED)
    low, high = shown(judged.interval.exp() if judged.interval else None, judged)
    used = len(compared.seeds)
    means = {
        (side, of): geometric_mean(found.seconds(side, of)[:used]) if used else None
        for side in ("variant", "baseline")
        for of in ("train_seconds", "fit_seconds")
    }
    fit = means["variant", "fit_seconds"], means["baseline", "fit_seconds"]
    held = held_fixed(variant.arm, baseline.arm)
    along = implied(variant.arm, baseline.arm)
    return Answer(
        question=question.id,
        metric="time",
        on=None,
        over=None,
        variant=question.variant,
        baseline=question.baseline,
        verdict=judged.verdict.value,
        variant_mean=means["variant", "train_seconds"],
        baseline_mean=means["baseline", "train_seconds"],
        estimate=compared.estimate,
        low=low,
        high=high,
        margin=margin,
        confidence=study.confidence,
        seeds=used,
        pairing_correlation=compared.pairing_correlation,
        caveats=(
            *of_the_arms(question, variant, baseline),
            *of_their_runs(variant, baseline, failed=failed, horizon=horizon),
            *_of_the_clocks(found, used=used),
            *_stopped_early(variant, baseline),
            *promised.caveats(question, metric="time", on=None),
        ),
        sentence=time_sentence(
            compared,
            judged,
            variant=question.variant,
            fit=fit,
            margin=margin,
            horizon=horizon,
            trouble=", ".join(trouble),
            beside=_beside(found.pairs[:used]),
            unknown=_unknown(found.pairs[:used]),
        ),
        claims=tuple(
            judge_claim(
                claim,
                question,
                arms,
                judged,
                over=None,
                margin=margin,
                alpha=alpha,
                seeds=study.seeds,
                floor=0.0,
                unsound=lambda _arm: bool(trouble),
            )
            for claim in question.claims
            if claim.metric == "time"
        ),
        terms=replace(
            promised.terms(question, metric="time", on=None, floor=0.0),
            machine=found.place[0],
            processor=found.place[1],
        ),
        looks=judged.looks,
        held_fixed=held,
        held_fixed_line=held_line(held, variant=question.variant),
        implied=along,
        implied_line=implied_line(along),
        variant_fit_seconds=fit[0],
        baseline_fit_seconds=fit[1],
        more_seeds=more_seeds(judged),
        contrasts=tuple(zip(compared.seeds, compared.differences.tolist(), strict=True)),
    )


def time_contrast(found: Timed, *, horizon: int) -> Contrast:
    """The seconds of both arms, pair by pair; pairs beyond the horizon are not looked at."""
    used = tuple(range(1, min(len(found.pairs), horizon) + 1))
    return Contrast(
        metric="time",
        seeds=used,
        variant=found.seconds("variant", "train_seconds")[: len(used)],
        baseline=found.seconds("baseline", "train_seconds")[: len(used)],
        looked_at=used,
        beyond=tuple(range(len(used) + 1, len(found.pairs) + 1)),
    )


def geometric_mean(seconds: NDArray[np.float64]) -> float:
    """The mean whose ratios are the ratios that are judged.

    >>> round(geometric_mean(np.array([1.0, 4.0])), 6)
    2.0
    """
    return float(np.exp(np.log(seconds).mean()))


def _beside(pairs: Sequence[PairTimes]) -> int:
    return sum(pair.other_load is not None and pair.other_load > BUSY_CORES for pair in pairs)


def _unknown(pairs: Sequence[PairTimes]) -> int:
    return sum(pair.other_load is None for pair in pairs)


def _of_the_clocks(found: Timed, *, used: int) -> Iterator[Caveat]:
    pairs = found.pairs[:used]
    if beside := _beside(pairs):
        most = max(pair.other_load or 0.0 for pair in pairs)
        yield Caveat(
            kind="shared machine",
            text=f"{beside} of {count_of(used, 'pair')} timed while other work kept more than half a processor "
            f"core busy (up to {most:.1f} cores)",
        )
    if unknown := _unknown(pairs):
        yield Caveat(
            kind="shared machine",
            text=f"this system does not tell whether {unknown} of {count_of(used, 'pair')} had the machine alone",
        )
    if found.elsewhere:
        yield Caveat(
            kind="another machine",
            text=f"{count_of(found.elsewhere, 'pair')} timed on another machine not used: times are of one machine",
        )
    if found.other_engines:
        yield Caveat(
            kind="another engine version",
            text=not_used(found.other_engines, "pair"),
        )
    if beyond := len(found.pairs) - used:
        yield Caveat(
            kind="beyond the horizon",
            text=f"{count_of(beyond, 'pair')} beyond pair {used} not used: the guarantee ends at the largest "
            "number of seeds, fixed before the first trial",
        )


def _stopped_early(variant: ArmTrials, baseline: ArmTrials) -> Iterator[Caveat]:
    for side in (variant, baseline):
        settings = side.arm.settings
        if settings.early_stopping is not None:
            yield Caveat(
                kind="early stopping",
                text=f"{side.arm.name} may stop before its {count_of(settings.epochs, 'epoch')}; its time is "
                "that of all of them",
            )
