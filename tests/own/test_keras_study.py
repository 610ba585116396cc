"""The study `keras`: our engine and real tf.keras programs on the same images, in the same order."""

from __future__ import annotations

import os
import subprocess

import pytest

import fairtrial as ft
from fairtrial.study.check import findings
from fairtrial.trial import Trial

PYTHON = os.environ.get("FAIRTRIAL_KERAS_PYTHON", "")
ROWS = ("width-50", "width-200", "width-1000", "depth-3", "depth-5", "sigmoid", "tanh", "batch-10000", "lr-0.0001", "lr-0.02", "combined")  # fmt: skip


def test_it_asks_of_eleven_rows_whether_the_engine_alone_makes_a_difference():
    """Our side is the course itself, so that its trials are not trained twice; nothing else differs."""
    study, course = ft.load("keras"), ft.load("course")
    assert tuple(question.id for question in study.questions) == ROWS
    for question in study.questions:
        ours, theirs = study.arms[question.variant], study.arms[question.baseline]
        key = Trial(arm=ours, seed=1, precision="float32").key
        assert key == Trial(arm=course.arms[question.id], seed=1, precision="float32").key
        assert theirs.is_command
        assert theirs.has_data
        assert theirs.network == ours.network
    assert [one for one in findings(study) if one.kind == "confounded"] == []
    assert study.margins.accuracy == 0.001


def test_without_an_interpreter_it_says_which_variable_names_one(monkeypatch):
    """The commonest state of affairs."""
    monkeypatch.delenv("FAIRTRIAL_KERAS_PYTHON", raising=False)
    said = [str(one) for one in findings(ft.load("keras"))]
    assert any(
        "needs the environment variable FAIRTRIAL_KERAS_PYTHON, which is not set here" in one for one in said
    )


def _has_keras() -> bool:
    if not PYTHON:
        return False
    done = subprocess.run([PYTHON, "-c", "import keras, tensorflow"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="FAIRTRIAL_KERAS_PYTHON names no interpreter with TensorFlow")
def test_both_sides_of_a_row_are_trained_and_compared(tmp_path):
    """One epoch on few images: the program must run, and measure what we measure, where we measure it."""
    if not _has_keras():
        pytest.skip("FAIRTRIAL_KERAS_PYTHON has no keras or no tensorflow")
    study = ft.load("keras", sets=["epochs=1", "data.train=3000", "data.validation=1000"])
    answers = ft.run(study, seeds=1, arms=["width-50", "keras-width-50"], workers=1, store=tmp_path / "k.db")
    trials = {arm.arm.name: arm.trials[0].outcome for arm in answers.arms if arm.trials}
    ours, theirs = trials["width-50"], trials["keras-width-50"]
    assert theirs.metrics.keys() == ours.metrics.keys()
    assert theirs.metrics["validation_seen"] == 0
    assert "last_epoch" not in theirs.provenance
    for name in ("train_loss", "validation_loss_last_epoch", "test_loss"):
        assert theirs.metrics[name] == pytest.approx(ours.metrics[name], rel=0.35)
    assert theirs.metrics["validation_accuracy"] > 0.6
