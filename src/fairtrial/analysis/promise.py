"""What each verdict of a study was promised: its share of the allowed error, and what was changed too late.

A study is known by its name, in one store. Its registered plans hang together where they hold the same
arms against each other: `--set epochs=1` under the same name makes other arms and so another study.
Verdicts registered before any of its trials was seen share the study's alpha as one family. What
was added afterwards is a family of its own each time; what was dropped is counted all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fairtrial.analysis.alpha import LARGEST
from fairtrial.analysis.plan import Identity, Plan, Planned
from fairtrial.stats.families import Family, Later, later, shares
from fairtrial.study.schema import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A plan, and the trials that were stored when it was registered, by arm key."""

    plan: Plan
    seen: Mapping[str, int]

    def seen_of(self, one: Planned) -> int:
        """Trials of its two arms that could have been looked at."""
        return sum(self.seen.get(key, 0) for key in one.arms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A term of a verdict that is not what it was when the verdict was first asked for.

    `seen` counts the trials of its arms that were stored when it was changed.
    """

    what: str
    before: str
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What one verdict may be wrong with, and what has to be said of that.

    `seen` counts the trials of its arms that were stored when it was first asked for, `added` what its
    family was given if that was after trials of the study were seen. `reworded`: the same arms were held
    against each other before, on another metric or other images.
    """

    alpha: float
    seen: int = 0
    added: Later | None = None
    reworded: bool = False
    changes: tuple[Change, ...] = ()


def connected(plan: Plan, history: Sequence[Registration]) -> tuple[Registration, ...]:
    """Those of `history` that hold the same arms against each other as `plan`, directly or through others."""
    pairs, size = plan.pairs, -1
    while len(pairs) != size:
        size = len(pairs)
        for one in history:
            if one.plan.pairs & pairs:
                pairs |= one.plan.pairs
    return tuple(one for one in history if one.plan.pairs & pairs)


def promises(history: Sequence[Registration]) -> dict[Identity, Promise]:
    """What each verdict of the last plan of `history` is promised. The plans are `connected`, oldest first."""
    current = history[-1].plan
    families = _families(history)
    alphas = _alphas(families, confidence=current.confidence)
    numbers: dict[Identity, int] = {}
    held: dict[frozenset[str], int] = {}
    for number, family in enumerate(families):
        for one in family.verdicts:
            numbers.setdefault(one.identity, number)
            held.setdefault(one.arms, number)
    asked = [(registration, _by_identity(registration.plan)) for registration in history]
    found: dict[Identity, Promise] = {}
    for one in current.verdicts:
        number = numbers[one.identity]
        given, added = alphas[number]
        first = families[number].registration
        found[one.identity] = Promise(
            alpha=min(given[one.family], LARGEST),
            seen=first.seen_of(one),
            added=added,
            reworded=held[one.arms] < number,
            changes=tuple(_changes(one, asked)),
        )
    return found


def _by_identity(plan: Plan) -> dict[Identity, list[Planned]]:
    found: dict[Identity, list[Planned]] = {}
    for one in plan.verdicts:
        found.setdefault(one.identity, []).append(one)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _FamilyOfVerdicts:
    """What was asked for at one time, repeats included, and when."""

    verdicts: tuple[Planned, ...]
    registration: Registration


def _families(history: Sequence[Registration]) -> list[_FamilyOfVerdicts]:
    """The first one is what was planned when no trial of the study had been seen yet, in its last form."""
    families: list[_FamilyOfVerdicts] = []
    known: set[Identity] = set()
    arms: set[str] = set()
    for one in history:
        if not any(one.seen.get(key) for key in arms):
            families, known = [], set()
        new = tuple(planned for planned in one.plan.verdicts if planned.identity not in known)
        if new or not families:
            families.append(_FamilyOfVerdicts(verdicts=new, registration=one))
        known |= _identities(new)
        arms |= one.plan.arms
    return families


def _alphas(
    families: Sequence[_FamilyOfVerdicts], *, confidence: float
) -> list[tuple[Mapping[Family, float], Later | None]]:
    """For each family the share of each of its verdicts, by what it is about."""
    first = Counter(one.family for one in families[0].verdicts)
    if families[0].registration.plan.undivided:
        alone = round(round(1 - confidence, 12) / sum(first.values()), 15)
        given: list[tuple[Mapping[Family, float], Later | None]] = [(dict.fromkeys(first, alone), None)]
    else:
        given = [(shares(first, confidence=confidence), None)]
    for number, family in enumerate(families[1:], start=1):
        added = later(tuple(first), number=number, count=len(family.verdicts), confidence=confidence)
        given.append((dict.fromkeys(Family, added.alpha), added))
    return given


def _changes(
    one: Planned, history: Sequence[tuple[Registration, Mapping[Identity, Sequence[Planned]]]]
) -> Iterator[Change]:
    """Terms that are not what they were when no trial of the verdict's arms had been seen."""
    asked = [
        (registration.seen_of(one), _terms(found, registration.plan))
        for registration, verdicts in history
        for found in verdicts.get(one.identity, ())
    ]
    for what, now in _terms(one, history[-1][0].plan).items():
        planned, before, changed_at = asked[0][1][what], asked[0][1][what], 0
        for seen, terms in asked:
            if not seen:
                planned = terms[what]
            elif terms[what] != before:
                changed_at = seen
            before = terms[what]
        if now != planned:
            yield Change(what=what, before=_in_words(what, planned, one.metric), seen=changed_at)


def _terms(one: Planned, plan: Plan) -> dict[str, float]:
    """What a verdict hangs on besides what is asked."""
    return {
        "margin": one.margin,
        "horizon": plan.horizon,
        "number of seeds before the first look": plan.first,
        "confidence": plan.confidence,
    }


def _in_words(what: str, value: float, metric: Metric) -> str:
    match what:
        case "margin":
            return f"{100 * value:.6g} {'pp' if metric == 'accuracy' else '%'}"
        case "confidence":
            return f"{100 * value:.6g} %"
        case _:
            return f"{value:g} seeds"


def _identities(verdicts: Sequence[Planned]) -> set[Identity]:
    return {one.identity for one in verdicts}
