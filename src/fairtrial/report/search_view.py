"""One search as the page shows it: the confirmation as a question's evidence, then what the search itself saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fairtrial.analysis.points import Point
from fairtrial.analysis.searched import Searched
from fairtrial.analysis.searched_text import asked, candidate_facts
from fairtrial.analysis.values import Answers
from fairtrial.report.charts import Chart
from fairtrial.report.evidence import Evidence
from fairtrial.report.judged_view import judged_view
from fairtrial.report.question_view import QuestionView
from fairtrial.report.search_charts import marks_explained, search_charts
from fairtrial.report.search_picture import MOST_POINTS, picture
from fairtrial.report.search_tables import HEADS, proposal_row
from fairtrial.report.words import Badge
from fairtrial.study.searches import Search

NO_CANDIDATE = Badge(sign="…", word="no candidate yet", role="open")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """One row of the table of proposals, in the columns of its heads; `role` is its class of style."""

    cells: tuple[str, ...]
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """`judged` is the confirmation, None before there is a candidate. The rest is the search's, and no evidence."""

    found: Searched
    anchor: str
    asked: str
    badge: Badge
    judged: QuestionView | None
    facts: tuple[tuple[str, str], ...]
    how: str
    tried: tuple[Chart, ...]
    fronts: tuple[Chart, ...]
    marks: str
    heads: tuple[str, ...]
    proposals: tuple[ProposalView, ...]
    left_out: int


def search_view(
    found: Searched, evidence: Evidence, *, anchor: str, reach: Mapping[str, float], each_seed: bool
) -> SearchView:
    """`reach` says of each metric how many margins its small pictures show."""
    judged = (
        None
        if found.confirmation is None
        else _judged(found, found.confirmation, evidence, anchor=anchor, reach=reach, each_seed=each_seed)
    )
    shown = picture(found)
    tried, fronts = search_charts(shown)
    return SearchView(
        found=found,
        anchor=anchor,
        asked=asked(found),
        badge=NO_CANDIDATE if judged is None else judged.first.badge,
        judged=judged,
        facts=candidate_facts(found),
        how=how(found.search),
        tried=tried,
        fronts=fronts,
        marks=marks_explained(shown),
        heads=HEADS,
        proposals=tuple(
            ProposalView(cells=proposal_row(found, point), role=_role(found, point))
            for point in (found.baseline, *shown.points[:MOST_POINTS])
        ),
        left_out=max(len(found.points) - MOST_POINTS, 0),
    )


def _judged(
    found: Searched,
    confirmed: Answers,
    evidence: Evidence,
    *,
    anchor: str,
    reach: Mapping[str, float],
    each_seed: bool,
) -> QuestionView:
    """The confirmation's one question, whose sentence says how the candidate stands to the baseline."""
    said = replace(confirmed, answers=(replace(confirmed.answers[0], sentence=found.sentence),))
    return judged_view(said, evidence, anchor=anchor, reach=reach, each_seed=each_seed)


def how(search: Search) -> str:
    """How its proposals were made and kept, in a sentence or two."""
    proposed = {
        "tpe": "Proposals came from Optuna's TPE sampler",
        "random": "Proposals were drawn at random",
        "grid": "Proposals went through a grid",
    }[search.sampler]
    stopped = (
        f"; one went on after 1, {search.halving}, {search.halving**2}, … epochs only if it was among the best "
        f"1/{search.halving} that had come so far"
        if search.halving
        else ""
    )
    limit = "" if search.longest is None else f"; none was given more than {search.longest}"
    return (
        f"{proposed} and were judged on validation images alone{stopped}{limit}. The best of them raced on further search seeds. One "
        "candidate was frozen before its first fresh seed, and the search proposes nothing more."
    )


def _role(found: Searched, point: Point) -> str:
    if point.number < 0:
        return "baseline"
    chosen = found.candidate is not None and point.number == found.candidate.number
    return "candidate" if chosen else point.state
