"""Figures: drawn without a browser, with a mark for each thing measured, and inert whatever the names are."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import altair as alt
import pytest

import fairtrial as ft
from fairtrial.analysis import answers
from fairtrial.report.drawing import smaller
from fairtrial.report.figure_rows import interval_row, named, reach
from fairtrial.report.gallery import question_figures, study_figures, write_figures
from fairtrial.store import Store
from fairtrial.study.schema import Arm, Study

Pairs = Callable[..., None]
Put = Callable[..., object]
CLEAR = [0.0102, 0.0110, 0.0105, 0.0098]
SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert(1)</script> ']; datum & \"` \x01\ud800\ufffe"


def words(svg: str) -> list[str]:
    """Each text of the drawing; one that stands in several lines as one."""
    return [" ".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def dots(svg: str) -> int:
    """Symbols, those of legends left out."""
    groups = [node for node in ElementTree.fromstring(svg).iter() if node.get("role") == "graphics-symbol"]
    return sum(node.get("aria-roledescription") in ("point", "circle") for node in groups)


def test_each_seed_and_pair_has_its_dot_and_the_axes_their_units(
    study: Study, store: Store, put_pairs: Pairs, put_times: Put
) -> None:
    """A figure that drops a seed, or leaves its unit to be guessed, is worse than the table."""
    put_pairs(CLEAR)
    put_times([2.0, 2.1, 1.9], [1.0, 1.0, 1.0])
    figure = question_figures(answers(study, store), "Q")["contrasts"]
    svg = figure.svg()
    # Accuracy and loss on two sets of images: one dot per seed each; time: one per pair.
    assert dots(svg) == 4 * len(CLEAR) + 3
    assert "variant minus baseline, % of the baseline" in words(svg)
    assert "pair" in words(svg)
    assert "variant minus baseline, percentage points" in words(svg)
    assert "seed" in words(svg)
    assert ElementTree.fromstring(svg).find(f"{SVG}title") is not None
    assert isinstance(figure.chart, alt.ConcatChart)
    assert figure.pdf().startswith(b"%PDF-")


def test_intervals_stand_against_zero_and_the_margin(study: Study, store: Store, put_pairs: Pairs) -> None:
    """Where they lie is the verdict."""
    put_pairs(CLEAR)
    found = answers(study, store)["Q"]
    row = interval_row(found.accuracy, named=False)
    assert found.accuracy.low is not None
    assert (row["low"], row["lower"], row["upper"]) == (100 * found.accuracy.low, -0.1, 0.1)
    assert row["label"] == "validation (4 seeds): increase that matters"
    time = interval_row(found.time, named=True)
    assert time["lower"] == pytest.approx(100 * (1 / 1.05 - 1))
    assert time["upper"] == pytest.approx(5)
    assert reach([row, {**row, "low": -90.0, "high": 90.0}, row]) < 10


def test_the_same_figure_is_drawn_the_same_however_often(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A notebook that is run again would differ from the one that was written, and every commit from the last."""
    put_pairs(CLEAR)
    figure = question_figures(answers(study, store), "Q")["intervals"]
    first = figure.svg()
    assert figure.svg() == first


def test_two_drawings_in_one_document_clip_their_own_bars(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A name means the first in the document that has it: bars vanished behind another drawing's frame."""
    put_pairs(CLEAR)
    found = answers(study, store)
    named: list[set[str]] = []
    for figure in (question_figures(found, "Q")["intervals"], study_figures(found)["intervals"]):
        svg = figure.svg()
        defined = set(re.findall(r'<clipPath id="([^"]+)"', svg))
        assert defined == set(re.findall(r'clip-path="url\(#([^"]+)\)"', svg)) != set()
        named.append(defined)
    assert not named[0] & named[1]


def test_nothing_trained_is_said_in_the_figure(study: Study, store: Store) -> None:
    """The same figures are there from the first day, so that nothing that refers to them breaks."""
    found = answers(study, store)
    for figures in (question_figures(found, "Q"), study_figures(found)):
        for figure in figures.values():
            said = " ".join(words(figure.svg()))
            assert "Nothing has finished training yet" in said or "no seed has finished" in said


def test_names_are_inert_in_svg(study: Study, store: Store, put_pairs: Pairs) -> None:
    """An SVG on a page runs its scripts."""
    put_pairs(CLEAR[:1])
    arms = {EVIL: replace(study.arms["narrow"], name=EVIL), "wide": study.arms["wide"]}
    question = study.questions[0].model_copy(update={"baseline": EVIL, "metrics": ("accuracy",)})
    found = answers(replace(study, arms=arms, questions=(question,)), store)
    svg = question_figures(found, "Q")["learning"].svg()
    assert "<script" not in svg
    assert EVIL[:-3] + 3 * "\ufffd" in words(svg)
    assert not {node.tag for node in ElementTree.fromstring(svg).iter()} & {
        f"{SVG}script",
        f"{SVG}foreignObject",
    }


def test_a_factor_with_three_levels_has_a_dose_response(
    study: Study, store: Store, put: Put, make_arm: Callable[..., Arm]
) -> None:
    """Two values are a difference, three a curve."""
    assert "dose-response" not in question_figures(answers(study, store), "Q")
    wider = replace(study, arms={**study.arms, "wider": make_arm("wider", width=1000)})
    for arm in wider.arms.values():
        put(arm, 1)
    figure = question_figures(answers(wider, store), "Q")["dose-response"]
    svg = figure.svg()
    assert "network.mlp.width (logarithmic)" in words(svg)
    # Accuracy and loss on two sets of images; times are compared pair by pair.
    assert dots(svg) == 3 * 4


def test_the_folder_has_every_figure_twice_and_its_captions(
    study: Study, store: Store, put_pairs: Pairs, tmp_path: Path
) -> None:
    """Whoever opens it a year later needs to know what each shows."""
    put_pairs(CLEAR[:1])
    question = study.questions[0].model_copy(update={"metrics": ("accuracy",), "on": ("validation",)})
    folder = write_figures(
        answers(replace(study, questions=(question,)), store), tmp_path / "new" / "figures"
    )
    names = {"intervals", "frontier", "learning", "Q-intervals", "Q-contrasts", "Q-learning"}
    files = {path.name for path in folder.iterdir()}
    assert files == {f"{name}.{suffix}" for name in names for suffix in ("svg", "pdf")} | {"README.md"}
    captions = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.svg)" in captions for name in names)


def test_names_that_would_lie_over_each_other_are_left_out() -> None:
    """Five names on one spot are no name at all."""
    arms = [("a", 99.0, 10.0), ("b", 98.99, 10.5), ("c", 90.0, 10.0), ("d", 99.0, 1e6)]
    rows = [{"arm": arm, "accuracy": accuracy, "seconds": seconds} for arm, accuracy, seconds in arms]
    assert {row["arm"]: row["name"] for row in named(rows, "seconds")} == {
        "a": "a",
        "b": "",
        "c": "c",
        "d": "d",
    }
    assert named([], "seconds") == []


def test_a_figure_in_a_notebook_is_svg_with_a_png_for_whoever_may_not_see_it(
    study: Study, store: Store
) -> None:
    """Jupyter shows no SVG of a notebook it does not trust yet."""
    bundle = question_figures(answers(study, store), "Q")["learning"]._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "image/png"}
    png = base64.b64decode(bundle["image/png"])
    assert png.startswith(b"\x89PNG")
    assert smaller(png) == png
    pixels = png[png.index(b"IDAT") + 4 :]
    assert len(zlib.decompressobj().decompress(pixels)) > 1000


def test_an_unknown_question_says_which_there_are(study: Study, store: Store) -> None:
    """A typing mistake is the commonest mistake."""
    with pytest.raises(ft.FairtrialError, match="has no question 'P'; its questions: Q"):
        ft.figures(answers(study, store), "P")
