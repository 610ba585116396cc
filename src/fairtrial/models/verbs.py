"""Models in and out, for programs: export a trained network, ask one about pictures, import a Keras model as an arm."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairtrial.api import open_to_read, store_path
from fairtrial.errors import FairtrialError
from fairtrial.models.naming import FORMATS
from fairtrial.study.schema import Study
from fairtrial.study.studyfile import load

if TYPE_CHECKING:
    from fairtrial.models.exporting import Exported
    from fairtrial.models.importing.imported import Imported
    from fairtrial.models.predicted import Predictions
    from fairtrial.models.predicting import Wanted
    from fairtrial.models.preparing.paper import Invert
    from fairtrial.models.reading import Opened
    from fairtrial.trial import Event


def export(
    study: Study | str | Path,
    arm: str,
    *,
    format: str,
    seed: str | int = "best",
    out: str | Path | None = None,
    retrain: bool = False,
    store: str | Path | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write a trained network of `arm` as a file of another program, which then runs it on the test images.

    `seed` is a number, `best` by validation, or `ensemble`. With `retrain`, what has no weights kept is trained again.
    Raises FairtrialError where there is nothing to export, and CheckFailed, leaving no file, where it predicts otherwise.
    """
    from fairtrial.executors.local import LocalExecutor
    from fairtrial.models import exporting
    from fairtrial.models.choosing import choose

    if format not in FORMATS:
        raise FairtrialError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    study = load(study)
    with ExitStack() as stack:
        opened = stack.enter_context(open_to_read(store_path(store)))
        made: list[LocalExecutor] = []

        def executor() -> LocalExecutor:
            if not made:
                made.append(stack.enter_context(LocalExecutor(workers=1)))
            return made[0]

        chosen = choose(
            study,
            arm,
            str(seed),
            opened,
            place=store_path(store),
            executor=executor if retrain else None,
            on_event=on_event,
        )
        return exporting.export(
            study, chosen, format=format, out=None if out is None else Path(out), on_step=on_step
        )


def predict(
    model: str | Path,
    pictures: Sequence[str | Path],
    *,
    prepare: Wanted = "auto",
    invert: Invert = "auto",
    save_inputs: str | Path | None = None,
    seed: str | int = "best",
    sets: Sequence[str] = (),
    store: str | Path | None = None,
) -> Predictions:
    """What a model says of pictures: files, or folders of them.

    `model` is a file that `export` wrote, or `STUDY:ARM` for what a store keeps, with `seed` as for `export`. A picture that
    cannot be read is told of in the result. Raises FairtrialError for a model that cannot be used.
    """
    from fairtrial.models import predicting

    return predicting.predict(
        opened_model(model, seed=seed, sets=sets, store=store),
        [Path(one) for one in pictures],
        model=str(model),
        prepare=prepare,
        invert=invert,
        save_inputs=None if save_inputs is None else Path(save_inputs),
    )


def opened_model(
    model: str | Path, *, seed: str | int = "best", sets: Sequence[str] = (), store: str | Path | None = None
) -> Opened:
    """The file, or the arm of a study. Raises FairtrialError, saying what could have been meant."""
    from fairtrial.models.reading import READABLE, open_file

    path, (named, colon, arm) = Path(model), str(model).rpartition(":")
    is_file = path.suffix.lower() in (*READABLE, ".pt", ".ts") or path.exists()
    if is_file and path.suffix.lower() not in (".yaml", ".yml"):
        if seed != "best" or sets or (store is not None and not os.environ.get("FAIRTRIAL_STORE")):
            raise FairtrialError(
                f"{model} is a file and holds the networks it holds: --seed, --set and --store are for STUDY:ARM"
            )
        return open_file(path)
    if not colon or not named or not arm:
        raise FairtrialError(_neither(str(model)))
    from fairtrial.models.choosing import choose
    from fairtrial.models.exporting import model_of
    from fairtrial.models.reading import of_weights

    study = load(named, sets=tuple(sets))
    with open_to_read(store_path(store)) as opened:
        chosen = choose(study, arm, str(seed), opened, place=store_path(store), executor=None)
    network, card = model_of(study, chosen, layout="NHWC")
    return of_weights(card, network)


def _neither(model: str) -> str:
    from fairtrial.study.studyfile import builtin_names

    meant = model[:80]
    if meant in builtin_names() or meant.lower().endswith((".yaml", ".yml")):
        study = load(meant)
        arms = ", ".join(f"{meant}:{one}" for one in list(study.arms)[:4])
        return f"{meant} is a study; say which arm's network: {arms}{', …' if len(study.arms) > 4 else ''}"
    return (
        f"{meant!r} is neither a file that `fairtrial export` wrote (.onnx, .keras, .safetensors, .pt2) nor STUDY:ARM; "
        "there is no such file"
    )


def import_keras(
    model: Any,
    *,
    arm: str | None = None,
    data: str | Path | None = None,
    sets: Sequence[str] = (),
    write: str | Path | None = None,
) -> Imported:
    """An arm of the layers of a Keras model and how it was compiled, not of its weights, in a study of its own.

    `model` is a `.keras` file, a `.json` file of `model.to_json()`, `FILE.py:build`, or a Keras model itself. `write`
    names a file to write the study to; one that is there gets the arm added. Raises StudyError with everything that
    cannot be taken, each with its place in the model and a reason.
    """
    from fairtrial.models.importing.bringing import brought

    return brought(model, arm=arm, data=data, sets=tuple(sets), write=None if write is None else Path(write))
