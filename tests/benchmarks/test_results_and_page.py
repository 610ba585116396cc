"""What was measured is kept, merged and shown as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.commands import OUTPUT, command
from benchmarks.comparing import compared, geometric_mean
from benchmarks.contenders import PEERS, in_turn
from benchmarks.growth_page import grows
from benchmarks.rendering import PAGE, PICTURE, render
from benchmarks.results import Growth, Results, Run
from made_results import made_row, made_run

from benchmarks import results as stored

MARKS = """# Title

<!-- rows measured: begin -->
old
<!-- rows measured: end -->
kept
<!-- growth measured: begin -->
<!-- growth measured: end -->
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "performance.md"
    path.write_text(MARKS, encoding="utf-8")
    return path


def test_results_come_back_as_they_were_written(results: Results, tmp_path: Path) -> None:
    """Hours are in the file; the page is made from it later, perhaps elsewhere."""
    path = tmp_path / "new" / "performance.json"
    stored.write(results, path)
    assert stored.read(path) == results
    assert stored.read(tmp_path / "none.json") == Results()
    assert [one.name for one in path.parent.iterdir()] == ["performance.json"]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Writing over it would be worse."""
    path = tmp_path / "other.json"
    path.write_text('{"schema": "other/1"}', encoding="utf-8")
    with pytest.raises(ValueError, match="other/1"):
        stored.read(path)


def test_a_row_is_replaced_as_a_whole_and_takes_its_run_with_it(results: Results, run: Run) -> None:
    """A ratio of figures of two runs would be of two machines, or of two states of one."""
    later = made_run("2026-02-02T00:00:00+00:00")
    alone = made_row(later, pytorch=2.0)
    merged = results.with_row("width-50", alone, run=later)
    assert set(merged.rows["width-50"].rounds) == {"fairtrial", "pytorch"}
    assert set(merged.runs) == {run.date, later.date}, "the store's figures are still of the earlier run"
    points = merged.growth["store"].points
    replaced = merged.with_growth("store", Growth(run=later.date, points=points), run=later)
    assert set(replaced.runs) == {later.date}
    assert set(merged.with_row("cnn-1", made_row(run), run=run).rows) == {"width-50", "cnn-1"}


def test_ratios_are_of_medians_and_held_against_what_is_asked(results: Results, run: Run) -> None:
    """The peer's whole fit over our seconds per trial."""
    (row,) = compared(results)
    assert [row.ratio(peer) for peer in PEERS] == pytest.approx([6.0, 3.0, 0.5])
    assert not row.short
    slower = results.with_row("width-50", made_row(run, **{"keras-tensorflow": 4.9}), run=run)
    (row,) = compared(slower)
    assert row.short
    assert row.ratio("pytorch") is None
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)


def test_shares_hold_a_steady_epoch_against_the_bound_of_its_number_format(results: Results) -> None:
    """8e11 operations: one second in bfloat16 at the most, two in float32; ours took 2 s, tf.keras 12."""
    (row,) = compared(results)
    assert row.share("fairtrial") == pytest.approx(1.0 / 2.0)
    assert row.share("keras-tensorflow") == pytest.approx(2.0 / 12.0)
    assert row.flops_a_second("fairtrial") == pytest.approx(4e11)


def test_the_page_says_what_was_measured_and_keeps_what_is_written_around_it(
    results: Results, page: Path
) -> None:
    """Rendering twice changes nothing, so that the committed page can be checked."""
    render(results, page)
    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert "\nkept\n" in text
    assert "| width-50 | 10 | 12 | 60 | 6.00 | 5 | 30 | 3.00 | 5 | 0.50 |" in text
    assert "ratios to tf.keras, 1 row: 6.00, at least 3.5 asked of all 15" in text
    assert "Rows below what is asked: none." in text
    assert "Rows in which a peer is faster: width-50 (PyTorch, 0.50)." in text
    assert "400, 50 %" in text
    assert "| width-50 | 97.00 |" in text
    assert "2026-01-02T03:04:05+00:00: `benchmarks/run` on 2 cores of a processor, 8 GiB" in text
    assert "float32 products 200 GFLOP/s by torch, 400 GFLOP/s by jax" in text
    assert "tf.keras: library 1.2.3" in text
    assert "| 10000 | 100 | 200 | 2 | 10 | 0.5 | 0.1 | 1 |" in text
    assert "store 1.00, answers 1.00, verdicts alone 0.00, resuming 1.50" in text
    picture = page.parent / PICTURE
    assert "width-50" in picture.read_text(encoding="utf-8")
    before = (text, picture.read_bytes())
    render(results, page)
    assert (page.read_text(encoding="utf-8"), picture.read_bytes()) == before


def test_what_was_scaled_is_marked_and_said(results: Results, run: Run, page: Path) -> None:
    """Nobody should take 300 steps for five epochs."""
    row = made_row(run)
    sampled = tuple(
        replace(one, way="sampled", measured="300 of 540 steps and one validation", test_accuracy=None)
        for one in row.rounds["keras-jax"]
    )
    row = replace(row, rounds={**row.rounds, "keras-jax": sampled})
    render(results.with_row("width-50", row, run=run), page)
    text = page.read_text(encoding="utf-8")
    assert "| 30 \\* | 3.00 |" in text
    assert "\\* scaled: 300 of 540 steps and one validation of width-50 (Keras on JAX)." in text


def test_a_page_of_nothing_says_so(page: Path) -> None:
    """An empty table would look like a fault."""
    render(Results(), page)
    assert page.read_text(encoding="utf-8").count("Nothing has been measured yet.") == 2
    assert not (page.parent / PICTURE).exists()


def test_the_page_in_docs_is_what_its_figures_render_to(tmp_path: Path) -> None:
    """A figure that was edited by hand, or forgotten, would be nobody's measurement."""
    copy = tmp_path / PAGE.name
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    render(stored.read(OUTPUT), copy)
    assert copy.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_growth_is_told_by_its_steepest_stretch() -> None:
    """A curve that is flat first and quadratic later is quadratic."""
    points = [{"trials": 10**n, "s": s} for n, s in ((1, 1.0), (2, 1.0), (3, 100.0))]
    assert grows(points, "s") == pytest.approx(2.0)


def test_a_round_goes_from_the_first_peer_to_us_and_on() -> None:
    """By turns: a machine that grows slower must not look like a difference."""
    assert in_turn(tuple(PEERS)) == ("keras-tensorflow", "fairtrial", "keras-jax", "pytorch")
    assert in_turn(["pytorch"]) == ("pytorch", "fairtrial")


def test_the_command_is_told_without_places_of_this_machine() -> None:
    """They are nobody's business and change nothing that is measured."""
    given = ["--row", "cnn-1", "--environment", "x/y", "--cache=z", "--repeats", "3", "--output", "o.json"]
    assert command("benchmarks/run", given) == "benchmarks/run --row cnn-1 --repeats 3"
