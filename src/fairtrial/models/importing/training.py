"""How a Keras model was compiled, as the optimiser of an arm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError

from fairtrial.models.importing.settings import check
from fairtrial.models.importing.told import Part, Told, is_number, part_of, said
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.schema import ArmSettings
from fairtrial.study.training import AnyOptimizer, Optimizer

OPTIMIZERS: dict[str, type[Optimizer]] = {one.keras_class: one for one in get_args(get_args(AnyOptimizer)[0])}
_BY_WORD = {one.lower(): one for one in OPTIMIZERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long an arm is trained: Keras counts its schedules in steps, a study file in epochs. `epochs` None: still open."""

    steps_per_epoch: int
    epochs: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """`optimizer` as a study file writes it; `epochs` where a schedule says how many there must be."""

    optimizer: dict[str, Any]
    epochs: int | None = None


def training_of(compiled: Mapping[str, Any], told: Told, *, length: Length) -> Training | None:
    """None where the optimiser cannot be taken, which `told` has been told."""
    given = compiled.get("optimizer")
    part = part_of(given, "optimizer")
    if isinstance(given, str):
        part = Part(place="optimizer", kind=_BY_WORD.get(given.lower(), given), config={})
    if part is None or part.custom or part.kind not in OPTIMIZERS:
        name = part.kind if part is not None else said(given)
        known = ", ".join(OPTIMIZERS)
        told.refuse(
            "optimizer",
            f"fairtrial has no optimizer {name!r}{did_you_mean(name, OPTIMIZERS)}; it has {known}",
        )
        return None
    if part.kind == "Adam" and part.config.get("weight_decay"):
        told.note("optimizer Adam with weight_decay is what AdamW is: the arm has adamw")
        part = replace(part, kind="AdamW")
    model = OPTIMIZERS[part.kind]
    fields: dict[str, Any] = {"name": model.model_fields["name"].default}
    names = [name for name in model.model_fields if name != "name"]
    check(part, names, told)
    epochs = None
    for name in names:
        if name not in part.config:
            continue
        value: Any = part.config[name]
        schedule = part_of(value, "optimizer.learning_rate") if name == "learning_rate" else None
        if schedule is not None:
            value, epochs = _schedule(schedule, told, length)
            if value is None:
                return None
        elif name == "learning_rate":
            value = _as_written(value)
        if name == "learning_rate" or value != model.model_fields[name].default:
            fields[name] = value
    fields.setdefault("learning_rate", model.model_fields["learning_rate"].default)
    if not _is_possible(fields, part, told):
        return None
    return Training(optimizer=fields, epochs=epochs)


def _is_possible(fields: dict[str, Any], part: Part, told: Told) -> bool:
    try:
        ArmSettings.model_validate({"optimizer": fields})
    except ValidationError as error:
        for one in error.errors():
            name = next((where for where in one["loc"] if where in fields), "")
            told.refuse(
                part, f"{name} is {said(fields.get(str(name)))}: {one['msg'][:1].lower()}{one['msg'][1:]}"
            )
        return False
    return True


def _as_written(value: Any) -> Any:
    """Keras keeps a learning rate as float32: 0.0010000000474974513 is what becomes of 0.001.

    >>> _as_written(0.0010000000474974513), _as_written(0.1234567890123)
    (0.001, 0.1234567890123)
    """
    if (
        isinstance(value, float)
        and math.isfinite(value)
        and abs(value) < 1e30
        and float(np.float32(value)) == value
    ):
        return float(str(np.float32(value)))
    return value


def _tidy(value: float) -> float:
    """Without what rounding has left in the last digits."""
    return float(f"{value:.12g}")


def _schedule(part: Part, told: Told, length: Length) -> tuple[dict[str, Any] | None, int | None]:
    """Also the number of epochs that a schedule over the whole training asks for."""
    settings = part.config
    initial, steps = _as_written(settings.get("initial_learning_rate")), settings.get("decay_steps")
    if part.custom or part.kind not in ("ExponentialDecay", "CosineDecay"):
        told.refuse(
            part,
            "fairtrial's schedules are constant, cosine (CosineDecay), exponential (ExponentialDecay) and step (ExponentialDecay "
            "with staircase=True); write one of them into the study file",
        )
        return None, None
    if not is_number(initial) or not is_number(steps) or steps <= 0:
        told.refuse(
            part,
            f"initial_learning_rate is {said(initial)} and decay_steps {said(steps)}; both must be numbers above 0",
        )
        return None, None
    if part.kind == "ExponentialDecay":
        return _exponential(part, told, length, initial=initial, steps=steps), None
    if settings.get("warmup_target") is not None or settings.get("warmup_steps"):
        told.refuse(
            part,
            "its warm-up is another than fairtrial's; write learning_rate: {cosine: {initial: …, warmup_epochs: …}} instead",
        )
        return None, None
    return _cosine(part, told, length, initial=initial, steps=steps)


def _exponential(
    part: Part, told: Told, length: Length, *, initial: float, steps: float
) -> dict[str, Any] | None:
    rate, every = part.config.get("decay_rate"), _tidy(steps / length.steps_per_epoch)
    if not part.config.get("staircase"):
        return {"exponential": {"initial": initial, "rate": rate, "every": every}}
    if every != int(every):
        told.refuse(
            part,
            f"it steps every {said(steps)} updates; fairtrial steps after whole epochs, of {length.steps_per_epoch} updates here: "
            "give decay_steps as a multiple of that, or another batch_size or data",
        )
        return None
    return {"step": {"initial": initial, "factor": rate, "every": int(every)}}


def _cosine(
    part: Part, told: Told, length: Length, *, initial: float, steps: float
) -> tuple[dict[str, Any] | None, int | None]:
    """Ours falls over the whole training: how long Keras's falls says how many epochs that is."""
    epochs = steps / length.steps_per_epoch
    if epochs != int(epochs) or (length.epochs is not None and epochs != length.epochs):
        trained = f", of which there are {length.epochs}" if length.epochs is not None else ""
        told.refuse(
            part,
            f"it falls over {said(steps)} updates, {epochs:.4g} epochs of {length.steps_per_epoch} updates; fairtrial's cosine falls over "
            f"the whole training, a number of whole epochs{trained}: give decay_steps as that, or another batch_size or epochs",
        )
        return None, None
    alpha = part.config.get("alpha", 0)
    final = {"final": _tidy(initial * alpha)} if is_number(alpha) and alpha > 0 else {}
    if not is_number(alpha):
        told.refuse(part, f"alpha is {said(alpha)}; it must be a number")
        return None, None
    told.note(
        f"the schedule falls over {said(steps)} updates: the arm is trained for {int(epochs)} epochs of {length.steps_per_epoch}"
    )
    return {"cosine": {"initial": initial, **final}}, int(epochs)
