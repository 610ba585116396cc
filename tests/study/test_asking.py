"""`ask` without a file: the study it makes, the file that makes the same, and its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairtrial.errors import StudyError
from fairtrial.study.asking import Asked, ask, values_from_python, values_from_text
from fairtrial.study.check import findings
from fairtrial.study.factors import confounds, differences
from fairtrial.study.spelling import flow
from fairtrial.study.studyfile import load
from fairtrial.study.studytext import study_text
from fairtrial.study.tree import plain
from fairtrial.study.yamltree import from_yaml
from fairtrial.trial import Trial

SPACED = {
    "AS-MLP": "{mlp: {width: 50}}",
    "AS-LAYERS": "{layers: [flatten, {dense: 100}]}",
    "AS-MOVED": "{shift: 2, rotate: 10}",
}


def asked(line: str, **options: object) -> Asked:
    path, *values = [SPACED.get(word, word) for word in line.split()]
    return ask(path, values_from_text(path, values), **options)  # pyright: ignore[reportArgumentType]


CNN = {"base": "course", "start": "cnn-1"}
EVERY_KIND = [
    ("network.mlp.width 50 200 1000", {}),
    ("network.mlp.depth 0 2", {}),
    ("network.mlp.activation relu tanh", {}),
    ("network AS-MLP AS-LAYERS", {}),
    ("optimizer.learning_rate 0.001 1e-2 0.02", {}),
    ("optimizer.name adam sgd rmsprop", {}),
    ("optimizer.name adam sgd", {"sets": ("optimizer.learning_rate=0.05", "optimizer.beta_1=0.8")}),
    ("optimizer.epsilon 1e-7 1e-8", {}),
    ("optimizer.nesterov false true", {"sets": ("optimizer.name=sgd", "optimizer.momentum=0.9")}),
    (
        "optimizer.learning_rate.cosine.final 0.0 0.0001",
        {"sets": ("optimizer.learning_rate={cosine: {initial: 0.002}}",)},
    ),
    ("batch_size 100 1000", {}),
    ("base.epochs 2 5", {}),
    ("data.split fixed reshuffled", {}),
    ("data.validation 6000 3000", {}),
    ("data.train 1000 10000", {"sets": ("epochs=2", "seeds.max=12", "margins.accuracy=0.25pp")}),
    ("data.augment.rotate 0 10 20", {"sets": ("data.augment.shift=2",)}),
    ("data.augment none AS-MOVED", {"sets": ("data.augment={zoom: 0.1}",)}),
    ("precision float32 bfloat16", {}),
    ("early_stopping.patience 1 3", {}),
    ("network.layers.0.kernel 3 5", CNN),
    ("network.layers.conv-1.filters 8 32", CNN),
    ("network.layers.6.initializer he_uniform glorot_uniform", CNN),
    ("network.mlp.activation relu gelu", {"base": "notebook", "sets": ("confidence=0.9",)}),
]


@pytest.mark.parametrize(("line", "options"), EVERY_KIND, ids=[line for line, _ in EVERY_KIND])
def test_the_saved_file_gives_the_same_trials_and_questions(
    line: str, options: dict[str, object], tmp_path: Path
) -> None:
    """Whoever saves an answer goes on from it: another key would train everything again."""
    made = asked(line, **options)
    path = tmp_path / "study.yaml"
    path.write_text(study_text(made, file="study.yaml"), encoding="utf-8")
    saved = load(path)

    def keys(study: object) -> list[tuple[str, str]]:
        return [
            (name, Trial(arm=arm, seed=1, precision="float32").key)
            for name, arm in study.arms.items()  # pyright: ignore[reportAttributeAccessIssue]
        ]

    assert keys(saved) == keys(made.study)
    assert saved.questions == made.study.questions
    assert (saved.seeds, saved.confidence, saved.margins, saved.name) == (
        made.study.seeds,
        made.study.confidence,
        made.study.margins,
        made.study.name,
    )
    assert "#" in path.read_text()


@pytest.mark.parametrize(("line", "options"), EVERY_KIND, ids=[line for line, _ in EVERY_KIND])
def test_the_first_value_is_the_baseline_and_what_differs_is_declared(
    line: str, options: dict[str, object]
) -> None:
    """A confound or an undeclared factor would make the shortest way to ask a bad one."""
    study = asked(line, **options).study
    first, *others = study.arms
    assert [(one.baseline, one.variant) for one in study.questions] == [(first, other) for other in others]
    for question in study.questions:
        variant, baseline = study.arms[question.variant], study.arms[question.baseline]
        assert differences(variant, baseline)
        # A setting that only one of two optimisers has is a confound indeed, and is said to be one.
        assert {one.path for one in confounds(question, variant, baseline)} <= {"optimizer.beta_1"}
    assert not {one.kind for one in findings(study)} & {"undeclared", "unchanged"}


def test_it_departs_from_the_base_of_width_and_from_what_is_set() -> None:
    """A sensible base, and every other setting within reach."""
    plain_one = asked("batch_size 100 200").study.arms["batch_size-100"]
    assert plain_one.settings == load("width").arms["width-50"].settings
    changed = asked("batch_size 100 200", sets=("epochs=2", "network.mlp.width=77")).study
    assert changed.arms["batch_size-200"].settings.epochs == 2
    assert changed.arms["batch_size-100"].settings.network.mlp.width == 77  # pyright: ignore[reportOptionalMemberAccess]


def test_metrics_and_images_are_those_asked_for() -> None:
    """Each is a verdict of its own and shares the allowed error."""
    (question,) = asked("epochs 1 2", metrics=("accuracy", "loss"), on=("test",)).study.questions
    assert (question.metrics, question.on) == (("accuracy", "loss"), ("test",))
    assert asked("epochs 1 2").study.questions[0].metrics == ("accuracy",)


def test_values_from_python_are_those_of_the_command_line() -> None:
    """`ft.ask("epochs", 1, 2)` and `fairtrial ask epochs 1 2` share their trials."""
    pairs = [
        ("epochs", [1, 2], ["1", "2"]),
        (
            "optimizer.learning_rate",
            [0.001, {"cosine": {"initial": 0.002}}],
            ["0.001", "{cosine: {initial: 0.002}}"],
        ),
        ("early_stopping", [None, {"patience": 2}], ["null", "{patience: 2}"]),
    ]
    for path, values, texts in pairs:
        one = ask(path, values_from_python(path, values))
        other = ask(path, values_from_text(path, texts))
        assert list(one.study.arms.values()) == list(other.study.arms.values())


def test_arms_are_called_after_their_values() -> None:
    """The answer speaks of them by name."""
    values = ["3", "[5, 3]"]
    made = ask("network.layers.0.kernel", values_from_text("x", values), base="course", start="cnn-1")
    assert list(made.study.arms) == ["kernel-3", "kernel-5x3"]
    rates = ["0.001", "{cosine: {initial: 0.002}}", "{cosine: {initial: 0.003}}"]
    schedules = ask("optimizer.learning_rate", values_from_text("x", rates))
    assert list(schedules.study.arms) == [
        "learning_rate-0.001",
        "learning_rate-cosine",
        "learning_rate-cosine-3",
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("network.mlp.widht 50 200", ["ask network.mlp.widht 50: unknown key 'network.mlp.widht'; did you mean 'width'?"]),
        ("width 50 200", ["ask width 50: unknown key 'width'; did you mean 'network.mlp.width'?"]),
        (
            "batch_size ten 100 0",
            [
                "ask batch_size ten: batch_size must be a whole number, got 'ten'",
                "ask batch_size 0: batch_size must be at least 1, got 0",
            ],
        ),
        ("data.split fixed reshufled", ["ask data.split reshufled: data.split must be one of fixed, reshuffled, got 'reshufled'; did you mean 'reshuffled'?"]),
        ("epochs 5", ["ask epochs 5: give at least two values, the baseline first, such as `network.mlp.width 50 200`"]),
        ("data.augment.rotat 0 10", ["ask data.augment.rotat 0: unknown key 'data.augment.rotat'; did you mean 'rotate'?"]),
        ("rotate 0 10", ["ask rotate 0: unknown key 'rotate'; did you mean 'data.augment.rotate'?"]),
        ("epochs 5 2 5", ["ask epochs 5: is the same setting as 5; there is nothing to compare"]),
        ("optimizer.learning_rate 0.001 1e-3", ["ask optimizer.learning_rate 1e-3: is the same setting as 0.001; there is nothing to compare"]),
        ("early_stopping.monitor validation_loss test_loss", ["ask early_stopping.monitor test_loss: early_stopping.monitor: the test set steers nothing and is never validated on, got 'test_loss'"]),
        ("epochs 1 [", ["ask epochs [: not valid YAML: expected the node content, but found '<stream end>' (while parsing a flow node)"]),
    ],
)  # fmt: skip
def test_a_mistake_in_path_or_value_is_said_once_as_in_a_study_file(line: str, says: list[str]) -> None:
    """Three values must not repeat one misspelt path three times."""
    with pytest.raises(StudyError) as refused:
        asked(line)
    assert [str(mistake) for mistake in refused.value.mistakes] == says


@pytest.mark.parametrize(
    ("line", "options", "says"),
    [
        ("seeds.max 3 5", {}, "give it as `--set seeds.max=VALUE`"),
        ("title a b", {}, "changes nothing that is trained; ask about a setting of an arm: data, network"),
        ("epochs 1 2", {"base": "nowhere"}, "built in are course, keras, notebook, precision, width"),
        ("epochs 1 2", {"base": "course", "start": "cnn"}, "study 'course' has no arm 'cnn' to start from"),
        ("epochs 1 2", {"sets": ("batch_sise=3",)}, "did you mean 'batch_size'?"),
        ("epochs 1 2", {"metrics": ("acuracy",)}, "metric must be one of accuracy, loss, time, got 'acuracy'; did you mean"),
        ("epochs 1 2", {"on": ()}, "on must be one of validation, test, got nothing"),
        ("network.layers.0.kernel 3 5", {}, "does not apply: this network is made of mlp"),
        ("a..b 1 2", {}, "the path 'a..b' has an empty part"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_with_what_can(line: str, options: dict[str, object], says: str) -> None:
    """The first command of a newcomer is the likeliest to be wrong."""
    with pytest.raises(StudyError) as refused:
        asked(line, **options)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "null",
        "1e-3",
        "0x10",
        "a: b",
        "",
        " a",
        "#",
        "it's",
        "-",
        "ä",
        "2%",
        "0.1pp",
        [1, [2.5]],
        {"k": None},
    ],
)
def test_what_is_written_in_one_line_is_read_back(value: object) -> None:
    """A word that looks like a number must come back as a word."""
    node = from_yaml(flow({"value": value}), where=str)
    assert node is not None
    assert plain(node) == {"value": value}
