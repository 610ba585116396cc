"""Models that a file shows in print alone are read with what was printed of them, and with nothing else."""

from __future__ import annotations

import pytest
from made_exports import KERAS_2, KERAS_3, accuracies, audit_of, audit_of_notebook, shown

from fairtrial.audit.experiment import ModelSeen, TrainingSeen
from fairtrial.audit.settings import with_stated


def layers(model: ModelSeen) -> list[tuple[str | None, dict[str, object]]]:
    return [(layer.kind, dict(layer.settings)) for layer in model.layers]


def test_a_model_is_read_with_its_title_settings_and_figures() -> None:
    """All that such a file says of a model stands in four places around the table."""
    (model,) = audit_of(
        "Q4: (Activation)",
        shown(
            4,
            [30, 20],
            title="(use Tanh Activation Funcation)",
            figures=accuracies("0.97", "0.96", time="7.9"),
        ),
        "4. Try tanh. What happens?",
    ).experiments.models
    assert (model.name, model.printed_name, model.title) == ("sequential_4",) * 2 + (
        "use Tanh Activation Funcation",
    )
    assert layers(model) == [
        ("flatten", {}),
        ("dense", {"units": 30, "activation": "tanh"}),
        ("dense", {"units": 20, "activation": "tanh"}),
    ]
    assert (model.input_shape, model.classes, model.printed_parameters) == ((784,), 10, 24380)
    assert (model.training.batch_size, model.training.epochs, model.training.learning_rate) == (100, 5, None)
    assert [(one.metric, one.on, one.value) for one in model.figures] == [
        ("accuracy", "validation", 0.97),
        ("accuracy", "test", 0.96),
        ("time", "train", 7.9),
    ]


def test_the_table_of_keras_2_gives_kernels_and_pools() -> None:
    """They stand in no column; parameters and shapes leave no other."""
    (model,) = audit_of(KERAS_2).experiments.models
    assert layers(model) == [
        ("conv", {"filters": 32}),
        ("pool", {"size": 2}),
        ("conv", {"filters": 64, "kernel": 5}),
        ("dropout", {}),
        ("flatten", {}),
    ]
    assert (model.classes, model.printed_parameters) == (10, 103434)


def test_the_table_of_keras_3_is_read_between_its_lines() -> None:
    """A long name is broken in two."""
    (model,) = audit_of_notebook(("code", "model.summary()"), ("output", KERAS_3)).experiments.models
    assert layers(model) == [("dense", {"units": 128}), ("batch_norm", {})]
    assert (model.input_shape, model.classes, model.printed_parameters) == ((784,), 10, 102282)


def test_figures_belong_to_the_model_above_them_until_the_text_goes_on() -> None:
    """`Final Model: 0.998` at the end of a file is a statement about a model, not what was printed of it."""
    first, second = audit_of(
        shown(0, [50], figures=accuracies("0.95")),
        shown(1, [60], figures=accuracies("0.96")),
        "And this is the final model of mine:",
        "Validation Accuracy = 0.998",
    ).experiments.models
    assert [one.value for one in first.figures] == [0.95]
    assert [one.value for one in second.figures] == [0.96]


def test_the_output_of_other_code_is_not_the_printed_models() -> None:
    """A network that is trained without a table has its figures printed, too."""
    audit = audit_of_notebook(
        ("code", "model.summary()"),
        ("output", KERAS_2),
        ("code", "other = Sequential([Dense(10)])\nother.compile()\nother.fit(x, y)"),
        ("output", "Test accuracy: 0.11"),
    )
    assert not [
        one for model in audit.experiments.models if model.name == "sequential_1" for one in model.figures
    ]


def test_names_printed_twice_are_told_apart() -> None:
    """A cell that was run after a restart counts from the beginning again."""
    found = audit_of(shown(0, [50], figures={}), shown(0, [60], figures={})).experiments.models
    assert [model.name for model in found] == ["sequential", "sequential (2)"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("BUFFER SIZE =10000, BATCH SIZE = 1,000, NUM_EPOCHS = 5", (1000, 5, None, None)),
        ("epochs: 5", (None, 5, None, None)),
        ("Number of epochs = 12; batch-size: 64", (64, 12, None, None)),
        ("Trained for 20 epochs", (None, 20, None, None)),
        ("Learning Rate: 1e-4, Optimizer: Adam", (None, None, 1e-4, "adam")),
        ("lr=0.02 batch_size=32", (32, None, 0.02, None)),
        ("optimizer = 'SGD'", (None, None, None, "sgd")),
        ("The batch size matters for 3 reasons", (None, None, None, None)),
        ("batch 3 of 10", (None, None, None, None)),
        ("Optimizer: something of mine", (None, None, None, None)),
    ],
)
def test_hyperparameters_are_read_in_any_spelling(line: str, expected: tuple[object, ...]) -> None:
    """And a number that merely stands near is none."""
    found = with_stated(TrainingSeen(), line)
    assert (found.batch_size, found.epochs, found.learning_rate, found.optimizer) == expected


def test_words_between_count_in_titles_alone() -> None:
    """`use a learning rate of 0.0001` in a title is the model's; in a sentence it may be anybody's."""
    assert with_stated(TrainingSeen(), "use a learning rate of 0.0001", spoken=True).learning_rate == 0.0001
    assert with_stated(TrainingSeen(), "a learning rate of 0.0001 is common").learning_rate is None
