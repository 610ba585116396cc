"""A Keras model becomes the arm that trains what it would train, or every reason why it cannot is said; none of this needs Keras."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras_words import OUTPUT, functional, layer, optimizer, sequential, text  # pyright: ignore[reportMissingImports]
from typer.testing import CliRunner

import fairtrial as ft
from fairtrial.cli.app import app
from fairtrial.errors import FairtrialError, StudyError
from fairtrial.identity import canonical
from fairtrial.models.importing import opening
from fairtrial.models.importing.told import Told
from fairtrial.models.verbs import import_keras
from fairtrial.study import layers as of
from fairtrial.study.keras_code import layer_arguments
from fairtrial.study.training import SGD, Adagrad, Adam, AdamW, Cosine, Exponential, RMSprop, Step
from fairtrial.trial import Trial

FLATTEN = layer("Flatten")


class Model:
    """As a Keras model at hand: it says what it is."""

    name = "cnn"

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def to_json(self) -> str:
        return text(self.document)


def arm_of(document: dict[str, Any], **options: Any) -> ft.Arm:
    made = import_keras(Model(document), **options)
    return made.study.arms[made.arm]


def refused(document: dict[str, Any], **options: Any) -> str:
    with pytest.raises(StudyError) as caught:
        import_keras(Model(document), **options)
    return str(caught.value)


def conv(filters: int, kernel: int, name: str, activation: str = "linear") -> dict[str, Any]:
    return layer("Conv2D", filters=filters, kernel_size=kernel, name=name, activation=activation)


POOL = layer("MaxPooling2D")
CNN_1 = (
    conv(32, 3, "conv2d"), POOL, conv(64, 3, "conv2d_1"), conv(64, 3, "conv2d_2"), POOL, FLATTEN,
    layer("Dense", units=100, activation="relu", kernel_initializer="he_uniform"),
)  # fmt: skip


def test_the_arm_has_the_key_of_the_same_network_written_by_hand() -> None:
    """A key more for the same trial would train everything twice, and hold nothing against what is known."""
    course = ft.load("course").arms["cnn-1"]
    arm = arm_of(sequential(*CNN_1, OUTPUT, optimizer=optimizer()))
    assert canonical(arm) == canonical(course)
    assert (
        Trial(arm=arm, seed=1, precision="float32").key == Trial(arm=course, seed=1, precision="float32").key
    )


def test_a_straight_functional_model_is_the_same_arm() -> None:
    plain = [{**one, "config": {**one["config"], "name": f"l{n}"}} for n, one in enumerate(CNN_1)]
    assert arm_of(functional(*plain, OUTPUT)).network[0].name == "l0"
    same = [one.model_dump(exclude={"name"}) for one in arm_of(functional(*plain, OUTPUT)).network]
    assert same == [one.model_dump(exclude={"name"}) for one in arm_of(sequential(*CNN_1, OUTPUT)).network]


def test_what_keras_2_wrote_is_the_same_arm() -> None:
    """The notebook's Keras: no modules, the shape beside the first layer, initialisers as pairs, the last axis by number."""

    def older(one: dict[str, Any]) -> dict[str, Any]:
        config = {
            key: {"class_name": value["class_name"], "config": value["config"]} if isinstance(value, dict) and key != "dtype" else value
            for key, value in one["config"].items()
        }  # fmt: skip
        return {"class_name": one["class_name"], "config": {**config, "dtype": "float32"}}

    norm = layer("BatchNormalization", axis=[3])
    first, *rest = [older(one) for one in (CNN_1[0], norm, *CNN_1[1:], OUTPUT)]
    first["config"]["batch_input_shape"] = [None, 28, 28, 1]
    document = {
        "class_name": "Sequential", "config": {"name": "sequential", "layers": [first, *rest]}, "keras_version": "2.4.0", "backend": "tensorflow",
    }  # fmt: skip
    made = import_keras(Model(document))
    new = arm_of(sequential(CNN_1[0], norm, *CNN_1[1:], OUTPUT))
    assert made.study.arms[made.arm].network == new.network
    assert any("not compiled" in note for note in made.notes)


WIDTHS = st.integers(1, 5)
WINDOWS = st.one_of(WIDTHS, st.tuples(WIDTHS, WIDTHS))
ACTIVATIONS = st.sampled_from(
    ["relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu", "leaky_relu", "softplus", "linear"]
)
DRAWN = st.sampled_from(
    ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"]
)
PADDING = st.sampled_from(["valid", "same"])
MOMENTUM = st.floats(0, 0.999)
IN_IMAGES = st.one_of(
    st.builds(of.Conv, filters=st.integers(1, 9), kernel=WINDOWS, stride=WIDTHS, padding=PADDING, activation=ACTIVATIONS, initializer=DRAWN, bias=st.booleans()),
    st.builds(of.Pool, size=WINDOWS, stride=st.one_of(st.none(), WINDOWS), padding=PADDING),
    st.builds(of.AveragePool, size=WINDOWS, stride=st.one_of(st.none(), WINDOWS), padding=PADDING),
)  # fmt: skip
ANYWHERE = st.one_of(
    st.builds(of.BatchNorm, momentum=MOMENTUM, epsilon=st.floats(1e-6, 0.1)),
    st.builds(of.Dropout, rate=MOMENTUM),
    st.builds(of.Activation, function=ACTIVATIONS),
)
IN_ROWS = st.builds(
    of.Dense, units=st.integers(1, 30), activation=ACTIVATIONS, initializer=DRAWN, bias=st.booleans()
)
NETWORKS = st.tuples(
    st.lists(st.one_of(IN_IMAGES, ANYWHERE), max_size=5),
    st.sampled_from([of.Flatten(), of.GlobalAveragePool()]),
    st.lists(st.one_of(IN_ROWS, ANYWHERE), max_size=5),
).map(lambda three: (*three[0], three[1], *three[2]))


def written(network: of.Network) -> list[dict[str, Any]]:
    """As `export` has Keras make it: each class called with these arguments."""
    return [
        layer(one.keras_class, **layer_arguments(one), **({"name": one.name} if one.name else {}))
        for one in network
    ]


@settings(max_examples=30, deadline=None)
@given(NETWORKS)
def test_any_network_of_ours_goes_to_keras_and_comes_back_as_it_was(network: of.Network) -> None:
    """A setting that one direction knows and the other does not would be lost without a word."""
    try:
        arm = arm_of(sequential(*written(network), OUTPUT))
    except StudyError as error:
        assume("larger than the image" not in str(error))
        raise
    ours = [one.model_copy(update={"name": None}) for one in arm.network[:-1]]
    for was, has in zip(network, ours, strict=True):
        if isinstance(was, of.Pool | of.AveragePool) and was.stride == was.size:
            assert has == was.model_copy(update={"stride": None})
        else:
            assert has == was
    # And out again: what Keras is told of the arm is what it was told of the network.
    again = arm_of(sequential(*written(arm.network[:-1]), OUTPUT))
    assert canonical(again) == canonical(arm)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (optimizer(), Adam()),
        (optimizer(learning_rate=0.019999999552965164, epsilon=1e-8), Adam(learning_rate=0.02, epsilon=1e-8)),
        (optimizer(weight_decay=0.01), AdamW(weight_decay=0.01)),
        ("adam", Adam()),
        ("rmsprop", RMSprop()),
        (
            optimizer("SGD", learning_rate=0.1, momentum=0.9, nesterov=True),
            SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
        ),
        (optimizer("AdamW", weight_decay=0.004), AdamW()),
        (
            optimizer("RMSprop", rho=0.8, momentum=0.1, centered=False),
            RMSprop(rho=0.8, momentum=0.1),
        ),
        (
            optimizer("Adagrad", initial_accumulator_value=0.2, learning_rate=0.5),
            Adagrad(initial_accumulator_value=0.2, learning_rate=0.5),
        ),
    ],
)
def test_optimisers_keep_their_settings(given: Any, expected: Any) -> None:
    """Keras keeps a learning rate as float32; what was written is what is read back."""
    assert arm_of(sequential(FLATTEN, OUTPUT, optimizer=given)).settings.optimizer == expected


def schedule(kind: str, **settings: Any) -> dict[str, Any]:
    return {"module": "keras.optimizers.schedules", "class_name": kind, "config": settings, "registered_name": None}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected", "epochs"),
    [
        (schedule("CosineDecay", initial_learning_rate=0.01, decay_steps=1620, alpha=0.1), Cosine(initial=0.01, final=0.001), 3),
        (schedule("ExponentialDecay", initial_learning_rate=0.01, decay_steps=810.0, decay_rate=0.5, staircase=False), Exponential(initial=0.01, rate=0.5, every=1.5), 5),
        (schedule("ExponentialDecay", initial_learning_rate=0.01, decay_steps=1080, decay_rate=0.1, staircase=True), Step(initial=0.01, factor=0.1, every=2), 5),
    ],
)  # fmt: skip
def test_schedules_fall_over_the_same_updates(given: Any, expected: Any, epochs: int) -> None:
    """Keras counts updates, a study file epochs: 540 updates each, of 54,000 images in batches of 100."""
    found = arm_of(sequential(FLATTEN, OUTPUT, optimizer=optimizer(learning_rate=given))).settings
    assert (found.optimizer.learning_rate, found.epochs) == (expected, epochs)


def dense(**settings: Any) -> tuple[dict[str, Any], ...]:
    return FLATTEN, layer("Dense", **{"units": 5, **settings}), OUTPUT


def convs(**settings: Any) -> tuple[dict[str, Any], ...]:
    return layer("Conv2D", **{"filters": 5, "kernel_size": 3, **settings}), FLATTEN, OUTPUT


L2 = {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.0001}, "registered_name": None}


@pytest.mark.parametrize(
    ("layers", "where", "why"),
    [
        (dense(kernel_regularizer=L2), "model.layers[1] 'dense' (Dense)", "kernel_regularizer is L2(l2=0.0001): fairtrial trains without"),
        (dense(activation="mish"), "model.layers[1] 'dense' (Dense)", "no activation 'mish'"),
        (dense(activation="softmax"), "model.layers[1]", "softmax stands at the end"),
        (dense(kernel_initializer=layer("Orthogonal")), "model.layers[1]", "kernel_initializer is Orthogonal"),
        (dense(bias_initializer={"class_name": "Ones", "config": {}}), "model.layers[1]", "bias_initializer is Ones"),
        (dense(trainable=False), "model.layers[1]", "trainable is false: every layer of an arm is trained"),
        (dense(lora_rank=4), "model.layers[1]", "lora_rank is 4"),
        (dense(of_the_future=3), "model.layers[1]", "of_the_future is 3, a setting that fairtrial does not know"),
        (dense(units="5"), "model.layers[1]", "units is \"5\""),
        (dense(dtype="float16"), "model.layers[1]", "computes in float16"),
        (convs(dilation_rate=[2, 2]), "model.layers[0] 'conv2d' (Conv2D)", "dilation_rate is [2, 2]"),
        (convs(groups=2), "model.layers[0]", "groups is 2"),
        (convs(data_format="channels_first"), "model.layers[0]", "channels_last"),
        (convs(padding="causal"), "model.layers[0]", "padding is causal"),
        (convs(kernel_size=[29, 29]), "model.layers[0]", "larger than the image"),
        ((layer("BatchNormalization", axis=1), FLATTEN, OUTPUT), "model.layers[0]", "axis is 1"),
        ((layer("BatchNormalization", scale=False), FLATTEN, OUTPUT), "model.layers[0]", "scale is false"),
        ((layer("Dropout", rate=0.5, noise_shape=[None, 1]), FLATTEN, OUTPUT), "model.layers[0]", "noise_shape is"),
        ((layer("LeakyReLU"), FLATTEN, OUTPUT), "model.layers[0]", "slope of 0.2, this one 0.3"),
        ((layer("ReLU", max_value=6.0), FLATTEN, OUTPUT), "model.layers[0]", "neither max_value"),
        ((layer("Rescaling", scale=2 / 255, offset=-1), FLATTEN, OUTPUT), "model.layers[0]", "adds -1"),
        ((layer("RandomRotation", factor=0.1), FLATTEN, OUTPUT), "model.layers[0]", "data.augment"),
        ((layer("LayerNormalization"), FLATTEN, OUTPUT), "model.layers[0]", "batch_norm may do"),
        ((FLATTEN, layer("Rescaling", scale=1 / 255, offset=0), OUTPUT), "model.layers[1]", "multiplies by"),
        (({"module": "mine", "class_name": "Wavelet", "config": {"name": "w"}, "registered_name": "mine>Wavelet"}, OUTPUT), "model.layers[0] 'w' (Wavelet)", "a class of your own"),
        ((layer("Conv2D", filters=3, kernel_size=3), OUTPUT), "model.layers[1] 'dense_9' (Dense)", "needs a flat input"),
        ((FLATTEN, layer("Dense", units=3, activation="softmax")), "model.layers[1]", "it has 3 outputs and the data 10 classes"),
        ((FLATTEN, layer("Dense", units=1, activation="sigmoid")), "model.layers[1]", "it has one output"),
        ((FLATTEN, layer("Dense", units=10, activation="sigmoid")), "model.layers[1]", "ends with sigmoid"),
        ((FLATTEN, layer("Dense", units=10, activation="softmax", use_bias=False)), "model.layers[1]", "has a bias"),
        ((FLATTEN, layer("Dense", units=10, activation="softmax", kernel_initializer="he_normal")), "model.layers[1]", "glorot_uniform"),
        ((FLATTEN, OUTPUT, layer("Softmax")), "model.layers[1]", "softmax twice"),
        ((OUTPUT, FLATTEN), "model.layers[1]", "it is the last layer"),
        (dense(activation={"module": "mine", "class_name": "function", "config": "relu", "registered_name": "relu"}), "model.layers[1]", "no activation"),
        (dense(activation={"module": "builtins", "class_name": "function", "config": "gelu", "registered_name": "function"}), "model.layers[1]", "no activation 'function gelu'"),
        (dense(activation={"class_name": "__lambda__", "config": {"value": ["4wEAAAAA", None, None]}}), "model.layers[1]", "no activation '__lambda__"),
        (dense(kernel_initializer={"module": "mine", "class_name": "HeNormal", "config": {}}), "model.layers[1]", "kernel_initializer is HeNormal"),
        ((layer("Reshape", target_shape=[14, 56, 1]), FLATTEN, OUTPUT), "model.layers[0]", "an arm has flatten alone"),
        (dense(units=None), "model.layers[1]", "it does not say its units"),
    ],
)  # fmt: skip
def test_what_would_be_trained_otherwise_is_refused_by_its_place(layers: Any, where: str, why: str) -> None:
    """By index as in `model.layers`, name and class, the setting, and what to do instead."""
    message = refused(sequential(*layers))
    assert f"the model: {where}" in message and why in message
    assert "network: {python: FILE.py:build}" in message


@pytest.mark.parametrize(
    ("compiled", "why"),
    [
        ({"optimizer": optimizer("Nadam")}, "no optimizer 'Nadam'; did you mean 'Adam'?"),
        ({"optimizer": optimizer(clipnorm=1.0)}, "clipnorm is 1.0"),
        ({"optimizer": optimizer(amsgrad=True)}, "amsgrad is true"),
        ({"optimizer": optimizer(use_ema=True)}, "use_ema is true"),
        ({"optimizer": optimizer("SGD", weight_decay=0.1)}, "only adamw has it"),
        ({"optimizer": optimizer(gradient_accumulation_steps=4)}, "gradient_accumulation_steps is 4"),
        ({"optimizer": optimizer(learning_rate=-1.0)}, "learning_rate is -1.0"),
        ({"optimizer": optimizer(learning_rate=schedule("PolynomialDecay"))}, "schedules are constant, cosine"),
        ({"optimizer": optimizer(learning_rate=schedule("CosineDecay", initial_learning_rate=0.1, decay_steps=1000))}, "1.852 epochs of 540 updates"),
        ({"optimizer": optimizer(learning_rate=schedule("ExponentialDecay", initial_learning_rate=0.1, decay_steps=100, decay_rate=0.5, staircase=True))}, "steps after whole epochs"),
        ({"optimizer": optimizer(), "loss": "mse"}, "loss: it is mse"),
        ({"optimizer": optimizer(), "loss": {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}}}, "softmax would be taken twice"),
        ({"optimizer": optimizer(), "loss": {"class_name": "CategoricalCrossentropy", "config": {"label_smoothing": 0.1}}}, "label_smoothing is 0.1"),
        ({"optimizer": optimizer(), "loss": {"class_name": "SparseCategoricalCrossentropy", "config": {"reduction": "sum"}}}, "reduction is sum"),
    ],
)  # fmt: skip
def test_training_that_is_not_ours_is_refused(compiled: dict[str, Any], why: str) -> None:
    assert why in refused(sequential(FLATTEN, OUTPUT, **compiled))


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_layers() -> None:
    """Who has to try a model eight times to hear eight reasons gives up."""
    document = sequential(
        layer("RandomZoom", name="random_zoom"), layer("Conv2D", filters=3, kernel_size=3, kernel_regularizer=L2, name="b"),
        layer("GroupNormalization", name="c"), FLATTEN, layer("Dense", units=4, activation="softmax"),
        optimizer=optimizer(clipvalue=0.5), loss="mae", shape=(None, 32, 32, 3),
    )  # fmt: skip
    lines = refused(document).splitlines()
    assert [re.sub(r".*?: ([^ :]+).*", r"\1", line) for line in lines] == [
        "model", "model.layers[0]", "model.layers[1]", "model.layers[2]", "model.layers[4]", "optimizer", "loss", "what",
    ]  # fmt: skip
    assert "it takes 32 x 32 x 3 and MNIST has 28 x 28 x 1" in lines[0].replace("mnist", "MNIST")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (functional(layer("Dense", units=3, name="a"), layer("Dense", units=3, name="b"), layer("Add", name="c"), OUTPUT, after={"b": ["input"], "c": ["a", "b"]}), "puts together what several layers give (a, b)"),
        (functional(layer("Flatten", name="a"), layer("Dense", units=3, name="b"), {**OUTPUT, "config": {**OUTPUT["config"], "name": "c"}}, after={"c": ["a"]}), "its output goes to 2 layers (b, c)"),
        ({"class_name": "MyModel", "config": {}, "registered_name": "x>MyModel"}, "does not say which layers it computes with"),
        ({"class_name": "Sequential", "config": {"layers": 3}}, "no list of layers"),
        ({"class_name": "Sequential", "config": {"layers": [3]}}, "it is no layer that Keras wrote"),
        ({"class_name": "Sequential", "config": {"layers": []}}, "it has no layers"),
        ({}, "it has no class_name"),
    ],
)  # fmt: skip
def test_what_is_no_straight_line_of_layers_is_refused(document: dict[str, Any], why: str) -> None:
    assert why in refused(document)


def test_a_model_of_two_outputs_and_one_that_is_frozen_are_refused() -> None:
    """Both are a straight line of layers, and trained otherwise."""
    two = functional(layer("Flatten", name="f"), layer("Dense", units=10, name="d"), OUTPUT)
    two["config"]["output_layers"] = [["d", 0, 0], ["dense_9", 0, 0]]
    assert "not one straight line" in refused(two)
    frozen = sequential(FLATTEN, OUTPUT)
    frozen["config"]["trainable"] = False
    assert "set trainable = True" in refused(frozen)


def test_a_layer_that_is_called_otherwise_is_refused() -> None:
    """`layer(x, training=False)` trains another network than the same layers in a row."""
    document = functional(layer("BatchNormalization", name="bn"), layer("Flatten", name="f"), OUTPUT)
    document["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": False, "mask": None}
    assert "called with training=False" in refused(document)


def test_what_is_done_to_our_images_anyway_is_left_out_and_said() -> None:
    """Bytes over 255, an axis for channels, rows of pixels, the classes' softmax on its own, logits: the same network."""
    plain = canonical(arm_of(sequential(FLATTEN, OUTPUT)))
    logits = layer("Dense", units=10)
    nested = sequential(layer("Rescaling", scale=1 / 255, offset=0.0), layer("Reshape", target_shape=[28, 28, 1]), shape=None)  # fmt: skip
    nested.pop("compile_config")
    from_logits = {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}}
    for document in (
        sequential(layer("Rescaling", scale=0.00392156862745098, offset=0.0), FLATTEN, OUTPUT),
        sequential(FLATTEN, OUTPUT, shape=(None, 28, 28)),
        sequential(OUTPUT, shape=(None, 784)),
        sequential(FLATTEN, OUTPUT, shape=None),
        sequential(nested, FLATTEN, OUTPUT, shape=(None, 28, 28)),
        sequential(FLATTEN, logits, layer("Softmax")),
        sequential(FLATTEN, logits, layer("Activation", activation="softmax")),
        sequential(FLATTEN, logits),
        sequential(FLATTEN, logits, optimizer=optimizer(), loss=from_logits),
        sequential(FLATTEN, layer("Identity"), OUTPUT),
        sequential(layer("Reshape", target_shape=[28, 28, -1]), layer("Reshape", target_shape=[-1]), OUTPUT, shape=(None, 784)),
        sequential(FLATTEN, OUTPUT, optimizer=optimizer(), loss={"class_name": "CategoricalCrossentropy", "config": {}}),
    ):  # fmt: skip
        assert canonical(arm_of(document)) == plain
    made = import_keras(Model(sequential(layer("Rescaling", scale=1 / 255, offset=0.0), OUTPUT, shape=(None, 784), optimizer=optimizer(), metrics=["accuracy", "auc"])))  # fmt: skip
    said = "\n".join(made.notes)
    for told in ("divides bytes by 255", "begins with flatten", "metrics auc are not measured", "nor how its images were prepared"):  # fmt: skip
        assert told in said


def test_activations_of_their_own_and_seeds_are_taken_as_what_they_are() -> None:
    hidden = (
        layer("Dense", units=2, activation={"module": "builtins", "class_name": "function", "config": "tanh", "registered_name": "function"}),
        layer("ReLU"), layer("LeakyReLU", negative_slope=0.2), layer("ELU"), layer("Dense", units=3, activation="swish"),
        layer("Dense", units=4, activation=layer("ReLU"), kernel_initializer={"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_in", "distribution": "uniform", "seed": 7}}),
    )  # fmt: skip
    made = import_keras(Model(sequential(FLATTEN, *hidden, OUTPUT)))
    found = made.study.arms[made.arm].network[1:-1]
    assert [getattr(one, "function", getattr(one, "activation", "")) for one in found] == [
        "tanh", "relu", "leaky_relu", "elu", "silu", "relu",
    ]  # fmt: skip
    assert isinstance(found[-1], of.Dense) and found[-1].initializer == "he_uniform"
    assert any("a function called tanh, and is taken for Keras's own" in note for note in made.notes)
    assert any("seed 7 of its kernel_initializer is not taken" in note for note in made.notes)


def test_names_that_somebody_gave_are_kept_and_keras_own_are_not() -> None:
    """The same network built twice in one session would otherwise be two arms."""
    names = ("conv2d_17", "first", "output", "no good", "first")
    hidden = [layer("Conv2D", filters=2, kernel_size=2, name=name) for name in names]
    made = import_keras(Model(sequential(*hidden, FLATTEN, OUTPUT)))
    found = [one.name for one in made.study.arms[made.arm].network]
    assert found == ["conv-1", "first", "conv-3", "conv-4", "conv-5", "flatten-1", "output"]
    assert len([note for note in made.notes if "its name is not kept" in note]) == 3


def test_mixed_precision_and_a_fixed_batch_are_settings_of_the_arm() -> None:
    mixed = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_bfloat16"}, "registered_name": None}  # fmt: skip
    hidden = layer("Dense", units=4, dtype=mixed)
    arm = arm_of(sequential(FLATTEN, hidden, OUTPUT, shape=(32, 28, 28, 1)))
    assert (arm.settings.precision, arm.settings.batch_size) == ("bfloat16", 32)
    assert "one precision" in refused(sequential(FLATTEN, hidden, layer("Dense", units=4), OUTPUT))
    assert "batches of 32 alone" in refused(
        sequential(FLATTEN, hidden, OUTPUT, shape=(32, 28, 28, 1)), sets=["batch_size=50"]
    )


def keras_file(path: Path, document: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", text(document))
        archive.writestr("model.weights.h5", b"not read")
    return path


def command(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["import", "keras", *arguments])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return keras_file(tmp_path / "my net.keras", sequential(*CNN_1, OUTPUT, optimizer=optimizer()))


def test_the_command_prints_a_study_that_can_be_run(file: Path, tmp_path: Path) -> None:
    """What is printed is what is written, and a study file as anyone writes it; weights are said not to be in it."""
    code, out, _ = command(str(file), "--set", "epochs=2", "--set", "data.validation=5000")
    head = " ".join(line.removeprefix("#").strip() for line in out.splitlines() if line.startswith("#"))
    assert code == 0 and "Its weights are not taken" in head and "Keras 3.15.1" in head
    code, said, _ = command(
        str(file),
        "--set",
        "epochs=2",
        "--set",
        "data.validation=5000",
        "--data",
        "mnist",
        "--write",
        str(tmp_path / "s.yaml"),
    )
    assert code == 0 and "wrote arm my-net" in said and "159,254 parameters" in said
    assert (tmp_path / "s.yaml").read_text() == out
    study = ft.load(tmp_path / "s.yaml")
    arm = study.arms["my-net"]
    assert (arm.settings.epochs, arm.settings.data.validation) == (2, 5000)
    # The example in its last lines is one that works, once it is no comment any more.
    lines = out.splitlines()
    begin = lines.index("# A question holds one arm against another. For example, an arm more, and:")
    lines[begin : begin + 1] = []
    (tmp_path / "q.yaml").write_text("\n".join(line.removeprefix("# ") if n >= begin else line for n, line in enumerate(lines)))  # fmt: skip
    assert [one.id for one in ft.load(tmp_path / "q.yaml").questions] == ["Q1"]
    code, out, _ = command(str(file), "--json", "--arm", "cnn")
    told = json.loads(out)
    assert (told["arm"], told["parameters"], told["weights"]) == ("cnn", 159_254, "not taken")


STUDY = """\
schema: fairtrial/1
base:
  epochs: 2
  optimizer: {name: adam, beta_1: 0.8}   # on purpose
  network: {mlp: {width: 20}}
arms:
    plain: {}
    wide:            # more of them
        network.mlp.width: 40
    # the last comment among the arms

questions:
  - {id: Q1, ask: What does it do?, variant: wide, baseline: plain}
"""


def test_an_arm_is_added_to_a_study_and_nothing_else_is_touched(file: Path, tmp_path: Path) -> None:
    """Comments, order and the other arms stay; what the base says otherwise is said back."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    before = ft.load(path)
    code, out, _ = command(str(file), "--write", str(path))
    assert code == 0 and "added arm my-net to" in out
    text_now = path.read_text()
    now = ft.load(path)
    assert [line for line in text_now.splitlines() if line in STUDY.splitlines()] == STUDY.splitlines()
    assert {name: arm.settings for name, arm in now.arms.items() if name != "my-net"} == {
        name: arm.settings for name, arm in before.arms.items()
    }
    assert now.arms["my-net"].settings.optimizer == Adam()
    assert now.arms["my-net"].settings.epochs == 2
    assert [one.kind for one in now.arms["my-net"].network] == [
        "conv", "pool", "conv", "conv", "pool", "flatten", "dense", "dense",
    ]  # fmt: skip
    code, _, err = command(str(file), "--write", str(path))
    assert code == 2 and "has an arm 'my-net' already" in err and path.read_text() == text_now
    code, _, err = command(str(file), "--write", str(path), "--set", "epochs=3")
    assert code == 2 and "leave out --data and --set" in err


@pytest.mark.parametrize(
    ("study", "why"),
    [
        ("schema: fairtrial/1\narms: {plain: {}}\n", "not written below `arms:`"),
        ("schema: fairtrial/1\narms:\n  plain: {epoch: 3}\n", "did you mean 'epochs'"),
        ("no study\n", "a study is a mapping"),
    ],
)
def test_a_study_that_cannot_take_the_arm_is_left_as_it_was(
    study: str, why: str, file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(study)
    code, _, err = command(str(file), "--write", str(path))
    assert code == 2 and why in err
    assert path.read_text() == study
    assert sorted(one.name for one in tmp_path.iterdir()) == ["my net.keras", "study.yaml"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_last_arm_may_end_the_file(end: str, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"schema: fairtrial/1\r\narms:\r\n  plain:\r\n    note: |\r\n      some\r\n      words{end}", newline="")  # fmt: skip
    assert command(str(file), "--write", str(path))[0] == 0
    assert list(ft.load(path).arms) == ["plain", "my-net"]
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"") or end


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("m.h5", b"", "a file of older Keras; load it there and write it anew"),
        ("m.py", b"", "such as m.py:build"),
        ("m.onnx", b"", "a Keras model is given as MODEL.keras"),
        ("m.keras", b"no zip", "no whole zip file"),
        ("m.json", b"[1", "it is no JSON"),
        ("m.json", b"[1]", "it is no model that Keras wrote"),
        ("m.json", b"[" * 100_000, "it is no JSON (it is nested too deeply)"),
        ("m.json", b" " * 5_000_000, "larger than"),
    ],
)
def test_what_is_no_model_is_refused_in_words(name: str, content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    code, _, err = command(str(tmp_path / name))
    assert code == 2 and why in err
    code, _, err = command(str(tmp_path / f"none-{name}"))
    assert code == 2 and "Traceback" not in err


def test_code_without_keras_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And that a file needs none."""
    (tmp_path / "net.py").write_text("def build(): ...")
    monkeypatch.setattr(opening, "find_spec", lambda _: None)
    with pytest.raises(FairtrialError, match=re.escape('pip install "fairtrial[keras]"')):
        import_keras(str(tmp_path / "net.py:build"))
    with pytest.raises(FairtrialError, match="there is no file"):
        import_keras(str(tmp_path / "not.py:build"))


@pytest.mark.parametrize("path", ["network.mlp.width=3", "optimizer.learning_rate=0.1", "arms.x={}"])
def test_what_the_model_says_itself_cannot_be_set(path: str, file: Path) -> None:
    code, _, err = command(str(file), "--set", path)
    assert code == 2 and "the model itself says its" in err


PAGE = (Path(__file__).parents[2] / "docs" / "keras.md").read_text(encoding="utf-8")


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands are run on the model that it shows; the one that needs Keras is run where there is one."""
    monkeypatch.chdir(tmp_path)
    document = sequential(
        layer("Conv2D", filters=32, kernel_size=3, activation="relu"), POOL, FLATTEN, layer("Dropout", rate=0.5),
        layer("Dense", units=100, activation="relu", kernel_initializer="he_uniform", name="head"), OUTPUT,
        optimizer=optimizer(learning_rate=0.0003000000142492354),
    )  # fmt: skip
    keras_file(Path("cnn.keras"), document)
    Path("model.json").write_text(text(document))
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    (commands,) = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(commands.splitlines()) == 3
    outputs: list[str] = []
    for line in commands.splitlines():
        words = line.split()
        assert words[:3] == ["fairtrial", "import", "keras"]
        if words[3] != "net.py:build":
            code, out, err = command(*words[3:])
            assert code == 0, err
            outputs.append(out)
    assert shown in outputs[0]
    assert "epochs: 3" in outputs[1]


def test_a_reason_stays_a_line_that_is_read() -> None:
    """However deep a model lies in others, and whatever its settings hold."""
    told = Told(source="it")
    told.refuse("model" + ".layers[0]" * 500, "because " + "very " * 2000)
    assert max(map(len, str(told.error()).splitlines())) < 1500
