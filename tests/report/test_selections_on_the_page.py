"""Arms tuned first and improvements put together in the page and the notebook: the answers first, then how they were chosen."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from made_selected import SELECTED, hostile_selected, train
from made_trials import HOSTILE, from_text
from markdown_it import MarkdownIt
from reading import Parsed, words

import fairtrial as ft
from fairtrial.analysis import Answers
from fairtrial.report.notebook import notebook_cells
from fairtrial.report.summary import state_of_selections

Told = tuple[Answers, str]


def told(folder: Path, study: ft.Study, **named: list[str]) -> Told:
    train(study, folder / "some.db", **named)
    found = ft.answers(study, store=folder / "some.db")
    return found, ft.write_report(found, folder / "page.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All of it trained."""
    folder = tmp_path_factory.mktemp("selected")
    return told(folder, from_text(SELECTED, folder))


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One of the ordinary questions trained, and nothing else."""
    folder = tmp_path_factory.mktemp("half")
    return told(folder, from_text(SELECTED, folder), questions=["W"])


def article(page: str, kind: str) -> str:
    (found,) = re.findall(rf'<article class="question {kind}".*?</article>', page, re.DOTALL)
    return found


def plain(markup: str) -> str:
    return words(Parsed(f"<body>{markup}</body>"))


def rows(markup: str, table: str) -> list[list[str]]:
    """The cells of each row of the table's body, as text."""
    body = markup.partition(f'<table class="{table}">')[2].partition("<tbody>")[2].partition("</table>")[0]
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    ]


def test_the_comparison_comes_first_and_the_tuning_is_no_evidence(whole: Told) -> None:
    """The mean of what was chosen is the best of several: beside the answer it would be read as one."""
    answers, page = whole
    (found,) = answers.retuned
    before, _, seen = article(page, "retuned").partition('<section class="optimistic"')
    text = plain(before)
    for said in (
        "And when each has a rate of its own?",
        "It has a note.",
        found.sentence,
        *(answer.sentence for answer in found.answers),
        found.answers[0].held_fixed_line[1:],
        "Claimed: increase",
    ):
        assert said in text, said
    assert before.count('class="strip"') == len(found.answers) == 1
    assert "chosen on seeds of its own, no evidence" in plain(seen)
    assert "seeds 2001 to 2002 alone" in plain(seen)
    assert 'class="strip"' not in seen and "that matters" not in seen and "lottery" not in seen


def test_all_that_was_tried_is_in_the_table_with_what_was_chosen(whole: Told) -> None:
    """What was tried and left out makes the choice worth believing; a mean of fewer seeds must say so."""
    answers, page = whole
    (found,) = answers.retuned
    listed = rows(article(page, "retuned"), "tried")
    means = [
        f"{100 * (one.mean or 0):.2f} %" for side in (found.variant, found.baseline) for one in side.tried
    ]
    rate = "optimizer.learning_rate"
    assert listed == [
        ["wide", f"{rate} 0.0003", means[0], "1 (1 diverged)", ""],
        ["wide", f"{rate} 0.001", means[1], "2", "chosen"],
        ["plain", f"{rate} 0.0003", means[2], "2", ""],
        ["plain", f"{rate} 0.001", means[3], "2", "chosen"],
    ]


def test_what_both_arms_were_tuned_in_is_not_listed_as_held_fixed(whole: Told) -> None:
    """Both came to the same rate here, each by itself."""
    _, page = whole
    held = article(page, "retuned").partition("settings held fixed</summary>")[2].partition("</table>")[0]
    assert "batch_size" in held and "optimizer.learning_rate" not in held


def test_a_combination_says_what_was_taken_what_it_gains_and_what_each_part_adds(whole: Told) -> None:
    """A gain alone hides the part that brings nothing."""
    answers, page = whole
    (found,) = answers.combined
    assert found.interaction is not None and [answer.on for answer in found.gain] == ["test", "validation"]
    markup = article(page, "combined")
    text = plain(markup)
    in_order = [
        "It has another note.",
        found.sentence,
        "W taken: network.mlp.width 200 (increase that matters)",
        "D taken: network.mlp.depth 4 (increase that matters)",
        "F left out (decrease that matters)",
        *(answer.sentence for answer in found.gain),
        f"What W adds to the others: {found.added['W'].sentence}",
        f"What D adds to the others: {found.added['D'].sentence}",
        found.interaction.sentence,
        f"N{found.interaction.guarantee[1:]}.",
        found.gain[0].held_fixed_line[1:],
    ]
    places = [text.index(said) for said in in_order]
    assert places == sorted(places)
    assert "less than the sum of its parts" in found.interaction.sentence
    listed = rows(markup, "added")
    assert [row[:2] for row in listed] == [["W", "network.mlp.width 200"], ["D", "network.mlp.depth 4"]]
    for row, answer in zip(listed, found.added.values(), strict=True):
        assert answer.estimate is not None and answer.low is not None
        assert row[2] == f"{100 * answer.estimate:+.2f} pp"
        assert row[3].startswith(f"{100 * answer.low:+.2f} to ")
        assert row[4] == str(answer.seeds) and answer.verdict in row[5]
    assert markup.count('class="strip"') == 2


def test_they_stand_on_the_first_screen_and_in_the_bar(whole: Told) -> None:
    """Whoever reads only that must know that they were asked, and what came of them."""
    answers, page = whole
    parsed = Parsed(page)
    cards = [one["class"].split()[1] for one in parsed.of("li") if "card" in one.get("class", "")]
    assert cards == ["up", "up", "down", "retuned", "combined"]
    first = page.partition('id="evidence"')[0]
    assert answers.retuned[0].answers[0].sentence in plain(first)
    assert answers.combined[0].gain[0].sentence in plain(first)
    assert "What do W, D, F come to together?" in first
    assert "2 questions on arms tuned anew or improvements put together, settled." in first
    assert 'href="#retuned">Tuned' in first and 'href="#combined">Combined' in first


def test_what_is_not_chosen_yet_is_said_and_shows_no_verdict(half: Told) -> None:
    """Half a choice must not look like an answer."""
    answers, page = half
    tuned, together = article(page, "retuned"), article(page, "combined")
    assert answers.retuned[0].sentence in plain(tuned)
    assert "not compared yet" in page and "not combined yet" in page
    assert [row[2:] for row in rows(tuned, "tried")] == [["–", "0 (2 missing)", ""]] * 4
    assert answers.combined[0].sentence in plain(together)
    assert "W an improvement: network.mlp.width 200" in plain(together)
    assert "D not settled yet (undecided)" in plain(together)
    assert "taken:" not in plain(together)
    for markup in (tuned, together):
        assert 'class="strip"' not in markup and "lottery" not in markup
    assert "2 questions on arms tuned anew or improvements put together, not settled yet." in page


def test_a_claim_that_nothing_is_asked_about_stands_in_the_ledger(whole: Told) -> None:
    """A claim on the loss where only accuracy is asked about is not settled, and no reason for no page."""
    _, page = whole
    (row,) = rows(page, "ledger")
    assert row[0] == "T" and "not settled" in row[-1]


@pytest.mark.parametrize("which", ["whole", "half", "hostile"])
def test_the_page_is_well_made(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Headings step by step, ids once, links that lead somewhere; and what a study says is text."""
    if which == "hostile":
        _, page = told(tmp_path, hostile_selected(tmp_path))
        assert page.count("alert(1)") > 20 and f"ask {HOSTILE[:9]}" not in page
    else:
        _, page = request.getfixturevalue(which)
    parsed = Parsed(page)
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {one["href"].removeprefix("#") for one in parsed.of("a")} <= set(ids)
    assert {one["aria-labelledby"] for _, one in parsed.elements if "aria-labelledby" in one} <= set(ids)
    assert all(one.get("scope") in {"row", "col"} for one in parsed.of("th"))
    assert [one["type"] for one in parsed.of("script")] == ["application/json", "module"]
    assert not parsed.of("img")
    assert not {name for _, found in parsed.elements for name in found if name.startswith("on")}
    assert article(page, "retuned") and article(page, "combined")


def test_a_study_without_such_questions_has_nothing_of_them(small_page: Path) -> None:
    """An empty heading would promise something."""
    page = small_page.read_text(encoding="utf-8")
    for said in ('id="retuned"', 'id="combined"', "#retuned", "#combined", "each tuned", "put together"):
        assert said not in page.partition("<script")[0], said


def test_how_far_they_are_is_one_sentence(whole: Told, half: Told) -> None:
    (done, _), (begun, _) = whole, half
    assert state_of_selections(done).endswith(", settled.")
    mixed = ft.Answers(
        study="mixed", version="1", arms=(), answers=(), retuned=done.retuned, combined=begun.combined
    )
    assert state_of_selections(mixed).endswith(": 1 settled, 1 not settled yet.")
    assert state_of_selections(ft.Answers(study="none", version="1", arms=(), answers=())) == ""


def test_the_notebook_has_a_section_for_each(whole: Told, tmp_path: Path) -> None:
    """Read without running: what the page says of them, as text that no renderer acts on."""
    answers, _ = whole
    assert answers.store is not None
    cells = [cell.source for cell in notebook_cells(answers, folder=tmp_path, store=answers.store)]
    (tuned,) = [one for one in cells if one.startswith("## T: wide against plain, each tuned anew\n")]
    (together,) = [one for one in cells if one.startswith("## All: W, D, F together\n")]
    assert "> And when each has a rate of its own?\n\n> It has a note.\n\n- " in tuned
    assert "(chosen)" in tuned and "held fixed" in tuned
    assert "left out: F" in together and "- What D adds to the others: " in together
    assert "not part of the error guarantee" in together
    for one in (tuned, together):
        assert {token.type for token in MarkdownIt("commonmark").parse(one)}.isdisjoint(
            {"html_block", "fence"}
        )
