"""The points of a search as the store knows them: what was proposed, and what came of it on the search's seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from fairtrial.analysis.clocks import clock_of, seconds_of
from fairtrial.analysis.gather import arm_key, gather, parameters_of, trials
from fairtrial.analysis.terms import sha256
from fairtrial.store import Attempt, Proposal, Store
from fairtrial.study.candidates import candidate, in_block
from fairtrial.study.schema import Arm, Study
from fairtrial.study.searches import Search
from fairtrial.study.space import canonical, departures, shown, spoken
from fairtrial.trial import ATTEMPTS, ENGINE_VERSION, SEARCH, StoredTrial

PointState = Literal["finished", "diverged", "stopped", "failed", "open"]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One proposal, or the baseline (`number` -1), on the search's seeds.

    `stopped` after the epochs whose validation scores are `scores`: hopeless or too slow, and no result. `failed`: given up
    for the reason `because`. `open`: without an outcome so far.
    """

    number: int
    arm: Arm
    values: Mapping[str, int | float]
    """What each parameter of the space came to; options by their place."""
    trials: tuple[StoredTrial, ...] = ()
    scores: tuple[float, ...] | None = None
    because: str = ""
    metric: Literal["accuracy", "loss"] = "accuracy"
    clock: str | None = None
    """The machine whose seconds are shown, the same for all points of a search."""

    @cached_property
    def results(self) -> dict[int, float | None]:
        """By seed, the validation metric over the last epoch; None where the trial diverged."""
        name = f"validation_{self.metric}_last_epoch"
        return {
            trial.seed: trial.outcome.metrics.get(name) if trial.outcome.state == "finished" else None
            for trial in self.trials
        }

    @property
    def state(self) -> PointState:
        """What came of its first seed."""
        if 1 in self.results:
            return "diverged" if self.results[1] is None else "finished"
        return "failed" if self.because else "stopped" if self.scores is not None else "open"

    def mean(self, seeds: int) -> float | None:
        """Over the first `seeds` seeds; None if one is missing or diverged."""
        found = [self.results.get(seed) for seed in range(1, seeds + 1)]
        known = [one for one in found if one is not None]
        return sum(known) / len(known) if len(known) == len(found) else None

    @property
    def seeds(self) -> int:
        """How many it has in a row."""
        count = 0
        while count + 1 in self.results:
            count += 1
        return count

    @cached_property
    def curve(self) -> tuple[float, ...]:
        """Validation scores epoch by epoch on the first seed, as far as it came."""
        first = next((trial for trial in self.trials if trial.seed == 1), None)
        if first is None:
            return self.scores or ()
        return tuple(
            record.validation_accuracy if self.metric == "accuracy" else record.validation_loss
            for record in first.outcome.history
        )

    @property
    def train_seconds(self) -> float | None:
        """Mean seconds of training, beside whatever else the machine did; None before one has finished on it."""
        found = seconds_of(self.trials, "train", clock=self.clock)
        return sum(found) / len(found) if found else None

    @cached_property
    def parameters(self) -> int:
        """All weights of its network; 0 where it is the user's own and no trial has told."""
        return parameters_of(self.arm, self.trials) or 0


def search_key(study: Study, search: Search) -> str:
    """The digest of what is searched and how: searches of one digest share their proposals, whoever asks."""
    body: dict[str, Any] = {
        "baseline": arm_key(study.arms[search.baseline]),
        "space": canonical(search.space),
        "metric": search.metric,
        "sampler": search.sampler,
        "halving": search.halving,
        "longest": search.longest,
        "engine": ENGINE_VERSION,
    }
    return sha256(json.dumps(body, sort_keys=True))


def baseline_point(study: Study, search: Search, store: Store) -> Point:
    """The baseline on the search's seeds."""
    arm = in_block(study.arms[search.baseline], SEARCH)
    found = gather([arm], store)[arm.name]
    return Point(number=-1, arm=arm, values={}, trials=found.trials, metric=search.metric)


def points(
    study: Study, search: Search, store: Store, *, arms: dict[int, Arm] | None = None
) -> tuple[Point, ...]:
    """Every proposal of the search, by its number, with its trials' epochs.

    `arms` keeps what was made of each number, for whoever asks again and again.
    """
    proposals = store.proposals(search_key(study, search))
    made = {} if arms is None else arms
    for one in proposals:
        if one.number not in made:
            made[one.number] = arm_of(study, search, one)
    listed = [made[one.number] for one in proposals]
    found = gather(listed, store, history=True)
    firsts = {arm.name: trials(arm, range(1, 2))[0].key for arm in listed}
    attempts = store.attempts(firsts.values())
    clock = clock_of(trial for one in found.values() for trial in one.trials)
    return tuple(
        Point(
            number=proposal.number,
            arm=arm,
            values=proposal.parameters,
            trials=found[arm.name].trials,
            scores=proposal.scores,
            because=_given_up(attempts[firsts[arm.name]], stopped=proposal.scores is not None),
            metric=search.metric,
            clock=clock,
        )
        for proposal, arm in zip(proposals, listed, strict=True)
    )


def arm_of(study: Study, search: Search, proposal: Proposal) -> Arm:
    """The proposal as an arm on the search's seeds."""
    changes = departures(search.space, proposal.parameters)
    return candidate(
        study.arms[search.baseline], changes, name=name_of(search, proposal.number), block=SEARCH
    )


def name_of(search: Search, number: int) -> str:
    """What a proposal is called."""
    return f"{search.id}-{number}"


def in_words(search: Search, point: Point) -> str:
    """The point's values in a line: `network.mlp.width 640, optimizer.learning_rate 0.0021`.

    An option that holds parameters of its own is told by them.
    """
    return ", ".join(
        f"{spoken(name)} {value:.4g}" if isinstance(value, float) else f"{spoken(name)} {value}"
        for name, value in shown(search.space, point.values).items()
        if not any(other.startswith(f"{name}=") for other in point.values)
    )


def _given_up(attempts: tuple[Attempt, ...], *, stopped: bool) -> str:
    """Why it failed for good: after as many attempts as there are, or one that no other would better."""
    failed = [one for one in attempts if one.state == "failed"]
    for_good = len(failed) >= ATTEMPTS or (stopped and bool(attempts) and attempts[-1].state == "failed")
    return failed[-1].reason if for_good else ""
