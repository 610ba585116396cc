"""Settings of Keras's objects that fairtrial has no words for: harmless where they are at the value we train with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from fairtrial.models.importing.told import Part, Told, is_number, part_of, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A setting that must mean what we do anyway; `instead` says what to do where it does not."""

    fits: Callable[[Any], bool]
    instead: str


def _none(value: Any) -> bool:
    return value is None


def _off(value: Any) -> bool:
    return value is None or value is False or value == 0


def _one(value: Any) -> bool:
    several = cast("list[Any]", value) if isinstance(value, list) else [value]
    return all(is_number(one) and one == 1 for one in several)


def _constant(*names: str) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        part = part_of(value, "")
        return (part.kind if part is not None and not part.custom else value) in names

    return fits


_NO_REGULARISER = Fixed(
    fits=_none,
    instead="fairtrial trains without regularisers; leave it out, or use optimizer adamw with its weight_decay",
)
_NO_CONSTRAINT = Fixed(fits=_none, instead="fairtrial trains without constraints; leave it out")
_ZEROS = Fixed(fits=_constant("Zeros", "zeros", "zero"), instead="fairtrial starts it at zeros; leave it out")
_ONES = Fixed(fits=_constant("Ones", "ones", "one"), instead="fairtrial starts it at ones; leave it out")
_NO_CLIPPING = Fixed(fits=_none, instead="fairtrial clips no gradients; leave it out")
_WHOLE = Fixed(fits=_one, instead="fairtrial's convolutions have 1; leave it out")
_TRUE = Fixed(fits=lambda value: value is True, instead="fairtrial's batch_norm has both; leave it out")

FIXED: dict[str, Fixed] = {
    "trainable": Fixed(
        fits=lambda value: value is True,
        instead="every layer of an arm is trained; set trainable = True",
    ),
    "data_format": Fixed(
        fits=lambda value: value in (None, "channels_last"),
        instead="build the model with data_format='channels_last'",
    ),
    "dilation_rate": _WHOLE,
    "groups": _WHOLE,
    "kernel_regularizer": _NO_REGULARISER,
    "bias_regularizer": _NO_REGULARISER,
    "activity_regularizer": _NO_REGULARISER,
    "beta_regularizer": _NO_REGULARISER,
    "gamma_regularizer": _NO_REGULARISER,
    "kernel_constraint": _NO_CONSTRAINT,
    "bias_constraint": _NO_CONSTRAINT,
    "beta_constraint": _NO_CONSTRAINT,
    "gamma_constraint": _NO_CONSTRAINT,
    "bias_initializer": _ZEROS,
    "beta_initializer": _ZEROS,
    "moving_mean_initializer": _ZEROS,
    "gamma_initializer": _ONES,
    "moving_variance_initializer": _ONES,
    "center": _TRUE,
    "scale": _TRUE,
    "renorm": Fixed(fits=_off, instead="fairtrial's batch_norm has no renormalisation; leave it out"),
    "noise_shape": Fixed(fits=_none, instead="fairtrial drops each number by itself; leave it out"),
    "keepdims": Fixed(fits=_off, instead="leave it out; flatten behind it is not needed then"),
    "lora_rank": Fixed(fits=_none, instead="fairtrial trains whole kernels; leave it out"),
    "quantization_config": Fixed(fits=_none, instead="fairtrial trains in floating point; leave it out"),
    "clipnorm": _NO_CLIPPING,
    "global_clipnorm": _NO_CLIPPING,
    "clipvalue": _NO_CLIPPING,
    "weight_decay": Fixed(fits=_off, instead="only adamw has it; take AdamW, or leave it out"),
    "use_ema": Fixed(fits=_off, instead="fairtrial keeps no moving average of weights; leave it out"),
    "loss_scale_factor": Fixed(fits=_none, instead="fairtrial scales no losses; leave it out"),
    "gradient_accumulation_steps": Fixed(
        fits=lambda value: value is None or value == 1,
        instead="give an arm that batch size itself: batch_size times as large",
    ),
    "amsgrad": Fixed(fits=_off, instead="fairtrial's adam has none; leave it out"),
    "centered": Fixed(fits=_off, instead="fairtrial's rmsprop has none; leave it out"),
    "decay": Fixed(
        fits=_off, instead="give a schedule, such as learning_rate: {exponential: {…}}, in the study file"
    ),
}
# What changes no number, or only where a setting above is on.
SILENT = frozenset(
    {
        "name", "dtype", "batch_input_shape", "build_input_shape", "synchronized", "renorm_momentum", "renorm_clipping", "ema_momentum",
        "ema_overwrite_frequency", "jit_compile", "is_legacy_optimizer", "shared_object_id", "autocast",
    }
)  # fmt: skip


def check(part: Part, taken: Iterable[str], told: Told) -> None:
    """Refuses every setting that would be trained otherwise, and each of which nobody here knows what it means."""
    taken = set(taken)
    for key, value in part.config.items():
        if key in taken or key in SILENT:
            continue
        if key == "seed":
            if part_of(value, "") is None and value is not None:
                told.note(
                    f"{part.where}: seed {said(value)} is not taken: each trial draws numbers of its own"
                )
        elif key in FIXED:
            if not FIXED[key].fits(value):
                told.refuse(part, f"{key} is {said(value)}: {FIXED[key].instead}")
        elif value is not None:
            told.refuse(
                part,
                f"{key} is {said(value)}, a setting that fairtrial does not know; leave it out",
            )
