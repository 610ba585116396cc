"""Networks and their trainings are recognised from code alone, in the spellings that people use; nothing is run."""

import contextlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairtrial.audit.document import Cell, Document
from fairtrial.audit.experiment import Experiments, ModelSeen
from fairtrial.audit.reading import read
from fairtrial.audit.recognising import experiments
from fairtrial.audit.translating import study_text
from fairtrial.errors import AuditError


def seen(*code: str) -> Experiments:
    """The experiments of a notebook of these code cells."""
    cells = tuple(Cell(number, "code", source) for number, source in enumerate(code, start=1))
    return experiments(Document("a.ipynb", "notebook", cells))


def only(*code: str) -> ModelSeen:
    (model,) = seen(*code).models
    return model


def layers(model: ModelSeen) -> list[tuple[object, ...]]:
    return [(layer.kind, *layer.settings.values()) for layer in model.layers]


TWO_LAYERS = [("flatten",), ("dense", 50, "relu"), ("dense", 20, "tanh")]
SPELLINGS = {
    "list": """
import tensorflow as tf
hidden = 50
model = tf.keras.Sequential([
    tf.keras.layers.Flatten(input_shape=(28, 28, 1)),
    tf.keras.layers.Dense(hidden, activation='relu'),
    tf.keras.layers.Dense(hidden - 30, activation=tf.nn.tanh),
    tf.keras.layers.Dense(10, activation='softmax')])
""",
    "add": """
from keras.models import Sequential
from keras.layers import Dense, Flatten, Activation
model = Sequential()
model.add(Flatten())
model.add(Dense(50)); model.add(Activation('relu'))
model.add(Dense(units=20, activation='tanh'))
model.add(Dense(10)); model.add(Activation('softmax'))
""",
    "functional": """
from tensorflow import keras
from tensorflow.keras import layers as L
inputs = keras.Input(shape=(28, 28, 1))
x = L.Flatten()(inputs)
x = L.Dense(50, 'relu')(x)
x = L.Dense(20, activation=keras.activations.tanh)(x)
outputs = L.Dense(10, activation='softmax')(x)
model = keras.Model(inputs=inputs, outputs=outputs)
""",
    "subclass": """
import tensorflow as tf
class Net(tf.keras.Model):
    def __init__(self, width=50):
        super().__init__()
        self.flat = tf.keras.layers.Flatten()
        self.hidden = [tf.keras.layers.Dense(width, activation='relu'), tf.keras.layers.Dense(20, activation='tanh')]
        self.out = tf.keras.layers.Dense(10)
    def call(self, x):
        x = self.flat(x)
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)
model = Net()
""",
    "function": """
import keras
def build(width, *, second=20, activation="relu"):
    net = keras.Sequential()
    net.add(keras.layers.Flatten())
    for units, function in zip([width, second], [activation, "tanh"]):
        net.add(keras.layers.Dense(units, activation=function))
    net.add(keras.layers.Dense(10, activation="softmax"))
    return net
model = build(width=50)
""",
    "comprehension": """
import keras
config = {"widths": [50, 20], "functions": ("relu", "tanh")}
stack = [keras.layers.Dense(w, activation=f) for w, f in zip(config["widths"], config["functions"])]
model = keras.Sequential([keras.layers.Flatten(), *stack, keras.layers.Dense(10)])
""",
    "torch list": """
import torch.nn as nn
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 20), nn.Tanh(), nn.Linear(20, 10))
""",
    "torch class": """
import torch
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def __init__(self, width):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(28 * 28, width)
        self.fc2 = nn.Linear(width, 20)
        self.fc3 = nn.Linear(20, 10)
    def forward(self, x):
        x = x.view(-1, 28 * 28)
        x = F.relu(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return F.log_softmax(self.fc3(x), dim=1)
model = Net(50).to("cpu")
""",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_network_is_the_same_however_it_is_spelt(spelling: str) -> None:
    model = only(SPELLINGS[spelling])
    assert layers(model) == TWO_LAYERS
    assert (model.name, model.classes) == ("model", 10)


FIT = "\nmodel.fit(x_train, y_train, batch_size=64, epochs=7, validation_split=0.1)"


@pytest.mark.parametrize(
    ("compiling", "optimizer", "rate", "defaults"),
    [
        ("model.compile(optimizer='adam', loss='mse')", "adam", 0.001, ("learning_rate",)),
        ("model.compile('SGD')", "sgd", 0.01, ("learning_rate",)),
        ("model.compile()", "rmsprop", 0.001, ("learning_rate",)),
        ("model.compile(tf.keras.optimizers.Adam(learning_rate=0.02))", "adam", 0.02, ()),
        ("model.compile(optimizer=tf.keras.optimizers.legacy.SGD(lr=1e-2))", "sgd", 0.01, ()),
        ("opt = tf.optimizers.Adam()\nopt.learning_rate = 5e-4\nmodel.compile(opt)", "adam", 0.0005, ()),
    ],
)
def test_optimisers_and_their_rates_are_read_or_known_to_be_defaults(
    compiling: str, optimizer: str, rate: float, defaults: tuple[str, ...]
) -> None:
    training = only(
        SPELLINGS["list"], compiling.replace("tf.optimizers", "tf.keras.optimizers") + FIT
    ).training
    assert (training.optimizer, training.learning_rate, training.defaults) == (optimizer, rate, defaults)
    assert (training.batch_size, training.epochs, training.validation) == (64, 7, "0.1")


def test_the_batch_size_is_that_of_the_data_where_the_data_come_in_batches() -> None:
    model = only(
        SPELLINGS["list"],
        "BATCH = 100\ntrain = data.shuffle(10000).skip(6000).batch(BATCH).prefetch(2)",
        "model.compile('adam')\nmodel.fit(train, epochs=5, validation_data=(a, b),"
        " callbacks=[tf.keras.callbacks.EarlyStopping(patience=3)])",
    )
    training = model.training
    assert (training.batch_size, training.epochs, training.validation) == (100, 5, "(a, b)")
    assert training.early_stopping and (training.other or {})["early_stopping.patience"] == "3"


def test_what_fit_takes_unless_told_is_said_to_be_a_default() -> None:
    training = only(SPELLINGS["list"], "model.compile('adam')\nmodel.fit(x, y)").training
    assert (training.batch_size, training.epochs) == (32, 1)
    assert set(training.defaults) == {"learning_rate", "batch_size", "epochs"}


def test_a_loop_over_values_gives_a_model_for_each_and_one_over_seeds_runs_of_it() -> None:
    found = seen(
        SPELLINGS["function"].replace("model = build(width=50)", ""),
        """
for units in [50, 200]:
    for seed in range(4):
        keras.utils.set_random_seed(seed)
        net = build(units)
        net.compile("adam"); net.fit(x, y, epochs=2)
""",
    )
    assert [(model.name, layers(model)[1][1], model.training.runs) for model in found.models] == [
        ("net-units-50", 50, 4),
        ("net-units-200", 200, 4),
    ]


def test_a_loop_that_goes_on_training_one_network_is_one_longer_training() -> None:
    model = only(
        SPELLINGS["list"], "model.compile('adam')\nfor epoch in range(10):\n    model.fit(x, y, epochs=2)"
    )
    assert model.training.epochs == 20


def test_a_network_trained_anew_with_another_rate_goes_on_from_where_it_was() -> None:
    found = seen(
        SPELLINGS["list"],
        "for lr in (0.1, 0.01):\n    model.compile(tf.keras.optimizers.SGD(lr))\n    model.fit(x, y, epochs=3)",
    )
    assert [model.training.learning_rate for model in found.models] == [0.1, 0.01]
    assert "continues" in (found.models[1].training.other or {})


@pytest.mark.parametrize("network", ["torch list", "torch class"])
def test_a_loop_of_steps_is_a_training(network: str) -> None:
    training = only(
        SPELLINGS[network],
        """
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm
torch.manual_seed(3)
loader = DataLoader(images, batch_size=25, shuffle=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loss = torch.nn.CrossEntropyLoss()
def train_one_epoch(model, loader, optimizer):
    for i, (x, y) in enumerate(tqdm(loader)):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
for epoch in range(8):
    train_one_epoch(model, loader, optimizer)
    print(epoch, test(model))
""",
    ).training
    assert (training.optimizer, training.learning_rate, training.batch_size, training.epochs) == (
        "sgd",
        0.05,
        25,
        8,
    )
    assert (training.other or {})["optimizer.momentum"] == "0.9" and training.seed == 3


def test_convolutions_keep_their_kernels_and_are_linear_without_an_activation() -> None:
    keras = only(
        "import keras\nfrom keras import layers\nmodel = keras.Sequential([layers.Conv2D(32, (3, 3), input_shape=(28, 28, 1)),"
        " layers.MaxPooling2D(pool_size=(2, 2)), layers.Conv2D(64, 5, padding='same', activation='relu'),"
        " layers.Flatten(), layers.Dropout(0.5), layers.Dense(10)])"
    )
    assert layers(keras) == [
        ("conv", 32, 3, "linear"),
        ("pool", 2),
        ("conv", 64, 5, "same", "relu"),
        ("flatten",),
        ("dropout", 0.5),
    ]
    torch = only(
        "from torch import nn\nmodel = nn.Sequential(nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5, padding=2),"
        " nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(64, 10))"
    )
    assert [layer.settings for layer in torch.layers] == [
        {"filters": 32, "kernel": 3, "activation": "linear"},
        {"size": 2},
        {"filters": 64, "kernel": 5, "activation": "relu", "padding": "same"},
        {},
        {"rate": 0.5},
    ]


def test_estimators_of_scikit_learn_are_models() -> None:
    found = seen(
        """
from sklearn.neural_network import MLPClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
net = make_pipeline(StandardScaler(), MLPClassifier((50, 20), activation="tanh", learning_rate_init=0.01, random_state=1))
forest = RandomForestClassifier(n_estimators=200)
net.fit(X, y)
forest.fit(X, y)
"""
    )
    net, forest = found.models
    assert layers(net) == [("dense", 50, "tanh"), ("dense", 20, "tanh")]
    assert (net.training.learning_rate, net.training.seed) == (0.01, 1)
    assert (forest.training.other or {})["n_estimators"] == "200"


def test_calls_are_found_in_lines_that_are_no_python() -> None:
    found = seen(
        "model CNN_1 = tf.keras.Sequential([\n    tf.keras.layers.Dense(7),  # (\n    tf.keras.layers.Dense(10)\n])\nmodel = f("
    )
    (model,) = found.models
    assert (model.name, layers(model), model.place.line) == ("model_CNN_1", [("dense", 7, "linear")], 1)


def test_what_cannot_be_followed_is_said_and_not_guessed() -> None:
    found = seen(
        "import keras\nmodel = keras.Sequential([keras.layers.LSTM(30), keras.layers.Dense(10)])\nother.fit(x, epochs=3)"
    )
    assert [layer.kind for layer in found.models[0].layers] == [None]
    assert [sentence for _, sentence in found.not_understood] == [
        "keras.layers.LSTM(30) is no layer that a study file knows",
        "other.fit trains something whose making could not be followed",
    ]


def test_a_model_that_is_built_and_never_used_is_not_trained() -> None:
    found = seen(
        SPELLINGS["list"], SPELLINGS["functional"].replace("model =", "other ="), "model.evaluate(x, y)"
    )
    assert [(model.name, model.trained) for model in found.models] == [("model", True), ("other", False)]


def test_figures_under_a_cell_are_its_models_in_turn() -> None:
    code = SPELLINGS["function"].replace("model = build(width=50)", "") + (
        "\nfor units in [50, 200]:\n    net = build(units)\n    net.compile('adam')\n    net.fit(x, y)\n    print(net.evaluate(a, b))"
    )
    printed = "Test accuracy: 0.950\nTest accuracy: 0.970"
    document = Document("a.ipynb", "notebook", (Cell(1, "code", code), Cell(1, "output", printed)))
    found = experiments(document).models
    assert [[figure.value for figure in model.figures] for model in found] == [[0.95], [0.97]]


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    """Whatever would run if it were imported, evaluated, unpickled or formatted writes a file; none does."""
    mark = tmp_path / "mark"
    shell = f"__import__('os').system('touch {mark}')"
    attempts = [
        f"import os\nos.system('touch {mark}')",
        f"open({str(mark)!r}, 'w')",
        f"exec({shell!r})\neval({shell!r})",
        f"x = [{shell}][0] or f'{{{shell}}}'",
        f"class A:\n    def __init__(self, n={shell}): {shell}\n    def __index__(self): return {shell}\nA()",
        f"@(lambda f: {shell})\ndef g(): pass\ng()",
        f"import tensorflow as tf\ntf.keras.layers.Lambda(lambda x: {shell})(tf.keras.Input((1,)))",
        f"!touch {mark}",
        f"%%bash\ntouch {mark}",
        f"%run {mark}.py",
        f"def f(): return {shell}\nf()\n[f() for _ in range(3)]",
    ]
    cells = [{"cell_type": "code", "source": code, "outputs": []} for code in attempts]
    path = tmp_path / "attack.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    (tmp_path / "attack.py").write_text("\n".join(attempts[:7]))
    for file in (path, tmp_path / "attack.py"):
        document = read(file)
        found = experiments(document)
        with contextlib.suppress(AuditError):
            study_text(found, document)
    assert not mark.exists()


BOMBS = {
    "loops": "x = []\n"
    + "".join(f"{'    ' * depth}for i{depth} in range(1000):\n" for depth in range(15))
    + "    " * 15
    + "x.append(1)",
    "calls": "def f(n):\n    return f(n) + f(n) + f(n)\nf(1)",
    "twice": "def f0(): return 1\n"
    + "\n".join(f"def f{n}(): return f{n - 1}() + f{n - 1}()" for n in range(1, 60))
    + "\nf59()",
    "power": "a = 9\n" + "a = a ** a\n" * 50,
    "text": "a = 'x' * 1000000000\nb = 'y'\n" + "b = b + b\n" * 60,
    "nested": "a = []\n" + "a = [a, a]\n" * 60 + "print(max(a), str(a), a == a)",
    "itself": "a = []\na.append(a)\nprint(a, max(a), str(a))",
    "layers": "import keras\nm = keras.Sequential()\nfor i in range(100000):\n    m.add(keras.layers.Dense(i))",
    "models": "import keras\nfor i in range(100000):\n    m = keras.Sequential([keras.layers.Dense(10)])",
    "itself added": "import keras\nm = keras.Sequential([keras.layers.Dense(10)])\n" + "m.add(m)\n" * 60,
    "itself called": "import keras\ni = x = keras.Input((10,))\nx = keras.layers.Dense(10)(x)\n"
    + "x = keras.Model(i, x)(x)\n" * 60,
    "layers of layers": "import keras\na = keras.layers.Dense(10)\n"
    + "a = [a, a]\n" * 60
    + "keras.Sequential(a)",
    "tuples": "import keras\na = ()\n"
    + "a = (a, a)\n" * 60
    + "keras.layers.Dense(10, kernel_regularizer=a)\nfor a, b in [(a, a)]:\n    keras.Sequential([keras.layers.Dense(a)])",
    "product": "import itertools\nfor a in itertools.product(*[range(100)] * 50):\n    pass",
    "compiled": "import keras\nm = keras.Sequential([keras.layers.Dense(10)])\nwhile True:\n"
    + "    m.compile('adam')\n    m.fit(x, y)\n" * 2000,
    "statements": "a = 1\n" * 80_000,
    "sum": "a = " + "+".join(["1"] * 900),
    "class": "class A(A): pass\nclass B:\n    b = B\nB().b.b()",
    "unpack": "a, (b, *c), d = 1, 2\n(a.b, c[0]), d[x:y] = z",
}


@pytest.mark.parametrize("name", BOMBS)
def test_code_that_never_ends_is_left_in_time(name: str) -> None:
    start = time.process_time()
    document = Document("a.py", "script", (Cell(1, "code", BOMBS[name]),))
    found = experiments(document)
    with contextlib.suppress(AuditError):
        study_text(found, document)
    assert time.process_time() - start < 8


PARTS = st.sampled_from(
    [
        "import keras\n", "import torch\nfrom torch import nn\n", "model = keras.Sequential([", "keras.layers.Dense(",
        "50, activation='relu'", ")", "])", "\n", "model.add(", "model.compile('adam')\n", "model.fit(x, y, epochs=2)\n",
        "for u in [1, 2]:\n    ", "def f(a, b=2, *c, **d):\n    return ", "f(1)", "nn.Linear(3, 4)", "nn.Sequential(", "{**x}",
        "[*y]", "lambda: ", "class A(nn.Module):\n    def forward(self, x):\n        return ", "A()(x)", " if x else ", "x = ",
        "a, b = ", "keras.Input((2,))", "(x)", ".layers[0]", "'loss: 0.5'", "%matplotlib\n", "while True:\n    ", "1e400", "-1", "0",
        "optimizer.step()\n", "try:\n    ", "with x as y:\n    ", "print(f'{x:>{y}}')\n", "x[1:2]", "del x\n", "global x\n", "@f\n",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PARTS, max_size=25).map("".join) | st.text(max_size=100))
def test_no_code_raises_anything_but_an_audit_error(source: str) -> None:
    document = Document("a.py", "script", (Cell(1, "code", source), Cell(1, "output", "Test accuracy: 0.9")))
    found = experiments(document)
    with contextlib.suppress(AuditError):
        study_text(found, document)
