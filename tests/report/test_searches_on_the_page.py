"""Searches on the page: the confirmation first, what the search saw as no evidence, every proposal in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from made_searches import WIDTH, conditional, fill_search
from made_trials import HOSTILE, STUDY, fill, from_text
from reading import Parsed, words

import fairtrial as ft
from fairtrial.analysis import Answers

Made = Callable[..., tuple[Answers, str]]
SECTION = re.compile(r'<section class="optimistic".*?</section>', re.DOTALL)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """`made(text, count=24)`: the answers of a study with such a search, and its page."""

    def make(text: str = WIDTH, **options: object) -> tuple[Answers, str]:
        study = from_text(text, tmp_path)
        fill_search(study, tmp_path / "some.db", **{"count": 24, **options})
        found = ft.answers(study, store=tmp_path / "some.db")
        page = ft.write_report(found, tmp_path / "page.html")
        return found, page.read_text(encoding="utf-8")

    return make


def test_the_confirmation_comes_first_with_seeds_candidate_and_cost(made: Made) -> None:
    """The answer is what was judged on fresh seeds; the search's own figures are a footnote to it."""
    answers, page = made()
    (found,) = answers.searches
    told = words(Parsed(page))
    assert found.candidate is not None and found.answer is not None
    assert found.sentence.startswith(f"{found.candidate.arm.name} (network.mlp.width")
    _, _, after = page.partition('<article class="question search"')
    article = words(Parsed(f"<body>{after}</body>"))
    for said in (
        "Can you find a size that does better?",
        "It has a note.",
        found.sentence,
        "3001 to 3005",
        "1001 to 1005",
        f"{found.candidate.parameters:,} (narrow: 42,310)",
        "Validation accuracy, no verdict",
        "means over 5 fresh seeds",
        "increase that matters",
    ):
        assert said in article, said
    assert article.index("3001 to 3005") < article.index("The search itself")
    assert article.index(found.sentence) < article.index(found.search_sentence)
    assert "optimistic by selection, no evidence" in article
    assert found.sentence in told[: told.index("Searches: the confirmation first")], (
        "the first screen has it too"
    )
    assert page.count('class="strip"') == 2
    assert 'href="#searches"' in page


def test_no_verdict_is_drawn_of_what_the_search_saw(made: Made) -> None:
    """An interval beside selected seeds would be read as evidence."""
    _, page = made()
    (section,) = SECTION.findall(page)
    assert 'class="strip"' not in section
    assert "that matters" not in section
    assert "lottery" not in section


def rows_of(page: str) -> list[tuple[str, list[str]]]:
    """Each proposal's row of the table: its class and its cells."""
    table = page.partition('<table class="proposals">')[2].partition("</table>")[0]
    return [
        (role, re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL))
        for role, row in re.findall(r'<tr class="(\w+)">(.*?)</tr>', table, re.DOTALL)
    ]


def test_every_proposal_is_listed_best_first_and_what_was_stopped_is_no_result(made: Made) -> None:
    """A stopped proposal that looks like a bad result would be compared with good ones."""
    answers, page = made()
    (found,) = answers.searches
    rows = rows_of(page)
    assert rows[0][0] == "baseline"
    listed = rows[1:]
    assert sorted(int(cells[0]) for _, cells in listed) == list(range(24))
    means = [
        mean
        for role, cells in listed
        if role in ("finished", "candidate")
        and (mean := found.points[int(cells[0])].mean(found.points[int(cells[0])].seeds)) is not None
    ]
    assert means == sorted(means, reverse=True)
    assert len(means) == 12
    order = [role if role != "candidate" else "finished" for role, _ in listed]
    assert order == sorted(order, key=("finished", "stopped", "diverged", "failed", "open").index)
    assert sum(role == "candidate" for role, _ in listed) == 1
    for role, cells in listed:
        if role == "stopped":
            assert re.match(r"stopped after [12] epochs? at [\d.]+ %: no result$", cells[2])
            assert cells[3] == "–"
    several = next(cells for role, cells in listed if role == "candidate")
    assert several[3].count("%") == 5


def marks(drawing: str, role: str) -> int:
    """How many marks one path of a drawing holds."""
    return sum(found.count("M") for found in re.findall(rf'class="{role}" d="([^"]*)"', drawing))


def drawings(page: str) -> list[str]:
    (section,) = SECTION.findall(page)
    return re.findall(r'<div class="plot-place"[^>]*>(<svg.*?</svg>)</div>', section)


def test_every_trial_of_a_search_has_its_mark(made: Made) -> None:
    """A dot that is left out is a trial withheld."""
    answers, page = made()
    (found,) = answers.searches
    first, *fronts = drawings(page)
    assert len(fronts) == 2, "one number has no parallel coordinates"
    seeds = sum(value is not None for point in found.points for value in point.results.values())
    assert marks(first, "dots finished") + marks(first, "dots candidate") == seeds == 12 + 4 + 4 + 2 + 1 + 1
    assert marks(first, "dots candidate") == 5
    assert marks(first, "crosses") == sum(point.state == "stopped" for point in found.points) == 6
    assert marks(first, "fallen") == sum(point.state in ("diverged", "failed") for point in found.points) == 4
    assert marks(first, "dots baseline") == 5
    assert marks(first, "joined") == 5
    assert first.count('class="ring"') == 1
    for front, joined in zip(fronts, (found.by_seconds, found.by_parameters), strict=True):
        assert marks(front, "dots candidate") == len(joined)
        assert marks(front, "dots candidate") + marks(front, "dots beaten") == 12


def test_a_conditional_space_has_a_line_for_each_proposal_and_gaps_where_it_lacks_a_parameter(
    made: Made,
) -> None:
    """A line through a parameter that is not there would make up a value."""
    answers, page = made(conditional())
    (found,) = answers.searches
    *slices, parallel, _, _ = drawings(page)
    assert len(slices) == 4
    second = "network.layers.1.2.dense.units"
    done = [point for point in found.points if point.state == "finished"]
    assert any(second not in point.values for point in done)
    pieces = sum(marks(parallel, f"mean tier {tier}") for tier in ("rest", "best", "candidate"))
    assert pieces > len(done)
    assert "A gap: the proposal has no such parameter." in page
    data = json.loads(Parsed(page).text["script"][0])
    table = next(one for one in data["tables"] if "qr" in one)
    for number, first, units in zip(table["number"], table["first"], table["q3"], strict=True):
        if first:
            assert (units is None) == (second not in found.points[number].values)


def test_of_a_loss_the_lower_stands_higher(made: Made) -> None:
    """Upside down it would crown the worst."""
    answers, page = made(conditional("loss"))
    (found,) = answers.searches
    first = drawings(page)[0]
    finished, chosen = (
        [float(y) for y in re.findall(r"M[\d.]+,([\d.]+)h0", one(rf'class="dots {role}" d="([^"]*)"', first))]
        for role in ("finished", "candidate")
    )
    losses = {
        value: point.number for point in found.points for value in point.results.values() if value is not None
    }
    assert found.candidate is not None
    assert (min(chosen) < min(finished)) is (losses[min(losses)] == found.candidate.number)
    assert (max(chosen) > max(finished)) is (losses[max(losses)] == found.candidate.number) is False
    (baseline,) = re.findall(r'class="mean baseline train" x1="[\d.]+" y1="([\d.]+)"', first)
    assert max(chosen) < float(baseline), "the candidate's losses are smaller than the baseline's"
    assert "Loss (nats, log., better upwards)" in first


def one(pattern: str, text: str) -> str:
    """What the pattern's group found, which must be there once."""
    (found,) = re.findall(pattern, text)
    return found


def test_a_search_without_a_candidate_says_so(made: Made) -> None:
    """Half a search must not look like an answer."""
    _, page = made(seeds=0)
    told = words(Parsed(page))
    assert told.count("No candidate has been chosen yet to be held against narrow.") == 2
    assert "1 search, without a candidate yet." in told
    assert "fresh seeds and test images" not in told
    assert 'class="ring"' not in page
    assert "24 proposals" in told
    assert "Method, in ten lines" in told
    assert "verdict of this study is true" not in told, "it declares none"


@pytest.mark.parametrize(("count", "drawn"), [(0, False), (1, True)])
def test_a_search_at_its_beginning_shows_what_there_is(made: Made, count: int, drawn: bool) -> None:
    """Most reports are looked at while something runs."""
    _, page = made(count=count, seeds=0)
    told = words(Parsed(page))
    assert ("Not searched yet: S1." in told) is not drawn
    assert ('id="searches"' in page) is drawn
    assert "1 search, " in told
    for place in re.findall(r'<div class="plot-place"[^>]*>(<svg.*?</svg>)</div>', page):
        assert not re.search(r"nan|inf\b", place)


def test_proposals_that_all_came_to_nothing_are_drawn_at_the_bottom(tmp_path: Path, made: Made) -> None:
    """There is no range of results to draw them in."""
    answers, _ = made(conditional())
    (found,) = answers.searches
    nothing = tuple(point for point in found.points if point.state in ("diverged", "failed", "open"))
    bare = replace(
        found, points=nothing, candidate=None, confirmation=None, by_seconds=(), by_parameters=(), cheapest=(),
    )  # fmt: skip
    page = ft.write_report(replace(answers, searches=(bare,)), tmp_path / "bare.html").read_text("utf-8")
    assert len(drawings(page)) == 4
    assert marks(drawings(page)[0], "fallen") == 4


def test_searches_stand_beside_questions_on_the_first_screen(tmp_path: Path) -> None:
    """Whoever reads only that must know that both were asked."""
    search = WIDTH.partition("search:")[2]
    study = from_text(f"{STUDY}\nsearch:{search}", tmp_path)
    fill(study, tmp_path / "some.db", seeds=3, errors={"narrow": 0.035, "wide": 0.025}, weights=False)
    fill_search(study, tmp_path / "some.db", count=6)
    found = ft.answers(study, store=tmp_path / "some.db")
    parsed = Parsed(ft.write_report(found, tmp_path / "page.html").read_text("utf-8"))
    cards = [one["class"] for one in parsed.of("li") if "card" in one.get("class", "")]
    assert ["search" in card for card in cards] == [False, False, False, True]
    told = words(parsed)
    assert "1 search, with a settled candidate." in told
    assert "Method, in eleven lines" in told
    assert "fairtrial search" in told
    assert re.search(r"Trials of searches\s*\d+", told)


@pytest.mark.parametrize("name", ["width", "many", "loss", "hostile"])
def test_a_page_with_a_search_is_well_made(search_pages: dict[str, Path], name: str) -> None:
    """Headings step by step, ids once, links that lead somewhere, words for pictures, a drawing for each chart."""
    text = search_pages[name].read_text(encoding="utf-8")
    parsed = Parsed(text)
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {one["href"].removeprefix("#") for one in parsed.of("a")} <= set(ids)
    assert all(one["role"] == "img" and one["aria-label"] for one in parsed.of("svg"))
    assert all(one.get("scope") in {"row", "col"} for one in parsed.of("th"))
    places = re.findall(
        r'<div class="plot-place" id="(chart-\d+)" data-label="[^"]+">(<svg.*?</svg>)</div>', text
    )
    assert len(places) == len(json.loads(parsed.text["script"][0])["charts"])
    for place, drawing in places:
        assert re.search(r'class="(dot|mean|stem)', drawing), place


def test_what_a_search_says_is_text_and_never_part_of_the_page(search_pages: dict[str, Path]) -> None:
    """Its question, its baseline, its settings and its options come from somebody's file."""
    plain, attacked = (Parsed(search_pages[name].read_text(encoding="utf-8")) for name in ("many", "hostile"))
    assert {tag for tag, _ in attacked.elements} <= {tag for tag, _ in plain.elements} | {"p"}
    assert [one["type"] for one in attacked.of("script")] == ["application/json", "module"]
    attributes = {name for _, found in attacked.elements for name in found}
    assert not {name for name in attributes if name.startswith("on")}
    assert attributes <= {name for _, found in plain.elements for name in found}
    told = words(attacked)
    assert f"ask {HOSTILE}".replace("`{{7*7}}${alert(1)}\u2028&amp;", "")[:40] in told
    data = json.loads(attacked.text["script"][0])
    table = next(one for one in data["tables"] if "p0" in one)
    assert HOSTILE in table["p0"]
    # A parameter's name and its options are titles and domains of a chart, and in no expression.
    for spec in data["specs"]:
        for text in expressions(spec):
            assert "alert" not in text


def expressions(spec: object) -> list[str]:
    """Every text of a specification that Vega reads as a program."""
    found: list[str] = []
    match spec:
        case dict():
            for name, value in spec.items():
                if name in {"filter", "calculate", "test", "labelExpr", "expr"} and isinstance(value, str):
                    found.append(value)
                found += expressions(value)
        case list():
            for value in spec:
                found += expressions(value)
        case _:
            pass
    return found


@pytest.mark.slow
def test_five_hundred_proposals_stay_a_small_page(made: Made, tmp_path: Path) -> None:
    """A long search is the usual one, and its page goes into mails."""
    _, before = made(conditional(), count=0)
    _, page = made(conditional(), count=500)
    assert len(rows_of(page)) == 501
    assert len(page) - len(before) < 800_000
    table = json.loads(Parsed(page).text["script"][0])["tables"]
    assert sum("q0" in one and len(one["number"]) > 100 for one in table) == 1, "charts share their data"


def test_more_proposals_than_a_page_holds_are_said_to_be_left_out(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not shown must not look as if it did not exist."""
    from fairtrial.report import search_picture, search_view

    monkeypatch.setattr(search_picture, "MOST_POINTS", 10)
    monkeypatch.setattr(search_view, "MOST_POINTS", 10)
    answers, page = made()
    told = words(Parsed(page))
    (found,) = answers.searches
    assert len(rows_of(page)) == 11
    assert "14 further proposals are not listed; JSON and CSV hold them." in told
    assert "further proposals are not drawn" in told
    fronts = drawings(page)[-2:]
    for front, joined in zip(fronts, (found.by_seconds, found.by_parameters), strict=True):
        assert marks(front, "dots candidate") == len(joined), "a front is drawn whole"
