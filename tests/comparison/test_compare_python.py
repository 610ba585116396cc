"""`fairtrial.compare` on arrays: what it takes, what it refuses, what it says."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fairtrial as ft
from fairtrial.comparison.table import groups, metric_column, read_table, runs
from fairtrial.stats.verdict import Verdict, mirrored

A, B = [0.978, 0.976, 0.979, 0.977, 0.978], [0.967, 0.966, 0.968, 0.967, 0.966]
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


def test_arrays_mappings_and_series_give_the_same_answer() -> None:
    """Numbers come from everywhere; how they are held must not matter."""
    expected = ft.compare(A, B)
    assert expected.verdict == "increase that matters"
    assert (expected.n, expected.caveats) == (5, ())
    assert ft.compare(np.array(A), tuple(B)) == expected
    by_seed = dict(enumerate(A, 1)), dict(reversed(list(enumerate(B, 1))))
    assert ft.compare(*by_seed) == expected
    assert ft.compare(pd.Series(by_seed[0]), pd.Series(by_seed[1])) == expected


@pytest.mark.parametrize(
    ("variant", "baseline", "message"),
    [
        (A, B[:4], "5 numbers against 4"),
        (dict(enumerate(A)), B, "one is by seed, the other by position"),
        ({1: 0.9}, {2: 0.9}, "share no seed"),
        ([], [], "no runs"),
        ([[0.9]], [[0.8]], r"shape \(1, 1\)"),
        (["x"], ["y"], "one number per run"),
        (0.9, 0.8, "one number per run"),
        ({"a": 0.9}, {"a": 0.8}, "a seed is a whole number, got 'a'"),
        (pd.Series([0.9, 0.8], index=[1, 1]), pd.Series([0.9, 0.8]), "seed 1 is there more than once"),
        ([1e300, -1e300], [-1e300, 1e300], "cannot be compared"),
    ],
)
def test_what_cannot_be_compared_is_refused(variant: Any, baseline: Any, message: str) -> None:
    """One kind of error, with what to give instead; no traceback from deep inside."""
    with pytest.raises(ft.FairtrialError, match=message):
        ft.compare(variant, baseline)


@pytest.mark.parametrize(
    "wrong",
    [{"margin": 0}, {"margin": math.nan}, {"margin": "much"}, {"confidence": 95}, {"horizon": 1},
     {"planned": 4}, {"planned": 1}, {"goal": "win"}, {"better": "more"}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """An unknown goal must not quietly mean the usual one."""
    with pytest.raises(ft.FairtrialError):
        ft.compare(A, B, **wrong)


def test_a_group_that_failed_altogether_is_unstable_and_has_no_estimate() -> None:
    """Nothing is left to average."""
    for unpaired in (False, True):
        one = ft.compare([math.nan] * 3, B[:3], unpaired=unpaired)
        assert (one.verdict, one.estimate, one.low) == ("unstable", None, None)
        assert "3 of 3 runs of the variant failed" in one.sentence


def test_an_undecided_answer_says_what_is_known_and_what_is_missing() -> None:
    """The bound is rounded up, so that it stays true as printed."""
    one = ft.compare([0.2, -0.1, 0.3], [0.0] * 3, margin=0.1)
    assert one.verdict is Verdict.UNDECIDED and not one.settled
    (bound,) = re.findall(r"any difference is smaller than ([0-9.]+)", one.sentence)
    assert float(bound) >= max(-(one.low or 0), one.high or 0)
    for unit in (1e-14, 1e14):
        said = ft.compare([0.2 * unit, -0.1 * unit, 0.3 * unit], [0.0] * 3, margin=0.1 * unit)
        (bound,) = re.findall(r"any difference is smaller than ([0-9.e+-]+)", said.sentence)
        assert float(bound) >= (said.high or math.inf)
    assert "at least 3 seeds are needed" in ft.compare([0.2, 0.3], [0.1, 0.1]).sentence
    assert "the plan of 3 ends here" in ft.compare([0.2, -0.1, 0.3], [0.0] * 3, planned=3).sentence
    likely = ft.compare([0.2, 0.1, 0.3, 0.05], [0.0] * 4, margin=0.01)
    assert re.search(r"about \d+ more seeds? would likely settle it", likely.sentence)


def test_tiny_and_huge_numbers_are_shown_with_figures_that_mean_something() -> None:
    """An increase of 0.000000000 would be a riddle."""
    for unit in (1e-15, 1e-6, 1.0, 1e6, 1e30):
        one = ft.compare([value * unit for value in (3.0, 3.1, 2.9)], [0.0] * 3, margin=0.5 * unit)
        (size,) = re.findall(r", by ([0-9.e+-]+) \(", one.sentence)
        assert float(size) == pytest.approx(3 * unit, rel=0.02)


def test_percentage_points_are_shown_as_such() -> None:
    """Whoever says 0.1pp reads accuracies in percent."""
    said = ft.compare(A, B, margin="0.1pp", metric="accuracy", names=("wide", "narrow")).sentence
    assert said == (
        "accuracy rose from 96.68 % with narrow (baseline) to 97.76 % with wide (variant), "
        "by 1.08 pp (0.87 to 1.29, 5 seeds): an increase that matters (margin 0.1 pp)."
    )


def test_two_groups_without_names_are_called_what_they_are() -> None:
    """ "With baseline (baseline)" is what a program says, not a person."""
    one = ft.compare({1: 0.9, 2: 0.92, 3: 0.91, 4: 0.93}, {2: 0.9, 3: 0.9, 4: 0.9})
    assert one.sentence.startswith(
        "value rose from 0.900 with the baseline to 0.920 with the variant, by 0.020"
    )
    assert one.caveats[0] == "left out: 1 seed of the variant (1), which the other does not have"
    assert (one.seeds, ft.compare(A, B, unpaired=True).seeds) == (3, None)


def test_a_change_that_may_be_none_is_said_with_its_signs() -> None:
    """ "Fell by 0.0005 (-0.0044 to 0.0054)" turns the interval round without a word."""
    one = ft.compare([0.90, 0.91, 0.905, 0.90], [0.91, 0.90, 0.908, 0.899], margin=0.001)
    assert one.low is not None and one.high is not None and one.low < 0 < one.high
    assert f"(a change of {one.low:+.3f} to {one.high:+.3f}, 4 seeds): undecided" in one.sentence


@pytest.mark.parametrize("unpaired", [False, True])
def test_numbers_too_small_to_be_squared_twice_are_compared(unpaired: bool) -> None:
    """The fourth power of 1e-125 is zero, and a division by it is none."""
    one = ft.compare([0.0, 0.0, 3e-125], [0.0, 0.0, 0.0], margin=1e-125, unpaired=unpaired)
    assert one.verdict == "undecided"


def test_it_renders_itself_and_escapes_names() -> None:
    """Notebooks show it as HTML, and a file may be called anything."""
    shown = ft.compare(A, B, names=("<b>", "B"))._repr_html_()
    assert "&lt;b&gt;" in shown and "<b>" not in shown


@settings(deadline=None, max_examples=60)
@given(
    pairs=st.lists(st.tuples(numbers | st.just(math.nan), numbers), min_size=1, max_size=12),
    unpaired=st.booleans(),
)
def test_any_numbers_get_an_answer_whose_swap_is_its_mirror(
    pairs: list[tuple[float, float]], unpaired: bool
) -> None:
    """No numbers may end in a crash, in JSON that is none, or in an answer that depends on naming."""
    a, b = zip(*pairs, strict=True)
    there, back = (ft.compare(x, y, margin=0.5, unpaired=unpaired) for x, y in ((a, b), (b, a)))
    assert back.verdict is mirrored(there.verdict)
    if there.low is not None and there.high is not None:
        assert (back.low, back.high) == pytest.approx((-there.high, -there.low), rel=1e-9, abs=1e-9)
    json.dumps(there.as_dict(), allow_nan=False)
    assert there.sentence.endswith(").") or "cannot be compared" in there.sentence


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(
        st.lists(
            st.sampled_from(["", "1", "2", "0.5", "nan", "x", '"', "seed", "acc", "-1e400", "1_0"]),
            max_size=3,
        ),
        max_size=5,
    )
)
def test_no_file_whatever_ends_in_anything_but_runs_or_a_refusal(
    rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Files are made by hand, by spreadsheets and by accident."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text("\n".join(",".join(row) for row in rows))
    try:
        table = read_table(str(path))
        metric = metric_column(table, None)
        found = runs(table, metric, paired=True, name="any")
        by_group = groups(table, table.columns[0], metric, paired=False)
    except ft.FairtrialError as error:
        refused = str(error)
    else:
        assert found.seeds is not None and len(found.seeds) == len(found.values) == len(table.rows)
        assert sum(len(group.values) for group in by_group.values()) == len(table.rows)
        assert all(first.line < second.line for first, second in pairwise(table.rows))
        refused = str(path)
    assert str(path) in refused
