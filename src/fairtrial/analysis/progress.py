"""What is done, running, failed and missing, arm by arm, and the time left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fairtrial.analysis.cost import Cost, costs
from fairtrial.analysis.gather import gather, other_engines, trials
from fairtrial.analysis.wall import wall_seconds
from fairtrial.store import Attempt, Holder, Store
from fairtrial.study.schema import Study
from fairtrial.trial import ATTEMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A trial that some process trains now. `since` is UTC in ISO 8601."""

    seed: int
    pid: int
    host: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A seed without an outcome, how often it was tried, and why the last attempt ended.

    One that is `given_up` failed so often that only a run asked for anew tries it again.
    """

    seed: int
    attempts: int
    state: str
    reason: str
    given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmProgress:
    """Seeds of one arm out of `wanted`. `failed` seeds are among the `missing` ones unless they are given up."""

    arm: str
    wanted: int
    finished: tuple[int, ...]
    diverged: tuple[int, ...]
    running: tuple[Running, ...]
    failed: tuple[Failure, ...]
    missing: tuple[int, ...]
    other_engine_versions: Mapping[int, int]
    """Trials that other engine versions trained, by version: stored, and not used."""
    cost: Cost

    @property
    def done(self) -> int:
        return len(self.finished) + len(self.diverged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a study stands. `seconds_left` is until all missing trials have ended on so many `workers`."""

    study: str
    arms: tuple[ArmProgress, ...]
    workers: int
    seconds_left: float
    guessed: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def progress(study: Study, store: Store, *, seeds: int | None = None, workers: int) -> Progress:
    """How far the study is on its way to `seeds` seeds of every arm (`seeds.min` unless given)."""
    target = seeds or study.seeds.min
    arms = gather(list(study.arms.values()), store)
    prices = costs(arms)
    others = other_engines(study.arms, store)
    wanted = {
        name: {trial.key: trial.seed for trial in trials(arm, range(1, target + 1))}
        for name, arm in study.arms.items()
    }
    keys = [key for some in wanted.values() for key in some]
    holders, attempts = store.holders(keys), store.attempts(keys)
    rows = tuple(
        _arm_progress(
            name,
            wanted[name],
            {trial.seed: trial.outcome.state for trial in arms[name].trials},
            holders=holders,
            attempts=attempts,
            other_engine_versions=others.get(name, {}),
            cost=prices[name],
        )
        for name in study.arms
    )
    # Two arms of one identity are one trial: counted once.
    unique = {
        key: row.cost
        for row in rows
        for key, seed in wanted[row.arm].items()
        if seed in row.missing or seed in {one.seed for one in row.running}
    }
    return Progress(
        study=study.name,
        arms=rows,
        workers=workers,
        seconds_left=wall_seconds((cost.seconds for cost in unique.values()), workers=workers),
        guessed=any(cost.basis == "guess" for cost in unique.values()),
    )


def _arm_progress(
    name: str,
    wanted: Mapping[str, int],
    states: Mapping[int, str],
    *,
    holders: Mapping[str, Holder],
    attempts: Mapping[str, tuple[Attempt, ...]],
    other_engine_versions: Mapping[int, int],
    cost: Cost,
) -> ArmProgress:
    held = {key: holders[key] for key in wanted if key in holders}
    given_up = {key for key in wanted if sum(one.state == "failed" for one in attempts[key]) >= ATTEMPTS}
    open_ones = {key: seed for key, seed in wanted.items() if seed not in states and key not in held}
    return ArmProgress(
        arm=name,
        wanted=len(wanted),
        finished=tuple(seed for seed, state in states.items() if state == "finished"),
        diverged=tuple(seed for seed, state in states.items() if state == "diverged"),
        running=tuple(
            Running(
                seed=wanted[key],
                pid=holder.pid,
                host=holder.host,
                since=holder.since.isoformat(timespec="seconds"),
            )
            for key, holder in held.items()
        ),
        failed=tuple(
            Failure(
                seed=wanted[key],
                attempts=len(some),
                state=some[-1].state,
                reason=some[-1].reason,
                given_up=key in given_up,
            )
            for key in wanted
            if (some := attempts[key]) and wanted[key] not in states
        ),
        missing=tuple(seed for key, seed in open_ones.items() if key not in given_up),
        other_engine_versions=other_engine_versions,
        cost=cost,
    )
