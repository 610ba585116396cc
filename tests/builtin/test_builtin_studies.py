"""The built-in studies: complete, consistent with themselves and with what the notebook printed."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from fairtrial.study.check import findings
from fairtrial.study.factors import differences
from fairtrial.study.layers import Conv, Dense
from fairtrial.study.schema import Claim, Question, Study
from fairtrial.study.shapes import arm_facts, parameters, updates
from fairtrial.study.studyfile import builtin_names, load

PARAMETERS = {
    # "Total params" of the notebook's layer tables, sequential to sequential_12
    "width-50": 42_310,
    "width-200": 199_210,
    "width-1000": 1_796_010,
    "depth-3": 2_797_010,
    "depth-5": 4_799_010,
    "sigmoid": 4_799_010,
    "tanh": 4_799_010,
    "batch-10000": 4_799_010,
    "batch-1": 4_799_010,
    "lr-0.0001": 4_799_010,
    "lr-0.02": 4_799_010,
    "combined": 1_919_410,
    # The notebook prints the code of its convolutional networks and no table; these are Keras's counts of it.
    "cnn-1": 159_254,
    "cnn-2": 690_890,
    "cnn-3": 1_150_666,
}
ADDED = {
    "width-2000",
    "width-4000",
    "sigmoid-2",
    "tanh-2",
    "lr-0.0001-batch-100",
    "cnn-1-relu",
}
LEAK = {"course": "width-1000-reshuffled", "notebook": "width-1000-fixed"}

# The notebook's text: question, metric, on, what it says, from, to (or the level).
CLAIMS = [
    ("Q1-200", "accuracy", "validation", "increase", 0.970, 0.988),
    ("Q1-200", "time", None, "increase", 7.396, 7.856),
    ("Q1-better", "accuracy", "validation", "plateau", None, None),
    ("Q2", "accuracy", "validation", "decrease", 0.987, 0.982),
    ("Q2", "time", None, "increase", 7.678, 8.179),
    ("Q3", "accuracy", "validation", "increase", 0.982, 0.987),
    ("Q3", "time", None, "increase", 8.179, 9.193),
    ("Q4", "accuracy", "validation", "decrease", 0.987, 0.986),
    ("Q4", "accuracy", "test", "decrease", 0.979, 0.977),
    ("Q4", "time", None, "decrease", 9.193, 9.190),
    ("Q5", "accuracy", "validation", "decrease", 0.986, 0.980),
    ("Q5", "accuracy", "test", "decrease", 0.977, 0.972),
    ("Q5", "time", None, "increase", 9.190, 9.380),
    ("Q6", "time", None, "decrease", 9.193, 6.044),
    ("Q6", "accuracy", "validation", "decrease", 0.987, 0.948),
    ("Q6", "accuracy", "test", "decrease", 0.979, 0.945),
    ("Q7", "time", None, "increase", 9.193, 449.6),
    ("Q7", "accuracy", "validation", "decrease", 0.987, 0.975),
    ("Q7", "accuracy", "test", "decrease", 0.979, 0.969),
    ("Q8", "accuracy", "validation", "decrease", 0.987, 0.976),
    ("Q8", "accuracy", "test", "decrease", 0.979, 0.967),
    ("Q9", "accuracy", "validation", "decrease", 0.987, 0.904),
    ("Q9", "accuracy", "test", "decrease", 0.979, 0.901),
    ("Q10", "accuracy", "validation", "level", None, 0.998),
    ("Q10", "accuracy", "test", "level", None, 0.982),
]


@pytest.fixture(scope="module", params=["course", "notebook"])
def whole(request: pytest.FixtureRequest) -> Study:
    return load(request.param)


def question(study: Study, identifier: str) -> Question:
    (found,) = [one for one in study.questions if one.id == identifier]
    return found


def claims(study: Study) -> list[tuple[Question, Claim]]:
    return [(asked, claim) for asked in study.questions for claim in asked.claims]


def test_three_studies_come_with_the_package() -> None:
    """They are package data: an installed wheel must find them without a checkout."""
    assert set(builtin_names()) == {"width", "course", "notebook", "precision", "keras"}
    for name in builtin_names():
        assert (resources.files("fairtrial.study") / "builtin" / f"{name}.yaml").is_file()
        assert load(name).name == name


def test_every_arm_has_as_many_parameters_as_the_notebook_printed(whole: Study) -> None:
    """Another count would be another network, and every comparison with the notebook void."""
    assert {name: parameters(whole.arms[name]) for name in PARAMETERS} == PARAMETERS


def test_the_arms_are_the_fifteen_and_those_that_complete_its_questions(whole: Study) -> None:
    """None missing, and none that nobody asks about: `run` trains every arm."""
    assert set(whole.arms) == {*PARAMETERS, *ADDED, LEAK[whole.name]}
    assert [finding for finding in findings(whole) if finding.kind == "unasked"] == []


def test_only_the_arms_of_the_notebook_carry_its_figures(whole: Study) -> None:
    """A figure beside an arm that the notebook never ran would be invented."""
    assert {name for name, arm in whole.arms.items() if arm.published is not None} == set(PARAMETERS)
    empty = whole.arms["cnn-2"].published
    assert empty is not None
    assert empty.model_dump(exclude_none=True) == {}


def test_the_training_of_every_arm_is_the_notebooks(whole: Study) -> None:
    """Optimiser updates sum up batch size, epochs and training images in one number."""
    expected = dict.fromkeys(whole.arms, 2_700) | {
        "batch-10000": 30,
        "batch-1": 270_000,
        "lr-0.0001": 270,
        "combined": 27_000,
    }
    assert {name: updates(arm) for name, arm in whole.arms.items()} == expected
    rates = {name: arm.settings.optimizer.learning_rate for name, arm in whole.arms.items()}
    assert rates == dict.fromkeys(whole.arms, 0.001) | {
        "lr-0.0001": 0.0001,
        "lr-0.0001-batch-100": 0.0001,
        "lr-0.02": 0.02,
    }
    assert {arm.settings.optimizer.name for arm in whole.arms.values()} == {"adam"}


def test_the_convolutional_networks_start_as_the_notebooks(whole: Study) -> None:
    """he_uniform in the hidden dense layer alone; the convolutions of the first are linear."""
    for name in ("cnn-1", "cnn-1-relu", "cnn-2", "cnn-3"):
        initializers = {
            layer.name: layer.initializer
            for layer in whole.arms[name].network
            if isinstance(layer, (Conv, Dense))
        }
        assert initializers.pop("dense-1") == "he_uniform"
        assert set(initializers.values()) == {"glorot_uniform"}, name
    linear, relu = (
        [layer.activation for layer in whole.arms[name].network if isinstance(layer, Conv)]
        for name in ("cnn-1", "cnn-1-relu")
    )
    assert linear == ["linear"] * 3
    assert relu == ["relu"] * 3


def test_the_third_pooling_of_cnn_2_leaves_a_single_pixel(whole: Study) -> None:
    """Why 5 x 5 kernels cost cnn-3 one pooling layer: a known shape of the notebook's network."""
    shapes = {facts.name: facts.output_shape for facts in arm_facts(whole.arms["cnn-2"])}
    assert shapes["pool-3"] == (1, 1, 256)


def test_all_claims_of_the_notebook_are_there(whole: Study) -> None:
    """Twenty-five: what the text says, number by number."""
    found = [
        (
            asked.id,
            claim.metric,
            None if claim.metric == "time" else claim.on,
            claim.says,
            claim.from_,
            claim.level if claim.says == "level" else claim.to,
        )
        for asked, claim in claims(whole)
    ]
    assert len(found) == 25
    assert sorted(found, key=str) == sorted(CLAIMS, key=str)


def test_every_claim_has_its_verdict(whole: Study) -> None:
    """A claim on a metric that its question does not ask for would never be judged."""
    assert [
        finding for finding in findings(whole) if finding.kind in {"unjudged", "unchanged", "undeclared"}
    ] == []


def test_the_tables_beside_a_claim_are_the_figures_beside_the_arms(whole: Study) -> None:
    """Both are copied from the notebook's tables; a slip in either shows here."""
    for asked, claim in claims(whole):
        if claim.own_tables is None:
            assert claim.says in {"plateau", "level"}, asked.id
            continue
        field = "train_seconds" if claim.metric == "time" else f"{claim.on}_{claim.metric}"
        baseline, variant = (
            getattr(whole.arms[name].published, field) for name in (asked.baseline, asked.variant)
        )
        assert (claim.own_tables.from_, claim.own_tables.to) == (baseline, variant), asked.id
        direction = "increase" if variant > baseline else "decrease" if variant < baseline else "no change"
        assert claim.own_tables.says == direction, asked.id


def test_half_of_the_directions_in_the_text_disagree_with_its_own_tables(whole: Study) -> None:
    """Text and tables come from two runs: eleven of twenty-two, the reason for more than one seed."""
    directed = [claim for _, claim in claims(whole) if claim.own_tables]
    disagreeing = [claim for claim in directed if claim.own_tables and claim.own_tables.says != claim.says]
    assert (len(disagreeing), len(directed)) == (11, 22)


def test_q8_is_confounded_as_printed_and_has_a_twin_that_is_not(whole: Study) -> None:
    """The batch size changed with the learning rate; the tool says so and asks the question again."""
    confounded = {
        finding.question: finding.message for finding in findings(whole) if finding.kind == "confounded"
    }
    assert set(confounded) == {"Q8", "CNN-3"}
    assert "batch_size (100 -> 1000)" in confounded["Q8"]
    assert "3 pool" in confounded["CNN-3"]
    assert question(whole, "Q8-alone").baseline == question(whole, "Q8").baseline


@pytest.mark.parametrize(
    ("identifier", "paths"),
    [
        ("Q1-2000", ["network.mlp.width"]),
        ("Q1-4000", ["network.mlp.width"]),
        ("Q4-both-layers", ["network.mlp.activation"]),
        ("Q5-both-layers", ["network.mlp.activation"]),
        ("Q8-alone", ["optimizer.learning_rate"]),
        ("Q10", ["network.mlp.width", "epochs"]),
        ("CNN-1-relu", [f"network.layers.conv-{number}.activation" for number in (1, 2, 3)]),
        ("leak", ["data.split"]),
    ],
)
def test_the_questions_that_complete_the_notebook_isolate_their_factor(
    whole: Study, identifier: str, paths: list[str]
) -> None:
    """They exist to ask cleanly what the notebook asked otherwise."""
    asked = question(whole, identifier)
    found = differences(whole.arms[asked.variant], whole.arms[asked.baseline])
    assert [one.path for one in found] == paths


def test_the_leak_is_asked_about_on_both_sets_of_images(whole: Study) -> None:
    """It lifts validation and leaves the test set alone: one without the other shows half of it."""
    asked = question(whole, "leak")
    splits = [whole.arms[name].settings.data.split for name in (asked.variant, asked.baseline)]
    assert splits == ["reshuffled", "fixed"]
    assert asked.on == ("validation", "test")


def test_notebook_is_course_with_the_leaking_split() -> None:
    """The file is written out in full for its readers; this keeps the two from drifting apart."""
    course, notebook = load("course"), load("notebook")
    assert (course.seeds, course.confidence, course.margins) == (
        notebook.seeds,
        notebook.confidence,
        notebook.margins,
    )
    for name in {*course.arms, *notebook.arms} - set(LEAK.values()):
        honest, leaking = course.arms[name], notebook.arms[name]
        data = honest.settings.data.model_copy(update={"split": "reshuffled"})
        assert honest.settings.data.split == "fixed"
        assert leaking == replace(honest, settings=honest.settings.model_copy(update={"data": data})), name
    assert [one for one in course.questions if one.id != "leak"] == [
        one for one in notebook.questions if one.id != "leak"
    ]
    roles = {"variant", "baseline"}
    assert question(course, "leak").model_dump(exclude=roles) == question(notebook, "leak").model_dump(
        exclude=roles
    )


def test_width_is_the_first_question_of_the_course() -> None:
    """Its trials are those of the course, so that having run it saves them there."""
    width, course = load("width"), load("course")
    assert list(width.arms) == ["width-50", "width-200", "width-1000"]
    assert all(width.arms[name] == course.arms[name] for name in width.arms)
    assert [one.model_copy(update={"note": None}) for one in width.questions] == [
        question(course, "Q1-200"),
        question(course, "Q1-better"),
    ]
    assert (width.seeds, width.confidence, width.margins) == (course.seeds, course.confidence, course.margins)
