"""Confounds, stated defaults, hidden models, batch sizes and best epochs: found where they are, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_exports import accuracies, audit_of, audit_of_notebook, shown

from fairtrial.audit.auditing import audit_file
from fairtrial.audit.document import Cell, Document, Place
from fairtrial.audit.experiment import Experiments, ModelSeen, TrainingSeen
from fairtrial.audit.stateddefaults import wrong_default


def test_the_notebook_as_handed_in_has_these_and_no_others(handed_in: Path) -> None:
    """Q8's batch size, the default of 0.01, sequential_11, the two batch sizes, and a text from another run."""
    audit = audit_file(handed_in / "course-notebook.txt")
    (confound,) = audit.of("confounded")
    assert "learning rate (0.0001 against not stated), batch size (1000 against 100)" in confound.sentence
    (default,) = audit.of("wrong-default")
    assert "is not 0.01: it is 0.001 for Adam" in default.sentence and default.sentence.endswith(
        "said twice."
    )
    (hidden,) = audit.of("hidden-model")
    assert "sequential_11 was built in between" in hidden.sentence
    assert "six dense layers (dense_55 to dense_60)" in hidden.sentence
    assert [one.said[:40] for one in audit.of("epochs-with-batch-size")] == [
        "Adjust the batch size. Try a batch size ",
        "Adjust the batch size. Try a batch size ",
    ]
    (other_run,) = audit.of("not-shown")
    assert not other_run.serious


FIGURES = accuracies("0.950")


def test_two_settings_that_change_where_the_text_speaks_of_one_are_a_confound() -> None:
    """Whatever differs in the results may come from either."""
    (finding,) = audit_of(
        shown(0, [50], figures=FIGURES),
        shown(1, [200], batch=1000, figures=accuracies("0.970")),
        "1. Try 200 units. What happens?",
        "Validation accuracy increased.",
    ).of("confounded")
    assert finding.sentence == (
        "Between sequential_1 and sequential two settings change: width (200 against 50), batch size (1000 against 100). "
        "The text speaks of the width alone."
    )
    assert finding.advice == "Train sequential_1 again with batch size 100 as in sequential."
    assert finding.serious


@pytest.mark.parametrize(
    ("asked", "second"),
    [
        ("Try 200 units. What happens?", shown(1, [200], figures=FIGURES)),
        ("Adjust the width and the batch size. What happens?", shown(1, [200], batch=1000, figures=FIGURES)),
        ("Combine all together: the best model you can find.", shown(1, [200], batch=1000, figures=FIGURES)),
        ("Add another hidden layer. What happens?", shown(1, [50, 25], figures=FIGURES)),
        ("Try sigmoid. What happens?", shown(1, [50], title="use sigmoid", figures=FIGURES)),
    ],
)
def test_one_change_and_changes_that_are_named_are_no_confound(asked: str, second: str) -> None:
    """Who asks for two things at once gets two things at once."""
    text = audit_of(shown(0, [50], figures=FIGURES), second, f"1. {asked}", "The accuracy stayed the same.")
    assert text.experiments.asked[0].variant == "sequential_1"
    assert not text.of("confounded")


def defaults(
    text: str, *, optimizer: str | None = None, library: str = "keras", rate: float | None = None
) -> list[str]:
    model = ModelSeen(
        name="model",
        title="model",
        library=library,  # pyright: ignore[reportArgumentType]
        layers=(),
        training=TrainingSeen(optimizer=optimizer, learning_rate=rate),
        place=Place(1, 1),
    )
    document = Document("made.ipynb", "notebook", (Cell(1, "prose", text),))
    return [finding.sentence for finding in wrong_default(document, Experiments((model,), ()))]


@pytest.mark.parametrize(
    ("text", "optimizer", "library", "truth"),
    [
        ("Hint : default learning rate is 0.01", "adam", "keras", "it is 0.001 for Adam"),
        ("The default learning rate of Adam is 0.01.", None, "keras", "it is 0.001 for Adam"),
        (
            "Adam uses a learning rate of 0.01 by default? No: the learning rate defaults to 0.1 in Adam",
            None,
            "keras",
            "0.001",
        ),
        ("the learning rate (default 0.1) of SGD", None, "keras", "it is 0.01 for SGD"),
        ("0.01 is the default learning rate", "adam", "keras", "it is 0.001 for Adam"),
        ("By default the batch size is 64", None, "keras", "it is 32"),
        ("Keras has a default batch size of 128.", None, "keras", "it is 32"),
        ("default batch size = 32", None, "torch", "it is 1"),
        ("The default learning rate of RMSprop is 0.001.", None, "torch", "it is 0.01 for RMSprop"),
        ("The default momentum is 0.9", None, "torch", "it is 0"),
        ("The default learning rate is 0.1", "adam", "sklearn", "it is 0.001 for Adam"),
        ("Hint: default lr is 0.01", None, "keras", "0.01 is that of SGD alone"),
    ],
)
def test_a_default_that_is_none_is_found(text: str, optimizer: str | None, library: str, truth: str) -> None:
    """Keras's Adam learns at 0.001, whatever the hint says."""
    (sentence,) = defaults(text, optimizer=optimizer, library=library)
    assert truth in sentence


@pytest.mark.parametrize(
    ("text", "optimizer", "library"),
    [
        ("The default learning rate is 0.001", "adam", "keras"),
        ("The default learning rate of SGD is 0.01", "adam", "keras"),
        ("The default learning rate is 0.01", "sgd", "keras"),
        ("default batch size is 32", None, "keras"),
        ("The default learning rate is 0.01", None, "torch"),
        ("The default learning rate is 0.01", None, "unknown"),
        ("We keep the default learning rate and train for 10 epochs", "adam", "keras"),
        ("The default is fine; a learning rate of 0.01 is not", "adam", "keras"),
        ("Our default accuracy is 0.97", "adam", "keras"),
        ("The default learning rate of Adagrad was 0.01", None, "keras"),
    ],
)
def test_a_true_default_and_no_statement_of_one_are_left_alone(
    text: str, optimizer: str | None, library: str
) -> None:
    """A library's older default was one, too, and what a file does not tell is not guessed."""
    assert defaults(text, optimizer=optimizer, library=library) == []


def test_a_value_the_file_sets_itself_is_its_own_default() -> None:
    """`our default learning rate is 0.01` where the program says so."""
    assert defaults("the default learning rate is 0.01", optimizer="adam", rate=0.01) == []


def test_a_default_of_the_files_own_functions_is_the_files() -> None:
    """`def update(parameters, learning_rate=0.01)` has that default, whatever Keras's is."""
    for code in (
        "def update(w, learning_rate=0.01):\n    ...",
        'lr = config.get("lr", 0.01)  # default learning rate is 0.01',
    ):
        audit = audit_of_notebook(
            ("code", code),
            ("prose", "The default learning rate is 0.01"),
            ("code", "model.summary()"),
            ("output", shown(0, [50], figures=FIGURES)),
        )
        assert not audit.of("wrong-default")


def test_a_gap_in_the_numbers_of_printed_models_is_a_model_not_shown() -> None:
    """Keras numbers every model it builds."""
    (finding,) = audit_of(
        shown(2, [50], figures=FIGURES, first_layer=4), shown(5, [50], figures=FIGURES, first_layer=10)
    ).of("hidden-model")
    assert "sequential_3 to sequential_4 were built in between and are not shown" in finding.sentence
    assert "with four dense layers (dense_6 to dense_9)" in finding.sentence


def test_numbers_without_a_gap_or_counted_again_hide_nothing() -> None:
    """After a restart the numbers begin again; where other code builds models the numbers are no secret."""
    assert not audit_of(shown(3, [50], figures=FIGURES), shown(4, [60], figures=FIGURES)).of("hidden-model")
    assert not audit_of(shown(7, [50], figures=FIGURES), shown(1, [60], figures=FIGURES)).of("hidden-model")
    assert not audit_of_notebook(
        ("code", "model = Sequential([Dense(50)])\nmodel.summary()"),
        ("output", shown(0, [50], figures=FIGURES)),
        ("code", "other = Sequential([Dense(70)])\nother.compile()\nother.fit(x, y)"),
        ("code", "model = Sequential([Dense(60)])\nmodel.summary()"),
        ("output", shown(2, [60], figures=FIGURES)),
    ).of("hidden-model")


def test_equally_many_epochs_at_another_batch_size_are_fewer_updates() -> None:
    """100 times fewer, at a batch of 10000 for 100."""
    (finding,) = audit_of(
        shown(0, [50], figures=FIGURES), shown(1, [50], batch=1000, figures=accuracies("0.900"))
    ).of("epochs-with-batch-size")
    assert "updated 10 times less often" in finding.sentence
    assert not audit_of(
        shown(0, [50], figures=FIGURES), shown(1, [50], batch=1000, epochs=50, figures=FIGURES)
    ).of("epochs-with-batch-size")
    assert not audit_of(shown(0, [50], figures=FIGURES), shown(1, [50], batch=120, figures=FIGURES)).of(
        "epochs-with-batch-size"
    )


def history(*accuracies: float) -> str:
    return "\n".join(
        f"Epoch {epoch}/{len(accuracies)}\n540/540 - 5s - loss: 0.1 - accuracy: 0.99 - val_loss: 0.1 - val_accuracy: {value:.4f}"
        for epoch, value in enumerate(accuracies, start=1)
    )


def test_the_best_epoch_given_as_the_result_is_found() -> None:
    """The best of many noisy values is too good."""
    (finding,) = audit_of(
        shown(0, [50], figures={}),
        history(0.951, 0.9631, 0.9588, 0.957),
        "We got a validation accuracy of 96.31%.",
    ).of("best-epoch")
    assert "that is epoch 2, the best of 4; training ended with 0.9570" in finding.sentence


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (history(0.951, 0.9631, 0.9588, 0.957), "We got a validation accuracy of 95.7%."),
        (history(0.951, 0.953, 0.957, 0.9631), "We got a validation accuracy of 96.31%."),
        (history(0.951, 0.9631, 0.9588, 0.957), "We got a training accuracy of 96.31%."),
        (history(0.9631, 0.957), "We got a validation accuracy of 96.31%."),
        (
            history(0.951, 0.9631, 0.9588, 0.957) + "\n\nValidation accuracy: 0.9631",
            "We got a validation accuracy of 96.31%.",
        ),
    ],
)
def test_the_last_epoch_or_what_was_measured_afterwards_is_no_best_epoch(printed: str, said: str) -> None:
    """Weights may have been restored from the best epoch and measured again."""
    assert not audit_of(shown(0, [50], figures={}), printed, said).of("best-epoch")
