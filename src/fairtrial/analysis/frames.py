"""Trials and epochs as pandas data frames: the only module that needs pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairtrial.analysis.values import Answers
from fairtrial.errors import FairtrialError

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingTypeStubs]  # optional: its stubs are not required


def trials_frame(answers: Answers) -> pandas.DataFrame:
    """One row per trial of each arm. Raises FairtrialError if pandas is not installed."""
    return _frame(
        {"arm": arm["name"], "parameters": arm["parameters"], **_without_history(trial)}
        for arm in answers.as_dict()["arms"]
        for trial in arm["trials"]
    )


def history_frame(answers: Answers) -> pandas.DataFrame:
    """One row per epoch of each trial. Raises FairtrialError if pandas is not installed."""
    return _frame(
        {"arm": arm["name"], "seed": trial["seed"], "key": trial["key"], **epoch}
        for arm in answers.as_dict()["arms"]
        for trial in arm["trials"]
        for epoch in trial["history"]
    )


def _without_history(trial: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in trial.items() if name != "history"}


def _frame(rows: Any) -> pandas.DataFrame:
    try:
        import pandas  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        raise FairtrialError(
            "tables of trials need pandas, which is not installed; install it with: python -m pip install pandas"
        ) from None
    return pandas.DataFrame(list(rows))
