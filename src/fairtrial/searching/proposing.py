"""The next point of a search: Optuna proposes, given all that came of the points before.

Nothing is kept between two proposals: each is a function of the search, its number and what is known of the
earlier ones, so that a search that was killed proposes what it would have proposed.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fairtrial.analysis.gather import arm_key
from fairtrial.analysis.points import Point, name_of
from fairtrial.errors import StudyError
from fairtrial.study.candidates import candidate
from fairtrial.study.schema import Arm
from fairtrial.study.searches import Search
from fairtrial.study.space import (
    Choice,
    FloatRange,
    IntRange,
    Parameter,
    Value,
    departures,
    every_point,
    parameters,
    walk,
)
from fairtrial.trial import SEARCH

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

STARTUP = 10
"""Points drawn at random before the sampler learns from what came of them."""

DRAWS = 60
"""How often a point that was proposed before, or that cannot be built, is drawn again; the last third at random."""

Proposed = tuple[dict[str, Value], Arm]


def propose(
    search: Search, baseline: Arm, seen: Sequence[Point], *, key: str, number: int
) -> Proposed | None:
    """The values and the arm of proposal `number`; None if the space seems to have no further point.

    `seen` are all earlier proposals in order, those without an outcome among them: none is proposed twice.
    `key` is the digest of the search, from which all randomness comes.
    """
    taken = {arm_key(baseline), *(arm_key(point.arm) for point in seen)}
    draws = (
        every_point(search.space)
        if search.sampler == "grid"
        else _draws(search, seen, key=key, number=number)
    )
    for values in draws:
        try:
            arm = candidate(
                baseline, departures(search.space, values), name=name_of(search, number), block=SEARCH
            )
        except StudyError:
            continue  # pooling until nothing is left, say: no network, so no point
        if arm_key(arm) not in taken:
            return values, arm
    return None


def _draws(search: Search, seen: Sequence[Point], *, key: str, number: int) -> Iterator[dict[str, Value]]:
    optuna = _optuna()
    best = "maximize" if search.metric == "accuracy" else "minimize"
    study = optuna.create_study(direction=best)
    study.add_trials([_told(search, point) for point in seen])
    for draw in range(DRAWS):
        seed = _seed(key, number, draw)
        study.sampler = _sampler(search, seed, at_random=draw >= DRAWS * 2 // 3)
        trial = study.ask()
        values: dict[str, Value] = {}

        def ask(name: str, parameter: Parameter, trial: Any = trial, values: Any = values) -> Value:
            values[name] = _suggested(trial, name, parameter)
            return values[name]

        walk(search.space, ask)
        yield values
        study.tell(trial, state=optuna.trial.TrialState.FAIL)  # drawn again: as though it had not been


def _sampler(search: Search, seed: int, *, at_random: bool) -> optuna.samplers.BaseSampler:
    optuna = _optuna()
    if at_random or search.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # `constant_liar`: what other workers are at counts as no better than the worst, so that it is left alone.
        return optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=STARTUP, multivariate=True, group=True, constant_liar=True
        )


def _told(search: Search, point: Point) -> optuna.trial.FrozenTrial:
    """What came of a point, as Optuna is told it. A diverged or failed one is worse than any other."""
    optuna = _optuna()
    states = optuna.trial.TrialState
    known = dict(parameters(search.space))
    worst = -math.inf if search.metric == "accuracy" else math.inf
    told: dict[str, Any] = {
        "params": dict(point.values),
        "distributions": {name: _distribution(known[name]) for name in point.values},
    }
    match point.state:
        case "finished":
            told |= {"state": states.COMPLETE, "value": point.results[1]}
        case "diverged" | "failed":
            # Told as given up before its first epoch: of those given up Optuna ranks that last, and a result never.
            told |= {"state": states.PRUNED, "intermediate_values": {0: worst}}
        case "stopped":
            told |= {
                "state": states.PRUNED,
                "intermediate_values": dict(enumerate(point.scores or (), start=1)),
            }
        case "open":
            told |= {"state": states.RUNNING}
    return optuna.trial.create_trial(**told)


def _distribution(parameter: Parameter) -> BaseDistribution:
    distributions = _optuna().distributions
    match parameter:
        case IntRange():
            return distributions.IntDistribution(
                parameter.low, parameter.high, log=parameter.log, step=parameter.step
            )
        case FloatRange():
            return distributions.FloatDistribution(
                parameter.low, parameter.high, log=parameter.log, step=parameter.step
            )
        case Choice():
            return distributions.CategoricalDistribution(tuple(range(len(parameter.options))))


def _suggested(trial: Any, name: str, parameter: Parameter) -> Value:
    match parameter:
        case IntRange():
            return trial.suggest_int(
                name, parameter.low, parameter.high, log=parameter.log, step=parameter.step
            )
        case FloatRange():
            drawn = trial.suggest_float(
                name, parameter.low, parameter.high, log=parameter.log, step=parameter.step
            )
            return float(drawn)
        case Choice():
            return trial.suggest_categorical(name, tuple(range(len(parameter.options))))


def _seed(key: str, number: int, draw: int) -> int:
    """Of the search and the proposal's number, so that nothing of a generator has to be kept."""
    return int.from_bytes(hashlib.sha256(f"{key} {number} {draw}".encode()).digest()[:4], "little")


def _optuna() -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
