"""The JSON Schema that editors complete a study file by."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from fairtrial.errors import StudyError
from fairtrial.study import studyfile
from fairtrial.study.jsonschema import text
from fairtrial.study.paths import setting_paths

COMMITTED = (resources.files("fairtrial.study") / "study.schema.json").read_text(encoding="utf-8")
SCHEMA = json.loads(COMMITTED)
EXAMPLE = Path(__file__).with_name("interface.yaml")


def complaints(document: object) -> list[str]:
    # Through JSON, as an editor would: the keys of YAML mappings are text.
    value: Any = json.loads(json.dumps(document))
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(value)]


def study(**arm: object) -> dict[str, object]:
    return {"schema": "fairtrial/1", "arms": {"a": arm}}


def read(content: str) -> Any:
    return YAML(typ="safe", pure=True).load(content)


def test_the_committed_schema_is_made_from_the_models():
    """`python -m fairtrial.study.jsonschema > src/fairtrial/study/study.schema.json` brings it up to date."""
    assert text() == COMMITTED


def test_the_schema_is_one():
    """An editor ignores a broken schema without a word."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", studyfile.builtin_names())
def test_the_built_in_studies_fit_the_schema(name):
    """They are what users copy from."""
    content = (studyfile.BUILTIN / f"{name}.yaml").read_text(encoding="utf-8")
    assert complaints(read(content)) == []


def test_the_example_of_the_interface_fits_the_schema():
    """It uses every part of the format."""
    assert complaints(read(EXAMPLE.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "arm",
    [
        {"network.layers.first.kernel": 5},
        {"network.layers.0": {"dropout": 0.5}},
        {"network": {"layers": ["flatten", "batch_norm", {"dense": 3}, {"activation": "relu"}]}},
        {"network": {"layers": {"first": {"kernel": [3, 5]}}}},
        {"network": {"mlp.width": 3}},
        {"optimizer": {"name": "sgd", "momentum": 0.9}},
        {"optimizer": {"learning_rate": {"step": {"initial": 0.1, "factor": 0.5}}}},
        {"optimizer.learning_rate.cosine.initial": 0.1},
        {"early_stopping": {"patience": 3}, "data.train": 1000},
        {"data.augment": "none"},
        {"data": {"augment": {"shift": 2, "rotate": 10.5, "zoom": 0.1}}},
        {"data": {"augment": None}},
        {"data.augment.rotate": 10},
        {"published": {"test_accuracy": 0.9}, "title": "x", "note": "y", "from": "b"},
    ],
)
def test_what_the_loader_takes_the_schema_takes(arm):
    """A red line under something right teaches people to ignore red lines."""
    assert complaints(study(**arm)) == []


@pytest.mark.parametrize(
    "arm",
    [
        {"epoch": 3},
        {"epochs": 0},
        {"epochs": "3"},
        {"network.mlp.widht": 3},
        {"network.mlp.activation": "rellu"},
        {"network": {"layers": [{"dense": {"activation": "relu"}}]}},
        {"network": {"layers": ["dense"]}},
        {"network": {"layers": [{"densee": 3}]}},
        {"optimizer": {"name": "adamm"}},
        {"network.layers.first.kernl": 5},
        {"data.augment": "yes"},
        {"data.augment.rotat": 10},
        {"data": {"augment": {"zoom": 1}}},
        {"published": {"test_accuracy": 97}},
    ],
)
def test_plain_mistakes_are_seen_while_typing(arm):
    """A schema that takes everything completes nothing."""
    assert complaints(study(**arm))


def test_an_editor_can_offer_every_dotted_setting():
    """Completion is how most find out what there is."""
    (arm, _) = SCHEMA["$defs"]["Arm"]["anyOf"]
    offered = set(arm["properties"])
    wanted = {path for path in setting_paths() if not path.endswith(".kind")}
    assert wanted <= offered


@pytest.mark.parametrize(("margin", "right"), [("0.1pp", True), (0.001, True), ("5%", False), (0, False)])
def test_margins_are_amounts_or_fractions(margin, right):
    """Two spellings, one meaning; a percent of an accuracy is neither."""
    assert (complaints({**study(), "margins": {"accuracy": margin}}) == []) is right


@pytest.mark.parametrize(
    "identifier", ["Q1", "3-layers", "Größe-1", "幅", "a.b+c_d", "my question", ".a", "a/b", ""]
)
def test_the_schema_allows_the_ids_that_loading_allows(identifier):
    """Regular expressions of editors do not agree on what a letter is, so that the two patterns are not the same."""
    questions = [{"id": identifier, "variant": "b", "baseline": "a"}]
    document = {"schema": "fairtrial/1", "arms": {"a": {}, "b": {"epochs": 2}}, "questions": questions}
    try:
        allowed = bool(studyfile.study_from_dict(document))
    except StudyError:
        allowed = False
    assert (complaints(document) == []) == allowed
