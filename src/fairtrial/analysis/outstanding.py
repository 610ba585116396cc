"""What a study still lacks, and what that would cost: an honest report says so first."""

from __future__ import annotations

from dataclasses import dataclass

from fairtrial.analysis.cost import costs
from fairtrial.analysis.gather import trials
from fairtrial.analysis.searched_text import state_of_searches
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.values import Answer, Answers, ArmTrials
from fairtrial.durations import duration
from fairtrial.study.schema import Metric, On


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """An arm short of the least number of seeds. `seconds` are those of all its missing trials."""

    arm: str
    missing: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An answer that is not settled. Where `more_seeds` are likely to settle it, with their seconds."""

    question: str
    metric: Metric
    on: On | None
    verdict: str
    more_seeds: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outstanding:
    """`arms` lack seeds of the minimum, `open` lack a verdict. Seconds are of one core.

    `trials` and `seconds` are of the minimum, each trial once however many arms are it; `guessed` says that
    nothing of the study was timed on this machine.
    """

    arms: tuple[Lack, ...]
    open: tuple[Open, ...]
    trials: int
    wanted: int
    seconds: float
    guessed: bool


def outstanding(answers: Answers) -> Outstanding:
    """What is missing of the least number of seeds, and what the open answers are likely to need."""
    arms = {one.arm.name: one for one in answers.arms}
    prices = costs(arms)
    least = range(1, answers.declared.seeds.min + 1)
    lacking: list[Lack] = []
    keys: dict[str, float] = {}
    wanted: set[str] = set()
    for name, arm in arms.items():
        had = _seeds(arm)
        minimum = {trial.seed: trial.key for trial in trials(arm.arm, least)}
        wanted.update(minimum.values())
        missing = tuple(seed for seed in minimum if seed not in had)
        if missing:
            seconds = prices[name].seconds
            lacking.append(Lack(arm=name, missing=missing, seconds=len(missing) * seconds))
            keys |= {minimum[seed]: seconds for seed in missing}
    seconds = {name: price.seconds for name, price in prices.items()}
    return Outstanding(
        arms=tuple(lacking),
        open=tuple(_open(answer, arms, seconds) for answer in answers if not answer.settled),
        trials=len(keys),
        wanted=len(wanted),
        seconds=sum(keys.values()),
        guessed=any(price.basis == "guess" for price in prices.values()),
    )


def _open(answer: Answer, arms: dict[str, ArmTrials], seconds: dict[str, float]) -> Open:
    if answer.more_seeds is None or answer.metric == "time":
        cost = None  # pairs are timed apart from trials
    else:
        wanted = range(answer.seeds + 1, answer.seeds + answer.more_seeds + 1)
        cost = sum(
            seconds[name] * sum(seed not in _seeds(arms[name]) for seed in wanted)
            for name in (answer.variant, answer.baseline)
        )
    return Open(
        question=answer.question,
        metric=answer.metric,
        on=answer.on,
        verdict=answer.verdict,
        more_seeds=answer.more_seeds,
        seconds=cost,
    )


def _seeds(arm: ArmTrials) -> set[int]:
    return {trial.seed for trial in arm.trials}


def headline(answers: Answers) -> str:
    """How far the study is, in one sentence."""
    count = len(answers)
    searches = f" {state_of_searches(answers)}" if answers.searches else ""
    if not count:
        return f"Study {answers.study} asks no questions.{searches}"
    trained = sum(len(arm.trials) for arm in answers.arms)
    if not trained:
        return f"Nothing has been trained yet; {count_of(count, 'verdict')} to come.{searches}"
    settled = sum(answer.settled for answer in answers)
    return f"{settled} of {count_of(count, 'verdict')} settled, from {count_of(trained, 'trial')}.{searches}"


def outstanding_lines(lacks: Outstanding) -> tuple[str, ...]:
    """What is missing and what it would cost, in sentences; empty where nothing is."""
    lines: list[str] = []
    if lacks.trials:
        basis = ", a guess: nothing of this study was timed on this machine" if lacks.guessed else ""
        lines.append(
            f"Missing: {lacks.trials} of the {count_of(lacks.wanted, 'trial')} that the least number of seeds takes, "
            f"about {duration(lacks.seconds)} of one core{basis}."
        )
    for one in lacks.open:
        about = one.metric if one.on is None else f"{one.metric} on {one.on}"
        if one.more_seeds is not None:
            more = count_of(one.more_seeds, "more pair" if one.metric == "time" else "more seed")
            cost = "" if one.seconds is None else f", about {duration(one.seconds)} of one core"
            lines.append(f"{one.question}, {about}: {one.verdict}; {more} likely to settle it{cost}.")
    return tuple(lines)
