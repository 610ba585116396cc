"""Habits of real course work that the audit once took for faults, or told wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fairtrial.audit.codeflow import code_findings
from fairtrial.audit.document import Cell, Document, Place
from fairtrial.audit.experiment import Asked, Experiments, Statement
from fairtrial.audit.finding import Finding
from fairtrial.cli.app import app

NOTHING = Experiments((), ())
SPLIT = """
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.ensemble import RandomForestClassifier
features, kinds = load_wine(return_X_y=True)
a, b, c, d = train_test_split(features, kinds, random_state=3)
"""
TWO = """
near = KNeighborsClassifier(3).fit(a, c)
line = LogisticRegression().fit(a, c)
"""


def found(*sources: str, experiments: Experiments = NOTHING) -> list[Finding]:
    cells = tuple(Cell(number, "code", source) for number, source in enumerate(sources, 1))
    return list(code_findings(Document("x.ipynb", "notebook", cells), experiments))


@pytest.mark.parametrize(("name", "kinds"), [("x_vals", []), ("x_val", ["fit-before-split"])])
def test_the_points_of_a_plot_are_no_validation_set(name: str, kinds: list[str]) -> None:
    """`x_vals` are values of x; nothing is divided by drawing a curve over them."""
    source = f"X = load()\nmean = X.mean(axis=0)\nX = X - mean\n{name} = X[10:]\nw = learn(X)\ndraw({name})\n"
    assert [one.kind for one in found(source)] == kinds


@pytest.mark.parametrize(
    ("head", "kinds"),
    [("for i, val in enumerate(X)", []), ("for train, val in [(X[:9], X[9:])]", ["fit-before-split"])],
    ids=["value", "validation"],
)
def test_val_in_the_head_of_a_loop_is_any_value(head: str, kinds: list[str]) -> None:
    """`for key, val in ...` is how everybody goes over things; beside train it is a part of the data."""
    source = f"X = load()\nX = X - X.mean(axis=0)\n{head}:\n    print(val)\n"
    assert [one.kind for one in found(source)] == kinds


@pytest.mark.parametrize(
    ("target", "kinds"), [("gate, y", []), ("gate, units", ["one-run"])], ids=["tasks", "settings"]
)
def test_a_loop_over_tasks_compares_no_settings(target: str, kinds: list[str]) -> None:
    """One network for AND and one for OR: neither is the other's rival."""
    source = (
        "import keras\nkeras.utils.set_random_seed(1)\nX, y = load()\n"
        f"for {target} in table.items():\n"
        "    model = keras.Sequential([keras.layers.Dense(1)])\n"
        "    model.compile('sgd', 'mse')\n    model.fit(X, y, epochs=3)\n"
    )
    assert [one.kind for one in found(source)] == kinds


@pytest.mark.parametrize(
    ("shown", "kinds"), [("", []), ("print(near.score(b, d), line.score(b, d))", ["one-run"])]
)
def test_models_that_nobody_scores_are_not_compared(shown: str, kinds: list[str]) -> None:
    """A file that only trains and saves says nothing of which is better."""
    assert [one.kind for one in found(SPLIT + TWO + shown)] == kinds


@pytest.mark.parametrize(
    ("learner", "seeds"), [("KNeighborsClassifier(9)", False), ("RandomForestClassifier(9)", True)]
)
def test_a_learner_without_chance_is_told_to_change_the_rows_not_the_seed(learner: str, seeds: bool) -> None:
    """k-NN trained with another seed is the same k-NN; only other rows would tell."""
    rival = f"near = KNeighborsClassifier(3).fit(a, c)\nline = {learner}.fit(a, c)\n"
    (finding,) = found(SPLIT + rival + "print(near.score(b, d), line.score(b, d))")
    assert finding.kind == "one-run"
    assert ("several seeds" in finding.advice, "on one division of the rows" in finding.sentence) == (
        seeds,
        not seeds,
    )


SCORED = "near = KNeighborsClassifier(k).fit(a, c)\nprint(near.score(b, d))"


@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        ((SCORED, SCORED), []),
        ((f"pip install sklearn\n{SCORED}", "print(1)", SCORED), []),
        ((SCORED, "k = 9", SCORED), ["one-run"]),
        ((SCORED, SCORED.replace("(k)", "(k + 1)")), ["one-run"]),
    ],
    ids=["twice", "after an error", "k changed", "code changed"],
)
def test_a_cell_that_stands_twice_is_one_setting(cells: tuple[str, ...], kinds: list[str]) -> None:
    """Notebooks keep the cell that failed and its repaired copy."""
    assert [one.kind for one in found(f"{SPLIT}k = 5", *cells)] == kinds


@pytest.mark.parametrize("answered", [False, True])
def test_a_single_run_is_serious_where_the_text_concludes_from_it(answered: bool) -> None:
    """A question alone is not false; an answer from one run may be."""
    said = Statement("accuracy", "test", "increase", None, None, None, None, "It went up.", Place(1, 1))
    asked = Asked("Q1", "Does it help?", None, None, Place(1, 1), (said,) if answered else ())
    (finding,) = found(
        SPLIT + TWO + "print(near.score(b, d), line.score(b, d))", experiments=Experiments((), (asked,))
    )
    assert finding.serious is answered


def test_many_files_have_a_line_each_that_says_what_was_left_out(tmp_path: Path) -> None:
    """`nothing found` in a file that is no Python for the most part would be praise it has not earned."""
    deep = tmp_path / "a-folder-with-a-name-as-long-as-they-are" / "and-another-one-in-it"
    deep.mkdir(parents=True)
    (deep / "broken.py").write_text("import keras\nfor epoch in range(3):\n", encoding="utf-8")
    (deep / "whole.py").write_text("print(1)\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["audit", str(deep / "broken.py"), str(deep / "whole.py")])
    assert result.stdout.splitlines()[:2] == [
        f"{deep / 'broken.py'}: nothing found; not all of it could be followed",
        f"{deep / 'whole.py'}: nothing found",
    ]
