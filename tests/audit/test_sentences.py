"""What sentences say of a metric: in many wordings, and never more than they say."""

from __future__ import annotations

import pytest

from fairtrial.audit.sentences import said_in


def read(text: str) -> list[tuple[object, ...]]:
    return [
        (one.metric, one.on, one.says, one.before and one.before.value, one.after and one.after.value)
        for one in said_in(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "When increase the hidden layer from 50 to 200, the validation accuracy also increased from 0.970 to 0.988",
            [("accuracy", "validation", "increase", 0.97, 0.988)],
        ),
        (
            "Train time significantly Increased from 9.193 to 449.6 seconds",
            [("time", None, "increase", 9.193, 449.6)],
        ),
        (
            "validation Accuracy significantly decreased from 0.987 to 0.975 . , Test Accuracy decreased from 0.979 to 0.969.",
            [("accuracy", "validation", "decrease", 0.987, 0.975), ("accuracy", "test", "decrease", 0.979, 0.969)],
        ),
        ("We can see that the accuracy improved from 97% to 98.2%", [("accuracy", None, "increase", 0.97, 0.982)]),
        ("accuarcy incresed from 0.9 to 0.95", [("accuracy", None, "increase", 0.9, 0.95)]),
        ("The test acc. went down to 0.91", [("accuracy", "test", "decrease", None, 0.91)]),
        ("Accuracy went from 0.91 to 0.93", [("accuracy", None, "increase", 0.91, 0.93)]),
        ("the validation accuracy fell slightly (0.982 -> 0.979)", [("accuracy", "validation", "decrease", 0.982, 0.979)]),
        ("there was a drop in test accuracy from .98 to .97", [("accuracy", "test", "decrease", 0.98, 0.97)]),
        ("With 200 units we got higher validation accuracy", [("accuracy", "validation", "increase", None, None)]),
        (
            "Increasing the batch size decreases the training time but the accuracy also drops",
            [("time", None, "decrease", None, None), ("accuracy", None, "decrease", None, None)],
        ),
        (
            "val accuracy and test accuracy both increased",
            [("accuracy", "validation", "increase", None, None), ("accuracy", "test", "increase", None, None)],
        ),
        (
            "Compared with model_1, the val_accuracy of model_2 increased from 0.971 to 0.976",
            [("accuracy", "validation", "increase", 0.971, 0.976)],
        ),
        ("The accuracy of the wider model is higher", [("accuracy", None, "increase", None, None)]),
        ("The test accuracy with 200 units is lower", [("accuracy", "test", "decrease", None, None)]),
        ("Accuracy for a batch size of 1000 dropped", [("accuracy", None, "decrease", None, None)]),
        ("- Test accuracy decreased from **88.03% → 80.99%**", [("accuracy", "test", "decrease", 0.8803, 0.8099)]),
        (
            "The test accuracy decreased from 67.55% (baseline) to 66.79%.",
            [("accuracy", "test", "decrease", 0.6755, 0.6679)],
        ),
        ("Test accuracy changed from 67.55% to 66.79%", [("accuracy", "test", "decrease", 0.6755, 0.6679)]),
        ("With 50 epochs the test accuracy rose to 0.98", [("accuracy", "test", "increase", None, 0.98)]),
        ("The loss is worse", [("loss", None, "increase", None, None)]),
        ("Training was faster", [("time", None, "decrease", None, None)]),
        ("It took longer to train", [("time", None, "increase", None, None)]),
        ("The training took 2 minutes", []),
        ("Time needed for training dropped from 2 min to 8 s", [("time", None, "decrease", 120.0, 8.0)]),
        ("The accuracy did not change much.", [("accuracy", None, "no change", None, None)]),
        ("the test accuracy is almost the same", [("accuracy", "test", "no change", None, None)]),
        ("There is no significant difference in accuracy", [("accuracy", None, "no change", None, None)]),
        (
            "if you keep increasing the layer beyond 1000 the accuracy is almost the same",
            [("accuracy", None, "plateau", None, None)],
        ),
        ("We reached a test accuracy of 97.5%", [("accuracy", "test", "level", None, 0.975)]),
        ("This gives 97.5 % test accuracy", [("accuracy", "test", "level", None, 0.975)]),
        ("Final Model: Validation Accuracy = 0.998", [("accuracy", "validation", "level", None, 0.998)]),
    ],
)  # fmt: skip
def test_a_statement_is_understood(text: str, expected: list[object]) -> None:
    """Each of these stands in some notebook."""
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "How does the validation accuracy of the model change?",
        "Does the accuracy increase?",
        "Increasing the learning rate will increase the accuracy",
        "A larger batch should make training faster",
        "the accuracy didn't improve",
        "we never saw the accuracy increase",
        "to increase the accuracy we add a layer",
        "training accuracy is higher than validation accuracy",
        "Accuracy usually increases with depth",
        "If the learning rate is too high, the loss increases",
        "I increased the learning rate and the batch size",
        "At the same time we changed the optimizer",
        "Train the model for a longer period",
        "The number of parameters increased from 42310 to 199210",
        "Accuracy is a metric; loss is another",
        "Accuracy with the learning rate increased to 0.1 was poor",
        "Increase the batch size to 200",
        "The validation accuracy increased from 0.56 to 0.69 over 20 epochs",
        "During training the validation accuracy increases while the loss decreases",
        "After the first epoch the validation accuracy increased from 0.9806 to 0.9842",
        "Validation accuracy increased from 0.512 to 0.583. Saving model weights",
        "val_accuracy improved from 0.97 to 0.98, saving model to best.keras",
        "The accuracy of the training curve rises",
        "Training time increased from about 117 s/epoch to about 186 s/epoch",
        "At the 4th epoch the validation accuracy decreased",
        "The validation accuracy increased until about 1000 epochs",
    ],
)
def test_what_states_no_measured_change_is_left_alone(text: str) -> None:
    """A question, a wish or a rule of thumb cannot be contradicted by a table."""
    assert read(text) == []


def test_numbers_that_count_something_else_are_no_figures() -> None:
    """`from 50 to 200 units` are no accuracies."""
    assert read("the accuracy increased from 50 to 200 units") == [("accuracy", None, "increase", None, None)]


def test_a_text_of_megabytes_costs_little() -> None:
    """An export may hold anything."""
    assert read("accuracy " * 300_000 + "increased") is not None
