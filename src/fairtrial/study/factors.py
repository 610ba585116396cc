"""What differs between two arms, setting by setting, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from pydantic import BaseModel

from fairtrial.study.commands import placeholders
from fairtrial.study.difference import Difference as Difference
from fairtrial.study.difference import Held as Held
from fairtrial.study.difference import Setting, describe, value_apart
from fairtrial.study.factories import identity_of
from fairtrial.study.layers import Network, named
from fairtrial.study.own_differences import factory_apart, held_by_programs, held_of_factory, program_apart
from fairtrial.study.schema import Arm, ArmSettings, Question
from fairtrial.study.shapes import multiply_adds, parameters, updates
from fairtrial.study.training import SGD, Adagrad, Adam, AdamW, AnyOptimizer, RMSprop, Schedule

# The order in which fields of different optimisers are listed, the same whichever arm comes first.
_OPTIMIZER_FIELDS = tuple(
    dict.fromkeys(field for kind in (Adam, AdamW, SGD, RMSprop, Adagrad) for field in kind.model_fields)
)
_MAIN_FACTORS = (
    "network",
    "optimizer",
    "optimizer.learning_rate",
    "batch_size",
    "epochs",
    "data",
    "data.augment",
    "precision",
)
_APART = {"optimizer": "optimizer.learning_rate", "data": "data.augment"}
"""Main settings with a part that is one of its own."""


@lru_cache(maxsize=4096)
def differences(variant: Arm, baseline: Arm) -> tuple[Difference, ...]:
    """Every resolved setting in which the two arms differ, in the order of a study file.

    Two `mlp` networks are compared as such, others layer by layer: `network.layers.first.kernel`,
    or `network.layers` as a whole where the two lists hold different kinds of layers. What
    follows from other settings (images left to train on, a batch beyond all images) is no
    difference of its own. Arms without a difference compute the same.
    """
    mine, yours = variant.settings, baseline.settings
    return (
        *program_apart(variant, baseline),
        *_data(mine, yours),
        *_network(variant, baseline),
        *_optimizer(mine.optimizer, yours.optimizer),
        *_batch_size(mine, yours),
        *value_apart("epochs", mine.epochs, yours.epochs),
        *value_apart("precision", mine.precision, yours.precision),
        *_model("early_stopping", mine.early_stopping, yours.early_stopping),
    )


def confounds(question: Question, variant: Arm, baseline: Arm) -> tuple[Difference, ...]:
    """Differences beyond the factors the question declares; a factor covers all below its path.

    A question without `factors` means every difference: one is its factor, more than one
    cannot be told apart and all of them are named.
    """
    found = differences(variant, baseline)
    if question.factors is None:
        return found if len(found) > 1 else ()
    declared = frozenset(
        spelling for factor in question.factors for spelling in _spellings(factor, variant, baseline)
    )
    return tuple(one for one in found if not any(_below(one.path, factor) for factor in declared))


def unchanged(question: Question, variant: Arm, baseline: Arm) -> tuple[str, ...]:
    """Factors the question declares although the two arms share them."""
    paths = [one.path for one in differences(variant, baseline)]
    return tuple(
        factor
        for factor in question.factors or ()
        if not any(
            _below(path, spelling) or _below(spelling, path)
            for path in paths
            for spelling in _spellings(factor, variant, baseline)
        )
    )


def implied(variant: Arm, baseline: Arm) -> tuple[Difference, ...]:
    """What differs because something else does: `updates`, `parameters`, `multiply_adds`.

    Updates of a whole training change with the batch size where the epochs stay fixed;
    multiply-adds are per image, forward. Raises StudyError for an impossible network.
    """
    facts: dict[str, Callable[[Arm], int]] = {}
    if not (variant.is_command or baseline.is_command):
        facts["updates"] = updates
    if variant.is_described and baseline.is_described:
        facts |= {"parameters": parameters, "multiply_adds": multiply_adds}
    return tuple(
        one for name, count in facts.items() for one in value_apart(name, count(variant), count(baseline))
    )


def held_fixed(variant: Arm, baseline: Arm) -> tuple[Held, ...]:
    """The main settings the two arms share, to be said beside an answer.

    `network` is there only if the whole network is shared, otherwise what is shared of it;
    `optimizer` if all but its learning rate is, `data` if all but its augmentation is.
    """
    differing = [one.path for one in differences(variant, baseline)]
    settings = baseline.settings
    values: dict[str, Setting] = {
        "data": f"{settings.data.facts.name}, {settings.data.split} split"
        + (f", {settings.data.train} images to train on" if settings.data.train else ""),
        "network": _described_network(baseline),
        "optimizer": settings.optimizer.name,
        "optimizer.learning_rate": describe(settings.optimizer.learning_rate),
        "batch_size": settings.batch_size,
        "epochs": settings.epochs,
        "precision": settings.precision,
    }
    if settings.data.augment.moves:
        values["data.augment"] = describe(settings.data.augment)
    stopping = settings.early_stopping
    values = {
        path: value for path, value in values.items() if _taken(path, variant) and _taken(path, baseline)
    }
    return (
        *held_by_programs(variant, baseline, differing),
        *(_held_of_network(variant, baseline, differing) if _touched("network", differing) else ()),
        *(
            Held(path=path, value=values[path])
            for path in _MAIN_FACTORS
            if path in values and not _touched(path, differing)
        ),
        *(
            (Held(path="early_stopping", value=describe(stopping)),)
            if stopping is not None and not _touched("early_stopping", differing)
            else ()
        ),
    )


def _described_network(arm: Arm) -> Setting:
    network = arm.settings.network
    if network.python is None:
        return describe(network.mlp or _layers(arm))
    given = ", ".join(f"{name} {value}" for name, value in network.arguments.flat().items())
    return f"{identity_of(network.python)}({given})"


def _taken(path: str, arm: Arm) -> bool:
    """Whether the arm is trained by this setting; a command takes only what it mentions."""
    if not arm.is_command:
        return True
    names = placeholders(arm.settings.command or "")
    if path.partition(".")[0] == "data":
        return arm.has_data
    others = [name for name in names if not (path in _APART and _below(name, _APART[path]))]
    return "settings" in names or any(_below(name, path) or _below(path, name) for name in others)


def _held_of_network(variant: Arm, baseline: Arm, differing: list[str]) -> Iterator[Held]:
    """What two networks that differ still share, where they can be told apart setting by setting."""
    mlp = baseline.settings.network.mlp
    if variant.settings.network.python and baseline.settings.network.python:
        yield from held_of_factory(variant, baseline, differing)
        return
    changed = [
        path.removeprefix("network.layers.") for path in differing if path.startswith("network.layers.")
    ]
    if mlp is not None and variant.settings.network.mlp is not None:
        for field in type(mlp).model_fields:
            if f"network.mlp.{field}" not in differing:
                yield Held(path=f"network.mlp.{field}", value=describe(getattr(mlp, field)))
    elif changed:
        yield Held(path="network.layers", value=f"all but {', '.join(changed)}")


def _model(path: str, variant: BaseModel | None, baseline: BaseModel | None) -> Iterator[Difference]:
    """Field by field if the two are of one kind, else as a whole."""
    if variant is None or baseline is None or type(variant) is not type(baseline):
        yield from value_apart(path, variant, baseline)
        return
    for field in type(variant).model_fields:
        yield from value_apart(f"{path}.{field}", getattr(variant, field), getattr(baseline, field))


def _data(variant: ArmSettings, baseline: ArmSettings) -> Iterator[Difference]:
    mine, yours = variant.data, baseline.data
    for field in type(mine).model_fields:
        if field == "augment":
            yield from _model("data.augment", mine.augment, yours.augment)
        elif field != "train":
            yield from value_apart(f"data.{field}", getattr(mine, field), getattr(yours, field))
        elif mine.train != yours.train:
            yield from value_apart("data.train", mine.train_count, yours.train_count)


def _batch_size(variant: ArmSettings, baseline: ArmSettings) -> Iterator[Difference]:
    if variant.batch_size != baseline.batch_size:
        mine, yours = (min(one.batch_size, one.data.train_count) for one in (variant, baseline))
        yield from value_apart("batch_size", mine, yours)


def _network(variant: Arm, baseline: Arm) -> Iterator[Difference]:
    if variant.settings.network.python is not None or baseline.settings.network.python is not None:
        yield from factory_apart(variant, baseline)
        return
    if _layers(variant) == _layers(baseline):
        return
    mine, yours = variant.settings.network.mlp, baseline.settings.network.mlp
    if mine and yours:
        yield from _model("network.mlp", mine, yours)
        return
    hidden = _layers(variant), _layers(baseline)
    if [layer.kind for layer in hidden[0]] != [layer.kind for layer in hidden[1]]:
        yield from value_apart("network.layers", *hidden)
        return
    for position, (one, other) in enumerate(zip(*hidden, strict=True)):
        name = one.name if one.name == other.name else position
        yield from _model(f"network.layers.{name}", one, other)


def _layers(arm: Arm) -> Network:
    """The hidden layers as written, whoever trains them."""
    settings = arm.settings
    return named(settings.network.hidden(), classes=settings.data.facts.classes)[:-1]


def _optimizer(variant: AnyOptimizer, baseline: AnyOptimizer) -> Iterator[Difference]:
    """All fields both have, and those of one alone where they depart from its defaults."""
    yield from value_apart("optimizer.name", variant.name, baseline.name)
    for field in _OPTIMIZER_FIELDS:
        path = f"optimizer.{field}"
        if field == "learning_rate":
            yield from _learning_rate(path, variant.learning_rate, baseline.learning_rate)
        elif field != "name":
            mine, yours = (getattr(one, field, None) for one in (variant, baseline))
            own = [one for one in (variant, baseline) if field in type(one).model_fields]
            if len(own) == 2 or any(
                getattr(one, field) != type(one).model_fields[field].default for one in own
            ):
                yield from value_apart(path, mine, yours)


def _learning_rate(path: str, variant: float | Schedule, baseline: float | Schedule) -> Iterator[Difference]:
    if isinstance(variant, BaseModel) and isinstance(baseline, BaseModel) and variant.kind == baseline.kind:
        yield from _model(f"{path}.{variant.kind}", variant, baseline)
    else:
        yield from value_apart(path, variant, baseline)


def _spellings(factor: str, *arms: Arm) -> frozenset[str]:
    """The factor with its layer by name and by position: both reach the same layer in a file."""
    parts = factor.split(".")
    spellings = {factor}
    if parts[:2] == ["network", "layers"] and len(parts) > 2:
        for arm in arms:
            names = [layer.name or "" for layer in _layers(arm)]
            if parts[2] in names:
                tokens = parts[2], str(names.index(parts[2]))
            elif parts[2].isdecimal() and int(parts[2]) < len(names):
                tokens = parts[2], names[int(parts[2])]
            else:
                continue
            spellings.update(".".join([*parts[:2], token, *parts[3:]]) for token in tokens)
    return frozenset(spellings)


def _below(path: str, factor: str) -> bool:
    return path == factor or path.startswith(f"{factor}.")


def _touched(path: str, differing: list[str]) -> bool:
    """Whether a difference lies in this setting, but not in the part of it that is one of its own."""
    apart = _APART.get(path)
    return any(_below(one, path) and not (apart and _below(one, apart)) for one in differing)
