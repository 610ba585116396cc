"""The notebook's block and the three columns: what was printed, reproduced, done right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fairtrial.analysis.gather import gather
from fairtrial.analysis.markdown import escaped
from fairtrial.report.blocks import block, keras_names
from fairtrial.report.reproduction import Cells, reproduction, with_split
from fairtrial.report.show_markdown import markdown, three
from fairtrial.report.spread import spread
from fairtrial.store import Store
from fairtrial.study.layers import Conv, Dense, Flatten, Pool
from fairtrial.study.schema import Arm, ArmSettings, NetworkSettings, Published, Study

Put = Callable[..., Any]


def test_each_column_takes_the_trials_of_its_own_split(store: Store, put: Put, study: Study) -> None:
    """Mixing them up would show the leak as honest, the very mistake the table is to prevent."""
    arm = replace(study.arms["narrow"], published=Published(validation_accuracy=0.972))
    for seed in (1, 2):
        put(with_split(arm, "reshuffled"), seed, validation_accuracy=0.99)
        put(with_split(arm, "fixed"), seed, validation_accuracy=0.96 + seed / 100)
    for asked in (arm, with_split(arm, "reshuffled")):
        (row,) = reproduction([asked], store)
        cells = {one.metric: one for one in row.cells}["validation_accuracy"]
        assert cells.published == 0.972
        assert cells.reproduced is not None and cells.right is not None
        assert (cells.reproduced.mean, cells.reproduced.n) == (pytest.approx(0.99), 2)
        assert cells.right.mean == pytest.approx(0.975)
        assert cells.right.sd == pytest.approx(0.00707, rel=1e-3)


def test_what_was_never_printed_is_none_and_not_zero(store: Store, study: Study) -> None:
    """A zero in a table of accuracies reads as a catastrophe."""
    (row,) = reproduction([replace(study.arms["narrow"], published=Published())], store)
    assert all((one.published, one.reproduced, one.right) == (None, None, None) for one in row.cells)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("test_accuracy", 0.97, "0.970"), ("test_loss", 0.1, "0.100"), ("test_loss", 0.0497, "0.0497"),
        ("fit_seconds", 449.658, "449.658"), ("fit_seconds", 25, "25"), ("test_loss", None, "-"),
    ],
)  # fmt: skip
def test_printed_figures_keep_their_digits(metric: str, value: float | None, text: str) -> None:
    """The notebook printed 0.970, and a column of digits that end anywhere is hard to read down."""
    assert three(Cells(metric=metric, published=value, reproduced=None, right=None)) == (text, "-", "-")


def test_the_block_shows_keras_names_shapes_and_counts(store: Store) -> None:
    """Readers compare it line by line with what Keras printed for them."""
    layers = (Conv(filters=32, kernel=3), Pool(size=2), Flatten(), Dense(units=100, activation="relu"))
    arm = Arm(name="cnn", title="A network", settings=ArmSettings(network=NetworkSettings(layers=layers)))
    shown = block(gather([arm], store)["cnn"])
    assert [(one.layer, one.output_shape, one.parameters) for one in shown.layers] == [
        ("conv2d (Conv2D)", "(None, 26, 26, 32)", 320),
        ("max_pooling2d (MaxPooling2D)", "(None, 13, 13, 32)", 0),
        ("flatten (Flatten)", "(None, 5408)", 0),
        ("dense (Dense)", "(None, 100)", 540900),
        ("dense_1 (Dense)", "(None, 10)", 1010),
    ]
    assert shown.parameters == 542230
    assert shown.hyperparameters.startswith("BUFFER SIZE = 10000, BATCH SIZE = 100, NUM_EPOCHS = 5")
    assert "LEARNING RATE = 0.001" in shown.hyperparameters


def test_keras_names_of_every_layer_kind() -> None:
    """Keras counts each kind on its own and writes its class name in snake case."""
    assert keras_names(
        [
            "BatchNormalization",
            "GlobalAveragePooling2D",
            "AveragePooling2D",
            "Activation",
            "Dropout",
            "Dropout",
        ]
    ) == [
        "batch_normalization",
        "global_average_pooling2d",
        "average_pooling2d",
        "activation",
        "dropout",
        "dropout_1",
    ]


def test_diverged_trials_are_counted_beside_the_mean_not_in_it(store: Store, put: Put, study: Study) -> None:
    """A mean that silently leaves out what diverged is a mean of the lucky."""
    arm = study.arms["narrow"]
    put(arm, 1, test_accuracy=0.9)
    put(arm, 2, state="diverged")
    shown = block(gather([arm], store)["narrow"])
    assert (shown.finished, shown.diverged) == (1, 1)
    assert shown.figures[4].end == spread([0.9])
    assert shown.last_epoch_share == pytest.approx(0.2 / 1.5)


def test_markdown_holds_every_figure_and_nothing_active(store: Store, put: Put, study: Study) -> None:
    """The page goes into the docs as it is; a title must not become a link, a table cell or a tag."""
    arm = replace(study.arms["narrow"], title="a | <i>b</i>", published=Published(test_accuracy=0.97))
    put(arm, 1, test_accuracy=0.9512)
    found = gather([arm], store)
    page = markdown(
        "A [study](x)", [block(found["narrow"])], reproduction([arm], store), made="Made.", machines=["m"]
    )
    assert "0.9512 (1)" in page
    assert "| `narrow` | Train Accuracy | - | - | 0.9700 (1) |" in page
    assert "<i>" not in page
    assert "\\[study\\]" in page
    assert escaped("a|b") == "a\\|b"
