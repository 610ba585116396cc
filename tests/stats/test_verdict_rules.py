"""The rule from intervals to words, and how a standing verdict may change."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairtrial.stats.intervals import EVERYTHING, Interval
from fairtrial.stats.verdict import Verdict, judge, mirrored, sharpen

MARGIN = 0.1


def test_the_words_are_those_users_and_other_programs_read() -> None:
    """Answers are exchanged as JSON; the words are an interface."""
    assert {verdict.value for verdict in Verdict} == {
        "increase that matters",
        "increase, smaller than matters",
        "increase, size not settled",
        "decrease that matters",
        "decrease, smaller than matters",
        "decrease, size not settled",
        "no difference that matters",
        "not worse",
        "undecided",
        "unstable",
    }


@pytest.mark.parametrize(
    ("sign", "equivalence", "expected"),
    [
        ((0.1, 0.3), (0.12, 0.28), Verdict.INCREASE_MATTERS),
        ((0.01, 0.09), (0.02, 0.08), Verdict.INCREASE_SMALL),
        ((0.01, 0.11), (0.02, 0.1), Verdict.INCREASE_UNSIZED),
        ((0.01, 0.11), (0.02, 0.099), Verdict.INCREASE_SMALL),
        ((0.0, 0.09), (0.01, 0.08), Verdict.NO_DIFFERENCE),
        ((-0.11, 0.11), (-0.09, 0.09), Verdict.NO_DIFFERENCE),
        ((-0.11, 0.11), (-0.1, 0.09), Verdict.UNDECIDED),
        ((-0.05, 0.3), (-0.02, 0.25), Verdict.UNDECIDED),
        ((-0.3, -0.1), (-0.28, -0.12), Verdict.DECREASE_MATTERS),
    ],
)
def test_each_branch_of_the_rule(
    sign: tuple[float, float], equivalence: tuple[float, float], expected: Verdict
) -> None:
    """The edges too: a bound on zero claims no direction, one on the margin no equivalence."""
    assert judge(Interval(*sign), Interval(*equivalence), margin=MARGIN) is expected


@pytest.mark.parametrize(
    ("sign", "equivalence", "expected"),
    [
        ((-0.12, 0.3), (-0.09, 0.25), Verdict.NOT_WORSE),
        ((0.2, 0.3), (0.21, 0.29), Verdict.NOT_WORSE),
        ((-0.12, 0.3), (-0.1, 0.25), Verdict.UNDECIDED),
        ((-0.2, -0.01), (-0.19, -0.02), Verdict.DECREASE_UNSIZED),
        ((-0.2, -0.1), (-0.19, -0.11), Verdict.DECREASE_MATTERS),
        ((-0.12, -0.01), (-0.09, -0.02), Verdict.NOT_WORSE),
    ],
)
def test_not_worse_asks_for_the_lower_bound_alone(
    sign: tuple[float, float], equivalence: tuple[float, float], expected: Verdict
) -> None:
    """Somebody who wants a cheaper network as good as before needs no upper bound."""
    found = judge(Interval(*sign), Interval(*equivalence), margin=MARGIN, goal="not_worse")
    assert found is expected
    lower_is_better = judge(
        -Interval(*sign), -Interval(*equivalence), margin=MARGIN, goal="not_worse", better="lower"
    )
    assert lower_is_better is mirrored(expected)


@st.composite
def interval_pairs(draw: st.DrawFn) -> tuple[Interval, Interval]:
    centre = draw(st.floats(-0.5, 0.5))
    half = draw(st.floats(0.001, 0.5))
    return Interval(centre - half, centre + half), Interval(centre - 0.8 * half, centre + 0.8 * half)


@given(pair=interval_pairs())
def test_swapping_variant_and_baseline_mirrors_the_verdict(pair: tuple[Interval, Interval]) -> None:
    """Which arm is called the variant must not decide anything."""
    sign, equivalence = pair
    assert judge(-sign, -equivalence, margin=MARGIN) is mirrored(judge(sign, equivalence, margin=MARGIN))


@given(pair=interval_pairs(), scale=st.floats(0.01, 100))
def test_the_unit_of_measurement_changes_no_verdict(pair: tuple[Interval, Interval], scale: float) -> None:
    """Fractions inside, percentage points outside: the same answer."""
    sign, equivalence = pair

    def scaled(interval: Interval) -> Interval:
        return Interval(scale * interval.low, scale * interval.high)

    edges = (sign.low, sign.high, equivalence.low, equivalence.high)
    if all(abs(abs(edge) - MARGIN) > 1e-9 for edge in edges):
        assert judge(scaled(sign), scaled(equivalence), margin=scale * MARGIN) is judge(
            sign, equivalence, margin=MARGIN
        )


def test_knowing_nothing_settles_nothing() -> None:
    """The honest default, for either goal."""
    assert judge(EVERYTHING, EVERYTHING, margin=MARGIN) is Verdict.UNDECIDED
    assert judge(EVERYTHING, EVERYTHING, margin=MARGIN, goal="not_worse") is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("standing", "new", "expected"),
    [
        (Verdict.INCREASE_UNSIZED, Verdict.INCREASE_MATTERS, Verdict.INCREASE_MATTERS),
        (Verdict.INCREASE_UNSIZED, Verdict.INCREASE_SMALL, Verdict.INCREASE_SMALL),
        (Verdict.INCREASE_UNSIZED, Verdict.NO_DIFFERENCE, Verdict.INCREASE_SMALL),
        (Verdict.INCREASE_UNSIZED, Verdict.DECREASE_MATTERS, Verdict.INCREASE_UNSIZED),
        (Verdict.INCREASE_UNSIZED, Verdict.UNDECIDED, Verdict.INCREASE_UNSIZED),
        (Verdict.NO_DIFFERENCE, Verdict.DECREASE_SMALL, Verdict.DECREASE_SMALL),
        (Verdict.NO_DIFFERENCE, Verdict.DECREASE_UNSIZED, Verdict.DECREASE_SMALL),
        (Verdict.NO_DIFFERENCE, Verdict.INCREASE_MATTERS, Verdict.NO_DIFFERENCE),
        (Verdict.INCREASE_MATTERS, Verdict.NO_DIFFERENCE, Verdict.INCREASE_MATTERS),
        (Verdict.DECREASE_UNSIZED, Verdict.NOT_WORSE, Verdict.DECREASE_SMALL),
        (Verdict.NOT_WORSE, Verdict.UNDECIDED, Verdict.NOT_WORSE),
        (Verdict.INCREASE_MATTERS, Verdict.UNSTABLE, Verdict.UNSTABLE),
        (Verdict.UNSTABLE, Verdict.INCREASE_MATTERS, Verdict.UNSTABLE),
    ],
)
def test_a_verdict_sharpens_but_never_turns_round(standing: Verdict, new: Verdict, expected: Verdict) -> None:
    """What was said stays said; what two looks say together is said."""
    assert sharpen(standing, new) is expected


def test_no_sequence_of_looks_takes_anything_back() -> None:
    """Over all pairs: no fallen verdict, no lost direction, nothing gained twice, and order of words kept."""
    for standing, new in itertools.product(Verdict, repeat=2):
        after = sharpen(standing, new)
        assert sharpen(after, new) is after
        assert sharpen(mirrored(standing), mirrored(new)) is mirrored(after)
        if Verdict.UNSTABLE in (standing, new):
            continue
        if standing.settled:
            assert after.settled
        if standing.direction:
            assert after.direction == standing.direction
        if not standing.can_sharpen:
            assert after is standing
