"""A claim for a test suite: this change makes nothing worse. It holds, or an AssertionError says what was found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast
from unittest import SkipTest

from fairtrial import api
from fairtrial.analysis.values import Answer
from fairtrial.comparison import Comparison, compare
from fairtrial.comparison.margins import DEFAULT
from fairtrial.errors import FairtrialError
from fairtrial.stats.levels import HORIZON
from fairtrial.stats.verdict import Better, Verdict
from fairtrial.study.schema import Metric, On, Study

Undecided = Literal["fail", "skip", "pass"]


def assert_not_worse(
    variant: Any,
    baseline: Any = None,
    margin: float | str | None = None,
    *,
    question: str | None = None,
    metric: Metric | None = None,
    on: On | None = None,
    seeds: int | None = None,
    budget: str | float | None = None,
    store: str | Path | None = None,
    workers: int | None = None,
    undecided: Undecided = "fail",
    better: Better = "higher",
    confidence: float = 0.95,
    planned: int | None = None,
    unpaired: bool = False,
    horizon: int = HORIZON,
) -> tuple[Answer, ...] | Comparison:
    """Raise AssertionError with the sentence if the variant is worse; return what was found if it is not.

    Of two groups of numbers, as `compare` takes them: `assert_not_worse(variant, baseline, margin=0.001)`. Or of a study,
    a file, a name or one written in Python: `assert_not_worse("study.yaml", question="Q1", seeds=5)`, which trains
    what is missing up to `seeds` of each arm or for a `budget`, and without either trains nothing and reads what
    is stored. Every answer of the question (of all questions, unless one is named) must hold, those on time only where
    `metric="time"` asks for them.

    Not worse is what is better, no different by as much as the margin, or worse by less than it. Where the seeds do not
    suffice to say so it is `undecided`: the test fails, is skipped or passes, as you choose. A run that failed or
    diverged fails it.
    """
    __tracebackhide__ = True  # pytest shows the line of the test, not of this
    if undecided not in ("fail", "skip", "pass"):
        raise FairtrialError(f"undecided must be fail, skip or pass, got {undecided!r}")
    if isinstance(variant, str | Path | Study) or (isinstance(variant, Mapping) and "arms" in variant):
        if baseline is not None or margin is not None:
            raise FairtrialError(
                "a study has its arms, margins and confidence itself; give `question` to name one of its questions"
            )
        found = _of_study(
            cast("Study | str | Path", variant), question, metric, on,
            seeds=seeds, budget=budget, store=store, workers=workers,
        )  # fmt: skip
        _judge([_of_answer(one) for one in found], undecided)
        return found
    if baseline is None:
        raise FairtrialError("give a study, or two groups of numbers: the variant's and the baseline's")
    if question is not None or seeds is not None or budget is not None:
        raise FairtrialError("question, seeds and budget are for a study; two groups of numbers have none")
    compared = compare(
        variant, baseline, DEFAULT if margin is None else margin, goal="not_worse", better=better,
        confidence=confidence, planned=planned, unpaired=unpaired, horizon=horizon,
    )  # fmt: skip
    _judge([(_state(compared.verdict, better), compared.sentence)], undecided)
    return compared


def _of_study(
    source: Study | str | Path,
    question: str | None,
    metric: Metric | None,
    on: On | None,
    *,
    seeds: int | None,
    budget: str | float | None,
    store: str | Path | None,
    workers: int | None,
) -> tuple[Answer, ...]:
    """The answers that are asked for, from trials that may have to be trained first."""
    study = api.load(source)
    if seeds is None and budget is None:
        answers = api.answers(study, store=store)
    else:
        only = None if question is None else [question]
        answers = api.run(study, seeds=seeds, budget=budget, questions=only, workers=workers, store=store)
    asked = answers.answers if question is None else tuple(answers[question])
    wanted = tuple(
        one
        for one in asked
        if (one.metric == metric if metric else one.metric != "time") and (on is None or one.on == on)
    )
    if not wanted:
        what = f"question {question!r}" if question else f"study {study.name!r}"
        raise FairtrialError(
            f"{what} has no answer on {metric or 'accuracy or loss'}{f' on {on}' if on else ''}; add it to the "
            "question's `metrics` and `on`, or ask for what it has"
        )
    return wanted


def _of_answer(answer: Answer) -> tuple[str, str]:
    better: Better = "higher" if answer.metric == "accuracy" else "lower"
    more = f" About {answer.more_seeds} more seeds are likely to settle it." if answer.more_seeds else ""
    said = f"{answer.question}: {answer.sentence}"
    return _state(Verdict(answer.verdict), better), said if "likely to settle" in said else said + more


def _state(verdict: Verdict, better: Better) -> str:
    """`holds`, `worse`, `failed` or `undecided`. A change for the worse whose size is not settled is worse."""
    if verdict is Verdict.UNSTABLE:
        return "failed"
    if verdict is Verdict.UNDECIDED:
        return "undecided"
    worse = -1 if better == "higher" else 1
    small = verdict in (Verdict.DECREASE_SMALL, Verdict.INCREASE_SMALL)
    return "worse" if verdict.direction == worse and not small else "holds"


def _judge(found: list[tuple[str, str]], undecided: Undecided) -> None:
    __tracebackhide__ = True
    bad = [said for state, said in found if state in ("worse", "failed")]
    if bad:
        raise AssertionError("\n".join(bad))
    open_ones = [said for state, said in found if state == "undecided"]
    if open_ones and undecided != "pass":
        text = "not settled: " + "\n".join(open_ones)
        if undecided == "skip":
            raise SkipTest(text)
        raise AssertionError(
            f"{text}\n(undecided='skip' or 'pass' lets a test go on where seeds do not suffice)"
        )
