"""The layer vocabulary: what a network is made of, with Keras's names and defaults.

A layer here is a description and nothing more; `shapes.py` computes what follows from it and
`engine/network.py` builds it. In a study file a layer is `flatten`, `pool: 2` or
`dense: {units: 100, activation: relu}`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

ActivationName = Literal[
    "relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu", "leaky_relu", "softplus", "linear"
]
Initializer = Literal[
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"
]
Size = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Window = Size | tuple[Size, Size]
LayerName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]


class Layer(BaseModel):
    """One layer. `name` seeds its own random stream, so equal names start alike in two arms."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    shorthand: ClassVar[str | None] = None
    keras_class: ClassVar[str]

    name: LayerName | None = None


def _square(window: object) -> object:
    """`[3, 3]` and `3` are one kernel and must give one key."""
    if not isinstance(window, (list, tuple)):
        return window
    pair = tuple(cast("tuple[object, ...]", window))
    return pair[0] if len(pair) == 2 and pair[0] == pair[1] else pair


class Dense(Layer):
    """Fully connected: `units` outputs, then the activation. Acts on flat inputs only."""

    shorthand: ClassVar[str | None] = "units"
    keras_class: ClassVar[str] = "Dense"
    kind: Literal["dense"] = "dense"
    units: Size
    activation: ActivationName = "linear"
    initializer: Initializer = "glorot_uniform"
    bias: Annotated[bool, Field(strict=True)] = True


class Conv(Layer):
    """Two-dimensional convolution over height and width; `kernel` and `stride` in pixels."""

    keras_class: ClassVar[str] = "Conv2D"
    kind: Literal["conv"] = "conv"
    filters: Size
    kernel: Window = 3
    stride: Window = 1
    padding: Literal["valid", "same"] = "valid"
    activation: ActivationName = "linear"
    initializer: Initializer = "glorot_uniform"
    bias: Annotated[bool, Field(strict=True)] = True

    _squares = field_validator("kernel", "stride", mode="before")(_square)


class Pool(Layer):
    """Largest value of each window. `stride` is the window's size unless given."""

    shorthand: ClassVar[str | None] = "size"
    keras_class: ClassVar[str] = "MaxPooling2D"
    kind: Literal["pool"] = "pool"
    size: Window = 2
    stride: Window | None = None
    padding: Literal["valid", "same"] = "valid"

    _squares = field_validator("size", "stride", mode="before")(_square)


class AveragePool(Layer):
    """Mean of each window. `stride` is the window's size unless given."""

    shorthand: ClassVar[str | None] = "size"
    keras_class: ClassVar[str] = "AveragePooling2D"
    kind: Literal["average_pool"] = "average_pool"
    size: Window = 2
    stride: Window | None = None
    padding: Literal["valid", "same"] = "valid"

    _squares = field_validator("size", "stride", mode="before")(_square)


class GlobalAveragePool(Layer):
    """Mean over height and width: one number per channel."""

    keras_class: ClassVar[str] = "GlobalAveragePooling2D"
    kind: Literal["global_average_pool"] = "global_average_pool"


class Flatten(Layer):
    """An image as one row, in the order height, width, channel (as in Keras)."""

    keras_class: ClassVar[str] = "Flatten"
    kind: Literal["flatten"] = "flatten"


class Dropout(Layer):
    """Each input set to zero with probability `rate` while training, the rest scaled up."""

    shorthand: ClassVar[str | None] = "rate"
    keras_class: ClassVar[str] = "Dropout"
    kind: Literal["dropout"] = "dropout"
    rate: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False, strict=True)]


class BatchNorm(Layer):
    """Batch normalisation per channel; Keras's momentum (share of the old value kept) and epsilon."""

    keras_class: ClassVar[str] = "BatchNormalization"
    kind: Literal["batch_norm"] = "batch_norm"
    momentum: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False, strict=True)] = 0.99
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)] = 1e-3


class Activation(Layer):
    """An activation as a layer of its own, for example after `batch_norm`."""

    shorthand: ClassVar[str | None] = "function"
    keras_class: ClassVar[str] = "Activation"
    kind: Literal["activation"] = "activation"
    function: ActivationName


LAYERS: dict[str, type[Layer]] = {
    "dense": Dense,
    "conv": Conv,
    "pool": Pool,
    "average_pool": AveragePool,
    "global_average_pool": GlobalAveragePool,
    "flatten": Flatten,
    "dropout": Dropout,
    "batch_norm": BatchNorm,
    "activation": Activation,
}


def from_file(entry: object) -> object:
    """A layer as a study file writes it, as the tagged mapping that the models validate.

    >>> from_file("flatten"), from_file({"pool": 2}), from_file({"dense": {"units": 9}})
    ({'kind': 'flatten'}, {'kind': 'pool', 'size': 2}, {'kind': 'dense', 'units': 9})
    """
    if isinstance(entry, str):
        return {"kind": entry}
    if not isinstance(entry, dict):
        return entry
    mapping = cast("dict[object, Any]", entry)
    if len(mapping) != 1 or "kind" in mapping:
        return mapping
    (kind, body), *_ = mapping.items()
    if body is None:
        body = {}
    if not isinstance(body, dict):
        shorthand = LAYERS[kind].shorthand if isinstance(kind, str) and kind in LAYERS else None
        if shorthand is None:
            return mapping
        body = {shorthand: body}
    return {"kind": kind, **cast("dict[str, Any]", body)}


AnyLayer = Annotated[
    Dense | Conv | Pool | AveragePool | GlobalAveragePool | Flatten | Dropout | BatchNorm | Activation,
    Field(discriminator="kind"),
]
FileLayer = Annotated[AnyLayer, BeforeValidator(from_file)]
Network = tuple[AnyLayer, ...]

OUTPUT = "output"


def named(layers: Network, *, classes: int) -> Network:
    """The layers with the output layer added and every name filled in.

    A layer without a name of its own is called after its kind and its place among its kind
    (`dense-1`, `dense-2`), the output layer `output`: the names of the random streams, so that
    the layers two arms share start from the same weights.
    """
    counts: dict[str, int] = {}
    complete: list[AnyLayer] = []
    for layer in layers:
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
        name = layer.name or f"{layer.kind}-{counts[layer.kind]}"
        complete.append(layer.model_copy(update={"name": name}))
    return (*complete, Dense(units=classes, name=OUTPUT))
