"""A study written in Python: the sections of a study file, as mappings and lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fairtrial as ft
from fairtrial.study.schema import Mlp, Seeds
from fairtrial.study.studyfile import load

FILE = """
schema: fairtrial/1
name: rate
data: {validation: 500, train: 1000}
base: {network: {mlp: {width: 10, depth: 1}}, epochs: 1}
arms:
  slow: {}
  fast: {optimizer.learning_rate: 0.01}
questions:
  - {id: Q, ask: "<Faster> & better?", variant: fast, baseline: slow, metrics: [accuracy, loss]}
seeds: {min: 3, max: 9}
confidence: 0.9
margins: {accuracy: 0.3pp}
"""

SECTIONS = {
    "name": "rate",
    "data": {"validation": 500, "train": 1000},
    "base": {"network": {"mlp": {"width": 10, "depth": 1}}, "epochs": 1},
    "arms": {"slow": {}, "fast": {"optimizer.learning_rate": 0.01}},
    "questions": [
        {
            "id": "Q", "ask": "<Faster> & better?", "variant": "fast", "baseline": "slow",
            "metrics": ["accuracy", "loss"],
        }
    ],
    "seeds": {"min": 3, "max": 9},
    "confidence": 0.9,
    "margins": {"accuracy": "0.3pp"},
}  # fmt: skip


def test_arrays_where_a_data_set_belongs_are_told_of_data() -> None:
    """Whoever has arrays at hand gives them first as they are."""
    for given in (np.zeros((2, 3, 3)), (np.zeros((2, 3, 3)), [0, 1]), None, 5):
        with pytest.raises(
            ft.StudyError, match=r"data\.dataset: must be a name .* fairtrial\.Data\(images, labels\), got"
        ):
            ft.Study(
                data={"dataset": given},
                arms={"a": {}, "b": {"epochs": 1}},
                questions=[{"variant": "a", "baseline": "b"}],
            )


def test_sections_written_in_python_make_the_study_of_the_file(tmp_path):
    """Nobody has to learn a second way to say the same."""
    file = tmp_path / "rate.yaml"
    file.write_text(FILE)
    written = ft.Study(**SECTIONS)
    assert isinstance(written, ft.Study)
    assert replace(load(file), source="") == written == ft.Study(schema="fairtrial/1", **SECTIONS)


def test_arms_may_come_from_a_loop_over_an_array():
    """NumPy's numbers are numbers."""
    arms = {f"width-{width}": {"network.mlp.width": width} for width in np.array([20, 40])}
    rates = {f"rate-{rate:g}": {"optimizer": {"learning_rate": rate}} for rate in np.logspace(-3, -2, 2)}
    study = ft.Study(arms={**arms, **rates}, base={"network": {"mlp": {"width": np.int32(10)}}})
    widths = [(arm.settings.network.mlp or Mlp()).width for arm in study.arms.values()]
    assert widths == [20, 40, 10, 10]
    assert study.arms["rate-0.01"].settings.optimizer.learning_rate == 0.01


def test_every_mistake_is_named_with_its_place():
    """As in a file, where the place is a line."""
    with pytest.raises(ft.StudyError) as raised:
        ft.Study(
            arms={"plain": {"batch_size": -1}, "typo": {"network.mlp.widht": 3}},
            questions=[{"variant": "plain", "baseline": "plane"}],
            seeds={"min": 2},
        )
    assert [str(mistake) for mistake in raised.value.mistakes] == [
        "arms.plain.batch_size: arm 'plain': batch_size must be at least 1, got -1",
        "arms.typo.network.mlp.widht: arm 'typo': unknown key 'network.mlp.widht'; did you mean 'width'?",
        "questions.0.baseline: question 'plain-vs-plane': baseline names an unknown arm 'plane'; did you mean 'plain'?",
        "seeds.min: seeds.min must be at least 3, got 2",
    ]


@pytest.mark.parametrize("arms", [{}, None, [], ["plain"], {"plain": 3}, 7])
def test_what_is_no_mapping_of_arms_is_refused_in_words(arms):
    """Not with the AttributeError of whatever was tried on it first."""
    with pytest.raises(ft.StudyError, match=r"arm"):
        ft.Study(arms=arms)


def test_a_study_goes_where_a_name_goes():
    """`load` gives what it is given, so that code that takes a study takes both."""
    written = ft.Study(**SECTIONS)
    assert ft.load(written) is written
    assert ft.load({"schema": "fairtrial/1", **SECTIONS}) == written
    nothing: Any = None
    with pytest.raises(ft.StudyError, match="None: cannot be read: no file can have this name"):
        ft.load(nothing)
    with pytest.raises(ft.StudyError, match="takes no `sets`"):
        ft.load(written, sets=["epochs=2"])
    assert ft.Study(**SECTIONS, sets=["epochs=2"]).arms["fast"].settings.epochs == 2


def test_a_part_of_a_study_can_be_replaced():
    """What is read stays as it is; nothing is read a second time."""
    study = ft.load("width")
    longer = replace(study, seeds=Seeds(min=3, max=99))
    assert (longer.arms, longer.questions, longer.source) == (study.arms, study.questions, "width")
    assert longer.seeds.max == 99


def test_a_study_shows_itself():
    """In a notebook as tables, elsewhere in a line; whatever a file says is escaped."""
    written = ft.Study(**SECTIONS)
    assert repr(written) == "<Study 'rate': 2 arms, 1 question>"
    shown = written._repr_html_()
    assert "<td>fast</td><td>7,960</td><td>optimizer.learning_rate (0.001 -&gt; 0.01)</td>" in shown
    assert "<td>Q</td><td>fast against slow</td><td>&lt;Faster&gt; &amp; better?</td>" in shown
    assert "3 to 9 seeds, confidence 0.9; margins: accuracy 0.3 pp, loss 2 %, time 5 %" in shown
