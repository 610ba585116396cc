"""A question that combines others: once they are settled, their improvements are put together and judged on fresh seeds."""

from __future__ import annotations

from fairtrial import runner
from fairtrial.analysis import answering
from fairtrial.analysis.combined import (
    FEWEST,
    arm_names,
    chosen,
    frozen_text,
    impossible,
    judgement,
    together_or_apart,
)
from fairtrial.analysis.parts import Choice, choose, combining_key
from fairtrial.analysis.values import Answers
from fairtrial.searching.work import BUDGET_ENDED, Followed, Work
from fairtrial.store import Selection, Store
from fairtrial.study.combining import baseline_of
from fairtrial.study.schema import Combining, Study
from fairtrial.trial import CONFIRMATION


def combine(study: Study, asked: Combining, work: Work) -> Followed:
    """Freeze what the listed questions have come to, as soon as none of them is open, and judge it."""
    found = answering.answers(study, work.store, history=False)
    frozen = _frozen(study, asked, found, work.store)
    if isinstance(frozen, Choice):
        open_ones = ", ".join(frozen.open)
        lacking = f"nothing is combined yet: {open_ones} may still be settled" if open_ones else ""
        return Followed(question=asked.id, lacking=lacking)
    if work.over:
        return Followed(question=asked.id, lacking=BUDGET_ENDED)
    choice = chosen(study, asked, frozen, found)
    judged = judgement(study, asked, choice, block=frozen.block)
    reports: list[runner.RunReport] = []
    with work.watching(judged, seeds=work.seeds) as on_event:
        reports.append(work.run(judged, on_event, seeds=work.seeds))
        # Then the whole against the sum of its parts, which is no question of the study: seed after seed of its arms.
        names = arm_names(asked, choice, baseline_of(study, asked))
        arms = [names.none, names.whole, *names.alone.values()]
        had, cut_short = 0, False
        while work.seeds is None and not cut_short:
            seed = _next_seed(judged, asked, choice, work.store)
            if seed is None or seed <= had:  # the latter where a seed could not be trained
                break
            cut_short = work.over
            if not cut_short:
                reports.append(work.run(judged, on_event, seeds=seed, arms=arms))
                had = seed
    cut_short = cut_short or any(report.ended_by == "budget" for report in reports)
    return Followed(question=asked.id, reports=tuple(reports), lacking=BUDGET_ENDED if cut_short else "")


def _frozen(study: Study, asked: Combining, found: Answers, store: Store) -> Selection | Choice:
    """What was frozen, before or now; the choice as it stands where there is nothing to freeze."""
    key = combining_key(study, asked)
    frozen = store.selection(study=study.name, question=asked.id, basis=key)
    if frozen is not None:
        return frozen
    choice = choose(study, asked, found)
    if choice.open or len(choice.parts) < FEWEST or impossible(study, asked, choice):
        return choice
    return store.select(
        study=study.name,
        question=asked.id,
        basis=key,
        selected=frozen_text(choice),
        first_block=CONFIRMATION,
    )


def _next_seed(judged: Study, asked: Combining, choice: Choice, store: Store) -> int | None:
    """The seed that may settle whether the whole is more or less than the sum of its parts; None if none does."""
    found = answering.answers(judged, store, history=False)
    seen = together_or_apart(judged, asked, choice, found, store)
    return seen.seeds + 1 if seen.open and seen.seeds < judged.seeds.max else None
