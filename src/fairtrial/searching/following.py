"""A whole run: the study's own questions, and after them those that rest on what was selected."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fairtrial import due, runner
from fairtrial.dispatch import Executor, Weights
from fairtrial.errors import StudyError
from fairtrial.searching.combining import combine
from fairtrial.searching.tuning import declare, tune
from fairtrial.searching.work import Followed, Watch, Work
from fairtrial.store import Store
from fairtrial.study.schema import Combining, Retuning, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a run is asked for. `arms` are those to train as they are, none where only re-tuned questions are named."""

    arms: tuple[str, ...]
    retuned: tuple[Retuning, ...]
    combined: tuple[Combining, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRun:
    """What a run did: `run` with the arms as they are, then question by question."""

    run: runner.RunReport
    followed: tuple[Followed, ...]

    @property
    def reports(self) -> tuple[runner.RunReport, ...]:
        return (self.run, *(report for one in self.followed for report in one.reports))


_NOTHING = runner.RunReport(trained=0, remaining=0, failed={}, ended_by="done")


def wanted(
    study: Study, *, arms: Collection[str] | None = None, questions: Collection[str] | None = None
) -> Wanted:
    """All there is, or the arms and questions named, and for one that combines others those as well.

    Raises StudyError for an unknown name.
    """
    if not arms and not questions:
        return Wanted(arms=tuple(study.arms), retuned=study.retuned, combined=study.combined)
    known = [one.id for one in (*study.questions, *study.retuned, *study.combined)]
    for unknown in [one for one in questions or () if one not in known]:
        raise StudyError(f"no question {unknown!r} in study {study.name!r}; it has {', '.join(known)}")
    named = set(questions or ())
    combined = tuple(one for one in study.combined if one.id in named)
    ordinary = {one.id for one in study.questions if one.id in named}
    ordinary |= {listed for one in combined for listed in one.combine}
    return Wanted(
        arms=due.selected(study, arms=arms, questions=ordinary) if arms or ordinary else (),
        retuned=tuple(one for one in study.retuned if one.id in named),
        combined=combined,
    )


def run(
    study: Study,
    *,
    store: Store,
    executor: Executor,
    watch: Watch,
    arms: Collection[str] | None = None,
    questions: Collection[str] | None = None,
    seeds: int | None = None,
    budget_seconds: float | None = None,
    weights: Weights = "first",
    sharpen: bool = False,
) -> FollowedRun:
    """Train what is missing of the study, or of what is named of it, as `runner.run` does; then follow up.

    What the ordinary questions leave of the budget goes to those whose arms are tuned first, then to those that
    combine others. Interrupted at any point, the same call goes on where this one ended: nothing is trained twice,
    and what was selected stays selected.
    """
    asked = wanted(study, arms=arms, questions=questions)
    declare(study, store)
    work = Work(
        store=store,
        executor=executor,
        watch=watch,
        seeds=seeds,
        deadline=float("inf") if budget_seconds is None else time.monotonic() + budget_seconds,
        weights=weights,
        sharpen=sharpen,
    )
    report = _NOTHING
    if asked.arms:
        with work.watching(study, arms=asked.arms, seeds=seeds) as on_event:
            report = work.run(study, on_event, seeds=seeds, arms=asked.arms, strict=False)
    return FollowedRun(
        run=report, followed=follow_up(study, work, retuned=asked.retuned, combined=asked.combined)
    )


def follow_up(
    study: Study, work: Work, *, retuned: Sequence[Retuning], combined: Sequence[Combining]
) -> tuple[Followed, ...]:
    """Answer these questions one after the other, as far as the time allows."""
    return (
        *(tune(study, asked, work) for asked in retuned),
        *(combine(study, asked, work) for asked in combined),
    )
