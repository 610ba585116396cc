"""The study written from a document loads, has its models as arms and its comparisons as questions."""

from pathlib import Path

import pytest

from fairtrial.audit.document import Cell, Document
from fairtrial.audit.reading import read
from fairtrial.audit.recognising import experiments
from fairtrial.audit.translating import study_text
from fairtrial.errors import AuditError
from fairtrial.study.schema import Study
from fairtrial.study.shapes import parameters
from fairtrial.study.studyfile import load

COURSE = Path(__file__).with_name("course-notebook.ipynb")
PARAMETERS = [42310, 199210, 1796010, 2797010, *[4799010] * 7, 1919410, 159254, 690890, 1150666]
"""Of the course's fifteen models, as its tables print them; the convolutional ones as computed by hand."""


def written(document: Document, folder: Path) -> tuple[str, Study]:
    text = study_text(experiments(document), document)
    path = folder / "written.yaml"
    path.write_text(text, encoding="utf-8")
    return text, load(path)


def notebook(*cells: tuple[str, str]) -> Document:
    numbered: list[Cell] = []
    number = 0
    for kind, source in cells:
        number += kind != "output"
        numbered.append(Cell(number, kind, source))  # pyright: ignore[reportArgumentType]
    return Document("a.ipynb", "notebook", tuple(numbered))


def test_the_course_becomes_a_study_of_its_fifteen_models(tmp_path: Path) -> None:
    _, study = written(read(COURSE), tmp_path)
    assert [parameters(arm) for arm in study.arms.values()] == PARAMETERS
    built_in = load("course")
    for mine, theirs in zip(
        study.arms.values(), [arm for arm in built_in.arms.values() if arm.published], strict=False
    ):
        assert mine.settings.optimizer == theirs.settings.optimizer, mine.title
        assert (mine.settings.batch_size, mine.settings.epochs) == (
            theirs.settings.batch_size,
            theirs.settings.epochs,
        )
    activations = [
        arm.settings.network.mlp.activation for arm in study.arms.values() if arm.settings.network.mlp
    ]
    assert activations == ["relu"] * 5 + ["sigmoid", "tanh"] + ["relu"] * 5


def test_the_course_as_it_was_handed_in_becomes_the_same_study(handed_in: Path, tmp_path: Path) -> None:
    """An exported text: printed tables for twelve models, lines that are no Python for the other three."""
    _, study = written(read(handed_in / "course-notebook.txt"), tmp_path)
    assert [parameters(arm) for arm in study.arms.values()] == PARAMETERS
    _, rebuilt = written(read(COURSE), tmp_path)
    assert [arm.settings for arm in study.arms.values()] == [arm.settings for arm in rebuilt.arms.values()]
    assert [question.claims for question in study.questions] == [
        question.claims for question in rebuilt.questions
    ]


def test_the_course_asks_its_questions_with_their_claims(tmp_path: Path) -> None:
    """The same claims as in the built-in study, which was written by hand."""
    text, study = written(read(COURSE), tmp_path)
    claims = [
        (claim.metric, claim.on, claim.says, claim.from_, claim.to)
        for question in study.questions
        for claim in question.claims
        if claim.from_ is not None
    ]
    by_hand = [
        (claim.metric, claim.on, claim.says, claim.from_, claim.to)
        for question in load("notebook").questions
        for claim in question.claims
        if claim.from_ is not None
    ]
    assert claims == by_hand and len(claims) == 22
    disagreeing = [
        claim
        for question in study.questions
        for claim in question.claims
        if claim.from_ is not None and claim.own_tables and claim.own_tables.says != claim.says
    ]
    assert len(disagreeing) == 11
    levels = [
        claim.level for question in study.questions for claim in question.claims if claim.says == "level"
    ]
    assert levels == [0.998, 0.982]
    assert (
        "more than one setting differs: optimizer.learning_rate (0.001 -> 0.0001); batch_size (100 -> 1000)"
        in text
    )
    assert "model-12 is no arm here: it is built, and neither trained nor used" in text


def test_what_a_printed_table_does_not_show_is_said_to_be_assumed(tmp_path: Path) -> None:
    table = """Model: (use Sigmoid Activation)
BATCH SIZE = 100, NUM_EPOCHS = 5
Model: "sequential_5"

Layer (type)\tOutput Shape\tParam #
flatten (Flatten)\t(None, 784)\t0
dense (Dense)\t(None, 50)\t39250
dense_1 (Dense)\t(None, 10)\t510

Total params: {total}
Test Accuracy = 0.970
"""
    right = table.format(total="39,760")
    plain = right.replace("use Sigmoid Activation", "use 50 units").replace("sequential_5", "sequential_6")
    document = notebook(
        ("prose", "MNIST"), ("code", "run(1)"), ("output", right), ("code", "run(2)"), ("output", plain)
    )
    text, study = written(document, tmp_path)
    assert "39,760 parameters, as printed" in text
    assert "# assumed: relu as the activation of hidden layers; a printed table shows none" in text
    assert "# assumed in all arms: adam as the optimiser; the file shows none" in text
    assert [arm.network[1].activation for arm in study.arms.values()] == ["sigmoid", "relu"]  # pyright: ignore
    wrong = notebook(("prose", "MNIST"), ("code", "run(1)"), ("output", table.format(total="39,761")))
    assert "this network has 39,760 parameters, but the file printed 39,761" in written(wrong, tmp_path)[0]


TRAINED = """
import keras
(x, y), (a, b) = keras.datasets.{data}.load_data()
model = keras.Sequential([keras.layers.Rescaling(1 / 255), keras.layers.Dense(64, activation="relu"), keras.layers.Dropout(0.2), keras.layers.Dense(10)])
model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss="mse")
model.fit(x, y, epochs=3, batch_size=50, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=4)])
"""


def test_an_arm_has_every_setting_that_the_code_shows(tmp_path: Path) -> None:
    text, study = written(notebook(("code", TRAINED.format(data="mnist"))), tmp_path)
    settings = study.arms["model"].settings
    assert [layer.kind for layer in settings.network.layers or ()] == ["flatten", "dense", "dropout"]
    assert settings.optimizer.model_dump(exclude_defaults=True) == {"learning_rate": 0.1, "momentum": 0.9}
    assert (settings.batch_size, settings.epochs, settings.data.validation) == (50, 3, 12000)
    assert settings.early_stopping and settings.early_stopping.patience == 4
    assert (
        "left out, because a study scales and shapes the images itself: keras.layers.Rescaling(1 / 255)"
        in text
    )
    assert "MNIST alone" not in text


def test_another_data_set_is_said_to_be_another(tmp_path: Path) -> None:
    text, _ = written(notebook(("code", TRAINED.format(data="fashion_mnist"))), tmp_path)
    assert "# The file loads fashion_mnist; a study knows MNIST alone" in text


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = 1", "no network was found"),
        (TRAINED.format(data="mnist").replace("Dense(10)", "Dense(3)"), "its output layer has 3 units"),
        (TRAINED.format(data="mnist").replace("Dense(64", "Dense(wide"), "the size of a layer is not shown"),
        (TRAINED.format(data="mnist").replace("Dropout(0.2)", "LSTM(2)"), "no layer for keras.layers.LSTM"),
        (TRAINED.format(data="mnist").replace('"relu"', '"mish"'), "no such activation"),
        (TRAINED.format(data="mnist").replace("SGD(0.1, momentum=0.9)", "Nadam()"), "no optimiser nadam"),
    ],
)
def test_what_cannot_be_an_arm_is_refused_with_the_reason(code: str, says: str) -> None:
    document = notebook(("code", code))
    with pytest.raises(AuditError, match=says):
        study_text(experiments(document), document)


def test_texts_of_any_kind_stay_one_line_of_yaml(tmp_path: Path) -> None:
    title = 'A "title": {with} [everything] # \\n \u2028 \x07 \ud800 — é'
    document = notebook(
        ("prose", f"# {title}"), ("code", f"# {title}\n" + TRAINED.format(data="mnist")), ("prose", "accuracy rose from 0.9 to 0.95"),
        ("code", TRAINED.format(data="mnist").replace("64", "32")), ("prose", f"Is it better? {title}\nThe test accuracy increased from 0.90 to 0.95."),
    )  # fmt: skip
    text, study = written(document, tmp_path)
    assert len(study.arms) == 2 and all(line.isprintable() for line in text.split("\n"))
