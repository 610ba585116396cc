"""Searches in figures, notebook, Markdown, LaTeX and data, and the scales their figures stand on."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import altair as alt
import pytest
from made_searches import WIDTH, conditional, fill_search, hostile_answers
from made_trials import HOSTILE, from_text
from markdown_it import MarkdownIt

import fairtrial as ft
from fairtrial.analysis import Answers
from fairtrial.report import search_layers as layers
from fairtrial.report import specs
from fairtrial.report.gallery import write_figures
from fairtrial.report.latex import latex_report
from fairtrial.report.markdown import markdown_report
from fairtrial.report.notebook import notebook_cells
from fairtrial.report.search_axes import axes, magnitude, upward
from fairtrial.report.search_picture import columns, picture

Made = Callable[..., Answers]
SVG = "{http://www.w3.org/2000/svg}"
KINDS = ["confirmation", "confirmation-contrasts", "confirmation-learning", "slices", "parallel", "front"]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """`made(text, count=24)`: the answers of a study with such a search."""

    def make(text: str = WIDTH, **options: object) -> Answers:
        study = from_text(text, tmp_path)
        fill_search(study, tmp_path / "some.db", **{"count": 24, **options})
        return ft.answers(study, store=tmp_path / "some.db")

    return make


def symbols(svg: str) -> int:
    nodes = ElementTree.fromstring(svg).iter()
    return sum(node.get("aria-roledescription") in ("point", "circle") for node in nodes)


def said(svg: str) -> str:
    return " ".join(" ".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text"))


def test_a_search_has_its_figures_by_kind_from_the_first_day(made: Made) -> None:
    """Whoever refers to one must find it, however far the search is."""
    for count, seeds in ((0, 0), (24, 0), (24, 5)):
        figures = ft.figures(made(count=count, seeds=seeds), "S1")
        assert list(figures) == KINDS
        for name in ("slices", "front"):
            assert ("Nothing has finished" in said(figures[name].svg())) is (count == 0)
        assert ("No candidate" in said(figures["confirmation"].svg())) is (seeds == 0)
        assert "no evidence" in figures["slices"].caption
        assert "no evidence" not in figures["confirmation"].caption
    assert "one parameter" in said(figures["parallel"].svg())


def test_a_figure_of_slices_has_a_mark_for_each_trial(made: Made) -> None:
    """Dots of each seed, crosses, triangles, the baseline's squares, and one ring."""
    found = made()
    (search,) = found.searches
    svg = ft.figures(found, "S1")["slices"].svg()
    shown = picture(search)
    assert symbols(svg) == len(shown.spots) + 5 + 1
    assert "network.mlp.width (logarithmic)" in said(svg)
    assert "Accuracy (%, error logarithmic)" in said(svg)
    fronts = ft.figures(found, "S1")["front"].svg()
    done = sum(point.state == "finished" for point in search.points)
    assert symbols(fronts) == 2 * (done + 1 + 1)


@pytest.mark.slow
def test_the_folder_of_figures_has_those_of_a_search(made: Made, tmp_path: Path) -> None:
    """Each as SVG and as PDF, with its caption in the list."""
    folder = write_figures(made(), tmp_path / "figures")
    files = {path.name for path in folder.iterdir()}
    assert files >= {f"S1-{kind}.{suffix}" for kind in KINDS for suffix in ("svg", "pdf")}
    assert "optimistic by selection, no evidence" in (folder / "README.md").read_text(encoding="utf-8")


def test_vega_lite_allows_the_charts_of_a_search(made: Made) -> None:
    """Pages do not check their specifications; nothing in them may ask for data elsewhere."""
    shown = picture(made(conditional()).searches[0])
    numbers, options = (
        next(axis for axis in shown.sliced if bool(axis.options) is wanted) for wanted in (False, True)
    )
    paper = layers.on_page()
    for chart in (
        layers.slices(paper, numbers, shown.heights),
        layers.slices(paper, options, shown.heights),
        layers.parallel(paper, ["q0", "qr"], slanted=True, many=False),
        layers.front(paper, "seconds", shown.results),
    ):
        spec = specs.page_spec(chart)
        alt.Chart.from_dict(dict(spec), validate=True)
        assert "http" not in str(spec)
        assert {param["name"] for param in spec["params"]} >= {"hidden", "accent", "second"}


def test_a_parameter_stands_where_its_value_is() -> None:
    """On a logarithmic axis the middle of 16 and 1024 is 128; few whole numbers and options have a place each."""
    study = ft.Study(
        arms={"a": {}},
        search={
            "id": "s",
            "baseline": "a",
            "space": {
                "batch_size": {"int": [16, 1024], "log": True},
                "epochs": {"int": [2, 8], "step": 2},
                "network.mlp.activation": {"choice": ["relu", "tanh", "gelu"]},
                "optimizer.beta_1": {"float": [0.0, 0.4]},
            },
        },
    )
    batch, epochs, activation, rate = axes(dict(study.search[0].space))
    assert batch.share(128) == pytest.approx(0.5)
    assert (epochs.options, epochs.place(6), epochs.words(6)) == (("2", "4", "6", "8"), 2.0, "6")
    assert (activation.share(1), activation.words(2)) == (0.5, "gelu")
    assert rate.ticks == {0.0: "0", 0.1: "0.1", 0.2: "0.2", 0.3: "0.3", 0.4: "0.4"}
    assert [one.short for one in (batch, epochs, activation, rate)] == [
        "batch_size", "epochs", "activation", "beta_1",
    ]  # fmt: skip


def test_better_results_stand_higher_by_the_logarithm_of_the_error() -> None:
    """From 98 to 99 % is as far as from 96 to 98; of a loss less is better."""
    errors = [magnitude("accuracy", one) for one in (0.96, 0.98, 0.99)]
    scale = upward("accuracy", [one for one in errors if one is not None])
    low, middle, high = (scale.share(one) for one in errors if one is not None)
    assert low < middle < high
    assert high - middle == pytest.approx(middle - low)
    assert scale.words(1.0) == "99"
    losses = upward("loss", [0.05, 0.5])
    assert losses.share(0.05) > losses.share(0.5)
    assert magnitude("accuracy", 1.0) == 0.01, "no mistake at all has a place, too"


def test_the_columns_of_a_chart_are_of_one_length_and_name_no_setting(made: Made) -> None:
    """Fields become parts of expressions, so that none may come from a study."""
    shown = picture(made(conditional()).searches[0])
    table = columns(shown, shown.spots)
    assert {len(column) for column in table.values()} == {len(shown.spots)}
    assert all(re.fullmatch(r"[a-z_]+|[pq]\d+|qr", name) for name in table)


def test_markdown_has_the_confirmation_before_the_search_and_its_best_proposals(made: Made) -> None:
    """It goes into a README or a pull request, alone."""
    found = made()
    (search,) = found.searches
    page = markdown_report(found)
    read = "\n".join(
        token.content
        for token in MarkdownIt("commonmark").enable("table").parse(page)
        if token.type == "inline"
    )
    assert "What was selected, and judged on fresh seeds" in read
    assert read.index("3001 to 3005") < read.index("optimistic by selection, no evidence.*")
    assert search.candidate is not None
    assert f"| {search.candidate.number} | network.mlp.width" in page
    assert "The best 10 of 24 proposals" in page
    assert "fairtrial search" in page
    assert "asks no questions. 1 search, with a settled candidate." in page
    assert "nothing has been trained" not in page


def test_what_a_search_says_acts_in_no_document(tmp_path: Path) -> None:
    """Markdown renders HTML, LaTeX reads files, SVG runs scripts, notebooks run code."""
    found = hostile_answers(tmp_path)
    for token in MarkdownIt("commonmark").enable("table").parse(markdown_report(found)):
        assert token.type != "html_block"
        for child in token.children or ():
            assert child.type != "html_inline" or child.content == "<!-- -->"
    assert "<script" not in latex_report(found)
    for figure in ft.figures(found, "S1").values():
        svg = figure.svg()
        assert "<script" not in svg
        assert not {node.tag for node in ElementTree.fromstring(svg).iter()} & {f"{SVG}script", f"{SVG}image"}
    (search,) = found.searches
    assert "<script" not in search._repr_html_()
    assert "<img" not in found._repr_html_()
    assert HOSTILE[:9] in repr(search)


def test_latex_names_the_candidate_and_its_seeds(made: Made) -> None:
    """A paper that reports a search must say what was selected, and on what it was judged."""
    found = made()
    source = latex_report(found)
    assert r"\item Fresh seeds: 3001 to 3005" in source
    assert r"\label{tab:proposals-S1}" in source
    assert r"\label{tab:selected}" in source
    assert "The search S1 tried 24 proposals (Optuna's TPE sampler; asynchronous successive halving" in source
    assert "on seeds from 3001 on" in source


def test_the_notebook_shows_search_confirmation_and_front(made: Made, tmp_path: Path) -> None:
    """One section for each search, on the public names alone."""
    found = made()
    cells = [cell.source for cell in notebook_cells(found, folder=tmp_path, store=tmp_path / "some.db")]
    (place,) = [number for number, cell in enumerate(cells) if cell.startswith("## S1: a search from narrow")]
    assert "> Can you find a size that does better?" in cells[place]
    assert cells[place + 1 : place + 8] == [
        "answers.searches[0]", *(f"ft.figures(answers, 'S1')['{kind}']" for kind in KINDS),
    ]  # fmt: skip
    bundle = found.searches[0]._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "text/markdown"}
    assert "3001 to 3005" in bundle["text/html"]
    assert len(bundle["text/plain"]) < 2000, "its trials are not printed"


def test_programs_get_every_proposal(made: Made, tmp_path: Path) -> None:
    """Other programs compute with it; nothing may be lost on the way."""
    found = made()
    (search,) = found.searches
    ft.write_report(found, tmp_path / "out.csv")
    text = (tmp_path / "out-proposals.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["number"]) for row in rows] == [-1, *range(24)]
    by_state = [row["state"] for row in rows]
    assert by_state[0] == "baseline"
    assert set(by_state[1:]) == {"finished", "stopped", "diverged", "failed", "open"}
    assert sum(row["candidate"] == "True" for row in rows) == 1
    for row, point in zip(rows[1:], search.points, strict=True):
        results = [value for value in point.results.values() if value is not None]
        assert [float(one) for one in row["results"].split("; ") if one not in ("", "diverged")] == results
        assert bool(row["scores"]) is (point.state == "stopped")
    ft.write_report(found, tmp_path / "out.json")
    whole = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert len(whole["searches"][0]["points"]) == 25
