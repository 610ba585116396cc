"""`--set` speaks the paths of the file, and its mistakes name the option."""

from __future__ import annotations

import pytest

from fairtrial.errors import StudyError
from fairtrial.study import studyfile

STUDY = {
    "schema": "fairtrial/1",
    "base": {"epochs": 5},
    "arms": {"wide": {"network.mlp.width": 200}, "long": {"epochs": 9}, "lr-0.1": {}, "lr-0": {}},
    "questions": [{"id": "Q1", "variant": "wide", "baseline": "long"}],
}


def with_set(*sets: str):
    return studyfile.study_from_dict(STUDY, sets=sets)


@pytest.mark.parametrize("path", ["epochs", "base.epochs"])
def test_the_base_is_set_but_not_an_arm_that_departs_from_it(path):
    """An arm called `long` must not become short because the base did."""
    study = with_set(f"{path}=2")
    assert study.arms["wide"].settings.epochs == 2
    assert study.arms["long"].settings.epochs == 9


def test_every_part_of_a_study_can_be_set():
    """Else one would have to copy a built-in study to change one number."""
    study = with_set(
        "data.split=reshuffled",
        "data.augment.rotate=10",
        "arms.long.data.augment=none",
        "seeds.max=10",
        "margins.accuracy=0.2pp",
        "confidence=0.9",
        "title=Quick",
        "optimizer.learning_rate=0.02",
        "arms.long.epochs=1",
        "arms.wide={batch_size: 7, network: {layers: [flatten]}}",
        "questions.Q1.goal=not_worse",
    )
    wide = study.arms["wide"].settings
    assert wide.data.split == "reshuffled"
    assert [arm.settings.data.augment.rotate for arm in study.arms.values()] == [10, 0, 10, 10]
    assert (study.seeds.min, study.seeds.max) == (3, 10)
    assert (study.margins.accuracy, study.confidence, study.title) == (0.002, 0.9, "Quick")
    assert wide.optimizer.learning_rate == 0.02
    assert study.arms["long"].settings.epochs == 1
    assert (wide.batch_size, [layer.kind for layer in wide.network.layers or ()]) == (7, ["flatten"])
    assert study.questions[0].goal == "not_worse"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("learning_rate=0.1", "optimizer.learning_rate"),
        ("mlp.width=9", "network.mlp.width"),
        ("epoch=3", "epochs"),
    ],
)
def test_a_path_that_lacks_its_beginning_is_completed(text, meant):
    """Learning rates are what people want to set, and nobody thinks of the optimizer first."""
    with pytest.raises(StudyError, match=rf"unknown setting .*; did you mean '{meant}'\?$"):
        with_set(text)


def test_the_longest_arm_name_is_meant():
    """Names may hold dots: `lr-0.1` is no setting `1` of the arm `lr-0`."""
    study = with_set("arms.lr-0.1.epochs=3")
    assert (study.arms["lr-0.1"].settings.epochs, study.arms["lr-0"].settings.epochs) == (3, 5)


def test_the_later_of_two_counts():
    """As in a shell, where one appends to a line to try something else."""
    assert with_set("epochs=2", "epochs=3").arms["wide"].settings.epochs == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs=x", "base: epochs must be a whole number, got 'x'"),
        ("epoch=3", "unknown setting 'epoch'; did you mean 'epochs'?"),
        ("epochs", "give it as PATH=VALUE"),
        ("=3", "give it as PATH=VALUE"),
        ("epochs=", "there is no value after epochs="),
        ("epochs=[1", "not valid YAML"),
        ("arms.wied.epochs=3", "unknown arm 'wied'; did you mean 'wide'?"),
        ("arms=3", "unknown arm"),
        ("arms.wide=3", "must be a mapping of settings here, got 3"),
        ("arms.wide.epochs=-1", "arm 'wide': epochs must be at least 1, got -1"),
        ("questions.Q2.goal=change", "unknown question 'Q2'"),
        ("questions.Q1.goal=better", "questions.Q1.goal must be one of change, not_worse"),
        ("questions.Q1.variant=wid", "variant names an unknown arm 'wid'; did you mean 'wide'?"),
        ("seeds.max=2", "seeds.max must be at least 3, got 2"),
        ("network.mlp.widht=2", "unknown key 'network.mlp.widht'; did you mean 'width'?"),
        ("network..width=2", "has an empty part"),
        ("schema=fairtrial/2", "schema must be fairtrial/1"),
        ("data.train=59000", "take more than the 60000 images"),
        ("optimizer.name=adm", "did you mean 'adam'?"),
        ("network.layers.0.kernel=3", "network.layers.0.kernel does not apply: this network is made of mlp"),
    ],
)
def test_a_mistake_in_an_option_names_the_option(text, message):
    """The file is right, so a line of it would mislead."""
    with pytest.raises(StudyError) as caught:
        with_set(text)
    (mistake,) = caught.value.mistakes
    assert mistake.where == f"--set {text}"
    assert message in mistake.message
