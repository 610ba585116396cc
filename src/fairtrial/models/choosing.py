"""Which trials of an arm an export takes, and their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from fairtrial.analysis.gather import gather
from fairtrial.dispatch import Executor
from fairtrial.engine.exporting.members import Weights
from fairtrial.engine.saved_weights import read_weights
from fairtrial.errors import FairtrialError, StoreError
from fairtrial.rerunning import rerun
from fairtrial.store import Store
from fairtrial.store.places import weights_path
from fairtrial.study.schema import Arm, Study
from fairtrial.trial import Event, StoredTrial

HOW = (
    "`--retrain` trains it again, bit for bit, and exports that; `fairtrial run --weights all` keeps the weights of every "
    "seed it trains from then on (without it, those of seeds 1 to 3)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Trials in seed order with their weights, and how they were chosen, in a sentence."""

    arm: Arm
    trials: tuple[StoredTrial, ...]
    weights: tuple[Weights, ...] = field(repr=False)
    how: str
    retrained: tuple[int, ...] = ()


def choose(
    study: Study,
    name: str,
    seed: str,
    store: Store,
    *,
    place: Path,
    executor: Callable[[], Executor] | None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Chosen:
    """`place` is where the store is: what is open may be a copy of it, or an empty one where there is none. `seed` is `best`, `ensemble` or a number. With an `executor` what has no weights kept is trained again.

    Raises FairtrialError where there is no such arm or trial, or its weights are not there.
    """
    if name not in study.arms:
        raise FairtrialError(f"study {study.name!r} has no arm {name!r}; its arms: {', '.join(study.arms)}")
    arm = study.arms[name]
    if arm.is_command or not arm.is_described:
        raise FairtrialError(f"arm {name!r} cannot be exported: {_undescribed(arm)}")
    stored = gather([arm], store)[name].trials
    finished = [trial for trial in stored if trial.outcome.state == "finished"]
    kept = {trial.seed: weights for trial in finished if (weights := _kept(trial, place)) is not None}
    told = _number(seed)
    if not stored:
        where = f"in {place} yet" if place.exists() else f"yet: there is no store {place}"
        raise FairtrialError(
            f"arm {name!r} has no trial {where}. Train it with `fairtrial run {study.source or 'STUDY'} --arm {name}`, or say where "
            "it was trained with --store"
        )
    if told is not None:
        chosen = [trial for trial in stored if trial.seed == told]
        if not chosen:
            seeds = ", ".join(str(trial.seed) for trial in stored)
            raise FairtrialError(f"arm {name!r} has no trial of seed {told}; it has {seeds}")
        if chosen[0].outcome.state != "finished":
            raise FairtrialError(
                f"seed {told} of arm {name!r} {chosen[0].outcome.state}: {chosen[0].outcome.reason}"
            )
        how = f"Seed {told}, as asked for."
    else:
        among = finished if executor is not None else [trial for trial in finished if trial.seed in kept]
        if not finished:
            raise FairtrialError(f"every trial of arm {name!r} diverged: there is no network to export")
        if not among:
            raise _without(name, finished, place)
        chosen, how = _best(among, finished) if seed == "best" else _all(among, finished)
        how += _left(len(stored) - len(finished))
    lacking = [trial for trial in chosen if trial.seed not in kept]
    if lacking and executor is None:
        raise _without(name, lacking, place)
    for trial in lacking:
        assert executor is not None
        kept[trial.seed] = _retrained(trial, store, executor(), on_event)
    return Chosen(
        arm=arm,
        trials=tuple(chosen),
        weights=tuple(kept[trial.seed] for trial in chosen),
        how=how,
        retrained=tuple(trial.seed for trial in lacking),
    )


def _undescribed(arm: Arm) -> str:
    """Why nobody here knows its layers, and who does."""
    if arm.is_command:
        return (
            "a command of your own trains it, and fairtrial sees its figures alone; let the command save its network itself, "
            "with the seed it is given in the name of the file"
        )
    return (
        f"its network is built by {arm.settings.network.python}, code of your own, and no study describes its layers; save it from there. "
        "The weights that are kept of it lie in the folder beside the store, as safetensors by the module's own names"
    )


def _number(seed: str) -> int | None:
    """Raises FairtrialError for what is neither a number nor one of the two words."""
    if seed in ("best", "ensemble"):
        return None
    if seed.isdecimal() and 0 < int(seed[:9]) < 1000:
        return int(seed[:9])
    raise FairtrialError(f"--seed must be best, ensemble or a number from 1 to 999, got {seed[:40]!r}")


def _best(among: Sequence[StoredTrial], finished: Sequence[StoredTrial]) -> tuple[list[StoredTrial], str]:
    """By validation at the end of training: that is the network that is kept. The loss decides between equals."""

    def merit(trial: StoredTrial) -> tuple[float, float]:
        return trial.outcome.metrics["validation_accuracy"], -trial.outcome.metrics["validation_loss"]

    best = max(among, key=merit)
    accuracy = 100 * best.outcome.metrics["validation_accuracy"]
    if len(among) == 1:
        return [
            best
        ], f"Seed {best.seed}, the only one{_of(among, finished)}: validation accuracy {accuracy:.2f} %."
    return [best], (
        f"Seed {best.seed}, which has the highest validation accuracy at the end of training, {accuracy:.2f} %, among "
        f"{len(among)} seeds{_of(among, finished)}. A figure it was chosen by is optimistic; the test set chose nothing."
    )


def _all(among: Sequence[StoredTrial], finished: Sequence[StoredTrial]) -> tuple[list[StoredTrial], str]:
    seeds = ", ".join(str(trial.seed) for trial in among)
    return list(among), (
        f"The mean of the probabilities of {len(among)} network{'' if len(among) == 1 else 's'}, seed{'' if len(among) == 1 else 's'} "
        f"{seeds}{_of(among, finished)}."
    )


def _of(among: Sequence[StoredTrial], finished: Sequence[StoredTrial]) -> str:
    if len(among) == len(finished):
        return ""
    return f" whose weights are kept (of {len(finished)} that finished; --retrain takes in all)"


def _left(count: int) -> str:
    return f" Left out: {count} that diverged." if count else ""


def _kept(trial: StoredTrial, place: Path) -> Weights | None:
    return read_weights(weights_path(place, trial.key), sha256=trial.outcome.weights_sha256)


def _without(name: str, trials: Sequence[StoredTrial], place: Path) -> FairtrialError:
    seeds = ", ".join(str(trial.seed) for trial in trials[:10]) + (", …" if len(trials) > 10 else "")
    paths = [weights_path(place, trial.key) for trial in trials]
    damaged = [path for path in paths if path.exists()]
    where = f"; {damaged[0]} is there and damaged" if damaged else f" in {paths[0].parent}"
    return FairtrialError(
        f"no weights are kept of arm {name!r}, seed{'' if len(trials) == 1 else 's'} {seeds}{where}. {HOW}"
    )


def _retrained(
    trial: StoredTrial, store: Store, executor: Executor, on_event: Callable[[Event], None]
) -> Weights:
    """Its weights, trained again in a folder of their own. Raises StoreError if they are not the stored trial's."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        again = rerun(trial.key, store=store, executor=executor, on_event=on_event, weights=path)
        if not again.equal:
            raise StoreError(
                f"seed {trial.seed} of arm {trial.arm_name!r} came out different when it was trained again: {again.differences[0]}"
                f" ({len(again.differences)} differences). That network would not be the one the answers are about; export it on "
                "the machine that trained it, or train the arm anew into another --store"
            )
        weights = read_weights(path, sha256=trial.outcome.weights_sha256)
    if weights is None:
        raise StoreError(
            f"seed {trial.seed} of arm {trial.arm_name!r} was trained again, but its weights could not be saved"
        )
    return weights
