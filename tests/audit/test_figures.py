"""Numbers printed for a model are found in every spelling, and numbers that are none are left alone."""

from __future__ import annotations

import pytest

from fairtrial.audit.document import Cell
from fairtrial.audit.figures import figures_in


def read(source: str, kind: str = "output") -> list[tuple[str, str, float, int | None]]:
    found = figures_in(Cell(number=3, kind=kind, source=source))  # pyright: ignore[reportArgumentType]
    return [(one.metric, one.on, one.value, one.epoch) for one in found]


LINES = [
    ("Validation Accuracy = 0.972", [("accuracy", "validation", 0.972, None)]),
    ("Taining Time = 7.903 second", [("time", "train", 7.903, None)]),
    ("Train Loss = 0.095", [("loss", "train", 0.095, None)]),
    ("Testing Accuracy : 97.12 %", [("accuracy", "test", 0.9712, None)]),
    ("validaton accurcy: 0.91", [("accuracy", "validation", 0.91, None)]),
    ("accuracy: 0.97", [("accuracy", "test", 0.97, None)]),
    ("Accuracy on training set: 0.991", [("accuracy", "train", 0.991, None)]),
    ("Accuracy (test): 97.5", [("accuracy", "test", 0.975, None)]),
    ("accuracy score is = 0.9", [("accuracy", "test", 0.9, None)]),
    ("Logistic regression test accuracy 0.92", [("accuracy", "test", 0.92, None)]),
    ("Accuracy of the network on the 10000 test images: 55 %", [("accuracy", "test", 0.55, None)]),
    ("Test accuracy of model 1: 0.9", [("accuracy", "test", 0.9, None)]),
    (
        "Test set: Average loss: 0.0489, Accuracy: 9840/10000 (98%)",
        [("loss", "test", 0.0489, None), ("accuracy", "test", 0.984, None)],
    ),
    (
        "540/540 - 5s - loss: 0.0167 - accuracy: 0.9945 - val_loss: 0.0565 - val_accuracy: 0.9862",
        [
            ("loss", "train", 0.0167, None),
            ("accuracy", "train", 0.9945, None),
            ("loss", "validation", 0.0565, None),
            ("accuracy", "validation", 0.9862, None),
        ],
    ),
    (
        "/1 [=====] - 2s 2s/step - loss: 0.0286 - accuracy: 0.9915",
        [("loss", "test", 0.0286, None), ("accuracy", "test", 0.9915, None)],
    ),
    (
        "\x1b[1m313/313\x1b[0m \x1b[32m━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m1s\x1b[0m 2ms/step - accuracy: 0.97 - loss: 1.2e-02",
        [("accuracy", "test", 0.97, None), ("loss", "test", 0.012, None)],
    ),
    (
        "Epoch 3: train loss 0.1, val acc 97.2%",
        [("loss", "train", 0.1, 3), ("accuracy", "validation", 0.972, 3)],
    ),
    ("Epoch [3/10], Loss: 0.1234, Accuracy: 97.2%", [("loss", "train", 0.1234, 3), ("accuracy", "train", 0.972, 3)]),
    (
        "Epoch 3 loss 0.1 acc 0.9 val_loss 0.2 val_acc 0.88",
        [
            ("loss", "train", 0.1, 3),
            ("accuracy", "train", 0.9, 3),
            ("loss", "validation", 0.2, 3),
            ("accuracy", "validation", 0.88, 3),
        ],
    ),
    (
        "{'loss': [0.3, 0.2], 'val_accuracy': [0.91, 0.95]}",
        [
            ("loss", "train", 0.3, 1),
            ("loss", "train", 0.2, 2),
            ("accuracy", "validation", 0.91, 1),
            ("accuracy", "validation", 0.95, 2),
        ],
    ),
    ("{'loss': 0.05, 'accuracy': 0.98}", [("loss", "test", 0.05, None), ("accuracy", "test", 0.98, None)]),
    ("    accuracy                           0.97     10000", [("accuracy", "test", 0.97, None)]),
    ("--- 12.5 seconds ---", [("time", "train", 12.5, None)]),
    ("Training complete in 1m 23s", [("time", "train", 83.0, None)]),
    ("Training time: 0:01:23.5", [("time", "train", 83.5, None)]),
    ("Time taken: 2 minutes", [("time", "train", 120.0, None)]),
    ("Training took 3.25 s", [("time", "train", 3.25, None)]),
    ("Test accuracy: tensor(0.9712)", [("accuracy", "test", 0.9712, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_a_printed_line_gives_its_figures(line: str, expected: list[object]) -> None:
    """Every library and every student prints them otherwise."""
    assert read(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "dense (Dense)	(None, 50)	39250",
        "BATCH SIZE = 100, NUM_EPOCHS = 5",
        "accuracy with dropout 0.5",
        "loss weight: 0.3",
        "accuracy improved by 0.02",
        "val_accuracy improved from 0.97 to 0.98, saving model to m.keras",
        "Top-5 accuracy: 0.99",
        "accuracy difference = 0.02",
        "Required accuracy: 0.9",
        "Prediction time: 3 s",
        "40/1875 [..............................] - ETA: 5s - loss: 2.3 - accuracy: 0.1",
        "Step [100/600], Loss: 0.3",
        "[1,  2000] loss: 2.173",
        "accuracy: nan",
        "Best val Acc: 0.954",
        "learning rate = 0.001",
        "accuracy 5",
    ],
)
def test_a_number_that_is_no_result_is_none(line: str) -> None:
    """A threshold taken for an accuracy would contradict what the text says of the model."""
    assert read(line) == []


def test_progress_belongs_to_the_epoch_above_it_and_the_last_state_counts() -> None:
    """A terminal writes a line over; a notebook keeps every state of it."""
    text = (
        "Epoch 1/2\n"
        "10/20 [====>....] - ETA: 1s - loss: 0.9\r20/20 [=====] - 1s 5ms/step - loss: 0.5 - accuracy: 0.8\n"
        "Epoch 2/2\n"
        "20/20 [=====] - 1s 5ms/step - loss: 0.4 - accuracy: 0.85\n"
        "20/20 [=====] - 1s 5ms/step - loss: 0.45 - accuracy: 0.84\n"
    )
    assert read(text) == [
        ("loss", "train", 0.5, 1),
        ("accuracy", "train", 0.8, 1),
        ("loss", "train", 0.4, 2),
        ("accuracy", "train", 0.85, 2),
        ("loss", "test", 0.45, None),
        ("accuracy", "test", 0.84, None),
    ]


def test_lines_under_an_epoch_belong_to_it_until_a_blank_one() -> None:
    """As the transfer learning tutorial of PyTorch prints them, and what comes after the training."""
    text = "Epoch 0/1\n-----\ntrain Loss: 0.5 Acc: 0.7\nval Loss: 0.3 Acc: 0.88\n\nTest accuracy: 0.87"
    assert read(text) == [
        ("loss", "train", 0.5, 0),
        ("accuracy", "train", 0.7, 0),
        ("loss", "validation", 0.3, 0),
        ("accuracy", "validation", 0.88, 0),
        ("accuracy", "test", 0.87, None),
    ]


def test_the_epochs_of_two_trainings_in_one_cell_stay_apart() -> None:
    """A loop over settings prints epoch 1 again."""
    text = "\n".join(
        f"Epoch {epoch}: loss {loss}" for epoch, loss in [(1, 0.5), (2, 0.4), (1, 0.6), (2, 0.3)]
    )
    assert [figure[2] for figure in read(text)] == [0.5, 0.4, 0.6, 0.3]


def test_prose_needs_a_colon_or_an_equals_sign_and_code_has_no_figures() -> None:
    """In a sentence `accuracy 0.97` may be anything, and code prints nothing by itself."""
    assert read("we got accuracy 0.97 here", "prose") == []
    assert read("Validation Accuracy = 0.998", "prose") == [("accuracy", "validation", 0.998, None)]
    assert read("accuracy = 0.97", "code") == []


def test_the_place_and_the_decimals_are_those_printed() -> None:
    """A finding quotes the figure with its digits, and the reader goes to the line."""
    (one,) = figures_in(
        Cell(number=3, kind="output", source="\n\nTest accuracy: 97.0%", first_line=11), "text"
    )
    assert (one.place.cell, one.place.line, one.decimals) == (3, 13, 3)


def test_a_huge_line_costs_little() -> None:
    """An image or a tensor printed as text is one line of megabytes."""
    assert read("accuracy: " + "9" * 2_000_000 + " loss " * 100_000) == []
