"""A small study with every kind of content, its store, and the page made of both."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fairtrial.api import answers, write_report

# Tests are imported one by one and would not find the module beside them.
sys.path.insert(0, str(Path(__file__).parent))

from browsing import browser, open_page
from made_searches import WIDTH, conditional, fill_search, hostile_answers
from made_trials import ERRORS, STUDY, fill, from_text, hostile_study

__all__ = ["browser", "open_page"]


@pytest.fixture(scope="session")
def make_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`make_page(text, seeds=4, errors={...})`: the page of a study whose trials were made at once."""

    def make(
        text: str = STUDY, *, seeds: int = 4, errors: dict[str, float] | None = None, weights: bool = True
    ) -> Path:
        folder = tmp_path_factory.mktemp("page")
        study = from_text(text, folder)
        fill(
            study,
            folder / "some.db",
            seeds=seeds,
            errors=ERRORS if errors is None else errors,
            weights=weights,
        )
        return write_report(answers(study, store=folder / "some.db"), folder / "page.html")

    return make


@pytest.fixture(scope="session")
def small_page(make_page: Callable[..., Path]) -> Path:
    return make_page()


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile <b>'\"")
    study = hostile_study(folder)
    store = folder / "<img src=x onerror=alert(1)>.db"
    fill(study, store, seeds=3, errors=dict.fromkeys(study.arms, 0.03))
    return write_report(answers(study, store=store), folder / "page.html")


@pytest.fixture(scope="session")
def search_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of searches: over one number, over a conditional space, of a loss, and one whose texts are attacks."""
    made: dict[str, Path] = {}
    for name, text in {"width": WIDTH, "many": conditional(), "loss": conditional("loss")}.items():
        folder = tmp_path_factory.mktemp(name)
        study = from_text(text, folder)
        fill_search(study, folder / "some.db", count=24)
        made[name] = write_report(answers(study, store=folder / "some.db"), folder / "page.html")
    folder = tmp_path_factory.mktemp("attack <b>'\"")
    made["hostile"] = write_report(hostile_answers(folder), folder / "page.html")
    return made
