"""The documentation site: builds without a warning, fetches nothing, and every link on it leads somewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def navigation(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        ((_, inner),) = entry.items()
        if isinstance(inner, list):
            yield from navigation(inner)
        else:
            yield inner


def test_the_navigation_has_every_page_once_and_no_other() -> None:
    """A page that no menu names is not found; one that is named and missing breaks the site."""
    yaml = pytest.importorskip("yaml")
    pages = module("site_pages")
    named = list(navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    there = {path.name for path in DOCS.glob("*.md")} | {*pages.OTHERS.values(), *pages.GENERATED}
    assert len(named) == len(set(named))
    assert there <= set(named)
    assert set(named) - there <= pages.AWAITED


def test_the_tutorial_quotes_what_the_course_says() -> None:
    """Its answers are those of docs/course.md, to the letter; after new evidence scripts/course-page writes both."""
    tutorial = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    course = (DOCS / "course.md").read_text(encoding="utf-8")
    filled = module("tutorial_answers").filled
    assert filled(tutorial, course) == tutorial
    assert tutorial.count(": begin -->") >= 15
    assert filled("<!-- Q2: begin -->\nold\n<!-- Q2: end -->", course).count("- Validation accuracy ") == 1


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[map](../ARCHITECTURE.md)", "[map](design.md)"),
        ("[cli](cli.md#fairtrial-run)", "[cli](cli.md#fairtrial-run)"),
        ("[the map](../src/fairtrial/trial.py)", "the map (`src/fairtrial/trial.py`)"),
        ("`[x](../LICENSE)`\n```\n[x](../LICENSE)\n```", "`x (`LICENSE`)`\n```\n[x](../LICENSE)\n```"),
        ("a line\n- one\n  - two", "a line\n\n- one\n    - two"),
    ],
)
def test_links_and_lists_hold_on_the_site(written: str, shown: str) -> None:
    """The same text is read in the repository and on the site."""
    pages = module("site_pages")
    sources = {path: path.name for path in DOCS.glob("*.md")} | {ROOT / "ARCHITECTURE.md": "design.md"}
    assert pages.for_the_site(written, DOCS / "page.md", sources) == shown


class Links(HTMLParser):
    """Addresses and the places that can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.targets.append(given["href"])
        for name in ("src", *(["href"] if tag == "link" else [])):
            if name in given:
                self.fetched.append(given[name])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `scripts/site` builds it."""
    if importlib.util.find_spec("material") is None:
        pytest.skip("needs mkdocs-material: python -m pip install 'fairtrial[docs]'")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "site"), "--out", str(out)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return out


@pytest.mark.slow
def test_the_site_builds_and_every_link_leads_somewhere(site: Path) -> None:
    """Places within pages too; and nothing is fetched from another host, neither script, font nor picture."""
    read: dict[Path, Links] = {}
    for page in site.rglob("*.html"):
        if page.name == "report-course.html":
            continue  # a report, with tests of its own
        read[page] = Links()
        read[page].feed(page.read_text(encoding="utf-8"))
    assert len(read) > 20
    for page, links in read.items():
        assert [one for one in links.fetched if urlsplit(one).netloc] == [], page.name
        for target in [*links.targets, *links.fetched]:
            parts = urlsplit(target)
            if parts.scheme or page.name == "404.html":
                continue
            place = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            place = place / "index.html" if place.is_dir() else place
            assert place.exists(), f"{page.name}: {target}"
            if parts.fragment and place in read:
                assert unquote(parts.fragment) in read[place].places, f"{page.name}: {target}"
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"url\([\"']?https?:|@import", styles)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        pytest.param(1280, "light", marks=pytest.mark.long),
        pytest.param(1280, "dark", marks=pytest.mark.long),
        (390, "light"),
    ],
)
def test_the_site_opens_from_a_disk_and_can_be_searched(site: Path, width: int, scheme: Any) -> None:
    """In a real browser without a network: nothing fails to load, nothing is wider than the screen, search finds."""
    sync = pytest.importorskip("playwright.sync_api")
    import shutil

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs Chromium")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        ).new_page()
        failed: list[str] = []
        # What leaving a page cuts off was on its way.
        page.on(
            "requestfailed",
            lambda request: None if "ABORTED" in str(request.failure) else failed.append(request.url),
        )
        page.on("pageerror", lambda error: failed.append(str(error)))
        for name in ("index.html", "tutorial.html", "cli.html", "reference-study.html", "trackers.html"):
            page.goto((site / name).as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        body = page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", body)[:3])) > 380
        assert light == (scheme == "light")
        page.keyboard.press("s")  # the theme's own key
        page.locator(".md-search__input").press_sequentially("margin", delay=20)
        page.wait_for_function(
            "document.querySelector('.md-search-result__meta').innerText.includes('matching')", timeout=20_000
        )
        assert failed == []
        browser.close()
