"""What an exported file says of itself: which trial it is, what it takes, what it gives."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from pydantic import TypeAdapter, ValidationError

from fairtrial.errors import FairtrialError, StudyError
from fairtrial.fitting import made
from fairtrial.images.facts import Background
from fairtrial.models.archives import parsed
from fairtrial.study.layers import AnyLayer, AveragePool, Conv, Network, Pool
from fairtrial.study.shapes import LayerFacts, layer_facts, pair

FORMAT = "fairtrial-model/1"
LARGEST_CARD = 2**20
MOST_NUMBERS = 50_000_000
"""Of an input image, and of what a layer holds or gives: a file that says more is not taken up."""
MOST_ALTOGETHER = 4 * MOST_NUMBERS
"""Of all layers of all members."""
MOST_WORK = 10**11
"""Multiply-adds, and comparisons of pools, for one image: half a minute."""
MOST_LAYERS = 1000
_NETWORK: TypeAdapter[Network] = TypeAdapter(tuple[AnyLayer, ...])
Prepare = Literal["mnist", "emnist", "resize"]
"""How pictures become images like those of training: drawn digits laid out as these data sets are, or scaled alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Accuracies are those the store keeps, in [0, 1]; of an ensemble their means over its members.

    `layout` is that of the images the file itself takes, as float32 in [0, 1]: bytes divided by 255.
    """

    format: str
    study: str
    arm: str
    seeds: tuple[int, ...]
    keys: tuple[str, ...]
    engine_version: int
    fairtrial: str
    precision: str
    dataset: str
    data_fingerprint: str
    input_shape: tuple[int, ...]
    layout: Literal["NHWC", "NCHW"]
    scale: str
    output: str
    classes: tuple[str, ...]
    prepare: Prepare
    parameters: int
    validation_accuracy: float
    test_accuracy: float
    network: tuple[object, ...]
    """The layers as their models dump them, output layer included."""
    light_on_dark: bool = False
    """What is shown is lighter than what is around it, in all images of training."""
    background: Background | None = None
    """What transparent images of training were laid on."""

    @property
    def layers(self) -> Network:
        return _NETWORK.validate_python(list(self.network))

    @property
    def members(self) -> list[str]:
        return [f"seed-{seed}" for seed in self.seeds]

    def text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), allow_nan=False)


def dumped(network: Network) -> tuple[object, ...]:
    return tuple(_NETWORK.dump_python(network, mode="json"))


def card_from(text: str | bytes | None, where: str) -> Card:
    """Raises FairtrialError where there is none, or it is none of ours."""
    if text is None:
        raise FairtrialError(
            f"{where}: it does not say how images must be prepared for it; only files that `fairtrial export` wrote can be opened here"
        )
    if len(text) > LARGEST_CARD:
        raise FairtrialError(f"{where}: what it says of itself is longer than {LARGEST_CARD} bytes")
    found = parsed(text, f"{where}: what it says of itself")
    try:
        if not isinstance(found, dict):
            raise TypeError("it is no mapping")
        fields = cast("dict[str, Any]", found)
        if fields.get("format") != FORMAT:
            raise TypeError(
                f"its format is {str(fields.get('format'))[:40]!r}, this fairtrial reads {FORMAT}"
            )
        lists = {key: tuple(cast("list[Any]", one)) for key, one in fields.items() if isinstance(one, list)}
        card = made(Card, **{**fields, **lists})
        _check(card)
    except (TypeError, ValidationError, ValueError, StudyError, OverflowError, RecursionError) as error:
        reason = _refused(error) if isinstance(error, ValidationError) else str(error).split("\n", 1)[0][:200]
        raise FairtrialError(f"{where}: what it says of itself cannot be read ({reason})") from None
    return card


def _check(card: Card) -> None:
    shape = card.input_shape
    if (
        len(shape) != 3
        or not all(0 < length <= 100_000 for length in shape)
        or math.prod(shape) > MOST_NUMBERS
    ):
        raise TypeError("its input is no image")
    if not 0 < len(set(card.seeds)) == len(card.seeds) == len(card.keys) <= 1000:
        raise TypeError("it names no trials, one of them twice, or more than 1000")
    if shape[2] not in (1, 3):
        raise TypeError("its images are neither grey nor coloured")
    if card.prepare != "resize" and tuple(shape) != (28, 28, 1):
        raise TypeError("its images cannot be laid out as those of MNIST")
    if len(card.network) > MOST_LAYERS:
        raise TypeError(f"its network has more than {MOST_LAYERS} layers")
    network = card.layers
    facts = layer_facts(network, input_shape=shape)
    if not facts or facts[-1].output_shape != (len(card.classes),):
        raise TypeError("its classes are not those of its output layer")
    _check_size(card, network, facts)
    names = [layer.name for layer in network]
    if None in names or len(set(names)) != len(names):
        raise TypeError("its layers have no names of their own")


def _check_size(card: Card, network: Network, facts: tuple[LayerFacts, ...]) -> None:
    """Nothing in a file that somebody made may take hours, or more memory than there is."""
    if card.parameters != sum(one.parameters for one in facts) * len(card.seeds):
        raise TypeError("its weights are not as many as its layers have")
    held, work = 0, 0
    taken = card.input_shape
    for layer, fact in zip(network, facts, strict=True):
        numbers = math.prod(fact.output_shape) + fact.parameters
        work += fact.multiply_adds
        if isinstance(layer, Conv | Pool | AveragePool):
            window = pair(layer.kernel if isinstance(layer, Conv) else layer.size)
            # As large as the image is with what is put around it.
            numbers += (taken[0] + window[0]) * (taken[1] + window[1]) * taken[2]
            work += 0 if isinstance(layer, Conv) else math.prod(fact.output_shape) * math.prod(window)
        if numbers > MOST_NUMBERS:
            raise TypeError("its network is too large")
        held += numbers
        taken = fact.output_shape
    if held * len(card.seeds) > MOST_ALTOGETHER or work * len(card.seeds) > MOST_WORK:
        raise TypeError("its network is too large")


def _refused(error: ValidationError) -> str:
    """The first thing about the layers that does not fit, by its place."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(one)[:40] for one in ("network", *first["loc"]))
    return f"{place[:100]} cannot be {str(first['input'])[:60]!r}"
