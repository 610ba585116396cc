"""A page with searches in Chromium: charts draw, say values, can be switched, fit a phone, and run nobody's script."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

DRAWN = """[...document.querySelectorAll('.optimistic .plot-place')].map((place) => [
    place.dataset.label,
    [...place.querySelectorAll('svg.marks .mark-symbol path, svg.marks .mark-line path')]
      .filter((one) => one.getBoundingClientRect().width + one.getBoundingClientRect().height > 1).length])"""


@pytest.mark.parametrize("name", ["width", "many", "loss"])
def test_every_chart_of_a_search_draws_its_marks_without_a_complaint(
    open_page: Any, search_pages: Any, name: str
) -> None:
    """Conditional parameters, logarithms and categories are where drawing libraries warn."""
    opened = open_page(search_pages[name])
    opened.draw_everything()
    drawn = opened.page.evaluate(DRAWN)
    assert len(drawn) == (3 if name == "width" else 7)
    for label, count in drawn:
        assert count >= 12, label
    assert opened.complaints == []
    assert opened.asked_for() == []


def symbols(figure: Any) -> int:
    return figure.locator("svg.marks .mark-symbol path").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().width > 1).length"
    )


def test_a_switch_hides_what_was_stopped_and_a_value_is_one_movement_away(
    open_page: Any, search_pages: Any
) -> None:
    """What is no result can be taken out of the picture of results."""
    opened = open_page(search_pages["width"])
    page = opened.page
    figure = page.locator(".optimistic figure.chart").first
    figure.scroll_into_view_if_needed()
    figure.locator("svg.marks").wait_for()
    before = symbols(figure)
    button = figure.get_by_role("button", name="stopped: no result")
    button.focus()
    page.keyboard.press("Enter")
    assert symbols(figure) == before - 6
    page.keyboard.press("Enter")
    assert symbols(figure) == before
    at = figure.locator("svg.marks .mark-symbol path").nth(20).bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert "Seed" in tip.inner_text()
    assert "Parameters" in tip.inner_text()
    assert opened.complaints == []


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "light"),
        *(pytest.param(*one, marks=pytest.mark.long) for one in ((360, "dark"), (768, "light"))),
    ],
)
def test_a_search_fits_a_narrow_screen(open_page: Any, search_pages: Any, width: int, scheme: str) -> None:
    """Eight axes do not fit a phone: they are moved in their frame, and the page is not."""
    opened = open_page(search_pages["many"], viewport={"width": width, "height": 740}, color_scheme=scheme)
    opened.draw_everything()
    assert opened.overflow() <= 0
    assert opened.complaints == []


def test_a_search_is_there_without_javascript_and_on_paper(open_page: Any, search_pages: Any) -> None:
    """Archives run no scripts, and printers have no dark."""
    page = open_page(
        search_pages["many"], viewport={"width": 360, "height": 740}, java_script_enabled=False
    ).page
    assert page.locator(".optimistic svg.plot").count() == 7
    assert page.locator(".toggles:visible").count() == 0
    assert page.locator("body").bounding_box()["width"] <= 360
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("nav.bar").is_hidden()
    assert page.locator(".optimistic svg.plot").first.is_visible()


def test_settings_and_options_that_are_scripts_stay_words(open_page: Any, search_pages: Any) -> None:
    """They are titles of axes, domains of scales and words of hints."""
    opened = open_page(search_pages["hostile"])
    opened.draw_everything()
    for place in opened.page.query_selector_all(".optimistic svg.marks .mark-symbol path")[:60:10]:
        place.scroll_into_view_if_needed()
        place.hover(force=True)
    assert opened.complaints == []
    assert opened.asked_for() == []
    assert opened.page.evaluate("document.querySelectorAll('script').length") == 2
    assert opened.page.evaluate("document.querySelectorAll('img[onerror], [onload]').length") == 0


def test_a_card_leads_to_its_search(open_page: Any, search_pages: Any) -> None:
    opened = open_page(search_pages["width"])
    page = opened.page
    page.locator(".card.search h3 a").click()
    opened.until("document.querySelector('#search-S1 svg.marks') !== null")
    page.wait_for_timeout(300)
    assert (
        page.locator("nav.bar").bounding_box()["height"]
        < page.locator("#search-S1--head").bounding_box()["y"]
        < 200
    )


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation_in_a_search(open_page: Any, search_pages: Any, scheme: str) -> None:
    """Grey must still be read, and what moves sideways be reached without a mouse."""
    opened = open_page(search_pages["many"], bypass_csp=True, color_scheme=scheme)
    opened.page.evaluate("for (const one of document.querySelectorAll('.search details')) one.open = true")
    opened.page.locator(".optimistic .plot-place").first.scroll_into_view_if_needed()
    opened.until("document.querySelectorAll('[data-drawn]').length > 0")
    outside = {"exclude": [["svg > *"], [".vega-box > *"]]}
    found = Axe().run(opened.page, context=outside).response["violations"]
    serious = [
        (one["id"], one["nodes"][0]["target"], one["nodes"][0].get("failureSummary"))
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []
