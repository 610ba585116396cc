"""The promise itself: whole studies simulated through the code that judges real ones."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fairtrial.stats.calibration import Calibration, Stopping, calibrate, fair, is_false, peeking, sharpened
from fairtrial.stats.verdict import Verdict

MARGIN, SD, HORIZON, ALPHA = 0.1, 0.15, 30, 0.05
CALIBRATE = Path(__file__).parents[2] / "scripts" / "calibrate"


def simulated(
    rule: Stopping, *, effect: float, studies: int, questions: int = 1, sd: float = SD, seed: int = 0
) -> Calibration:
    return calibrate(
        rule,
        studies=studies,
        effect=effect,
        sd=sd,
        margin=MARGIN,
        horizon=HORIZON,
        questions=questions,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize(("effect", "designed"), [(0.0, 21.6), (MARGIN / 2, 23.1), (MARGIN, 18.0)])
def test_false_sentences_are_no_more_frequent_than_promised(effect: float, designed: float) -> None:
    """At the three places where something can go wrong, with about as many seeds as designed."""
    found = simulated(fair(margin=MARGIN, alpha=ALPHA, horizon=HORIZON), effect=effect, studies=1500)
    assert not found.exceeds(ALPHA)
    assert found.seeds == pytest.approx(designed, rel=0.10)


def test_the_promise_is_used_up_where_nothing_differs() -> None:
    """5 % is exact, not an upper bound far away: less would mean seeds wasted on every question."""
    found = simulated(
        sharpened(margin=10 * MARGIN, alpha=ALPHA, horizon=HORIZON), effect=0.0, studies=1500, sd=10.0
    )
    assert not found.exceeds(ALPHA)
    assert found.false > ALPHA - 4 * found.error


def test_sharpening_to_the_end_breaks_no_promise() -> None:
    """What earlier and later looks say together is covered too; the margin is where it could fail."""
    rule = sharpened(margin=MARGIN, alpha=ALPHA, horizon=HORIZON)
    assert not simulated(rule, effect=MARGIN, studies=800).exceeds(ALPHA)


def test_naive_peeking_is_wrong_in_a_fifth_of_cases() -> None:
    """The same harness, the plain t interval at each look: it can tell right from wrong."""
    found = simulated(peeking(margin=MARGIN, alpha=ALPHA, horizon=HORIZON), effect=0.0, studies=1500)
    assert found.false > 0.18


@pytest.mark.slow
def test_eight_questions_that_share_a_baseline_keep_one_promise() -> None:
    """An unlucky baseline leans on all eight the same way; the split of alpha covers that."""
    rule = fair(margin=MARGIN, alpha=ALPHA / 8, horizon=HORIZON)
    found = simulated(rule, effect=0.0, studies=600, questions=8)
    assert not found.exceeds(ALPHA)
    unshared = fair(margin=MARGIN, alpha=ALPHA, horizon=HORIZON)
    assert simulated(unshared, effect=0.0, studies=200, questions=8).exceeds(ALPHA)


@pytest.mark.parametrize(
    ("verdict", "effect", "false"),
    [
        (Verdict.INCREASE_UNSIZED, 0.0, True),
        (Verdict.INCREASE_UNSIZED, -0.01, True),
        (Verdict.INCREASE_UNSIZED, 0.01, False),
        (Verdict.INCREASE_MATTERS, 0.05, True),
        (Verdict.INCREASE_MATTERS, 0.1, False),
        (Verdict.INCREASE_SMALL, 0.05, False),
        (Verdict.INCREASE_SMALL, 0.1, True),
        (Verdict.NO_DIFFERENCE, 0.0999, False),
        (Verdict.NO_DIFFERENCE, -0.1, True),
        (Verdict.NOT_WORSE, -0.1, True),
        (Verdict.NOT_WORSE, 0.5, False),
        (Verdict.UNDECIDED, 0.5, False),
        (Verdict.UNSTABLE, 0.0, False),
    ],
)
def test_a_sentence_is_false_when_it_says_anything_untrue(
    verdict: Verdict, effect: float, false: bool
) -> None:
    """The judge of judges is checked by hand, at the margin's very edge."""
    assert is_false(verdict, effect=effect, margin=MARGIN) is false


def test_the_calibration_program_writes_its_table_between_the_marks(tmp_path: Path) -> None:
    """The table in the documentation is never copied by hand; text around it stays."""
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- calibration: begin -->\nold\n<!-- calibration: end -->\nafter\n")
    subprocess.run(
        [sys.executable, CALIBRATE, "--studies", "20", "--write", page], capture_output=True, check=False
    )
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert len(re.findall(r"^\| fairtrial \| [18] \|", text, flags=re.MULTILINE)) == 15


def test_the_calibration_program_refuses_a_file_without_marks(tmp_path: Path) -> None:
    """Appending somewhere would be a guess."""
    page = tmp_path / "page.md"
    page.write_text("no marks")
    done = subprocess.run(
        [sys.executable, CALIBRATE, "--studies", "5", "--write", page],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and "expected one" in done.stderr
    assert page.read_text() == "no marks"
