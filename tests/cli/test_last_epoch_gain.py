"""The table that says what deciding on last-epoch means saves, and the block it is written into."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairtrial.analysis.gather import gather
from fairtrial.errors import FairtrialError
from fairtrial.report.gain import gain_table, gains, typical
from fairtrial.report.marked import surroundings, write_block
from fairtrial.store import Store
from fairtrial.study.schema import Arm, Study
from fairtrial.study.studyfile import load

Put = Callable[..., Any]
ROOT = Path(__file__).parents[2]
ENDS = (0.950, 0.958, 0.942, 0.954)
MEANS = (0.950, 0.952, 0.948, 0.951)


def train(arm: Arm, put: Put, *, seeds: int = 4, **changed: float) -> None:
    for seed, (end, mean) in enumerate(zip(ENDS[:seeds], MEANS[:seeds], strict=True), start=1):
        put(
            arm,
            seed,
            validation_accuracy=end,
            validation_accuracy_last_epoch=mean,
            test_accuracy=end,
            test_accuracy_last_epoch=end,
            **changed,
        )


def test_the_ratio_of_seeds_is_that_of_the_variances(study: Study, store: Store, put: Put) -> None:
    """Four times the spread takes sixteen times the seeds."""
    train(study.arms["narrow"], put)
    (found,) = gains(gather(list(study.arms.values()), store))
    gain = found.on["validation"]
    assert (gain.end, gain.mean) == (
        pytest.approx(np.std(ENDS, ddof=1)),
        pytest.approx(np.std(MEANS, ddof=1)),
    )
    assert gain.ratio == pytest.approx(np.var(ENDS) / np.var(MEANS))
    assert found.on["test"].ratio == pytest.approx(1.0)
    assert (found.name, found.seeds) == ("narrow", 4)


def test_arms_of_fewer_than_three_seeds_say_nothing(study: Study, store: Store, put: Put) -> None:
    """Two runs have a spread, and it is luck; a diverged one has no accuracy at all."""
    train(study.arms["narrow"], put, seeds=2)
    train(study.arms["wide"], put, seeds=2)
    put(study.arms["wide"], 3, state="diverged")
    assert gains(gather(list(study.arms.values()), store)) == ()
    assert list(gain_table(())) == ["No arm has 3 seeds yet."]


def test_one_arm_under_two_names_counts_once(study: Study, store: Store, put: Put) -> None:
    """The course and the notebook share an arm or two; their seeds are the same seeds."""
    train(study.arms["narrow"], put)
    twice = [study.arms["narrow"], replace(study.arms["narrow"], name="again")]
    assert [one.name for one in gains(gather(twice, store))] == ["narrow"]


def test_an_arm_whose_mean_never_moves_has_no_ratio(study: Study, store: Store, put: Put) -> None:
    """A division by zero would read as an infinite gain."""
    for seed in (1, 2, 3):
        put(study.arms["narrow"], seed, validation_accuracy=0.9 + seed / 100)
    train(study.arms["wide"], put)
    found = gains(gather(list(study.arms.values()), store))
    assert found[0].on["validation"].ratio is None
    assert typical(found, "validation") == pytest.approx(found[1].on["validation"].ratio)
    assert any("| - |" in line for line in gain_table(found))


def test_the_script_writes_the_table_between_its_marks(tmp_path: Path, put: Put, store: Store) -> None:
    """The document is made by it, and nothing else in it may change."""
    for name in ("width-50", "width-200"):
        train(load("width").arms[name], put)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- last-epoch gain: begin -->\nold\n<!-- last-epoch gain: end -->\nafter\n")
    command = [sys.executable, str(ROOT / "scripts" / "last-epoch-gain"), "--store", str(store.path)]
    done = subprocess.run(
        [*command, "--write", str(page), "width"], capture_output=True, text=True, check=True, timeout=120
    )
    written = page.read_text()
    assert written.startswith("before\n<!-- last-epoch gain: begin -->\n| arm | seeds |")
    assert written.endswith("\n<!-- last-epoch gain: end -->\nafter\n")
    assert done.stdout in written
    assert "| width: width-50 | 4 | 0.683, 0.171 | 16.0 : 1 | 0.683, 0.683 | 1.0 : 1 |" in written
    assert "| all, by degrees of freedom | 8 |  | 16.0 : 1 |" in written


@pytest.mark.parametrize("text", ["", "<!-- x: begin -->", "<!-- x: end -->\n<!-- x: begin -->"])
def test_a_page_without_its_marks_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    """Found out before minutes are spent, and never appended somewhere."""
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(FairtrialError, match="expected one <!-- x: begin -->"):
        surroundings(page, "x")
    assert page.read_text() == text


def test_writing_a_block_twice_is_writing_it_once(tmp_path: Path) -> None:
    """Each run of a script must not leave another empty line behind."""
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x: begin -->\n<!-- x: end -->\nb\n")
    for _ in range(2):
        write_block(page, surroundings(page, "x"), ["one", "two"])
    assert page.read_text() == "a\n<!-- x: begin -->\none\ntwo\n<!-- x: end -->\nb\n"


def test_the_documents_table_has_arms_of_the_course() -> None:
    """An empty block in the docs would promise what nobody measured."""
    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    block = page.split("<!-- last-epoch gain: begin -->")[1].split("<!-- last-epoch gain: end -->")[0]
    assert block.count("| notebook: ") + block.count("| course: ") >= 1
