"""Searches and their proposals as tables of plain text, for every kind of document, and as rows for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fairtrial.analysis.points import Point, in_words
from fairtrial.analysis.searched import Searched
from fairtrial.analysis.searched_text import NO_EVIDENCE
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.tradeoffs import shown_result
from fairtrial.analysis.values import Answers
from fairtrial.durations import duration
from fairtrial.report.search_picture import ranked
from fairtrial.report.tables import Table, answer_row, answers_table
from fairtrial.trial import SEARCH

ON_PAPER = 10
"""Proposals that a document on paper lists, the best of them."""
PROPOSAL_COLUMNS = (
    "search", "number", "arm", "state", "candidate", "seeds", "results", "mean", "scores", "train_seconds",
    "parameters", "values", "because",
)  # fmt: skip
HEADS = ("proposal", "values", "state", "result by search seed", "seconds", "parameters")


def selected_table(answers: Answers) -> Table:
    """The judgements on what searches, re-tunings and combinations selected, in the columns of answers."""
    like = answers_table(answers)
    return Table(
        name="selected",
        caption="What was selected (by a search, by tuning each arm anew, by combining), judged on seeds of its own. Each has an "
        f"allowed error of {1 - answers.declared.confidence:.4g} of its own.",
        heads=like.heads,
        widths=like.widths,
        rows=tuple(answer_row(answer) for answer in answers.selected),
    )


def proposals_table(found: Searched, *, most: int = ON_PAPER) -> Table:
    """The best proposals of a search, with its baseline above them."""
    ordered = ranked(found)
    which = f"The best {most} of {len(ordered)} proposals" if len(ordered) > most else "All proposals"
    return Table(
        name=f"proposals-{found.search.id}",
        caption=f"Search {found.search.id}: {which}, by the mean of their validation {found.search.metric} over search seeds "
        f"{SEARCH + 1}, {SEARCH + 2}, ...; {NO_EVIDENCE}.",
        heads=HEADS,
        widths=(0.1, 0.34, 0.17, 0.15, 0.08, 0.09),
        rows=tuple(proposal_row(found, point) for point in (found.baseline, *ordered[:most])),
    )


def proposal_row(found: Searched, point: Point) -> tuple[str, ...]:
    """A proposal in the columns of HEADS; the baseline, which proposes nothing, by its name."""
    own = point.number < 0
    seconds = point.train_seconds
    return (
        found.search.baseline if own else str(point.number),
        "the baseline" if own else in_words(found.search, point),
        state_words(found, point),
        results_words(found, point),
        "–" if seconds is None else duration(seconds).removesuffix(" s"),
        f"{point.parameters:,}" if point.parameters else "–",
    )


def results_words(found: Searched, point: Point) -> str:
    """The result on each seed in their order; a dash where there is none."""
    words = [
        "diverged" if value is None else shown_result(found.search, value)
        for _, value in sorted(point.results.items())
    ]
    return ", ".join(words) or "–"


def state_words(found: Searched, point: Point) -> str:
    match point.state:
        case "finished":
            chosen = found.candidate is not None and point.number == found.candidate.number
            return "candidate" if chosen else "trained to the end"
        case "stopped":
            if not point.scores:
                return "stopped before its first score: no result"
            after = count_of(len(point.scores), "epoch")
            return f"stopped after {after} at {shown_result(found.search, point.scores[-1])}: no result"
        case "diverged":
            return "diverged"
        case "failed":
            return f"failed: {point.because}"
        case "open":
            return "not trained yet"


def proposal_records(answers: Answers) -> Iterator[dict[str, Any]]:
    """One record for each proposal and baseline in the columns of PROPOSAL_COLUMNS; what is not known is None.

    Several results, seeds or scores stand in one cell, parted by semicolons; a diverged seed has the result `diverged`.
    """
    for found in answers.searches:
        for point in (found.baseline, *found.points):
            results = sorted(point.results.items())
            yield {
                "search": found.search.id,
                "number": point.number,
                "arm": point.arm.name,
                "state": "baseline" if point.number < 0 else point.state,
                "candidate": found.candidate is not None and point.number == found.candidate.number,
                "seeds": _cell([SEARCH + seed for seed, _ in results]),
                "results": _cell(["diverged" if value is None else value for _, value in results]),
                "mean": point.mean(point.seeds) if point.seeds else None,
                "scores": _cell(point.scores or ()),
                "train_seconds": point.train_seconds,
                "parameters": point.parameters,
                "values": in_words(found.search, point),
                "because": point.because,
            }


def _cell(values: Sequence[object]) -> str:
    return "; ".join(map(str, values))
