"""What came of a search: its points, the candidate it froze, and the judgement on fresh seeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairtrial.analysis import answering
from fairtrial.analysis.confirming import confirming
from fairtrial.analysis.judgement import better_of
from fairtrial.analysis.points import Point, baseline_point, in_words, name_of, points, search_key
from fairtrial.analysis.rendering import Rendered
from fairtrial.analysis.searched_text import searched_html, searched_lines, searched_markdown
from fairtrial.analysis.sentences import count_of, signed
from fairtrial.analysis.tradeoffs import Cheapest, Plateau, cheapest, front, plateau_over
from fairtrial.analysis.values import SETTLED, Answer, Answers, Caveat
from fairtrial.store import Selection, Store
from fairtrial.study.candidates import candidate
from fairtrial.study.schema import Question, Study
from fairtrial.study.searches import Search
from fairtrial.study.space import departures

OPTIMISTIC = "optimistic by selection"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Searched(Rendered):
    """One search as it stands. All but `confirmation` is an estimate on the search's own seeds and validation images.

    `candidate` is the point that was frozen, None before; `confirmation` the answers to the one question
    about it, on fresh seeds and the test images. `estimate` is what the candidate seemed to gain over the baseline, on
    the `seeds` search seeds that both have: optimistic by selection. `by_seconds` and `by_parameters` are the
    points that no other one beats in both accuracy (or loss) and cost.
    """

    search: Search
    points: tuple[Point, ...]
    baseline: Point
    candidate: Point | None
    estimate: float | None
    seeds: int
    confirmation: Answers | None
    by_seconds: tuple[Point, ...]
    by_parameters: tuple[Point, ...]
    cheapest: tuple[Cheapest, ...]
    plateau: Plateau | None
    sentence: str
    search_sentence: str
    """What the search itself saw, and how much that is worth."""

    @property
    def answer(self) -> Answer | None:
        """The judgement on the candidate."""
        return None if self.confirmation is None else self.confirmation.answers[0]

    @property
    def answers(self) -> tuple[Answer, ...]:
        return () if self.answer is None else (self.answer,)

    def _answers(self) -> tuple[Answer, ...]:
        return self.answers

    def __repr__(self) -> str:
        return "\n".join(searched_lines(self))

    def _repr_html_(self) -> str:
        return searched_html(self)

    def _repr_markdown_(self) -> str:
        return searched_markdown(self)

    def as_dict(self) -> dict[str, Any]:
        found = self.candidate
        return {
            "search": self.search.id,
            "ask": self.search.ask,
            "baseline": self.search.baseline,
            "metric": self.search.metric,
            "sentence": self.sentence,
            "search_sentence": self.search_sentence,
            "candidate": None
            if found is None
            else {
                "number": found.number,
                "arm": found.arm.name,
                "changes": departures(self.search.space, found.values),
                "parameters": found.parameters,
                "search_estimate": self.estimate,
                "search_seeds": self.seeds,
                "optimistic": True,
            },
            "confirmation": None if self.answer is None else self.answer.as_dict(),
            "points": [_point_dict(self.search, point) for point in (self.baseline, *self.points)],
            "front": {
                "seconds": [point.number for point in self.by_seconds],
                "parameters": [point.number for point in self.by_parameters],
            },
            "cheapest": [one.as_dict() for one in self.cheapest],
            "plateau": None if self.plateau is None else self.plateau.as_dict(),
        }


def searched(study: Study, search: Search, store: Store) -> Searched:
    """What is stored of this search; nothing is trained."""
    found = points(study, search, store)
    baseline = baseline_point(study, search, store)
    frozen = store.selection(study=study.name, question=search.id, basis=search_key(study, search))
    chosen = None if frozen is None else found[int(json.loads(frozen.selected)["number"])]
    confirmed = None
    if frozen is not None:
        earlier = [
            one for one in store.selections(study=study.name, question=search.id) if one.block < frozen.block
        ]
        confirmed = answering.answers(confirmation(study, search, frozen), store, history=True)
        confirmed = replace(
            confirmed, answers=tuple(_not_the_first(one, earlier) for one in confirmed.answers)
        )
    seeds, estimate = _gain(chosen, baseline)
    margin = study.margins.accuracy if search.metric == "accuracy" else study.margins.loss
    finished = [point for point in found if point.state == "finished"]
    within = margin if search.metric == "accuracy" else margin * (baseline.results.get(1) or 0.0)
    return Searched(
        search=search,
        points=found,
        baseline=baseline,
        candidate=chosen,
        estimate=estimate,
        seeds=seeds,
        confirmation=confirmed,
        by_seconds=front(search, finished, cost=lambda point: point.train_seconds),
        by_parameters=front(search, finished, cost=lambda point: float(point.parameters)),
        cheapest=cheapest(
            search,
            finished,
            margin=within,
            stopped=sum(point.state == "stopped" for point in found),
        ),
        plateau=plateau_over(search, finished, margin=within),
        sentence=_sentence(search, chosen, confirmed),
        search_sentence=_search_sentence(search, found, chosen, estimate, seeds),
    )


def _not_the_first(answer: Answer, earlier: Sequence[Selection]) -> Answer:
    """With a caveat where other candidates were confirmed for this search before: whoever goes on long enough finds one."""
    if not earlier:
        return answer
    times = "one candidate was" if len(earlier) == 1 else f"{len(earlier)} candidates were"
    said = Caveat(
        kind="outside the promise",
        text=f"{times} confirmed under this name before, from another space; each confirmation is a promise of its own, so "
        "that the chance that one of them is wrong grows with their number",
    )
    return replace(answer, caveats=(*answer.caveats, said))


def confirmation(study: Study, search: Search, frozen: Selection) -> Study:
    """The study that judges the candidate: one question, on the test images, on seeds nobody has looked at."""
    chosen: dict[str, Any] = json.loads(frozen.selected)
    baseline = study.arms[search.baseline]
    arm = candidate(
        baseline, departures(search.space, chosen["parameters"]), name=name_of(search, chosen["number"])
    )
    question = Question(
        id=search.id,
        ask=search.ask,
        variant=arm.name,
        baseline=baseline.name,
        factors=search.paths,
        metrics=(search.metric,),
        on=("test",),
    )
    return confirming(study, search.id, arms=(baseline, arm), questions=(question,), block=frozen.block)


def _gain(chosen: Point | None, baseline: Point) -> tuple[int, float | None]:
    """How many search seeds both have in a row, and the mean difference over them."""
    if chosen is None:
        return 0, None
    seeds = min(chosen.seeds, baseline.seeds)
    one, other = (point.mean(seeds) if seeds else None for point in (chosen, baseline))
    return (seeds, one - other) if one is not None and other is not None else (seeds, None)


def _sentence(search: Search, chosen: Point | None, confirmed: Answers | None) -> str:
    if chosen is None or confirmed is None:
        return f"No candidate has been chosen yet to be held against {search.baseline}."
    answer = confirmed.answers[0]
    what = f"{chosen.arm.name} ({in_words(search, chosen)})"
    return f"{what} {_is(answer, search)} {search.baseline}. {answer.sentence}"


def _is(answer: Answer, search: Search) -> str:
    """How the candidate stands to the baseline, as far as it is settled."""
    if answer.verdict not in SETTLED:
        return "is not shown to be better than"
    if answer.verdict == "no difference that matters":
        return "makes no difference that matters to"
    better = "increase" if better_of(search.metric) == "higher" else "decrease"
    return "is better than" if answer.verdict.startswith(better) else "is worse than"


def _search_sentence(
    search: Search, found: Sequence[Point], chosen: Point | None, estimate: float | None, seeds: int
) -> str:
    states = {state: sum(point.state == state for point in found) for state in _STATES}
    counted = ", ".join(_STATES[state](count) for state, count in states.items() if count)
    tried = f"{count_of(len(found), 'proposal')} ({counted})" if found else "Nothing has been tried"
    if chosen is None:
        return f"{tried}."
    if estimate is None:
        return f"{tried}; what the candidate seemed to gain is not known: {search.baseline} lacks its seeds, or diverged."
    scale, digits, unit = (100.0, 2, " pp") if search.metric == "accuracy" else (1.0, 4, "")
    gain = f"{signed(scale * estimate, digits)}{unit}"
    return (
        f"{tried}; on {count_of(seeds, 'search seed')} and validation images the candidate seemed to gain {gain} on "
        f"{search.baseline}: {OPTIMISTIC}, no evidence."
    )


_STATES: dict[str, Callable[[int], str]] = {
    "finished": lambda count: f"{count} trained to the end",
    "stopped": lambda count: f"{count} stopped early",
    "diverged": lambda count: f"{count} diverged",
    "failed": lambda count: f"{count} failed",
    "open": lambda count: f"{count} open",
}


def _point_dict(search: Search, point: Point) -> dict[str, Any]:
    from fairtrial.study.space import shown

    return {
        "number": point.number,
        "arm": point.arm.name,
        "state": point.state,
        "values": shown(search.space, point.values),
        "results": {str(seed): value for seed, value in point.results.items()},
        "scores": list(point.scores or ()),
        "train_seconds": point.train_seconds,
        "parameters": point.parameters,
    }
