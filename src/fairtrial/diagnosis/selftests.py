"""Small trials of every layer and optimiser, trained in a temporary folder: they learn, and repeat bit for bit."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairtrial.diagnosis.finding import Finding
from fairtrial.dispatch import Dispatch
from fairtrial.engine.interrupting import interrupted
from fairtrial.engine.precision import has_bfloat16
from fairtrial.engine.saved_weights import saved_fingerprint
from fairtrial.errors import FairtrialError
from fairtrial.executors.local import LocalExecutor
from fairtrial.rerunning import differences, with_predictions
from fairtrial.store import Store
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import Outcome, ResolvedPrecision, Trial

_MLP = {"mlp": {"width": 16, "depth": 1}}
_FEW = {"data": {"train": 1000, "validation": 500}, "epochs": 2, "batch_size": 50}

ARMS: Mapping[str, dict[str, Any]] = {
    "mlp with adam": {"network": _MLP, "optimizer": {"name": "adam"}},
    "mlp with adamw": {"network": _MLP, "optimizer": {"name": "adamw"}},
    "mlp with adagrad": {"network": _MLP, "optimizer": {"name": "adagrad", "learning_rate": 0.01}},
    "convolution with sgd": {
        "network": {
            "layers": [
                {"conv": {"filters": 4}},
                "batch_norm",
                {"activation": "relu"},
                {"pool": 2},
                "flatten",
                {"dropout": 0.2},
                {"dense": {"units": 16, "activation": "relu"}},
            ]
        },
        "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
    },
    "averages with rmsprop": {
        "network": {
            "layers": [
                {"average_pool": 2},
                {"conv": {"filters": 8, "padding": "same", "activation": "gelu"}},
                "global_average_pool",
            ]
        },
        "optimizer": {"name": "rmsprop", "learning_rate": 0.01},
    },
    "one image at a time": {
        "network": _MLP,
        "optimizer": {"name": "adam"},
        "batch_size": 1,
        "data": {"train": 300, "validation": 500},
    },
}
"""Together they hold every layer, every optimiser and both ways of training that a study file knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """What came of each trial, by its name: the outcome as it was told and as it was stored, or why there is none."""

    told: Mapping[str, Outcome]
    stored: Mapping[str, Outcome]
    failed: Mapping[str, str]
    damaged: tuple[str, ...]
    """Trials whose saved weights are not what they ended with."""


def trials() -> dict[str, Trial]:
    """What is trained: all arms in float32 and, where the processor has bfloat16, two of them in that."""
    wanted: dict[str, Trial] = {}
    for name, settings in ARMS.items():
        wanted[name] = _trial(name, settings, "float32")
    if has_bfloat16():
        for name in ("mlp with adam", "convolution with sgd"):
            wanted[f"{name}, bfloat16"] = _trial(name, ARMS[name], "bfloat16")
    return wanted


def _trial(name: str, settings: dict[str, Any], precision: ResolvedPrecision) -> Trial:
    made = ArmSettings.model_validate({**_FEW, **settings, "precision": precision})
    return Trial(arm=Arm(name=name, settings=made), seed=1, precision=precision)


def findings(*, on_step: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """Each trial on two workers, again on one, and again from a checkpoint; nothing outside a temporary folder is written."""
    wanted = trials()
    try:
        with tempfile.TemporaryDirectory(prefix="fairtrial-selftest-") as folder:
            place = Path(folder)
            on_step(f"self-test: {len(wanted)} trials on two workers")
            with LocalExecutor(workers=2) as executor:
                first = _run(wanted, place / "two.db", executor)
                on_step("self-test: the same, each interrupted after its first epoch and gone on with")
                for trial in wanted.values():
                    interrupted(trial, _opened(place / "resumed.db").checkpoint_path(trial.key))
                resumed = _run(wanted, place / "resumed.db", executor)
            on_step("self-test: the same on one worker")
            with LocalExecutor(workers=1) as executor:
                second = _run(wanted, place / "one.db", executor)
    except (FairtrialError, OSError) as error:
        yield _finding(
            "training", str(error), wrong=True, advice="Nothing can be trained here until that is put right."
        )
        return
    yield _trained(first)
    yield _repeated("determinism", first, second, "on two workers and on one")
    yield _repeated("resume", first, _gone_on(resumed), "in one go and interrupted after the first epoch")
    yield _kept(first)


def _opened(path: Path) -> Store:
    with Store.open(path) as store:
        return store


def _run(wanted: Mapping[str, Trial], path: Path, executor: LocalExecutor) -> _Ends:
    names = {trial.key: name for name, trial in wanted.items()}
    waiting = list(wanted.values())
    told: dict[str, Outcome] = {}
    failed: dict[str, str] = {}
    with Store.open(path) as store:
        dispatch = Dispatch(store=store, executor=executor, weights="all")

        def refill() -> None:
            while waiting and executor.free:
                dispatch.start(waiting.pop(0))

        refill()
        for event in executor.events():
            ended = dispatch.take(event)
            if ended is not None and isinstance(ended.event, Outcome):
                told[names[ended.trial.key]] = ended.event
            elif ended is not None:
                failed[names[ended.trial.key]] = ended.event.reason
            refill()
        found = store.stored(names, history=True)
        return _Ends(
            told=told,
            stored={
                names[key]: with_predictions(one.outcome, store.predictions(key))
                for key, one in found.items()
            },
            failed=failed,
            damaged=tuple(
                name
                for name, outcome in told.items()
                if outcome.weights_sha256 != saved_fingerprint(store.weights_path(outcome.key))
            ),
        )


def _trained(ends: _Ends) -> Finding:
    """Whether each trial has finished, and with a smaller loss in its second epoch than in its first."""
    wrong = [f"{name} failed: {reason}" for name, reason in ends.failed.items()]
    for name, outcome in ends.told.items():
        losses = [record.train_loss for record in outcome.history]
        if outcome.state != "finished":
            wrong.append(f"{name} diverged: {outcome.reason}")
        elif not losses[-1] < losses[0] < math.inf:
            wrong.append(f"{name} did not learn: its loss went from {losses[0]:.3f} to {losses[-1]:.3f}")
    layers = sorted({layer.kind for trial in trials().values() for layer in trial.arm.network})
    optimizers = sorted({trial.arm.settings.optimizer.name for trial in trials().values()})
    return _finding(
        "training",
        "; ".join(wrong)
        if wrong
        else f"{', '.join(layers)}, with {', '.join(optimizers)}: all of them learn",
        wrong=bool(wrong),
        advice="This PyTorch does not train as it should: install it again, in the version that fairtrial asks for.",
        facts={"trials": sorted(ends.told), "layers": layers, "optimizers": optimizers},
    )


def _repeated(name: str, first: _Ends, again: _Ends, how: str) -> Finding:
    wrong: list[str] = [f"{one} failed: {reason}" for one, reason in again.failed.items()]
    for one, outcome in first.told.items():
        if one in again.told:
            found = [str(apart) for apart in differences(outcome, again.told[one])]
            if found:
                wrong.append(f"{one}, {found[0]}{f' and {len(found) - 1} more figures' if found[1:] else ''}")
    return _finding(
        name,
        f"{how}: {'; '.join(wrong)}" if wrong else f"{len(first.told)} trials, {how}, are bit-equal",
        wrong=bool(wrong) or not first.told,
        advice="Trials do not repeat on this machine: do not mix its outcomes with others, and report this with the lines above.",
    )


def _gone_on(ends: _Ends) -> _Ends:
    """Trials that did not go on from their checkpoint repeat for another reason: they count as failed."""
    whole = {
        name: "it began anew, not from its checkpoint"
        for name, outcome in ends.told.items()
        if outcome.provenance.get("resumed_after_epoch") != "1"
    }
    return _Ends(
        told={name: outcome for name, outcome in ends.told.items() if name not in whole},
        stored=ends.stored,
        failed={**ends.failed, **whole},
        damaged=ends.damaged,
    )


def _kept(ends: _Ends) -> Finding:
    """Whether what a store gives back is what it was given."""
    wrong = [f"{name}: its weights were not saved as they are" for name in ends.damaged]
    for name, outcome in ends.told.items():
        kept = ends.stored.get(name)
        predicted = None if outcome.predictions is None else Store.as_kept(outcome.predictions)
        if kept is None:
            wrong.append(f"{name} is not in the store")
        else:
            wrong += [f"{name}, {apart}" for apart in differences(with_predictions(outcome, predicted), kept)]
    return _finding(
        "storing",
        "; ".join(wrong)
        if wrong
        else f"{len(ends.told)} outcomes and their weights come back as they were stored",
        wrong=bool(wrong) or not ends.told,
        advice="Outcomes cannot be relied on here: check disk and memory of this machine.",
    )


def _finding(
    name: str, text: str, *, wrong: bool, advice: str, facts: dict[str, Sequence[str]] | None = None
) -> Finding:
    return Finding(
        area="selftest",
        name=name,
        state="problem" if wrong else "ok",
        text=f"{text}." if wrong else f"{text[:1].upper()}{text[1:]}.",
        advice=advice if wrong else "",
        facts=facts,
    )
