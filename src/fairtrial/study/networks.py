"""A network as an arm gives it: a shorthand, a list of layers, or code of the user's own."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from fairtrial.study.factories import FactoryName
from fairtrial.study.layers import ActivationName, Dense, FileLayer, Flatten, Network, Size
from fairtrial.study.limits import Frozen, refusal
from fairtrial.study.own import Own, OwnValues


class Mlp(Frozen):
    """`depth` hidden layers of `width` units: shorthand for flatten and that many dense layers."""

    width: Size = 50
    depth: Annotated[int, Field(ge=0, le=1000, strict=True)] = 2
    activation: ActivationName = "relu"

    def layers(self) -> Network:
        dense = Dense(units=self.width, activation=self.activation)
        return (Flatten(), *[dense] * self.depth)


class NetworkSettings(Frozen):
    """`mlp` or `layers`, to which the output layer is added; or a torch module of the user's own, built by `python`."""

    mlp: Mlp | None = None
    layers: tuple[FileLayer, ...] | None = None
    python: FactoryName | None = None
    """`mymodel.py:build`: the function that makes the network of `arguments`."""
    arguments: OwnValues = Own()

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [name for name in ("mlp", "layers", "python") if getattr(self, name) is not None]
        if len(given) != 1:
            which = "not both" if len(given) == 2 else "one of both"
            wanted = "mlp or layers" if "python" not in given else "mlp, layers or python"
            raise refusal(f"takes {wanted}, {which}", "python", "layers", "mlp")
        if self.arguments and self.python is None:
            raise refusal("arguments are those of a network's own factory; give it as python", "arguments")
        return self

    def hidden(self) -> Network:
        if self.layers is not None:
            return self.layers
        return (self.mlp or Mlp()).layers()
