"""The page in Chromium, from the disk and with the network off: it works, says nothing to anybody, and can be used."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import PLACES
from made_trials import STUDY, from_text

import fairtrial as ft


def test_every_chart_draws_marks_without_a_complaint_or_a_request(open_page, small_page):
    """A strict policy forbids most of what drawing libraries do by themselves."""
    opened = open_page(small_page)
    opened.draw_everything()
    marks = opened.page.evaluate(
        """[...document.querySelectorAll('.plot-place')].map((place) => [
            place.id,
            [...place.querySelectorAll('svg.marks g[role=graphics-object] path, svg.marks .mark-symbol path,'
              + 'svg.marks .mark-line path, svg.marks .mark-rect path, svg.marks .mark-rule line')]
              .filter((one) => one.getBoundingClientRect().width + one.getBoundingClientRect().height > 1).length,
            place.querySelector('svg.marks').getBoundingClientRect().width,
            place.getBoundingClientRect().width])"""
    )
    assert len(marks) > 15
    for name, count, width, room in marks:
        assert count >= 2, name
        assert 200 < width <= room + 1, name
    assert opened.complaints == []
    assert opened.asked_for() == []


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_study_at_its_beginning_draws_what_there_is(open_page, make_page, seeds):
    """No interval, no margin of the loss, arms without a trial: most reports are looked at while it runs."""
    text = STUDY.replace("epochs: 4", "epochs: 2")
    opened = open_page(make_page(text, seeds=seeds, errors={"narrow": 0.03, "wide": 0.025}, weights=False))
    opened.draw_everything()
    assert opened.complaints == []
    axes = opened.page.evaluate(
        """[...document.querySelectorAll('svg.marks .mark-text.role-axis-label')].map((axis) =>
            [...axis.querySelectorAll('text')].filter((one) => one.getAttribute('opacity') !== '0')
              .map((one) => one.textContent).filter(Boolean))"""
    )
    assert len(axes) > 10
    for labels in axes:
        assert len(set(labels)) == len(labels), labels


def test_a_toggle_hides_an_arm_and_shows_it_again(open_page, small_page):
    """With two arms and two sets of images a reader takes away what is in the way."""
    page = open_page(small_page).page
    figure = page.locator("#question-Q1 figure.chart").first
    figure.scroll_into_view_if_needed()
    figure.locator("svg.marks").wait_for()

    def lines() -> int:
        return figure.locator("svg.marks .mark-line path").evaluate_all(
            "all => all.filter((one) => (one.getAttribute('d') ?? '').length > 10).length"
        )

    before = lines()
    button = figure.get_by_role("button", name="wide", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    hidden = lines()
    assert 0 < hidden < before
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert lines() == before


def test_hovering_a_chart_tells_a_value(open_page, small_page):
    """A curve is read to the eye's precision; the figure itself is one movement away."""
    page = open_page(small_page).page
    figure = page.locator("#question-Q1 figure.chart").first
    figure.scroll_into_view_if_needed()
    figure.locator("svg.marks").wait_for()
    # The mean's symbols lie among the unseen ones that answer the pointer.
    at = figure.locator("svg.marks .mark-symbol path").last.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    told = tip.inner_text()
    assert "Accuracy (%)" in told
    assert "Epoch" in told
    assert any(character.isdigit() for character in told)


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "light"),
        *(pytest.param(*one, marks=pytest.mark.long) for one in ((360, "dark"), (768, "light"))),
    ],
)
def test_a_narrow_screen_needs_no_sideways_scrolling(open_page, small_page, width, scheme):
    """Reports are opened on phones, in the dark."""
    opened = open_page(small_page, viewport={"width": width, "height": 740}, color_scheme=scheme)
    assert opened.overflow() <= 0
    opened.draw_everything()
    assert opened.overflow() <= 0
    assert opened.complaints == []


def test_a_narrow_screen_needs_none_without_javascript_either(open_page, small_page):
    """The static drawings are the page of whoever runs no scripts."""
    opened = open_page(small_page, viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = opened.page
    box = page.locator("#question-Q1 svg.plot").first.bounding_box()
    assert box["width"] > 250
    assert page.locator("#question-Q1 svg.plot .dot circle").count() > 4
    assert page.locator(".toggles:visible").count() == 0
    assert page.locator("body").bounding_box()["width"] <= 360


def test_dark_is_dark_and_charts_follow_when_it_changes(open_page, small_page):
    """A white page at night, or dark text on it, is no dark layout."""
    opened = open_page(small_page, color_scheme="light")
    page = opened.page
    figure = page.locator("#question-Q1 figure.chart").first
    figure.scroll_into_view_if_needed()
    figure.locator("svg.marks").wait_for()
    colour = "getComputedStyle(document.body).backgroundColor"
    line = "document.querySelector('#question-Q1 svg.marks .mark-line path').getAttribute('stroke')"
    light = page.evaluate(colour), page.evaluate(line)
    page.emulate_media(color_scheme="dark")
    opened.until(f"{line} != '{light[1]}'")
    assert page.evaluate(colour) != light[0]
    assert opened.complaints == []


def test_names_that_are_scripts_stay_names(open_page, hostile_page):
    """What stands in a study file is shown in titles, charts, hints and tables, and runs nowhere."""
    opened = open_page(hostile_page)
    opened.draw_everything()
    for place in opened.page.query_selector_all("svg.marks .mark-symbol path")[:40:8]:
        place.scroll_into_view_if_needed()
        place.hover(force=True)
    assert opened.complaints == []
    assert opened.asked_for() == []
    assert opened.page.evaluate("document.querySelectorAll('script').length") == 2
    assert opened.page.evaluate("document.querySelectorAll('img[onerror], [onload]').length") == 0
    assert opened.page.evaluate("[...document.images].every((one) => one.src.startsWith('data:image/png'))")


def test_no_word_of_a_figure_is_cut_off_where_its_font_is_missing(open_page, small_page, tmp_path):
    """The renderer measures letters in a font that readers may not have; what is wider needs room."""
    found = ft.answers(from_text(STUDY, tmp_path), store=small_page.parent / "some.db")
    figures = {**ft.figures(found, "Q1"), **ft.figures(found)}
    page = tmp_path / "figures.html"
    page.write_text(
        "<!doctype html><meta charset=utf-8>" + "".join(one.svg() for one in figures.values()),
        encoding="utf-8",
    )
    cut = open_page(page).page.evaluate(
        """[...document.querySelectorAll('svg')].flatMap((drawing) => {
            const frame = drawing.getBoundingClientRect();
            return [...drawing.querySelectorAll('text')].filter((text) => {
              const at = text.getBoundingClientRect();
              return at.left < frame.left || at.right > frame.right || at.top < frame.top - 1 || at.bottom > frame.bottom + 1;
            }).map((text) => text.textContent);
        })"""
    )
    assert cut == []


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "rules"), [("light", None), ("dark", ["color-contrast"])])
def test_axe_finds_no_serious_violation(open_page, small_page, scheme, rules):
    """Contrast, names, roles, headings, tables: what a machine can find is found before a reader does."""
    # axe is a script of the test's own, which the page's policy would rightly refuse.
    opened = open_page(small_page, bypass_csp=True, color_scheme=scheme)
    opened.page.evaluate(
        "for (const one of document.querySelectorAll('details:not(.arm ~ .arm)')) one.open = true"
    )
    opened.page.locator(PLACES).first.scroll_into_view_if_needed()
    opened.until("document.querySelectorAll('[data-drawn]').length > 0")
    # What is inside a picture is hidden from readers of its label, and there are thousands of marks.
    outside = {"exclude": [["svg > *"], [".vega-box > *"]]}
    found = (
        Axe()
        .run(opened.page, context=outside, options={"runOnly": rules} if rules else None)
        .response["violations"]
    )
    serious = [
        (one["id"], one["nodes"][0]["target"], one["nodes"][0].get("failureSummary"))
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(open_page, small_page):
    """Without a mouse the skip link comes first and every stop can be seen."""
    page = open_page(small_page).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(25):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"


def test_a_question_leads_to_its_evidence_past_charts_that_are_not_drawn_yet(open_page, small_page):
    """Where drawing moved the page, or a bar covered the heading, the reader would land on another question."""
    opened = open_page(small_page)
    page = opened.page
    page.locator(".card h3 a", has_text="And more?").click()
    opened.until("document.querySelector('#question-Q3 svg.marks') !== null")
    page.wait_for_timeout(300)
    bar = page.locator("nav.bar").bounding_box()
    heading = page.locator("#question-Q3-head").bounding_box()
    assert bar["y"] == 0
    assert bar["height"] < heading["y"] < 200
    page.locator("#question-Q3 .back").click()
    assert page.locator("#questions-head").bounding_box()["y"] < 200


def test_a_link_to_an_arm_opens_it(open_page, small_page):
    """Folded evidence that a link cannot open is hidden evidence."""
    opened = open_page(small_page)
    opened.page.locator(".arms-table a", has_text="conv").click()
    opened.until("document.getElementById('arm-conv').open")
