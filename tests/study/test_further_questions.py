"""Questions that rest on others, as files declare them: what they may hold, what is wrong with one, what arms depart in."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import fairtrial as ft
from fairtrial.errors import StudyError
from fairtrial.study import studyfile
from fairtrial.study.candidates import candidate
from fairtrial.study.check import findings
from fairtrial.study.departing import builds_on, clash, departures
from fairtrial.study.factors import differences
from fairtrial.study.schema import Combining, Question, Retuning, Study

SCHEMA = json.loads((resources.files("fairtrial.study") / "study.schema.json").read_text(encoding="utf-8"))
HEAD = """\
schema: fairtrial/1
arms:
  plain: {}
  wide: {network.mlp.width: 200}
  wider: {network.mlp.width: 400}
  deep: {network.mlp.depth: 4}
  small-batch: {batch_size: 10}
  fast: {optimizer.learning_rate: 0.01}
  leaking: {data.split: reshuffled}
  cnn: {network: {layers: [{conv: {name: first, filters: 8}}, pool: 2, flatten]}}
  cnn-5: {from: cnn, network.layers.first.kernel: 5}
questions:
- {id: W, variant: wide, baseline: plain}
- {id: D, variant: deep, baseline: plain}
- {id: DW, variant: deep, baseline: wide}
- {id: L, variant: leaking, baseline: plain}
- {id: K, variant: cnn-5, baseline: cnn}
- {id: T, variant: wide, baseline: plain, metrics: [time]}
"""
LINE = HEAD.count("\n") + 1
RATE = "optimizer.learning_rate"


def of(*asked: str) -> str:
    return HEAD + "".join(f"- {one}\n" for one in asked)


def retuning(retune: str, more: str = "") -> str:
    return of(f"{{id: R, variant: wide, baseline: plain, retune: {retune}{more}}}")


MISTAKES = {
    "retune a list": (retuning("[0.1, 0.2]"), "retune: must be a mapping from settings to the values to try"),
    "retune nothing": (retuning("{}"), "retune: must be a mapping from settings to the values to try"),
    "one value": (retuning(f"{{{RATE}: [0.1]}}"), "optimizer.learning_rate must be a list of 2 to 20 values"),
    "no list of values": (retuning(f"{{{RATE}: 0.1}}"), "must be a list of 2 to 20 values to try"),
    "a value twice": (retuning(f"{{{RATE}: [0.1, 0.2, 0.1]}}"), "optimizer.learning_rate names a value twice"),
    "values that are one": (retuning("{batch_size: [54000, 60000]}"), "batch_size 60000 gives wide no other settings"),
    "too many combinations": (
        retuning(f"{{{RATE}: {[n / 100 for n in range(1, 12)]}, batch_size: {list(range(1, 12))}}}"),
        "121 combinations of values for each arm; at most 100 are tried",
    ),
    "value that makes no arm": (
        retuning(f"{{{RATE}: [0.001, -0.1]}}"),
        "question 'R': retune: optimizer.learning_rate must be greater than 0, got -0.1",
    ),
    "unknown setting": (retuning("{optimizer.learning_rat: [0.1, 0.2]}"), "did you mean 'learning_rate'?"),
    "setting of another network": (retuning("{network.layers.0.units: [3, 4]}"), "does not apply"),
    "images judged on": (retuning("{data.split: [fixed, reshuffled]}"), "data.split changes the images that arms are judged on"),
    "what the question is about": (
        retuning("{network.mlp.width: [30, 60]}"),
        "it sets all that wide and plain differ in, which is what the question is about",
    ),
    "time alone": (retuning(f"{{{RATE}: [0.1, 0.2]}}", ", metrics: [time]"), "the question asks about time alone"),
    "no seeds": (retuning(f"{{{RATE}: [0.1, 0.2]}}", ", retune_seeds: 0"), "questions.R.retune_seeds must be at least 1, got 0"),
    "misspelt": (of("{id: R, variant: wide, baseline: plain, retuned: {}}"), "did you mean 'retune'?"),
    "retune and combine": (of("{id: C, combine: [W, D], retune: {epochs: [1, 2]}}"), "combine and retune do not go together"),
    "combine with a variant": (of("{id: C, combine: [W, D], variant: wide}"), "combine makes the variant itself; leave variant out"),
    "combine one": (of("{id: C, combine: [W]}"), "combine must name at least two questions"),
    "combine twice the same": (of("{id: C, combine: [W, D, W]}"), "combine names W twice"),
    "combine a text": (of("{id: C, combine: W}"), "questions.C.combine must be a list"),
    "unknown question": (of("{id: C, combine: [W, E]}"), "combine names an unknown question 'E'; questions here: W, D"),
    "combine of a combination": (of("{id: C, combine: [W, D]}", "{id: B, combine: [W, C]}"), "'C' combines questions itself"),
    "combine of a re-tuned question": (
        of("{id: C, combine: [W, R]}", f"{{id: R, variant: deep, baseline: plain, retune: {{{RATE}: [0.1, 0.2]}}}}"),
        "'R' is re-tuned; combine takes questions of two arms as they are",
    ),
    "question on time alone": (of("{id: C, combine: [W, T]}"), "'T' does not ask about accuracy on validation"),
    "question on another metric": (of("{id: C, combine: [W, D], metric: loss}"), "'W' does not ask about loss on validation"),
    "several baselines": (of("{id: C, combine: [W, DW]}"), "baseline is missing: the questions have several (plain, wide)"),
    "unknown baseline": (of("{id: C, combine: [W, D], baseline: plane}"), "baseline names an unknown arm 'plane'; did you mean 'plain'?"),
    "what the baseline has already": (
        of("{id: C, combine: [W, D], baseline: wide}"),
        "'W' changes nothing in wide, which has network.mlp.width as it is",
    ),
    "what the baseline cannot take": (
        of("{id: C, combine: [W, K], baseline: plain}"),
        "'K' cannot be put on plain: network.layers.first.kernel does not apply",
    ),
    "no improvement but a leak": (of("{id: C, combine: [W, L]}"), "'L' changes data.split, the images that arms are judged on"),
    "id given twice": (of("{id: W, combine: [W, D]}"), "this id is given twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_at_its_line(name: str, tmp_path: Path) -> None:
    """As any other of a study file."""
    text, piece = MISTAKES[name]
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        studyfile.load(file)
    messages = [str(one) for one in caught.value.mistakes if one.where != ""]
    line = LINE + (name == "combine of a combination")
    assert any(f"{file}:{line}: " in one and piece in one for one in messages), messages
    assert all("Input should" not in one and "\n" not in one and len(one) < 500 for one in messages)
    assert len({one.partition(": ")[2] for one in messages}) == len(messages)


def test_each_kind_of_question_finds_its_place(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(
        of(
            f"{{variant: wide, baseline: plain, retune: {{{RATE}: [0.001, 0.003]}}, on: [test]}}",
            "{combine: [W, D], ask: All together?}",
        ),
        encoding="utf-8",
    )
    study = studyfile.load(file)
    assert [one.id for one in study.questions] == ["W", "D", "DW", "L", "K", "T"]
    (retuned,), (combined,) = study.retuned, study.combined
    assert (retuned.id, retuned.retune, retuned.retune_seeds) == (
        "wide-vs-plain-retuned", {RATE: (0.001, 0.003)}, 3,
    )  # fmt: skip
    assert (combined.id, combined.combine, combined.baseline) == ("combined", ("W", "D"), None)
    assert repr(study) == "<Study 'study': 9 arms, 8 questions>"
    set_otherwise = studyfile.load(
        file, sets=("questions.combined.combine=[W, DW]", "questions.combined.baseline=plain")
    )
    assert set_otherwise.combined[0].combine == ("W", "DW")


def test_augmentation_may_be_tuned_and_put_together_with_other_improvements() -> None:
    """It moves what is trained on alone: a better figure on the validation images is an improvement like any other."""
    study = ft.Study(
        data={"augment": {"zoom": 0.1}},
        arms={"still": {"data.augment": "none"}, "turned": {"data.augment.rotate": 10}, "wide": {"network.mlp.width": 99}, "plain": {}},
        questions=[
            {"id": "T", "variant": "turned", "baseline": "plain"},
            {"id": "S", "variant": "still", "baseline": "plain"},
            {"id": "W", "variant": "wide", "baseline": "plain"},
            {"id": "R", "variant": "wide", "baseline": "plain", "retune": {"data.augment.shift": [0, 2]}},
            {"id": "TW", "combine": ["T", "W"]},
            {"id": "SW", "combine": ["S", "W"]},
        ],
    )  # fmt: skip
    assert (len(study.retuned), len(study.combined)) == (1, 2)
    arms = study.arms
    assert departures(arms["still"], arms["plain"]) == {"data.augment.zoom": 0.0}
    both = candidate(arms["wide"], departures(arms["turned"], arms["plain"]), name="both")
    assert str(both.settings.data.augment) == "rotate 10, zoom 0.1"
    assert not candidate(arms["turned"], {"data.augment": "none"}, name="x").settings.data.augment.moves


def test_they_are_written_in_python_as_in_a_file() -> None:
    """As sections, and as parts of a study that is changed a little."""
    study = ft.Study(
        arms={"a": {}, "b": {"network.mlp.width": 9}, "c": {"epochs": 2}},
        questions=[
            {"id": "1", "variant": "b", "baseline": "a"},
            {"id": "2", "variant": "c", "baseline": "a"},
            {"id": "3", "variant": "b", "baseline": "a", "retune": {RATE: [0.1, 0.2]}},
            {"id": "4", "combine": ["1", "2"]},
        ],
    )
    assert [type(one) for one in (*study.questions, *study.retuned, *study.combined)] == [
        Question, Question, Retuning, Combining,
    ]  # fmt: skip
    again = Study(
        arms=study.arms,
        questions=(*study.questions, *study.combined),
        seeds=study.seeds,
        margins=study.margins,
    )
    assert (again.questions, again.retuned, again.combined) == (study.questions, (), study.combined)
    assert "each tuned anew" in study._repr_html_() and "1, 2 together" in study._repr_html_()
    with pytest.raises(StudyError, match=r"questions\.3\.combine\.1: .*unknown question '5'"):
        ft.Study(
            arms={"a": {}, "b": {"epochs": 2}},
            questions=[
                {"id": "1", "variant": "b", "baseline": "a"},
                {"id": "2", "variant": "b", "baseline": "a"},
                {"id": "3", "variant": "b", "baseline": "a", "on": ["test"]},
                {"id": "4", "combine": ["1", "5"]},
            ],
        )


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({"variant": "b", "baseline": "a", "retune": {RATE: [0.1, 0.2]}, "retune_seeds": 5}, True),
        ({"combine": ["1", "2"], "baseline": "a", "metric": "loss", "ask": "?"}, True),
        ({"combine": ["1"]}, False),
        ({"combine": ["1", "2"], "variant": "b"}, False),
        ({"combine": ["1", "2"], "retune": {RATE: [0.1, 0.2]}}, False),
        ({"variant": "b", "baseline": "a", "retune": {RATE: 0.1}}, False),
        ({"variant": "b"}, False),
    ],
)
def test_editors_know_them(asked: dict[str, Any], fits: bool) -> None:
    document = {"schema": "fairtrial/1", "arms": {"a": {}}, "questions": [asked]}
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(document) is fits


def arms(text: str) -> dict[str, Any]:
    """Arms by name, from YAML in one line each."""
    return studyfile.study_from_dict({"schema": "fairtrial/1", "arms": json.loads(text)}).arms


LAYERS = '[{"conv": {"name": "first", "filters": 8, "kernel": 3}}, {"pool": 2}, "flatten", {"dense": 20}]'


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ('{"network.mlp.width": 200, "epochs": 9}', {"network.mlp.width": 200, "epochs": 9}),
        ('{"batch_size": 10, "data.train": 1000}', {"data.train": 1000, "batch_size": 10}),
        ('{"optimizer": {"name": "sgd", "momentum": 0.9}}', {"optimizer.name": "sgd", "optimizer.learning_rate": 0.01, "optimizer.momentum": 0.9}),
        ('{"optimizer.learning_rate": {"cosine": {"initial": 0.1}}}', {RATE: {"cosine": {"initial": 0.1, "final": 0.0, "warmup_epochs": 0.0}}}),
        ('{"early_stopping": {"patience": 2}}', {"early_stopping": {"monitor": "validation_loss", "patience": 2, "min_delta": 0.0}}),
        ('{"data.augment": {"shift": 2, "zoom": 0.1}}', {"data.augment.shift": 2, "data.augment.zoom": 0.1}),
        ('{"precision": "float32"}', {"precision": "float32"}),
        (f'{{"network": {{"layers": {LAYERS}}}}}', {"network.layers": json.loads(LAYERS)}),
    ],
)  # fmt: skip
def test_departures_are_what_makes_the_variant_of_the_baseline(
    variant: str, expected: dict[str, Any]
) -> None:
    """Put on the baseline they give the variant, whatever kind of setting it is."""
    made = arms(f'{{"plain": {{}}, "variant": {variant}}}')
    found = departures(made["variant"], made["plain"])
    assert found == expected
    assert not differences(candidate(made["plain"], found, name="again"), made["variant"])


@pytest.mark.parametrize(
    "variant",
    [
        '{"from": "cnn", "network.layers.first.kernel": [3, 5]}',
        '{"from": "cnn", "network.layers.3.units": 30, "network.layers.first.activation": "relu"}',
        '{"from": "cnn", "network": {"mlp": {"width": 70}}}',
        '{"from": "cnn", "network": {"mlp": {}}}',
        '{"from": "cnn", "early_stopping": null}',
        '{"from": "cnn", "optimizer.learning_rate.cosine.initial": 0.2}',
        '{"from": "cnn", "optimizer": {"name": "adam"}}',
        '{"from": "cnn", "optimizer": {"learning_rate": 0.3, "nesterov": true}}',
    ],
)
def test_departures_from_a_network_of_layers_do_too(variant: str) -> None:
    """Named and counted layers, schedules, what is switched off, what only one optimiser knows."""
    cnn = (
        f'{{"network": {{"layers": {LAYERS}}}, "early_stopping": {{"patience": 2}}, '
        '"optimizer": {"name": "sgd", "momentum": 0.5, "learning_rate": {"cosine": {"initial": 0.1, "warmup_epochs": 1}}}}'
    )
    made = arms(f'{{"cnn": {cnn}, "variant": {variant}}}')
    found = departures(made["variant"], made["cnn"])
    assert found or not differences(made["variant"], made["cnn"])
    assert not differences(candidate(made["cnn"], found, name="again"), made["variant"])


def test_paths_clash_where_both_set_the_same_or_a_part_of_it() -> None:
    assert clash(["network.layers.first.kernel"], ["network.mlp"]) == ("network.layers.first.kernel",)
    assert clash([RATE], [f"{RATE}.cosine.initial"]) == (RATE,)
    assert clash(["network.mlp.width"], ["network.mlp.depth"]) == ()
    made = studyfile.load("course").arms
    pair = {
        name: (made[name], made[other])
        for name, other in (("width-1000", "width-200"), ("width-200", "width-50"))
    }
    assert builds_on(pair["width-1000"], pair["width-200"])
    assert not builds_on(pair["width-200"], pair["width-1000"])
    assert not builds_on((made["depth-3"], made["width-1000"]), pair["width-1000"])


def test_check_warns_of_confounds_and_counts_arms_as_asked_about() -> None:
    study = ft.Study(
        arms={"a": {}, "b": {"network.mlp.width": 9, "epochs": 2}},
        questions=[
            {
                "variant": "b", "baseline": "a", "factors": ["network.mlp.width", RATE],
                "retune": {RATE: [0.001, 0.003]},
            }
        ],
    )  # fmt: skip
    kinds = [one.kind for one in findings(study)]
    assert "confounded" in kinds
    assert "unasked" not in kinds and "unchanged" not in kinds
