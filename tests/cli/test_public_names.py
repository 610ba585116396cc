"""What `import fairtrial` offers, and the Python way through a study."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fairtrial as ft


def test_the_public_names_are_these() -> None:
    """Scripts and notebooks depend on them: one that goes or comes is to be decided, not to happen."""
    assert ft.__all__ == [
        "Answer",
        "Answers",
        "Arm",
        "Audit",
        "Comparison",
        "Data",
        "FairtrialError",
        "Study",
        "StudyError",
        "__version__",
        "answers",
        "ask",
        "assert_not_worse",
        "audit_file",
        "builtin_names",
        "compare",
        "doctor",
        "figures",
        "import_keras",
        "load",
        "merge",
        "rerun",
        "run",
        "search",
        "show",
        "write_report",
    ]
    assert all(getattr(ft, name) is not None for name in ft.__all__)
    assert set(ft.__all__) <= set(dir(ft))


def test_an_unknown_name_says_which_there_are() -> None:
    """The lazy lookup must not turn a typing mistake into an import error."""
    with pytest.raises(AttributeError, match=r"has no attribute 'laod'.* load"):
        _ = ft.laod  # pyright: ignore[reportAttributeAccessIssue]


def test_the_version_is_the_packages() -> None:
    """It is printed with every answer."""
    written = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert written["project"]["version"] == ft.__version__


def test_load_run_and_ask_in_python(fairtrial: Callable[..., object], tmp_path: Path) -> None:
    """The five lines of the documentation."""
    study = ft.load("width")
    answers = ft.run(study, seeds=3, store=tmp_path / "mine.db")
    assert answers["Q1-200"].accuracy.seeds == 3
    assert "Validation accuracy rose" in answers["Q1-200"].accuracy.sentence
    assert len(answers.trials()) == 9
    assert ft.answers(study, store=tmp_path / "mine.db") == answers


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seeds": 0}, "seeds must be a whole number from 1 to 999, got 0"),
        ({"seeds": 5000}, "seeds must be a whole number from 1 to 999, got 5000"),
        ({"seeds": 2.5}, "seeds must be a whole number from 1 to 999, got 2.5"),
        ({"seeds": "3"}, "seeds must be a whole number from 1 to 999, got '3'"),
        ({"seeds": 3, "budget": "5m"}, "give seeds or a budget, not both"),
        ({"budget": -3}, "budget must be a positive number of seconds, or words such as '5m', got -3"),
        ({"budget": float("nan")}, "budget must be a positive number of seconds"),
        ({"workers": 0}, "workers must be a whole number from 1, got 0"),
        ({"weights": "some"}, "weights must be first, all or none, got 'some'"),
        ({"arms": "width-5"}, "no arm 'width-5' in study 'width'; it has width-50, width-200, width-1000"),
    ],
)
def test_what_the_command_line_refuses_python_refuses_too(
    fairtrial: Callable[..., object], wrong: dict[str, Any], said: str
) -> None:
    """`seeds=5000` would train for days, and what it trained could answer nothing."""
    with pytest.raises(ft.FairtrialError, match=f"^{re.escape(said)}"):
        ft.run("width", **wrong)
    assert not Path("fairtrial.db").exists() or not ft.answers("width").arms[0].trials


def test_one_arm_or_question_needs_no_list(fairtrial: Callable[..., object]) -> None:
    """A name is not a collection of letters."""
    seeds: Any = np.int64(3)
    trained = ft.run("width", seeds=seeds, arms="width-50")
    assert [len(arm.trials) for arm in trained.arms] == [3, 0, 0]
    trained = ft.run("width", seeds=3, questions="Q1-200")
    assert [len(arm.trials) for arm in trained.arms] == [3, 3, 0]


def test_a_budget_in_words_and_one_that_is_none(fairtrial: Callable[..., object]) -> None:
    """`budget=5` could be minutes or seconds; `budget="soon"` is neither."""
    study = ft.load("width")
    with pytest.raises(ft.FairtrialError, match="is not a length of time"):
        ft.run(study, budget="soon")
    ft.run(study, budget="1s", arms=["width-50"])
    (narrow, *_) = ft.answers(study).arms
    assert len(narrow.trials) >= 3
