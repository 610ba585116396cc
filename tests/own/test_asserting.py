"""`assert_not_worse`: what holds, what does not, what is not settled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

import fairtrial as ft

BASE = np.random.default_rng(1).normal(0.97, 0.001, 8)
NOISE = np.random.default_rng(2).normal(0, 0.0002, 8)


def test_what_is_better_or_the_same_holds() -> None:
    """It returns what was found, for whoever wants to look."""
    found = ft.assert_not_worse(BASE + 0.004 + NOISE, BASE, margin=0.001)
    assert isinstance(found, ft.Comparison)
    assert ft.assert_not_worse(BASE + NOISE, BASE, margin=0.001)
    assert ft.assert_not_worse(BASE - 0.0005 + NOISE, BASE, margin=0.002)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_what_is_worse_is_an_assertion_error_with_the_sentence(better: Any) -> None:
    """A loss is worse when it rises."""
    change = -0.01 if better == "higher" else 0.01
    with pytest.raises(AssertionError, match="fell from" if better == "higher" else "rose from"):
        ft.assert_not_worse(BASE + change + NOISE, BASE, margin=0.001, better=better)
    with pytest.raises(AssertionError):
        ft.assert_not_worse(BASE + change + NOISE, BASE, margin=0.001, better=better, undecided="pass")
    assert ft.assert_not_worse(BASE - change + NOISE, BASE, margin=0.001, better=better)


def test_what_is_not_settled_fails_is_skipped_or_passes() -> None:
    """Silence about it would be a green test that shows nothing."""
    noisy = BASE + np.random.default_rng(3).normal(0, 0.02, 8)
    with pytest.raises(AssertionError, match=r"(?s)not settled: .*undecided="):
        ft.assert_not_worse(noisy, BASE, margin=0.001)
    with pytest.raises(SkipTest, match="not settled"):
        ft.assert_not_worse(noisy, BASE, margin=0.001, undecided="skip")
    assert ft.assert_not_worse(noisy, BASE, margin=0.001, undecided="pass")


def test_a_failed_run_is_never_not_worse() -> None:
    """A variant that sometimes diverges is worse, whatever the rest of its runs come to."""
    with pytest.raises(AssertionError):
        ft.assert_not_worse(np.append(BASE, np.nan), np.append(BASE, 0.97), margin=0.5, undecided="pass")


@pytest.mark.parametrize(
    ("arguments", "options", "piece"),
    [
        ((BASE,), {}, "two groups of numbers"),
        ((BASE, BASE), {"question": "Q"}, "are for a study"),
        (("width", BASE), {}, "a study has its arms"),
        (("width",), {"margin": 0.1}, "a study has its arms"),
        (("width",), {"question": "nope"}, "no question 'nope'"),
        (("width",), {"metric": "loss"}, "has no answer on loss"),
        ((BASE, BASE), {"undecided": "maybe"}, "undecided must be fail, skip or pass"),
    ],
)  # fmt: skip
def test_wrong_use_is_no_failed_assertion(arguments: Any, options: Any, piece: str, tmp_path: Path) -> None:
    """A test suite must tell a broken test from a broken model."""
    with pytest.raises(ft.FairtrialError) as error:
        ft.assert_not_worse(*arguments, store=tmp_path / "none.db", **options)
    assert piece in str(error.value)


def test_a_study_without_trials_is_not_settled_and_trains_nothing(tmp_path: Path) -> None:
    """A suite that trains for hours unasked would be switched off."""
    with pytest.raises(AssertionError, match="not settled"):
        ft.assert_not_worse("width", store=tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.slow
def test_under_pytest_a_worse_variant_fails_a_better_one_passes_an_open_one_is_skipped(folder: Path) -> None:
    """The whole way, as a user's own suite goes it."""
    (folder / "study.yaml").write_text(
        "schema: fairtrial/1\nname: suite\nbase: {command: 'python own_train.py figures {top} {seed}', parameters: {top: 0.9}}\n"
        "arms: {plain: {}, better: {parameters.top: 0.95}, worse: {parameters.top: 0.85}}\nquestions:\n"
        "  - {id: up, variant: better, baseline: plain}\n  - {id: down, variant: worse, baseline: plain}\nseeds: {min: 3, max: 20}\n"
    )
    (folder / "test_suite.py").write_text(
        "import fairtrial as ft\n"
        "def test_up():\n    ft.assert_not_worse('study.yaml', question='up', seeds=5)\n"
        "def test_down():\n    ft.assert_not_worse('study.yaml', question='down', seeds=5)\n"
        "def test_open():\n    ft.assert_not_worse('study.yaml', question='up', undecided='skip', store='other.db')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "test_suite.py"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert "1 failed, 1 passed, 1 skipped" in done.stdout, done.stdout
    assert "AssertionError: down: Validation accuracy fell from 90." in done.stdout
    assert "asserting.py" not in done.stdout.split("short test summary")[0]
