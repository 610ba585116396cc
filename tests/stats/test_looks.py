"""One look, all looks: published examples, symmetry, refusals, replay."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import ArrayLike

from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import EVERYTHING, resolution_floor
from fairtrial.stats.looks import Look, look, replay
from fairtrial.stats.verdict import Verdict, mirrored

EIGHT = [0.12, 0.31, 0.05, 0.22, 0.18, 0.27, 0.09, 0.15]
CONTRASTS = arrays.arrays(
    np.float64, st.integers(3, 12), elements=st.integers(-300, 300).map(lambda i: i / 1000)
)


def seen(contrasts: ArrayLike, alpha: float = 0.05, **options: Any) -> Look:
    return look(contrasts, margin=0.1, alpha=alpha, horizon=30, **options)


@pytest.mark.parametrize(
    ("contrasts", "alpha", "verdict", "sign", "equivalence"),
    [
        (EIGHT, 0.05, "increase, size not settled", (0.052191, 0.295309), (0.071800, 0.275700)),
        (EIGHT, 0.05 / 8, "undecided", (-0.013089, 0.360589), None),
        (
            [0.02, -0.03, 0.01, 0.04, -0.02, 0, 0.03, -0.01, 0.01, -0.02],
            0.05,
            "no difference that matters",
            (-0.022904, 0.028904),
            (-0.019087, 0.025087),
        ),
        (
            [0.05, 0.04, 0.06, 0.05, 0.045, 0.055, 0.05, 0.048, 0.052, 0.05],
            0.05,
            "increase, smaller than matters",
            (0.044001, 0.055999),
            None,
        ),
        ([0.9, 1.1, 1.0, 0.95], 0.05, "increase that matters", (0.693621, 1.281379), None),
        ([-0.5, -0.7, -0.6, -0.65, -0.55], 0.05, "decrease that matters", (-0.785745, -0.414255), None),
        ([0.2, -0.1, 0.3], 0.05, "undecided", (-1.375935, 1.642602), None),
    ],
)
def test_published_examples(
    contrasts: list[float],
    alpha: float,
    verdict: str,
    sign: tuple[float, float],
    equivalence: tuple[float, float] | None,
) -> None:
    """Words and bounds, worked out independently; five digits, for the published p* has those."""
    found = seen(contrasts, alpha)
    assert found.verdict.value == verdict
    assert (found.sign.low, found.sign.high) == pytest.approx(sign, abs=5e-6)
    if equivalence:
        assert (found.equivalence.low, found.equivalence.high) == pytest.approx(equivalence, abs=2e-6)


def test_a_look_carries_what_it_needs_to_be_believed() -> None:
    """Estimate, spread, counts and level stand beside the verdict."""
    found = seen(EIGHT)
    assert found.estimate == pytest.approx(0.17375)
    assert found.sd == pytest.approx(0.089273, abs=1e-6)
    assert (found.n, found.failed, found.horizon, found.settled_at) == (8, 0, 30, 8)
    assert found.nominal == pytest.approx(0.0062814, abs=1e-7)
    assert found.bound == found.sign.high
    assert found.not_lower_by_margin and not found.not_higher_by_margin


@pytest.mark.parametrize("floor", [0.0, resolution_floor(10_000) * 100])
def test_equal_contrasts_settle_nothing(floor: float) -> None:
    """Seeds that are not wired give equal contrasts; a floor alone would call these an increase."""
    found = seen([0.1, 0.1, 0.1], floor=floor)
    assert found.verdict is Verdict.UNDECIDED
    assert found.sign == EVERYTHING
    assert seen([0.3 - 0.2, 0.2 - 0.1, 0.4 - 0.3], floor=floor).verdict is Verdict.UNDECIDED


def test_two_seeds_settle_nothing() -> None:
    """The guarantee counts looks from the third; an earlier one is not covered."""
    assert seen([5.0, 5.1]).verdict is Verdict.UNDECIDED
    assert seen([5.0, 5.1]).sign == EVERYTHING
    assert replay([5.0, 5.1], margin=0.1, alpha=0.05) == ()


def test_a_diverged_seed_makes_the_verdict_unstable_however_clear_the_others() -> None:
    """A failure is an outcome; a mean over the survivors would hide it."""
    found = seen([5.0, 5.1, math.nan, 5.2, 5.1])
    assert (found.verdict, found.n, found.failed) == (Verdict.UNSTABLE, 5, 1)
    assert found.estimate == pytest.approx(5.1)
    looks = replay([5.0, 5.1, 5.2, math.nan], margin=0.1, alpha=0.05)
    assert [one.standing for one in looks] == [Verdict.INCREASE_MATTERS, Verdict.UNSTABLE]


def test_all_seeds_diverged_is_unstable_too() -> None:
    """No number is left to average, and that is not an error."""
    found = seen([math.nan] * 3)
    assert found.verdict is Verdict.UNSTABLE and found.failed == 3
    assert math.isnan(found.estimate) and math.isnan(found.sd)


@pytest.mark.parametrize(
    ("contrasts", "options", "said"),
    [
        ([0.1, 0.2] * 16, {}, "32 seeds, but the guarantee ends at 30"),
        ([], {}, "one contrast per seed"),
        ([[0.1, 0.2, 0.3]], {}, "one contrast per seed"),
        ([0.1, 0.2, 0.3], {"margin": 0.0}, "margin must be above 0"),
        ([0.1, 0.2, 0.3], {"margin": math.nan}, "margin must be above 0"),
        ([0.1, 0.2, 0.3], {"alpha": 0.5}, "alpha must be below"),
    ],
)
def test_what_the_guarantee_does_not_cover_is_refused(
    contrasts: list[float], options: dict[str, Any], said: str
) -> None:
    """Above all a seed beyond the horizon: raising it afterwards voids everything said."""
    settings: dict[str, Any] = {"margin": 0.1, "alpha": 0.05, "horizon": 30, **options}
    for verb in (look, replay):
        with pytest.raises(FairtrialError, match=said):
            verb(contrasts, **settings)


@given(contrasts=CONTRASTS)
def test_swapping_the_arms_mirrors_the_look(contrasts: np.ndarray) -> None:
    """Interval and verdict alike."""
    there, back = seen(contrasts), seen(-contrasts)
    assert back.verdict is mirrored(there.verdict)
    assert back.estimate == -there.estimate
    assert (back.sign, back.equivalence) == (-there.sign, -there.equivalence)


@given(contrasts=CONTRASTS, power=st.integers(-6, 6))
def test_scaling_contrasts_and_margin_together_changes_no_verdict(contrasts: np.ndarray, power: int) -> None:
    """By powers of two, so that no rounding can excuse a difference."""
    scale = 2.0**power
    scaled = look(contrasts * scale, margin=0.1 * scale, alpha=0.05, horizon=30)
    assert scaled.verdict is seen(contrasts).verdict


@given(contrasts=CONTRASTS, order=st.randoms(use_true_random=False))
def test_the_order_of_seeds_inside_a_look_does_not_matter(
    contrasts: np.ndarray, order: np.random.Generator
) -> None:
    """Order decides which looks there were, not what one look says."""
    shuffled = list(contrasts)
    order.shuffle(shuffled)
    here, there = seen(contrasts), seen(shuffled)
    assert there.estimate == pytest.approx(here.estimate, abs=1e-12)
    edges = (here.sign.low, here.sign.high, here.equivalence.low, here.equivalence.high)
    assume(all(abs(abs(edge) - 0.1) > 1e-9 and abs(edge) > 1e-9 for edge in edges))
    assert there.verdict is here.verdict


@given(contrasts=CONTRASTS)
def test_replaying_more_seeds_repeats_the_looks_at_fewer(contrasts: np.ndarray) -> None:
    """A resumed study must find the history it stored: later seeds change no earlier look."""
    everything = replay(contrasts, margin=0.1, alpha=0.05, horizon=30)
    for n in range(3, len(contrasts) + 1):
        assert everything[: n - 2] == replay(contrasts[:n], margin=0.1, alpha=0.05, horizon=30)


@given(contrasts=CONTRASTS)
def test_the_standing_verdict_never_falls_back_and_remembers_when_it_came(contrasts: np.ndarray) -> None:
    """Each look of a replay is the look itself, with what stands after it."""
    looks = replay(contrasts, margin=0.1, alpha=0.05, horizon=30)
    assert [one.n for one in looks] == list(range(3, len(contrasts) + 1))
    settled = [one.standing.settled for one in looks]
    assert settled == sorted(settled)
    for one in looks:
        alone = seen(contrasts[: one.n])
        assert (one.verdict, one.sign, one.n) == (alone.verdict, alone.sign, alone.n)
        assert (one.settled_at is None) == (not one.standing.settled)


def test_a_standing_verdict_sharpens_while_seeds_go_on() -> None:
    """First an increase; its size only once it is known well enough."""
    contrasts = [0.05, 0.06, 0.04, 0.055, 0.045, 0.05, 0.05, 0.06]
    looks = replay(contrasts, margin=0.06, alpha=0.05, horizon=30)
    words = list(dict.fromkeys(one.standing.value for one in looks))
    assert words == ["undecided", "increase, size not settled", "increase, smaller than matters"]
    assert looks[-1].settled_at == next(one.n for one in looks if one.standing is Verdict.INCREASE_SMALL)


def test_lower_is_better_turns_not_worse_round() -> None:
    """For a loss "not worse" asks for the upper bound."""
    rising = [0.3, 0.35, 0.32, 0.31]
    assert seen(rising, goal="not_worse").verdict is Verdict.NOT_WORSE
    assert seen(rising, goal="not_worse", better="lower").verdict is Verdict.INCREASE_MATTERS
