"""What it would cost to answer the questions that rest on others: those whose arms are tuned, those that combine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairtrial.analysis.combined import chosen, impossible, judgement
from fairtrial.analysis.cost import costs
from fairtrial.analysis.gather import gather, trials
from fairtrial.analysis.parts import Choice, Part, combining_key
from fairtrial.analysis.retuned import comparison
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.tried import tuning_key, tuning_study
from fairtrial.analysis.values import Answers
from fairtrial.durations import duration
from fairtrial.store import Store
from fairtrial.study.combining import listed
from fairtrial.study.departing import clash, departures
from fairtrial.study.schema import Arm, Combining, Retuning, Study
from fairtrial.study.tuning import settings_tried
from fairtrial.trial import CONFIRMATION


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherCost:
    """Trials that one such question takes to its least number of seeds, and how many of them are new.

    `seconds` are of the new ones on all workers. `at_most`: what is going to be judged is not known yet.
    """

    question: str
    trials: int
    new: int
    seconds: float
    at_most: bool
    guessed: bool
    sentence: str


def further_costs(study: Study, store: Store, found: Answers, *, workers: int) -> tuple[FurtherCost, ...]:
    """One for each such question, in the study's order. `found` are the answers to its own questions."""
    return (
        *(_of_retuned(study, asked, store, workers=workers) for asked in study.retuned),
        *(_of_combined(study, asked, store, found, workers=workers) for asked in study.combined),
    )


@dataclass(frozen=True, slots=True)
class _Reckoned:
    trials: int
    new: int
    seconds: float
    guessed: bool


def _of_retuned(study: Study, asked: Retuning, store: Store, *, workers: int) -> FurtherCost:
    tuning = tuning_study(study, asked)
    tried = _reckoned(study, tuning.arms, store, seeds=asked.retune_seeds, stored=True)
    frozen = store.selection(study=study.name, question=asked.id, basis=tuning_key(study, asked))
    # Until they are chosen, the two arms as they are stand for them.
    then = (
        comparison(study, asked, frozen).arms
        if frozen is not None
        else {name: study.arms[name] for name in (asked.variant, asked.baseline)}
    )
    compared = _reckoned(study, then, store, seeds=study.seeds.min, stored=frozen is not None)
    each = len(settings_tried(asked))
    said = (
        f"{asked.id}: {count_of(each, 'setting')} of each arm on {count_of(asked.retune_seeds, 'seed')}, then "
        f"{study.seeds.min} seeds or more of the two that are chosen"
    )
    return _cost(asked.id, said, [tried, compared], workers=workers, at_most=frozen is None)


def _of_combined(
    study: Study, asked: Combining, store: Store, found: Answers, *, workers: int
) -> FurtherCost:
    frozen = store.selection(study=study.name, question=asked.id, basis=combining_key(study, asked))
    choice = _all_together(study, asked) if frozen is None else chosen(study, asked, frozen, found)
    block = CONFIRMATION if frozen is None else frozen.block
    if impossible(study, asked, choice):
        return _cost(asked.id, f"{asked.id}: depends on what is settled", [], workers=workers, at_most=True)
    judged = judgement(study, asked, choice, block=block)
    many = count_of(len(choice.parts), "improvement")
    said = (
        f"{asked.id}: {'up to ' if frozen is None else ''}{many} together, without each of them and each alone, "
        f"{study.seeds.min} seeds or more of each"
    )
    # Before it is frozen its seeds are not given out: none of them is trained.
    reckoned = _reckoned(study, judged.arms, store, seeds=study.seeds.min, stored=frozen is not None)
    return _cost(asked.id, said, [reckoned], workers=workers, at_most=frozen is None)


def _all_together(study: Study, asked: Combining) -> Choice:
    """As many parts as could be taken if every question were settled as an improvement."""
    parts: list[Part] = []
    for question in listed(study, asked):
        changes = departures(study.arms[question.variant], study.arms[question.baseline])
        if not any(clash(changes, other.changes) for other in parts):
            parts.append(Part(question=question.id, changes=changes, verdict="", estimate=None))
    return Choice(parts=tuple(parts), left_out=())


def _reckoned(study: Study, arms: Mapping[str, Arm], store: Store, *, seeds: int, stored: bool) -> _Reckoned:
    """All trials of these arms, each once whatever it is called; new are all of them, or those that are not `stored`."""
    prices = costs(gather([*study.arms.values()], store) | gather(list(arms.values()), store))
    wanted = {trial.key: name for name, arm in arms.items() for trial in trials(arm, range(1, seeds + 1))}
    known = store.known(wanted) if stored else set[str]()
    missing = [prices[name] for key, name in wanted.items() if key not in known]
    return _Reckoned(
        trials=len(wanted),
        new=len(missing),
        seconds=sum(price.seconds for price in missing),
        guessed=any(price.basis == "guess" for price in missing),
    )


def _cost(
    question: str, said: str, parts: Sequence[_Reckoned], *, workers: int, at_most: bool
) -> FurtherCost:
    new = sum(part.new for part in parts)
    seconds = sum(part.seconds for part in parts) / workers
    guessed = any(part.guessed for part in parts)
    most = "at most " if at_most else ""
    took = f", about {duration(seconds)}" if new else ""
    how = "; a guess for this machine" if guessed else ""
    return FurtherCost(
        question=question,
        trials=sum(part.trials for part in parts),
        new=new,
        seconds=seconds,
        at_most=at_most,
        guessed=guessed,
        sentence=f"{said}: {most}{count_of(new, 'new trial')}{took}{how}." if parts else f"{said}.",
    )
