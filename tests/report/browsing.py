"""Pages opened in Chromium, from the disk and with the network off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
PLACES = ".plot-place"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing = "Chromium is not installed, so that the report was not tried in a browser (Debian: apt install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # Chromium as root has no sandbox of its own.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Opened:
    """A page in a context of its own, with everything it asked for and complained of."""

    def __init__(self, context: BrowserContext, path: Path) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._refuse)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def _refuse(self, dialog: Dialog) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def draw_everything(self) -> None:
        """Open what is folded and go past every chart, as a reader would."""
        self.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        for place in self.page.query_selector_all(PLACES):
            place.scroll_into_view_if_needed()
            place.wait_for_selector("svg.marks", state="attached")
        self.until(
            "document.querySelectorAll('.plot-place').length == document.querySelectorAll('[data-drawn]').length"
        )

    def until(self, expression: str) -> None:
        """Wait for it to be true. Playwright's own way of waiting evaluates text, which the page forbids."""
        for _ in range(600):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"never came true: {expression}")

    def asked_for(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]

    def overflow(self) -> Any:
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    contexts: list[BrowserContext] = []

    def opened(path: Path, **options: Any) -> Opened:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "offline": True, **options}
        )
        contexts.append(context)
        return Opened(context, path)

    yield opened
    for context in contexts:
        context.close()
