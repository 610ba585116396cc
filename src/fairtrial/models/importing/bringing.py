"""`import keras`, from what was named to a study: new, or one that is there with an arm more."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairtrial.errors import FairtrialError, StudyError
from fairtrial.models.importing.adding import added
from fairtrial.models.importing.imported import WEIGHTS, Imported, body_of, check_count
from fairtrial.models.importing.opening import Given, open_model
from fairtrial.models.importing.writing import study_lines
from fairtrial.study import studyfile
from fairtrial.study.schema import SCHEMA, Study
from fairtrial.study.shapes import parameters
from fairtrial.study.spelling import head, spelled
from fairtrial.study.studytext import write_new

_ITS_OWN = ("network", "optimizer", "arms", "questions", "search", "command")
_HEAD = ("seeds", "confidence", "margins")


def brought(
    model: Any, *, arm: str | None, data: str | Path | None, sets: tuple[str, ...], write: Path | None
) -> Imported:
    there = write is not None and write.exists()
    if there and (data is not None or sets):
        raise FairtrialError(
            f"{write} is there already, and says itself which data and settings its arms have; leave out --data and --set"
        )
    given = open_model(model)
    name = arm if arm is not None else _name(given)
    if there:
        assert write is not None
        return _into(write, given, name)
    made = _new(given, name, data, sets)
    if write is not None:
        write_new(write, made.text)
        return replace(made, written=write, study=studyfile.load(write))
    return made


def _name(given: Given) -> str:
    """What an arm can be called that comes from a file of that name."""
    name = re.sub(r"[^\w.+-]+", "-", given.stem).strip("-.")[:80]
    return name if name and name != "base" else "imported"


def _says(given: Given) -> str:
    by = f", written by Keras {given.keras}" if given.keras else ""
    return f"{given.source}{by}"


def _new(given: Given, name: str, data: str | Path | None, sets: tuple[str, ...]) -> Imported:
    for one in sets:
        first = one.strip().removeprefix("base.").partition("=")[0].split(".")[0]
        if first in _ITS_OWN:
            raise StudyError(
                f"--set {one[:60]}: the model itself says its {first}; change it in the study file afterwards"
            )
    plain: dict[str, Any] = {
        "schema": SCHEMA, "name": "imported", "data": {"dataset": str(data or "mnist")}, "arms": {"plain": {}},
    }  # fmt: skip
    whole = studyfile.study_from_dict(plain, sets=sets)
    start = whole.arms["plain"]
    body, notes = body_of(given, start)
    settings = {key: one for key, one in spelled(start.settings).items() if key not in _ITS_OWN}
    dataset = settings.pop("data", {"dataset": "mnist"})
    base = {"batch_size": start.settings.batch_size, "epochs": start.settings.epochs} | settings
    for own in ("batch_size", "epochs", "precision"):
        if own in body:
            base[own] = body.pop(own)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": name,
        "data": dataset,
        "base": base,
        **(head(whole) if any(one.strip().split(".")[0].partition("=")[0] in _HEAD for one in sets) else {}),
        "arms": {name: body},
    }
    study = studyfile.study_from_dict(document)
    _check_name(name, study)
    check_count(given, study.arms[name])
    notes = (
        *notes,
        "batch size, epochs and data are not in a Keras model, nor how its images were prepared; those below are what they are "
        "unless set, and an arm takes images as bytes divided by 255",
    )
    opening = f"An arm made by `fairtrial import keras` of {_says(given)}: its layers and how it was compiled. {WEIGHTS}"
    return Imported(
        source=given.source,
        study=study,
        arm=name,
        notes=notes,
        parameters=parameters(study.arms[name]),
        text=study_lines(document, arm=name, opening=opening, notes=notes),
    )


def _check_name(name: str, study: Study) -> None:
    if name not in study.arms:
        raise FairtrialError(f"an arm cannot be called {name[:80]!r}")


def _into(path: Path, given: Given, name: str) -> Imported:
    path = path.resolve() if path.is_symlink() else path
    before = studyfile.load(path)
    if name in before.arms:
        raise FairtrialError(
            f"{path} has an arm {name!r} already and is left as it is; call this one otherwise with --arm"
        )
    start = next(iter(studyfile.load_base(path).arms.values()))
    body, notes = body_of(given, start)
    study, text = added(path, before, name, body, says=f"Imported from {_says(given)}. {WEIGHTS}")
    return Imported(
        source=given.source,
        study=study,
        arm=name,
        notes=notes,
        parameters=parameters(study.arms[name]),
        text=text,
        written=path,
        added=True,
    )
