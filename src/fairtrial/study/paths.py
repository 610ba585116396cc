"""The dotted paths of settings: what a factor may name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from pydantic import BaseModel

from fairtrial.study.augment import Augment
from fairtrial.study.merge import OPTIMIZERS, SCHEDULES
from fairtrial.study.schema import Arm, ArmSettings, DataSettings, Mlp
from fairtrial.study.training import EarlyStopping


@cache
def setting_paths() -> frozenset[str]:
    """Every setting of an arm, its groups included, without the layers of any one network.

    >>> {"network.mlp.width", "optimizer", "optimizer.learning_rate"} <= setting_paths()
    True
    """
    below: dict[str, tuple[type[BaseModel], ...]] = {
        "data": (DataSettings,),
        "data.augment": (Augment,),
        "network.mlp": (Mlp,),
        "optimizer": tuple(OPTIMIZERS.values()),
        "early_stopping": (EarlyStopping,),
        **{f"optimizer.learning_rate.{kind}": (model,) for kind, model in SCHEDULES.items()},
    }
    fields = {
        f"{path}.{name}" for path, models in below.items() for model in models for name in model.model_fields
    }
    networks = ("network.layers", "network.python", "network.arguments")
    return frozenset({*ArmSettings.model_fields, *networks, *below, *fields})


def elsewhere(path: str, known: Iterable[str] | None = None) -> str:
    """The end of a message that names the whole path of a setting named by its last part alone, or nothing.

    >>> elsewhere("width"), elsewhere("momentum"), elsewhere("breadth")
    ("; did you mean 'network.mlp.width'?", "; did you mean 'optimizer.momentum'?", '')
    """
    paths = setting_paths() if known is None else known
    found = sorted((one for one in paths if one.endswith(f".{path}")), key=lambda one: (len(one), one))
    return f"; did you mean {found[0]!r}?" if found else ""


def layer_paths(arm: Arm) -> Iterator[str]:
    """Each layer and its settings, by name and by position, and values of the user's own; the output layer is no setting."""
    for group, own in (
        ("parameters", arm.settings.parameters),
        ("network.arguments", arm.settings.network.arguments),
    ):
        for path in own.flat():
            parts = path.split(".")
            yield from (".".join([group, *parts[:count]]) for count in range(1, len(parts) + 1))
    for place, layer in enumerate(arm.network[:-1]):
        for reference in (layer.name, place):
            yield f"network.layers.{reference}"
            for field in type(layer).model_fields:
                yield f"network.layers.{reference}.{field}"
