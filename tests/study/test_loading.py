"""A well-formed study file becomes exactly the study it describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairtrial.errors import StudyError
from fairtrial.study import studyfile
from fairtrial.study.layers import Conv, Dense, Flatten, Pool
from fairtrial.study.schema import Margins, Mlp, Seeds
from fairtrial.study.training import SGD, Adam, Cosine, Step

EXAMPLE = Path(__file__).with_name("interface.yaml")


def arms(text: str):
    """The arms of a study whose file holds `text` below its first line."""
    return studyfile.study_from_dict(parsed(text)).arms


def parsed(text: str):
    from ruamel.yaml import YAML

    return {"schema": "fairtrial/1", **YAML(typ="safe").load(text)}


def test_the_example_of_the_interface_has_the_values_it_names():
    """This file is the contract with users and with checks from outside."""
    study = studyfile.load(EXAMPLE)
    assert (study.name, study.title) == ("width", "How wide should the hidden layers be?")
    assert list(study.arms) == ["width-50", "width-200", "deep-200", "cnn", "cnn-5x5"]
    assert study.arms["width-50"].settings.network.mlp == Mlp(width=50, depth=2)
    assert study.arms["width-200"].settings.network.mlp == Mlp(width=200, depth=2)
    assert study.arms["deep-200"].settings.network.mlp == Mlp(width=200, depth=5)
    assert study.arms["cnn"].settings.network.mlp is None
    assert study.arms["cnn"].settings.network.layers == (
        Conv(name="first", filters=32, kernel=3, activation="relu"),
        Pool(size=2),
        Flatten(),
        Dense(units=100, activation="relu", initializer="he_uniform"),
    )
    other = list(study.arms["cnn-5x5"].settings.network.hidden())
    assert other[0] == Conv(name="first", filters=32, kernel=5, activation="relu")
    assert other[1:] == list(study.arms["cnn"].settings.network.hidden())[1:]
    assert study.arms["cnn"].settings.optimizer == Adam(learning_rate=0.001)
    (question,) = study.questions
    assert (question.id, question.variant, question.baseline) == ("Q1-200", "width-200", "width-50")
    assert question.factors == ("network.mlp.width",)
    assert (question.metrics, question.on) == (("accuracy", "time"), ("validation", "test"))
    assert [(claim.from_, claim.to) for claim in question.claims] == [(0.97, 0.988), (7.396, 7.856)]
    assert study.seeds == Seeds(min=3, max=50)
    assert study.margins == Margins(accuracy=0.001, loss=0.02, time=0.05)
    assert study.source == str(EXAMPLE)


@pytest.mark.parametrize("name", studyfile.builtin_names())
def test_every_built_in_study_loads(name):
    """They are what a new user runs first."""
    study = studyfile.load(name)
    assert study.name == name == study.source
    assert study.questions


def test_defaults_apply_where_the_file_says_nothing(tmp_path):
    """Two lines are a study, and its name is the file's."""
    file = tmp_path / "least.yaml"
    file.write_text("schema: fairtrial/1\narms: {plain: }\n", encoding="utf-8")
    study = studyfile.load(file)
    assert study.name == "least"
    assert study.arms["plain"].settings.network.mlp == Mlp()
    assert study.arms["plain"].settings.optimizer == Adam()
    assert (study.seeds, study.confidence, study.questions) == (Seeds(), 0.95, ())


def test_an_augmentation_is_departed_from_amount_by_amount_or_given_up():
    """`none` takes all of it away, which no list of amounts could say of one added later."""
    found = arms("""
data: {augment: {shift: 2, rotate: 10}}
arms:
  both: {}
  further: {data.augment.rotate: 20}
  zoomed: {data: {augment: {zoom: 0.1}}}
  still: {data.augment: none}
  again: {from: still, data.augment.shift: 1}
""")
    amounts = {
        name: (one.shift, one.rotate, one.zoom)
        for name, one in ((name, arm.settings.data.augment) for name, arm in found.items())
    }
    assert amounts == {
        "both": (2, 10, 0),
        "further": (2, 20, 0),
        "zoomed": (2, 10, 0.1),
        "still": (0, 0, 0),
        "again": (1, 0, 0),
    }


def test_nested_and_dotted_departures_are_the_same():
    """Both change what they name and leave the rest of the base."""
    found = arms("""
base: {network: {mlp: {width: 100, depth: 3}}}
arms:
  nested: {network: {mlp: {width: 200}}}
  dotted: {network.mlp.width: 200}
  mixed: {network: {mlp.width: 200}}
""")
    assert all(arm.settings.network.mlp == Mlp(width=200, depth=3) for arm in found.values())


def test_an_arm_may_start_from_one_further_down():
    """The order of arms is the reader's choice."""
    found = arms("arms: {b: {from: a, epochs: 7}, a: {from: c, batch_size: 10}, c: {network.mlp.width: 9}}")
    assert found["b"].settings.network.mlp == Mlp(width=9)
    assert (found["b"].settings.batch_size, found["b"].settings.epochs) == (10, 7)
    assert list(found) == ["b", "a", "c"]


def test_a_long_chain_of_arms_is_followed_to_its_end():
    """Files made by programs may chain thousands."""
    chain = {"a0": {"epochs": 9}} | {f"a{n}": {"from": f"a{n - 1}"} for n in range(1, 1500)}
    reverse = dict(reversed(chain.items()))
    study = studyfile.study_from_dict({"schema": "fairtrial/1", "arms": reverse})
    assert study.arms["a1499"].settings.epochs == 9


def test_titles_notes_and_published_figures_are_not_inherited():
    """They speak of one arm: an inherited figure would be a false one."""
    found = arms("""
arms:
  a: {title: T, note: N, published: {test_accuracy: 0.97}}
  b: {from: a, epochs: 3}
""")
    assert (found["a"].title, found["a"].note) == ("T", "N")
    assert found["a"].published is not None and found["a"].published.test_accuracy == 0.97
    assert (found["b"].title, found["b"].note, found["b"].published) == (None, None, None)


def test_layers_replace_an_inherited_mlp_and_the_other_way_round():
    """A network is one or the other; nothing of what is given up may linger."""
    found = arms("""
base: {network: {mlp: {width: 7, depth: 4}}}
arms:
  layered: {network: {layers: [flatten, dense: {units: 3}]}}
  back: {from: layered, network: {mlp: {width: 9}}}
""")
    assert found["layered"].settings.network.mlp is None
    assert found["back"].settings.network.layers is None
    assert found["back"].settings.network.mlp == Mlp(width=9, depth=2)


def test_layers_are_reached_by_name_by_default_name_and_by_position():
    """`show` prints the default names, so they must work in a file as well."""
    found = arms("""
base: {network: {layers: [{conv: {name: first, filters: 4}}, pool: 2, flatten, {dense: 5}, {dense: {units: 6}}]}}
arms:
  own: {network.layers.first.filters: 8}
  default: {network.layers.dense-2.units: 9}
  place: {network.layers.1.size: 3}
  nested: {network: {layers: {first: {kernel: [3, 3]}, 3: {units: 1}}}}
  replaced: {network.layers.1: {average_pool: 2}}
  activation: {network.layers.3: {activation: tanh}}
""")
    layers = {name: list(arm.settings.network.hidden()) for name, arm in found.items()}
    assert layers["own"][0] == Conv(name="first", filters=8)
    assert layers["default"][3:] == [Dense(units=5), Dense(units=9)]
    assert layers["place"][1] == Pool(size=3)
    assert layers["nested"][0] == Conv(name="first", filters=4, kernel=3)
    assert layers["nested"][3] == Dense(units=1)
    assert layers["replaced"][1].kind == "average_pool"
    assert layers["activation"][3] == Dense(units=5, activation="tanh")


def test_another_optimizer_keeps_what_it_shares_with_the_inherited_one():
    """SGD has no beta_1: it falls away, the learning rate of the base stays."""
    found = arms("""
base: {optimizer: {name: adam, learning_rate: 0.02, beta_1: 0.5}}
arms: {a: {optimizer.name: sgd}, b: {optimizer: {name: sgd, momentum: 0.9}}}
""")
    assert found["a"].settings.optimizer == SGD(learning_rate=0.02)
    assert found["b"].settings.optimizer == SGD(learning_rate=0.02, momentum=0.9)


def test_schedules_are_replaced_by_another_and_departed_from_within():
    """A cosine has nothing in common with steps, but one cosine with another."""
    found = arms("""
base: {optimizer: {learning_rate: {cosine: {initial: 0.01, final: 0.001}}}}
arms:
  other: {optimizer.learning_rate: {step: {initial: 0.1, factor: 0.5}}}
  within: {optimizer.learning_rate.cosine.initial: 0.5}
  constant: {optimizer.learning_rate: {constant: 0.25}}
  like the others: {optimizer.learning_rate: {constant: {initial: 0.25}}}
""")
    rates = {name: arm.settings.optimizer.learning_rate for name, arm in found.items()}
    assert rates == {
        "other": Step(initial=0.1, factor=0.5),
        "within": Cosine(initial=0.5, final=0.001),
        "constant": 0.25,
        "like the others": 0.25,
    }


def test_arms_named_by_numbers_are_named_by_their_text(tmp_path):
    """`50: {}` is what anyone writes who compares widths."""
    file = tmp_path / "study.yaml"
    file.write_text(
        "schema: fairtrial/1\narms: {50: {}, 1e3: {from: 50, epochs: 2}}\nquestions: [{variant: 1e3, baseline: 50}]\n",
        encoding="utf-8",
    )
    study = studyfile.load(file)
    assert list(study.arms) == ["50", "1e3"]
    assert study.questions[0].id == "1e3-vs-50"


@pytest.mark.parametrize(
    ("text", "fraction"), [("0.1pp", 0.001), ("0.7pp", 0.007), ("2 pp", 0.02), (0.004, 0.004)]
)
def test_a_margin_is_exactly_what_it_says(text, fraction):
    """0.7 * 0.01 is not 0.007 in binary, and a margin is a promise."""
    study = studyfile.study_from_dict(
        {"schema": "fairtrial/1", "arms": {"a": {}}, "margins": {"accuracy": text}}
    )
    assert study.margins.accuracy == fraction


def test_numbers_follow_yaml_1_2(tmp_path):
    """In YAML 1.1 `1e-3` is text and `on` is true."""
    file = tmp_path / "study.yaml"
    file.write_text(
        "schema: fairtrial/1\narms: {a: {optimizer.learning_rate: 1e-3}, b: {}}\n"
        "questions: [{variant: a, baseline: b, on: [test]}]\n",
        encoding="utf-8",
    )
    study = studyfile.load(file)
    assert study.arms["a"].settings.optimizer.learning_rate == 0.001
    assert study.questions[0].on == ("test",)


def test_a_study_of_its_own_name_hides_no_built_in(tmp_path, monkeypatch):
    """`course` must mean the course in whatever folder one stands; `./course` is the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "course").mkdir()
    assert studyfile.load("course").name == "course"
    with pytest.raises(StudyError, match="is a folder"):
        studyfile.load("./course")


def test_a_mapping_in_python_is_checked_like_a_file():
    """Programs make mistakes too; theirs have a path instead of a line."""
    with pytest.raises(StudyError) as caught:
        studyfile.study_from_dict(
            {"schema": "fairtrial/1", "arms": {"a": {"epochs": 0}}, "seeds": {"max": True}}
        )
    assert [mistake.where for mistake in caught.value.mistakes] == ["arms.a.epochs", "seeds.max"]


def test_questions_and_arms_may_have_names_in_any_script():
    """A study is written in its author's language; an id made from arms' names keeps their letters."""
    study = studyfile.study_from_dict(
        {
            "schema": "fairtrial/1",
            "arms": {"schmal": {}, "größer": {"network.mlp.width": 99}, "幅": {"network.mlp.width": 98}},
            "questions": [
                {"id": "Größe-1", "variant": "größer", "baseline": "schmal"},
                {"variant": "幅", "baseline": "schmal"},
            ],
        }
    )
    assert [question.id for question in study.questions] == ["Größe-1", "幅-vs-schmal"]


def test_no_name_at_all_is_said_so():
    """An empty variable in a script must not be taken for the current folder."""
    with pytest.raises(
        StudyError,
        match="no study is named; give a study file or one of course, keras, notebook, precision, width",
    ):
        studyfile.load("")
