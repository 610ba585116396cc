"""How a network is trained: optimiser, learning rate, early stopping, with Keras's defaults."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False, strict=True)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cosine(_Frozen):
    """From `initial` to `final` along half a cosine over the whole training, after a linear warm-up."""

    kind: Literal["cosine"] = "cosine"
    initial: Positive
    final: NotNegative = 0.0
    warmup_epochs: NotNegative = 0.0


class Exponential(_Frozen):
    """`initial` times `rate` per `every` epochs, falling smoothly with each step."""

    kind: Literal["exponential"] = "exponential"
    initial: Positive
    rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=True)]
    every: Positive = 1.0


class Step(_Frozen):
    """`initial` times `factor` after each `every` whole epochs."""

    kind: Literal["step"] = "step"
    initial: Positive
    factor: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=True)]
    every: Annotated[int, Field(ge=1, strict=True)] = 1


Schedule = Cosine | Exponential | Step


def _schedule_from_file(entry: object) -> object:
    """`{cosine: {initial: 0.001}}` as the tagged mapping; `{constant: 0.001}` as the number itself."""
    if not isinstance(entry, dict):
        return entry
    mapping = cast("dict[str, Any]", entry)
    if len(mapping) == 1 and "kind" not in mapping:
        (kind, body), *_ = mapping.items()
        within = cast("dict[str, Any]", body) if isinstance(body, dict) else None
        if kind == "constant":
            return within["initial"] if within and set(within) == {"initial"} else cast("object", body)
        if within is not None:
            return {"kind": kind, **within}
    return mapping


FileSchedule = Annotated[Schedule, Field(discriminator="kind")]
LearningRate = Annotated[Positive | FileSchedule, BeforeValidator(_schedule_from_file)]


def rate_at(rate: float | Schedule, *, step: int, steps_per_epoch: int, epochs: int) -> float:
    """The learning rate of update number `step` (counted from 0).

    >>> rate_at(Step(initial=0.1, factor=0.5, every=1), step=540, steps_per_epoch=540, epochs=5)
    0.05
    """
    epoch = step / steps_per_epoch
    match rate:
        case Cosine():
            warmup = rate.warmup_epochs * steps_per_epoch
            if step < warmup:
                return rate.initial * (step + 1) / warmup
            share = (step - warmup) / max(1.0, epochs * steps_per_epoch - warmup)
            return rate.final + (rate.initial - rate.final) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
        case Exponential():
            return rate.initial * rate.rate ** (epoch / rate.every)
        case Step():
            return rate.initial * rate.factor ** (int(epoch) // rate.every)
        case _:
            return float(rate)


class Optimizer(_Frozen):
    """What every optimiser has. `learning_rate` is a number or a schedule."""

    keras_class: ClassVar[str]


class Adam(Optimizer):
    keras_class: ClassVar[str] = "Adam"
    name: Literal["adam"] = "adam"
    learning_rate: LearningRate = 0.001
    beta_1: Share = 0.9
    beta_2: Share = 0.999
    epsilon: Positive = 1e-7


class AdamW(Optimizer):
    keras_class: ClassVar[str] = "AdamW"
    name: Literal["adamw"] = "adamw"
    learning_rate: LearningRate = 0.001
    weight_decay: NotNegative = 0.004
    beta_1: Share = 0.9
    beta_2: Share = 0.999
    epsilon: Positive = 1e-7


class SGD(Optimizer):
    keras_class: ClassVar[str] = "SGD"
    name: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 0.01
    momentum: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] = 0.0
    nesterov: Annotated[bool, Field(strict=True)] = False


class RMSprop(Optimizer):
    keras_class: ClassVar[str] = "RMSprop"
    name: Literal["rmsprop"] = "rmsprop"
    learning_rate: LearningRate = 0.001
    rho: Share = 0.9
    momentum: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] = 0.0
    epsilon: Positive = 1e-7


class Adagrad(Optimizer):
    keras_class: ClassVar[str] = "Adagrad"
    name: Literal["adagrad"] = "adagrad"
    learning_rate: LearningRate = 0.001
    initial_accumulator_value: NotNegative = 0.1
    epsilon: Positive = 1e-7


AnyOptimizer = Annotated[Adam | AdamW | SGD | RMSprop | Adagrad, Field(discriminator="name")]


def not_the_test_set(value: object) -> object:
    """Refuses whatever begins with `test` where validation is meant, with the reason."""
    if isinstance(value, str) and value.strip().lower().startswith("test"):
        message = f"the test set steers nothing and is never validated on, got {value[:40]!r}"
        raise PydanticCustomError("refused", "{message}", {"message": message, "fields": ()})
    return value


class EarlyStopping(_Frozen):
    """Stop when `monitor` has not improved by more than `min_delta` for `patience` epochs.

    Only validation may steer; the test set never does.
    """

    monitor: Annotated[
        Literal["validation_loss", "validation_accuracy"], BeforeValidator(not_the_test_set)
    ] = "validation_loss"
    patience: Annotated[int, Field(ge=1, strict=True)] = 2
    min_delta: NotNegative = 0.0
