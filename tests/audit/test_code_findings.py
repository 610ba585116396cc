"""What a program does wrong with its data is found by where the data goes, not by what lines look like."""

from __future__ import annotations

import pytest

from fairtrial.audit.codeflow import code_findings
from fairtrial.audit.document import Cell, Document
from fairtrial.audit.experiment import Experiments
from fairtrial.audit.finding import Finding

NOTHING = Experiments((), ())
KERAS = """
import keras
keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
model = keras.Sequential([keras.layers.Dense(10)])
model.compile('adam', 'mse')
"""


def found(*sources: str) -> tuple[Finding, ...]:
    cells = tuple(Cell(number, "code", source) for number, source in enumerate(sources, 1))
    return code_findings(Document("x.ipynb", "notebook", cells), NOTHING)


def kinds(*sources: str) -> list[str]:
    return [finding.kind for finding in found(*sources)]


def test_a_finding_says_where_it_stands_and_what_stands_there():
    """Cell and line are what its reader looks for."""
    fit = "model.fit(x_train, y_train, epochs=2,\n          validation_data=(x_test, y_test))"
    (finding,) = found(KERAS, fit, "model.evaluate(x_test, y_test)")
    assert (finding.kind, finding.place.cell, finding.place.line) == ("test-as-validation", 2, 2)
    assert finding.said == "validation_data=(x_test, y_test))"
    assert finding.sure == "certain"
    assert all((finding.sentence, finding.matters, finding.advice))


SHUFFLED = """
import tensorflow as tf
ds = tf.data.Dataset.from_tensor_slices(load_pictures()){shuffle}
val, train = ds.take(100){val}, ds.skip(100)
"""


@pytest.mark.parametrize(
    ("shuffle", "val", "leaks"),
    [
        (".shuffle(1000)", "", True),
        (".shuffle(1000, 3)", "", True),
        (".shuffle(1000, seed=3).batch(10).prefetch(1)", "", True),
        (".shuffle(1000, reshuffle_each_iteration=None)", "", True),
        (".cache().shuffle(1000)", "", True),
        (".shuffle(1000)", ".cache()", True),
        (".shuffle(1000, reshuffle_each_iteration=False)", "", False),
        (".shuffle(1000, 3, False)", "", False),
        (".shuffle(1000).cache()", "", False),
        (".batch(10)", ".shuffle(50)", False),
    ],
)
def test_a_shuffle_leaks_unless_its_order_stays(shuffle: str, val: str, leaks: bool):
    """tf.data draws a new order in each pass by default; a cache after the shuffle keeps the first full one."""
    assert ("reshuffled-split" in kinds(SHUFFLED.format(shuffle=shuffle, val=val))) is leaks


def test_a_cache_read_in_part_keeps_no_order():
    """The validation batch drawn before training is of an order that the cache threw away."""
    drawn = (
        SHUFFLED.format(shuffle=".shuffle(1000).cache()", val="")
        + "x_val, y_val = next(iter(val.batch(100)))\n"
    )
    (finding,) = found(drawn)
    assert (finding.kind, finding.sure) == ("reshuffled-split", "likely")


def test_a_shuffle_in_a_function_is_found_where_it_stands():
    """Students divide in functions, and the mistake is inside."""
    helper = "def halves(ds, shuffle=True):\n    if shuffle:\n        ds = ds.shuffle(99)\n    return ds.take(9), ds.skip(9)\n"
    (finding,) = found(helper + "import tensorflow as tf\na, b = halves(tf.data.Dataset.range(99))")
    assert (finding.kind, finding.place.line) == ("reshuffled-split", 3)
    assert (
        kinds(helper + "import tensorflow as tf\na, b = halves(tf.data.Dataset.range(99), shuffle=False)")
        == []
    )


TORCH = """
import torch
torch.manual_seed(1)
data = torchvision.datasets.MNIST('.', train=True)
{before}
for {name} in range(9):
    {inside}
    for x, y in torch.utils.data.DataLoader(a):
        opt.zero_grad()
        criterion(net(x), y).backward()
        opt.step()
"""
NET = "net = torch.nn.Linear(9, 9); opt = torch.optim.SGD(net.parameters(), 0.1)"
SPLIT = "a, b = torch.utils.data.random_split(data, [5, 4])"


def test_a_split_in_the_loop_leaks_only_where_the_model_goes_on_learning():
    """With a model of its own each round is an experiment of its own."""
    assert kinds(TORCH.format(before=NET, name="epoch", inside=SPLIT)) == ["reshuffled-split"]
    assert kinds(TORCH.format(before="", name="run", inside=f"{NET}; {SPLIT}")) == []
    assert kinds(TORCH.format(before=f"{NET}; {SPLIT}", name="epoch", inside="")) == []


@pytest.mark.parametrize(
    ("validation", "is_test"),
    [
        ("x_test, y_test", True),
        ("X_dev, Y_dev", True),
        ("x_half, y_half", False),
        ("x_train[:9], y_train[:9]", False),
    ],
)
def test_what_the_test_set_is_does_not_depend_on_its_name(validation: str, is_test: bool):
    """A test set under another name is one, and a half of it that is set apart is none."""
    names = "X_dev, Y_dev = x_test, y_test\nx_half, y_half = x_test[:9], y_test[:9]"
    last = "x_test[9:], y_test[9:]" if "half" in validation else "x_test, y_test"
    program = f"{KERAS}{names}\nmodel.fit(x_train, y_train, validation_data=({validation}), epochs=1)\nmodel.evaluate({last})"
    assert ("test-as-validation" in kinds(program)) is is_test


def test_a_stopping_rule_on_the_test_set_is_serious_and_a_curve_is_not():
    """Without a decision the last epoch's score is still an honest one."""
    fit = "model.fit(x_train, y_train, validation_data=(x_test, y_test), epochs=9{more})"
    (curve,) = found(KERAS + fit.format(more=""))
    (rule,) = found(KERAS + fit.format(more=", callbacks=[keras.callbacks.EarlyStopping(patience=2)]"))
    (loss,) = found(KERAS + fit.format(more=", callbacks=[keras.callbacks.EarlyStopping(monitor='loss')]"))
    assert (curve.serious, rule.serious, loss.serious) == (False, True, False)


def test_the_best_class_of_a_prediction_is_no_choice():
    """Every evaluation of a classifier takes an argmax of its outputs for the test images."""
    program = (
        KERAS
        + "import numpy as np\nmodel.fit(x_train, y_train, epochs=1)\nguess = np.argmax(model.predict(x_test), axis=1)\nprint(max(guess))"
    )
    assert kinds(program) == []


SCALED = """
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split, cross_val_score
X, y = load_things()
"""
SPLIT_X = "X_train, X_test, y_train, y_test = train_test_split({}, y, random_state=1)\n"


@pytest.mark.parametrize(
    ("lines", "leaks"),
    [
        ("X = StandardScaler().fit_transform(X)\n" + SPLIT_X.format("X"), True),
        (
            "s = StandardScaler().fit(X)\n"
            + SPLIT_X.format("X")
            + "X_train, X_test = s.transform(X_train), s.transform(X_test)",
            True,
        ),
        ("X = (X - X.mean(axis=0)) / X.std(axis=0)\n" + SPLIT_X.format("X"), True),
        ("Z = StandardScaler().fit_transform(X)\ncross_val_score(clf, Z, y)", True),
        (SPLIT_X.format("X") + "s = StandardScaler().fit(X_train)\nX_test = s.transform(X_test)", False),
        ("X = X / 255\n" + SPLIT_X.format("X"), False),
        ("y = X['price'] > X['price'].median()\n" + SPLIT_X.format("X"), False),
        ("from sklearn.preprocessing import scale\nX = scale(X)\n" + SPLIT_X.format("X"), True),
        ("from scipy.signal import resample\nX = resample(X, 100)\n" + SPLIT_X.format("X"), False),
        ("plt.scatter(*StandardScaler().fit_transform(X).T)\n" + SPLIT_X.format("X"), False),
        ("cross_val_score(make_pipeline(StandardScaler(), clf), X, y)", False),
    ],
)
def test_a_scaler_leaks_only_into_rows_it_has_seen(lines: str, leaks: bool):
    """The order of two lines decides, and whether the scaled rows are used at all."""
    assert kinds(SCALED + lines) == (["fit-before-split"] if leaks else [])


def test_oversampling_before_the_split_is_serious():
    """Copies of one row on both sides make memory look like understanding."""
    (finding,) = found(SCALED + "X, y = SMOTE(random_state=1).fit_resample(X, y)\n" + SPLIT_X.format("X"))
    assert (finding.kind, finding.serious) == ("fit-before-split", True)


@pytest.mark.parametrize(
    ("line", "seeded"),
    [
        ("keras.utils.set_random_seed(7)", True),
        ("rng = np.random.default_rng(7)", True),
        ("settings = {'random_state': 7}", True),
        ("from helpers import fix_seeds; fix_seeds()", True),
        ("SEED = 7", False),
        ("# np.random.seed(7)", False),
        ("np.random.seed()", False),
        ("rng = np.random.default_rng()", False),
    ],
)
def test_a_seed_is_one_only_where_it_is_set(line: str, seeded: bool):
    """A constant that nobody reads and a line commented out fix nothing."""
    program = KERAS.replace("keras.utils.set_random_seed(1)", line) + "model.fit(x_train, y_train, epochs=1)"
    assert ("no-seed" in kinds(program)) is not seeded


def test_what_draws_no_random_numbers_needs_no_seed():
    """Nearest neighbours on a fixed division come out the same every time."""
    assert (
        kinds("clf = KNeighborsClassifier()\nclf.fit(X[:90], y[:90])\nprint(clf.score(X[90:], y[90:]))") == []
    )


COMPARED = """
import keras
(x, y), _ = keras.datasets.mnist.load_data()
def once(width, seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.layers.Dense(width), keras.layers.Dense(10)])
    return model.fit(x, y, validation_split=0.1, epochs=1).history['val_accuracy'][-1]
"""


def test_clusterings_and_a_pair_that_learns_together_are_no_comparison():
    """The elbow of k-means and a generator with its judge train several things, and compare none."""
    elbow = (
        "for k in range(1, 9):\n    km = KMeans(k, random_state=1).fit(X)\n    inertia.append(km.inertia_)"
    )
    assert kinds(elbow) == []
    pair = "d = Sequential(); g = Sequential()\nnp.random.seed(1)\nfor epoch in range(9):\n    d.train_on_batch(a, b)\n    g.train_on_batch(c, b)"
    assert kinds(pair) == []


@pytest.mark.parametrize(
    ("lines", "alone"),
    [
        ("for width in (5, 50):\n    print(once(width, 1))", True),
        ("print(once(5, 1)); print(once(50, 1))", True),
        ("for width in (5, 50):\n    print(mean([once(width, s) for s in range(5)]))", False),
        ("for i in range(5):\n    for width in (5, 50):\n        print(once(width, 100 + i))", False),
        ("print(once(5, 1))", False),
    ],
)
def test_settings_compared_by_one_run_each_are_found(lines: str, alone: bool):
    """Whether a loop goes over settings or over seeds is told by what is made of its number."""
    assert kinds(COMPARED + lines) == (["one-run"] if alone else [])


@pytest.mark.parametrize(
    ("lines", "best"),
    [
        ("print(max(h.history['val_accuracy']))", True),
        ("b = np.max(h.history['val_accuracy'])\nprint(f'{b:.3f}')", True),
        ("v = h.history['val_accuracy']\nprint('%.3f' % v[np.argmax(v)])", True),
        ("print(h.history['val_accuracy'][-1])", False),
        ("print(max(h.history['accuracy']))", False),
        ("plt.ylim(0, max(h.history['val_loss']))", False),
        ("n = np.argmin(h.history['val_loss']) + 1", False),
        ("print(max(h.history['val_accuracy']))\nprint(model.evaluate(x_test, y_test))", False),
    ],
)
def test_the_best_epoch_is_a_finding_only_where_it_is_the_result(lines: str, best: bool):
    """A maximum for a plot, or beside an honest test score, misleads nobody."""
    program = KERAS + "h = model.fit(x_train, y_train, validation_split=0.1, epochs=9)\n" + lines
    assert kinds(program) == (["best-epoch"] if best else [])
