"""The stored trials of arms, found by their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairtrial.analysis.values import ArmTrials
from fairtrial.engine.precision import precision_of
from fairtrial.store import Store
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import parameters
from fairtrial.trial import BLOCK, StoredTrial, Trial

LAST_SEED = BLOCK - 1
"""The last of a block: seeds beyond it belong to other uses of the arm."""


def gather(arms: Sequence[Arm], store: Store, *, history: bool = False) -> dict[str, ArmTrials]:
    """Each arm by its name with its stored trials of this engine version, in seed order.

    Only seeds of the arm's own block count, and are counted from 1 there. `history` brings the epochs along.
    """
    keys = {arm.name: arm_key(arm) for arm in arms}
    found: dict[tuple[int, str], tuple[StoredTrial, ...]] = {}
    for block in dict.fromkeys(arm.block for arm in arms):
        some = [keys[arm.name] for arm in arms if arm.block == block]
        stored = store.stored_of_arms(some, block=block, last_seed=LAST_SEED, history=history)
        found |= {(block, key): trials for key, trials in stored.items()}
    return {
        arm.name: ArmTrials(
            arm=arm,
            parameters=parameters_of(arm, found[arm.block, keys[arm.name]]),
            trials=found[arm.block, keys[arm.name]],
        )
        for arm in arms
    }


def parameters_of(arm: Arm, known: Sequence[StoredTrial]) -> int | None:
    """All weights of the arm's network: from the layers, or where they are the user's own code from the trials that it has trained."""
    if arm.is_described:
        return parameters(arm)
    told = (trial.outcome.provenance.get("parameters", "") for trial in known)
    return next((int(text) for text in told if text.isdecimal()), None)


def arm_key(arm: Arm) -> str:
    """What the arm computes on this machine, whatever it is called and whichever seed it has."""
    return trial_of(arm, 1).arm_key


def trial_of(arm: Arm, seed: int) -> Trial:
    """The trial of that seed as this machine would train it."""
    return Trial(arm=arm, seed=seed, precision=precision_of(arm))


def trials(arm: Arm, seeds: range) -> list[Trial]:
    precision = precision_of(arm)
    return [Trial(arm=arm, seed=seed, precision=precision) for seed in seeds]


def other_engines(arms: Mapping[str, Arm], store: Store) -> dict[str, dict[int, int]]:
    """How many stored trials of each arm other engine versions trained, by version; arms without any left out."""
    keys = {name: arm_key(arm) for name, arm in arms.items()}
    counts = store.other_engine_versions(keys.values())
    return {name: counts[key] for name, key in keys.items() if key in counts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A seed that failed and has no outcome; `text` says so with the reason."""

    seed: int
    text: str


def failures(arms: Mapping[str, ArmTrials], store: Store, *, least: int) -> dict[str, tuple[Failed, ...]]:
    """Seeds of each arm that failed and have no outcome; arms without any left out.

    Looks at seeds 1 to `least`, and on to the one after the last that is stored.
    """
    lacking: dict[str, list[Trial]] = {}
    for name, arm in arms.items():
        had = {trial.seed for trial in arm.trials}
        wanted = [seed for seed in range(1, max([least - 1, *had]) + 2) if seed not in had]
        lacking[name] = [trial for seed in wanted for trial in trials(arm.arm, range(seed, seed + 1))]
    attempts = store.attempts([trial.key for some in lacking.values() for trial in some])
    said: dict[str, list[Failed]] = {}
    for name, some in lacking.items():
        for trial in some:
            failed = [attempt for attempt in attempts[trial.key] if attempt.state == "failed"]
            if failed:
                times = "once" if len(failed) == 1 else f"{len(failed)} times"
                reason = failed[-1].reason
                text = f"seed {trial.seed} of {name} failed {times}: {reason}"
                said.setdefault(name, []).append(Failed(seed=trial.seed, text=text))
    return {name: tuple(some) for name, some in said.items()}
