"""Models in and out, for programs: export a trained network, import a Keras model as an arm."""

from __future__ import annotations

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
            study, arm, str(seed), opened, executor=executor if retrain else None, on_event=on_event
        )
        return exporting.export(
            study, chosen, format=format, out=None if out is None else Path(out), on_step=on_step
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
