"""The generated Keras program: read as a syntax tree and held against the arm it comes from."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairtrial.errors import StudyError
from fairtrial.study.augment import Augment
from fairtrial.study.keras_code import keras_program
from fairtrial.study.layers import (
    Activation,
    AveragePool,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Pool,
)
from fairtrial.study.schema import Arm, ArmSettings, DataSettings, Mlp, NetworkSettings
from fairtrial.study.training import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Cosine,
    EarlyStopping,
    Exponential,
    RMSprop,
    Step,
)


def arm(*, title: str | None = None, note: str | None = None, name: str = "any", **settings: Any) -> Arm:
    return Arm(name=name, title=title, note=note, settings=ArmSettings(**settings))


def constants(tree: ast.Module) -> dict[str, object]:
    """The program's upper-case assignments."""
    return {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper()
    }


def calls(tree: ast.AST, prefix: str) -> list[tuple[str, list[object], dict[str, object]]]:
    """Calls of functions below `prefix` in the order of the text: name, arguments, named arguments."""
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(prefix)
    ]
    found.sort(key=lambda node: (node.lineno, node.col_offset))

    def value(node: ast.expr) -> object:
        return ast.unparse(node) if isinstance(node, ast.Call) else ast.literal_eval(node)

    return [
        (
            ast.unparse(node.func).removeprefix(prefix),
            [value(one) for one in node.args],
            {one.arg or "": value(one.value) for one in node.keywords},
        )
        for node in found
    ]


EVERY_LAYER = (
    Conv(
        filters=8,
        kernel=(3, 5),
        stride=2,
        padding="same",
        activation="relu",
        initializer="he_normal",
        bias=False,
    ),
    BatchNorm(momentum=0.9),
    Activation(function="leaky_relu"),
    Pool(size=2, stride=1),
    AveragePool(size=(2, 1), padding="same"),
    Conv(filters=4, name="last"),
    Dropout(rate=0.25),
    GlobalAveragePool(),
    Flatten(),
    Dense(units=9, activation="selu", initializer="lecun_uniform", bias=False),
)


def test_every_layer_carries_every_argument_that_departs_from_keras() -> None:
    """A layer that lost its stride would still run, and be another network."""
    tree = ast.parse(keras_program(arm(network=NetworkSettings(layers=EVERY_LAYER))))
    assert calls(tree, "keras.layers.") == [
        (
            "Conv2D",
            [],
            {
                "filters": 8,
                "kernel_size": (3, 5),
                "strides": 2,
                "padding": "same",
                "activation": "relu",
                "kernel_initializer": "he_normal",
                "use_bias": False,
                "name": "conv-1",
            },
        ),
        ("BatchNormalization", [], {"momentum": 0.9, "name": "batch_norm-1"}),
        ("Activation", [], {"activation": "leaky_relu", "name": "activation-1"}),
        ("MaxPooling2D", [], {"pool_size": 2, "strides": 1, "name": "pool-1"}),
        ("AveragePooling2D", [], {"pool_size": (2, 1), "padding": "same", "name": "average_pool-1"}),
        ("Conv2D", [], {"filters": 4, "kernel_size": 3, "name": "last"}),
        ("Dropout", [], {"rate": 0.25, "name": "dropout-1"}),
        ("GlobalAveragePooling2D", [], {"name": "global_average_pool-1"}),
        ("Flatten", [], {"name": "flatten-1"}),
        (
            "Dense",
            [],
            {
                "units": 9,
                "activation": "selu",
                "kernel_initializer": "lecun_uniform",
                "use_bias": False,
                "name": "dense-1",
            },
        ),
        ("Dense", [], {"units": 10, "activation": "softmax", "name": "output"}),
    ]


def test_the_network_is_built_in_one_list_after_its_input() -> None:
    """Layers outside the list would be written and never used."""
    tree = ast.parse(keras_program(arm(network=NetworkSettings(mlp=Mlp(width=7, depth=3)))))
    (model,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "keras.Sequential"
    ]
    (layers,) = model.args
    assert isinstance(layers, ast.List)
    assert [ast.unparse(layer.func) for layer in layers.elts if isinstance(layer, ast.Call)] == [
        "keras.Input",
        "keras.layers.Flatten",
        *["keras.layers.Dense"] * 4,
    ]
    assert ast.unparse(layers.elts[0]) == "keras.Input((28, 28, 1))"


@pytest.mark.parametrize(
    ("optimizer", "keras_class", "arguments"),
    [
        (Adam(), "Adam", {"learning_rate": 0.001}),
        (Adam(learning_rate=0.02, epsilon=1e-8), "Adam", {"learning_rate": 0.02, "epsilon": 1e-8}),
        (Adam(beta_1=0.8, beta_2=0.99), "Adam", {"learning_rate": 0.001, "beta_1": 0.8, "beta_2": 0.99}),
        (AdamW(weight_decay=0.01), "AdamW", {"learning_rate": 0.001, "weight_decay": 0.01}),
        (SGD(momentum=0.9, nesterov=True), "SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
        (RMSprop(rho=0.8), "RMSprop", {"learning_rate": 0.001, "rho": 0.8}),
        (
            Adagrad(initial_accumulator_value=0.2),
            "Adagrad",
            {"learning_rate": 0.001, "initial_accumulator_value": 0.2},
        ),
        (
            Adam(learning_rate=Cosine(initial=0.01, final=0.001)),
            "Adam",
            {"learning_rate": "keras.optimizers.schedules.CosineDecay(0.01, decay_steps=2700, alpha=0.1)"},
        ),
        (
            Adam(learning_rate=Exponential(initial=0.01, rate=0.5, every=2)),
            "Adam",
            {
                "learning_rate": "keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=1080.0, decay_rate=0.5)"
            },
        ),
        (
            Adam(learning_rate=Step(initial=0.01, factor=0.5, every=2)),
            "Adam",
            {
                "learning_rate": "keras.optimizers.schedules.ExponentialDecay("
                "0.01, decay_steps=1080, decay_rate=0.5, staircase=True)"
            },
        ),
        (
            Adam(learning_rate=Cosine(initial=0.01, warmup_epochs=1)),
            "Adam",
            {"learning_rate": "WarmupCosine()"},
        ),
    ],
)
def test_the_optimizer_carries_every_argument_that_departs_from_keras(
    optimizer: Any, keras_class: str, arguments: dict[str, object]
) -> None:
    """Schedules count in steps: 54 000 images in batches of 100 make 540 an epoch, 2 700 in five."""
    tree = ast.parse(keras_program(arm(optimizer=optimizer)))
    found = [call for call in calls(tree, "keras.optimizers.") if not call[0].startswith("schedules.")]
    assert found == [(keras_class, [], arguments)]


def test_the_warm_up_is_written_out_because_keras_has_another() -> None:
    """Keras's own warm-up starts elsewhere and arrives a step later."""
    tree = ast.parse(keras_program(arm(optimizer=Adam(learning_rate=Cosine(initial=0.01, warmup_epochs=1)))))
    (schedule,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    values = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in schedule.body
        if isinstance(node, ast.Assign)
    }
    assert values == {"initial": 0.01, "final": 0.0, "warmup_steps": 540.0, "falling_steps": 2160.0}


def test_sizes_of_data_batch_and_training_are_those_of_the_arm() -> None:
    """They are constants at the top, where a reader looks for them."""
    program = keras_program(
        arm(data=DataSettings(validation=500, train=1000, buffer_size=77), batch_size=13, epochs=3)
    )
    found = constants(ast.parse(program))
    expected = {"VALIDATION": 500, "TRAIN": 1000, "BUFFER_SIZE": 77, "BATCH_SIZE": 13, "EPOCHS": 3}
    assert expected.items() <= found.items()


def test_only_the_reshuffled_split_takes_and_skips_from_one_shuffled_set() -> None:
    """That is the notebook's leak; the fixed split must not have it."""
    fixed, leaking = (keras_program(arm(data=DataSettings(split=split))) for split in ("fixed", "reshuffled"))
    assert "shuffled.take(VALIDATION)" in leaking
    assert "shuffled.skip(VALIDATION)" in leaking
    assert "take(" not in fixed
    assert "skip(" not in fixed
    assert all(
        "shuffle(BUFFER_SIZE, reshuffle_each_iteration=True)" in program for program in (fixed, leaking)
    )


@pytest.mark.parametrize("split", ["fixed", "reshuffled"])
def test_only_what_is_trained_on_is_moved_and_only_where_the_arm_says_so(split: Any) -> None:
    """Validation images stay as they are, and an arm without augmentation has not a word of it."""
    moved, plain = (
        keras_program(arm(data=DataSettings(split=split, augment=augment)))
        for augment in (Augment(shift=2, rotate=10, zoom=0.1), Augment())
    )
    expected = {"SHIFT": 2.0, "ROTATE": 10.0, "ZOOM": 0.1}
    assert expected.items() <= constants(ast.parse(moved)).items()
    assert not expected.keys() & constants(ast.parse(plain)).keys()
    assert "affine_transform" not in plain
    maps = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(moved))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "map"
    ]
    assert maps == ["training.map(moved)"]
    assert 'interpolation="bilinear", fill_mode="constant", fill_value=0' in moved
    assert calls(ast.parse(moved), "keras.layers.") == calls(ast.parse(plain), "keras.layers.")


def test_bfloat16_keeps_the_probabilities_in_float32() -> None:
    """Keras's own advice for mixed precision; float32 programs say nothing of precision."""
    mixed, plain = keras_program(arm(precision="bfloat16")), keras_program(arm(precision="float32"))
    assert 'set_dtype_policy("mixed_bfloat16")' in mixed
    assert calls(ast.parse(mixed), "keras.layers.Dense")[-1][2]["dtype"] == "float32"
    assert "dtype_policy" not in plain
    assert "dtype=" not in plain


@pytest.mark.parametrize(
    ("monitor", "expected", "mode"),
    [("validation_loss", "val_loss", "min"), ("validation_accuracy", "val_accuracy", "max")],
)
def test_early_stopping_watches_what_the_arm_watches(monitor: Any, expected: str, mode: str) -> None:
    """The wrong mode would stop as soon as the network learns."""
    tree = ast.parse(
        keras_program(arm(early_stopping=EarlyStopping(monitor=monitor, patience=4, min_delta=0.1)))
    )
    assert calls(tree, "keras.callbacks.") == [
        ("EarlyStopping", [], {"monitor": expected, "mode": mode, "patience": 4, "min_delta": 0.1})
    ]
    assert calls(ast.parse(keras_program(arm())), "keras.callbacks.") == []


def test_an_impossible_network_is_refused_and_not_written_down() -> None:
    """The reader would get Keras's traceback instead of our message."""
    with pytest.raises(StudyError, match="dense-1"):
        keras_program(arm(network=NetworkSettings(layers=(Dense(units=3),))))


HOSTILE = [
    "quotes \" and ' and \"\"\" and '''",
    "a line\nimport os; os.remove('x')\n",
    "carriage\rreturn, form feed\f, nul\0, separator\u2028, next line\x85",
    "backslash \\ at the end \\",
    "{braces} {0} %s $HOME",
    "right-to-left \u202e and a lone surrogate \ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_study_breaks_out_of_its_literal(text: str) -> None:
    """Studies come from other people, and the program is made to be run."""
    hostile, harmless = (
        ast.parse(keras_program(arm(name=one, title=one, note=one))) for one in (text, "harmless")
    )
    found = constants(hostile)
    assert (found["ARM"], found["TITLE"], found["NOTE"]) == (text, text, text)
    assert _without_text(hostile) == _without_text(harmless)


@settings(deadline=None)  # the first example may wait for another process
@given(st.text())
def test_any_text_survives_as_a_literal(text: str) -> None:
    """The cases above are those that came to mind."""
    program = keras_program(arm(title=text))
    compile(program, "program.py", "exec", dont_inherit=True)
    assert constants(ast.parse(program))["TITLE"] == text
    assert program.isascii() or program.replace("\n", "").isprintable()


def _without_text(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"ARM", "TITLE", "NOTE"}:
            node.value = ast.Constant("")
    return ast.dump(tree)
