"""What real trainings say of the verdicts: the counting, the table, and the script that trains for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fairtrial as ft
from fairtrial.analysis import answers
from fairtrial.analysis.gather import gather
from fairtrial.errors import FairtrialError
from fairtrial.report.sameness import Sameness, same_arm, sameness_table, settled_at
from fairtrial.stats.verdict import Verdict
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.study.studyfile import load

Put = Callable[..., Any]
Pairs = Callable[..., None]
ROOT = Path(__file__).parents[2]


def by_value(variant: Path, baseline: Path) -> str:
    """The verdict on two files, without another process."""
    columns = [np.loadtxt(file, delimiter=",", skiprows=1) for file in (variant, baseline)]
    assert all(column[:, 0].tolist() == [1, 2, 3, 4, 5] for column in columns)
    return str(ft.compare(columns[0][:, 1], columns[1][:, 1], margin="0.1pp").verdict)


def accuracies(count: int) -> list[float]:
    return (0.97 + 0.001 * np.random.default_rng(3).normal(size=count)).round(5).tolist()


def test_blocks_of_one_arm_are_held_against_each_other_in_seed_order(
    study: Study, store: Store, put: Put, tmp_path: Path
) -> None:
    """Seeds 1 to 5 against 6 to 10, 11 to 15 against 16 to 20; here the second pair differs by a point."""
    for seed, value in enumerate(accuracies(20), start=1):
        put(study.arms["narrow"], seed, validation_accuracy_last_epoch=value - 0.02 * (seed > 15))
    arm = gather(list(study.arms.values()), store)["narrow"]
    found = same_arm(arm, on="validation", repetitions=2, compare=by_value, folder=tmp_path)
    assert found.verdicts == (Verdict.UNDECIDED, Verdict.INCREASE_MATTERS)
    assert (found.directions, found.right) == (1, False)
    with pytest.raises(
        FairtrialError, match="no finished trial of 10 seeds of 1 to 30, the first being seed 21"
    ):
        same_arm(arm, on="validation", repetitions=3, compare=by_value, folder=tmp_path)


@pytest.mark.parametrize(("directions", "right"), [(0, True), (2, True), (3, False)])
def test_two_of_twenty_are_allowed_and_no_more(directions: int, right: bool) -> None:
    """5 % of 20 is one; at two it may still be chance."""
    verdicts = (Verdict.DECREASE_SMALL,) * directions + (Verdict.UNDECIDED,) * (20 - directions)
    assert Sameness(arm="a", on="test", verdicts=verdicts).right is right


def test_the_seed_that_settled_it_is_read_off_the_looks(study: Study, store: Store, put_pairs: Pairs) -> None:
    """Eight trained seeds say nothing of how many were needed."""
    put_pairs([0.0102, 0.0110, 0.0105, 0.0098, 0.0108, 0.0104, 0.0103, 0.0106])
    answer = answers(study, store)["Q"].accuracy
    at = settled_at(answer, Verdict.INCREASE_MATTERS)
    assert at == next(look.n for look in answer.looks if look.standing is Verdict.INCREASE_MATTERS)
    assert at is not None and at < 8
    assert settled_at(answer, Verdict.DECREASE_MATTERS) is None
    (*_, last) = sameness_table((), answer, within=8)
    assert last.startswith(
        f"| wide against narrow, validation accuracy | increase that matters within 8 seeds | at {at} seeds: "
    )


def test_the_script_trains_nothing_it_has_and_writes_the_table(
    tmp_path: Path, put: Put, store: Store
) -> None:
    """Minutes of training are spent once, and the document is made by what came of them."""
    arms = load("width").arms
    for seed, value in enumerate(accuracies(10), start=1):
        both = dict.fromkeys(("validation_accuracy_last_epoch", "test_accuracy_last_epoch"), value)
        put(arms["width-50"], seed, **both)
        if seed <= 8:
            put(arms["width-200"], seed, validation_accuracy_last_epoch=value + 0.01 + 0.0001 * (seed % 3))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- real check: begin -->\n<!-- real check: end -->\nafter\n")
    command = [sys.executable, str(ROOT / "scripts" / "real-check"), "--store", str(store.path)]
    done = subprocess.run(
        [*command, "--repetitions", "1", "--write", str(page)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    written = page.read_text()
    assert done.stdout.strip() in written and written.endswith("\n<!-- real check: end -->\nafter\n")
    for on in ("validation", "test"):
        assert f"| width-50 against itself, {on} accuracy: 1 times 5 seeds against 5 others" in written
    assert "| increase that matters within 8 seeds | at 3 seeds: Validation accuracy rose from" in written
    with Store.open(store.path) as opened:
        assert {name: len(arm.trials) for name, arm in gather(list(arms.values()), opened).items()} == {
            "width-50": 10, "width-200": 8, "width-1000": 0,
        }  # fmt: skip
