"""`predict`: pictures of any kind, prepared as a model's training images were, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairtrial.engine.exporting.batches import in_unit
from fairtrial.errors import FairtrialError
from fairtrial.images.pictures import Picture, read_any
from fairtrial.models.card import Card
from fairtrial.models.given import Given, given
from fairtrial.models.predicted import Prediction, Predictions, Unread
from fairtrial.models.preparing.paper import Invert
from fairtrial.models.preparing.prepared import LAYOUTS, Prepared, prepared
from fairtrial.models.reading import Opened
from fairtrial.report.files import folder, write_bytes
from fairtrial.report.png import picture as png

Wanted = Literal["auto", "mnist", "emnist", "resize"]
UNSURE = 0.6
"""An answer of less probability is said to be doubtful."""
_AT_ONCE = 64_000_000
"""Bytes of inputs that are handed to a model together."""


def predict(
    opened: Opened,
    places: Sequence[Path],
    *,
    model: str,
    prepare: Wanted = "auto",
    invert: Invert = "auto",
    save_inputs: Path | None = None,
) -> Predictions:
    """What the model says of each picture; those that cannot be read are among the results, with the reason.

    `prepare` as the model's card says unless told otherwise. Raises FairtrialError for what the model cannot be given.
    """
    card = opened.card
    preparation = card.prepare if prepare == "auto" else prepare
    if preparation in LAYOUTS and card.input_shape != (28, 28, 1):
        raise FairtrialError(
            f"--prepare {preparation} lays digits out in 28 x 28 grey pixels; {model} takes images of "
            f"{' x '.join(map(str, card.input_shape))}: leave it out, or say resize"
        )
    files, skipped = given(places, classes=card.classes)
    into = None if save_inputs is None else folder(save_inputs)
    names = _Names()
    made: list[Prediction | Unread] = []
    for batch in _batches(files, card, preparation, invert):
        ready = [one for one in batch if not isinstance(one, Unread)]
        said = _said(opened, [one.image for _, _, one in ready])
        answers = iter([_prediction(*one, *what, card=card) for one, what in zip(ready, said, strict=True)])
        for one in batch:
            if isinstance(one, Unread):
                made.append(one)
                continue
            answer = next(answers)
            if into is not None:
                place = into / names.of(one[0], places)
                answer = replace(answer, seen=str(write_bytes(place, png(one[2].image))))
            made.append(answer)
    return Predictions(
        model=model, card=card, preparation=preparation, pictures=tuple(made), skipped=tuple(skipped)
    )


_Ready = tuple[Given, Picture, Prepared]


def _batches(
    files: Sequence[Given], card: Card, preparation: str, invert: Invert
) -> Iterator[list[_Ready | Unread]]:
    """Pictures read and prepared, as many at once as memory allows."""
    each = max(1, _AT_ONCE // (4 * int(np.prod(card.input_shape))))
    for begin in range(0, len(files), each):
        yield [_ready(one, card, preparation, invert) for one in files[begin : begin + each]]


def _ready(one: Given, card: Card, preparation: str, invert: Invert) -> _Ready | Unread:
    if one.wrong:
        return Unread(picture=str(one.path), error=one.wrong)
    try:
        picture = read_any(one.path)
    except FairtrialError as error:
        return Unread(picture=str(one.path), error=str(error))
    height, width, channels = card.input_shape
    image = prepared(
        picture.pixels,
        preparation=preparation,
        shape=(height, width, channels),
        invert=invert,
        light_on_dark=card.light_on_dark,
        background=card.background,
    )
    if image.box is not None and picture.size != picture.pixels.shape[:2]:
        scale = max(picture.size) / max(picture.pixels.shape[:2])
        top, left, tall, wide = (round(side * scale) for side in image.box)
        image = replace(image, box=(top, left, tall, wide))
    return one, picture, image


_Said = tuple[NDArray[np.floating], NDArray[np.floating] | None]


def _said(opened: Opened, images: Sequence[NDArray[np.uint8]]) -> list[_Said]:
    """For each image the probabilities, and those of each member (classes, members) where there are several."""
    if not images:
        return []
    inputs = in_unit(np.stack(images))
    said = np.asarray(opened.predict(inputs), np.float64)
    members = None if opened.members is None else np.asarray(opened.members(inputs), np.float64)
    return [(one, None if members is None else members[place]) for place, one in enumerate(said)]


def _prediction(
    one: Given,
    picture: Picture,
    image: Prepared,
    said: NDArray[np.floating],
    members: NDArray[np.floating] | None,
    *,
    card: Card,
) -> Prediction:
    order = [] if image.blank else np.argsort(-said, kind="stable")
    ranked = tuple((card.classes[place], float(said[place])) for place in order)
    alone = (
        ()
        if members is None or image.blank
        else tuple(
            (seed, card.classes[int(column.argmax())], float(column.max()))
            for seed, column in zip(card.seeds, members.T, strict=True)
        )
    )
    unsure = (
        (f"unsure: the likeliest answer has a probability of {100 * ranked[0][1]:.0f} % only",)
        if ranked and ranked[0][1] < UNSURE
        else ()
    )
    return Prediction(
        picture=str(one.path),
        size=picture.size,
        ranked=ranked,
        inverted=image.inverted,
        box=image.box,
        done=(*picture.done, *image.done),
        warnings=(*image.doubts, *unsure),
        label=one.label,
        members=alone,
    )


class _Names:
    """Of files for what the network saw: after the picture and the folder it lay in, each once."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def of(self, one: Given, places: Sequence[Path]) -> str:
        above = next((place for place in places if place in one.path.parents), None)
        parts = one.path.relative_to(above).parts if above is not None else (one.path.name,)
        stem = "-".join(parts)[-120:]
        name, number = f"{stem}.seen.png", 1
        while name in self.taken:
            number += 1
            name = f"{stem}.{number}.seen.png"
        self.taken.add(name)
        return name
