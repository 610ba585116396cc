"""What a study's author should know before training: confounds, leaks, claims nobody judges.

Nothing here is a mistake; a study with findings can be run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from fairtrial.study.combining import baseline_of, listed
from fairtrial.study.departing import builds_on, clash, departures
from fairtrial.study.factors import Difference, confounds, differences, implied, unchanged
from fairtrial.study.finding import Finding as Finding
from fairtrial.study.finding import Kind as Kind
from fairtrial.study.finding import Place as Place
from fairtrial.study.own_findings import own_findings
from fairtrial.study.schema import Arm, Claim, Combining, Question, Retuning, Study

FEW_ARMS = 3
FEW_SEEDS = 6
"""Below this many seeds Student's t is so wide that hardly anything is settled."""


def findings(study: Study) -> tuple[Finding, ...]:
    """Everything worth knowing about `study`: question by question, then arms, then the whole.

    Raises StudyError if a network is impossible.
    """
    return (
        *(one for question in (*study.questions, *study.retuned) for one in _about_question(question, study)),
        *(one for combining in study.combined for one in _about_combining(combining, study)),
        *_duplicates(tuple(study.arms.values())),
        *_leaks(study),
        *own_findings(study),
        *_early_stopping(study),
        *_precision(study),
        *_unasked(study),
        *_horizon(study),
    )


def verdicts(study: Study) -> int:
    """Verdicts in words the study asks for: together they have to be right."""
    return sum(verdicts_by_place(study).values())


def verdicts_by_place(study: Study) -> dict[Place, int]:
    """The study's verdicts on validation images, on test images and on time.

    Each question on each metric is one, and so is each claimed level or plateau, which is judged by an
    interval of its own. A claimed direction is judged by its question's verdict.
    """
    counts: dict[Place, int] = {"validation": 0, "test": 0, "time": 0}
    for question in study.questions:
        for metric in question.metrics:
            for place in ("time",) if metric == "time" else question.on:
                counts[place] += 1
        for claim in question.claims:
            if has_own_interval(claim) and judged(claim, question):
                counts["time" if claim.metric == "time" else claim.on] += 1
    return counts


def _about_question(question: Question, study: Study) -> Iterator[Finding]:
    variant, baseline = study.arms[question.variant], study.arms[question.baseline]
    found = differences(variant, baseline)
    if confusing := confounds(question, variant, baseline):
        yield _finding("confounded", question, _confounded(question, confusing, variant, baseline))
    elif question.factors is None and found:
        yield _finding(
            "undeclared", question, f"declares no factors; it is taken to ask about {found[0].path}"
        )
    tuned = question.retune if isinstance(question, Retuning) else {}
    for factor in unchanged(question, variant, baseline):
        if factor in tuned:
            continue
        message = f"declares {factor}, which is the same in {variant.name} and {baseline.name}"
        yield _finding("unchanged", question, message)
    if changes := implied(variant, baseline):
        listed = f"{in_words(changes)}{_why_updates(found, changes)}"
        yield _finding("implied", question, f"what differs brings with it: {listed}")
    for claim in question.claims:
        if not judged(claim, question):
            yield _finding("unjudged", question, _unjudged(claim, question))


def _about_combining(asked: Combining, study: Study) -> Iterator[Finding]:
    """Which of the questions it lists cannot both be taken."""
    arms = {one.id: (study.arms[one.variant], study.arms[one.baseline]) for one in listed(study, asked)}
    for one, other in combinations(arms, 2):
        if both := clash(departures(*arms[one]), departures(*arms[other])):
            later = [
                name for name, first in ((one, other), (other, one)) if builds_on(arms[name], arms[first])
            ]
            rule = (
                f"{later[0]} goes on from where the other ends, and is taken if both are improvements"
                if len(later) == 1
                else "if both are improvements the larger one is taken"
            )
            yield Finding(
                kind="same setting",
                question=asked.id,
                message=f"question {asked.id}: {one} and {other} both set {', '.join(both)}; {rule}",
            )


_NAMES = {
    "updates": "updates",
    "parameters": "parameters",
    "multiply_adds": "multiply-adds per image",
}


def in_words(changes: Sequence[Difference]) -> str:
    """Implied changes as `updates 2,700 -> 270; parameters …`."""
    return "; ".join(f"{_NAMES[one.path]} {one.baseline:,} -> {one.variant:,}" for one in changes)


def _finding(kind: Kind, question: Question, message: str) -> Finding:
    return Finding(kind=kind, question=question.id, message=f"question {question.id}: {message}")


def _confounded(question: Question, confusing: Sequence[Difference], variant: Arm, baseline: Arm) -> str:
    listed = ", ".join(difference_in_words(one, variant, baseline) for one in confusing)
    arms = f"{variant.name} and {baseline.name}"
    if question.factors is None:
        return (
            f"{arms} differ in more than one setting ({listed}) and the question declares no factors: "
            "none of them can be given the credit alone"
        )
    if not question.factors:
        return f"{arms} differ in {listed}, and the question declares that nothing is meant to differ"
    meant = ", ".join(question.factors)
    return (
        f"{arms} differ also in {listed}, and the question declares {meant} alone: "
        "what it finds may come from either"
    )


def difference_in_words(one: Difference, variant: Arm, baseline: Arm) -> str:
    """A difference on one line: of two networks of other layers, how many of each kind they have."""
    if one.path != "network.layers":
        return str(one)
    return f"network.layers ({_kinds(baseline)} -> {_kinds(variant)})"


def _kinds(arm: Arm) -> str:
    """Hidden layers by kind; two whole lists of layers would fill the screen."""
    return ", ".join(
        f"{count} {kind}" for kind, count in Counter(one.kind for one in arm.network[:-1]).items()
    )


def _why_updates(found: Sequence[Difference], changes: Sequence[Difference]) -> str:
    paths = {one.path for one in found}
    if "updates" in {one.path for one in changes} and "batch_size" in paths and "epochs" not in paths:
        return " (the batch size changes at the same number of epochs)"
    return ""


def has_own_interval(claim: Claim) -> bool:
    """Whether it is judged by an interval of its own: a direction follows its question's verdict."""
    return claim.says in ("level", "plateau")


def judged(claim: Claim, question: Question) -> bool:
    """Whether the question asks for what the claim is about."""
    return claim.metric in question.metrics and (claim.metric == "time" or claim.on in question.on)


def _unjudged(claim: Claim, question: Question) -> str:
    what = claim.metric if claim.metric == "time" else f"{claim.metric} on {claim.on}"
    missing = f"metrics: {claim.metric}" if claim.metric not in question.metrics else f"on: {claim.on}"
    return f"its claim about {what} ({claim.says}) is never judged; add `{missing}` to the question"


def _duplicates(arms: Sequence[Arm]) -> Iterator[Finding]:
    # Equal arms fall into one bucket, so that a study of many arms is not compared pair by pair.
    buckets: dict[object, list[Arm]] = {}
    for arm in arms:
        same = buckets.setdefault((arm.network, arm.settings.optimizer, arm.settings.epochs), [])
        first = next((other for other in same if not differences(arm, other)), None)
        if first is None:
            same.append(arm)
        else:
            message = f"arm {arm.name} is the same as arm {first.name} under another name: trained once, shown twice"
            yield Finding(kind="duplicate", arm=arm.name, message=message)


def _leaks(study: Study) -> Iterator[Finding]:
    leaking = [
        arm.name for arm in study.arms.values() if arm.has_data and arm.settings.data.split == "reshuffled"
    ]
    message = (
        "validation images are drawn anew in every epoch (data.split: reshuffled), so most are "
        "trained on: validation figures come out too good, on purpose; the test set is untouched"
    )
    yield from _per_arm("leak", leaking, study, message)


def _early_stopping(study: Study) -> Iterator[Finding]:
    for arm in study.arms.values():
        if (stopping := arm.settings.early_stopping) is not None:
            message = (
                f"arm {arm.name}: stops early on {stopping.monitor}, so its number of updates differs from seed "
                "to seed, and its validation figures have chosen the moment they were taken"
            )
            yield Finding(kind="early_stopping", arm=arm.name, message=message)


def _precision(study: Study) -> Iterator[Finding]:
    asked = [arm.name for arm in study.arms.values() if arm.settings.precision == "bfloat16"]
    message = (
        "bfloat16 is asked for: fast on processors that multiply it in hardware (AVX512_BF16, AMX), "
        "emulated and slow on others; `precision: auto` decides by the processor"
    )
    yield from _per_arm("precision", asked, study, message)


def _per_arm(kind: Kind, names: Sequence[str], study: Study, message: str) -> Iterator[Finding]:
    """A finding for each arm named, or a single one where they are many: the screen is small."""
    others = [name for name in study.arms if name not in names]
    if len(names) > FEW_ARMS or (len(names) > 1 and not others):
        if len(others) > FEW_ARMS:
            who = f"{len(names)} arms ({', '.join(names)})"
        else:
            who = f"all arms but {' and '.join(others)}" if others else "all arms"
        yield Finding(kind=kind, message=f"{who}: {message}")
    else:
        yield from (Finding(kind=kind, arm=name, message=f"arm {name}: {message}") for name in names)


def _unasked(study: Study) -> Iterator[Finding]:
    asked = {
        name
        for question in (*study.questions, *study.retuned)
        for name in (question.variant, question.baseline)
    }
    asked |= {baseline_of(study, one).name for one in study.combined}
    asked |= {search.baseline for search in study.search}
    for name in study.arms:
        if name not in asked:
            message = f"arm {name}: no question asks about it; `run` trains it all the same"
            yield Finding(kind="unasked", arm=name, message=message)


def _horizon(study: Study) -> Iterator[Finding]:
    seeds, count = study.seeds, verdicts(study)
    if count > 1:
        places = ", ".join(f"{some} on {place}" for place, some in verdicts_by_place(study).items() if some)
        message = (
            f"{count} verdicts ({places}) are to be right together with {100 * study.confidence:.4g} % confidence, so "
            "each is judged more strictly than one alone; a study of fewer questions settles with fewer seeds"
        )
        yield Finding(kind="horizon", message=message)
    if count and seeds.max < FEW_SEEDS:
        message = f"at most {seeds.max} seeds: only very large differences can be settled"
        yield Finding(kind="horizon", message=message)
    if count and seeds.min == seeds.max:
        message = (
            f"exactly {seeds.max} seeds, looked at once: questions do not stop earlier when they are settled"
        )
        yield Finding(kind="horizon", message=message)
