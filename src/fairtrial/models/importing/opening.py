"""A Keras model wherever it stands, as the JSON that Keras writes of it: `.keras`, `.json`, code that builds one, or the model.

Only code needs Keras, and is run in a process of its own: Keras takes its backend once and for all when it is first
imported, and what the code prints, changes or crashes there stays there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from fairtrial.bounded import read_bounded
from fairtrial.engine.exporting.apart import apart
from fairtrial.errors import FairtrialError
from fairtrial.models.archives import entry, parsed
from fairtrial.study.factories import FORM, parts_of

LARGEST = 4 * 2**20
"""Bytes of a model's description; those of real models have some thousands."""

FORMS = "MODEL.keras, a model.json that holds model.to_json(), or FILE.py:build, a function that returns the model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """`document` is what `model.to_json()` gives; `parameters` are counted by Keras, where it ran."""

    document: Mapping[str, Any]
    source: str
    stem: str
    keras: str
    parameters: int | None = None


def open_model(source: Any) -> Given:
    """Raises FairtrialError for what is no model, damaged, or larger than a description can be."""
    if hasattr(source, "to_json"):
        return _from_object(source)
    if not isinstance(source, str | Path):
        raise FairtrialError(f"a Keras model is given as {FORMS}, or itself; got {type(source).__name__}")
    text = str(source)
    found = FORM.fullmatch(text)
    if found is not None and found["place"].endswith(".py"):
        return _from_code(text)
    path = Path(text)
    suffix = path.suffix.lower()
    if suffix not in (".keras", ".json"):
        raise FairtrialError(f"{text}: {_other(path, suffix)}")
    if suffix == ".json":
        document = parsed(_bytes(path), text)
        return _given(document, text, path.stem, "")
    if path.is_dir():
        raise FairtrialError(f"{text}: it is a folder; a .keras file is a file")
    _bytes(path, begin=True)
    content = entry(path, "config.json", largest=LARGEST)
    if content is None:
        raise FairtrialError(f"{text}: there is no config.json in it, which every .keras file holds")
    about = entry(path, "metadata.json", largest=LARGEST)
    known = parsed(about, f"{text}: its metadata.json") if about is not None else {}
    version = cast("dict[str, Any]", known).get("keras_version") if isinstance(known, dict) else None
    return _given(
        parsed(content, f"{text}: its config.json"),
        text,
        path.stem,
        version if isinstance(version, str) else "",
    )


def _bytes(path: Path, *, begin: bool = False) -> bytes:
    try:
        if begin:
            if not path.is_file():
                read_bounded(path, largest=0)
            return b""
        return read_bounded(path, largest=LARGEST)
    except FileNotFoundError:
        raise FairtrialError(f"{path}: there is no such file") from None
    except OSError as error:
        raise FairtrialError(f"{path}: {error.strerror}") from None


def _other(path: Path, suffix: str) -> str:
    if suffix in (".h5", ".hdf5"):
        return "a file of older Keras; load it there and write it anew, model.save('model.keras')"
    if path.is_dir():
        return "a folder, perhaps a SavedModel; write the model as a file, model.save('model.keras')"
    if suffix == ".py":
        return f"name the function in it that returns the model, such as {path.name}:build"
    return f"a Keras model is given as {FORMS}"


def _given(document: Any, source: str, stem: str, version: str, parameters: int | None = None) -> Given:
    if not isinstance(document, dict):
        raise FairtrialError(
            f"{source}: it is no model that Keras wrote, which is a mapping with class_name and config"
        )
    fields = cast("dict[str, Any]", document)
    told = version or fields.get("keras_version")
    return Given(
        document=fields,
        source=source,
        stem=stem,
        keras=told[:20] if isinstance(told, str) else "",
        parameters=parameters,
    )


def _from_object(model: Any) -> Given:
    """A model at hand is asked for its JSON by its own Keras."""
    try:
        text = model.to_json()
    except Exception as error:  # noqa: BLE001 - whatever a model of the user's own stumbles over
        raise FairtrialError(
            f"the model cannot say what it is: {type(error).__name__}: {str(error)[:200]}"
        ) from None
    if not isinstance(text, str):
        raise FairtrialError("the model's to_json() gives no text")
    name = getattr(model, "name", None)
    return _given(parsed(text, "the model"), "the model", name if isinstance(name, str) else "model", "")


def _from_code(text: str) -> Given:
    place, function = parts_of(text)
    path = Path(place)
    if not path.is_file():
        raise FairtrialError(f"{text}: there is no file {place}")
    if find_spec("keras") is None:
        raise FairtrialError(
            f'{text}: running it needs Keras, which is not installed here: pip install "fairtrial[keras]". A .keras file '
            "or model.to_json() is read without it"
        )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.json"
        apart("fairtrial.models.importing.building", [str(path.absolute()), function, str(out)], what=text)
        about = parsed(_bytes(out), text)
    stem = path.stem if function in ("build", "model", "build_model", "make_model", "main") else function
    if not isinstance(about, dict) or not isinstance(about.get("model"), str):
        raise FairtrialError(f"{text}: nothing came of it")
    count = about.get("parameters")
    return _given(
        parsed(about["model"], text),
        text,
        stem,
        str(about.get("keras")),
        count if isinstance(count, int) and not isinstance(count, bool) else None,
    )
