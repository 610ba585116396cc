"""Where to track, from the words of the command line: `mlflow:URI` or `tensorboard:DIR`."""

from __future__ import annotations

from pathlib import Path

from fairtrial.errors import FairtrialError
from fairtrial.study.nearest import did_you_mean
from fairtrial.tracking.runs import Tracker

KINDS = {"mlflow": "mlflow:URI", "tensorboard": "tensorboard:DIR"}


def open_tracker(text: str) -> Tracker:
    """The tracker that `text` names; nothing is written or asked for yet.

    Raises FairtrialError for a kind that there is not, a place that is missing, or a package that is not installed.
    """
    kind, colon, where = text.partition(":")
    if kind not in KINDS or not colon or not where.strip():
        missing = " without a place" if kind in KINDS else ""
        meant = "" if kind in KINDS else did_you_mean(kind, KINDS)
        raise FairtrialError(
            f"cannot track to {text[:200]!r}{missing}: give it as {' or '.join(KINDS.values())}, such as "
            f"tensorboard:runs, mlflow:sqlite:///mlflow.db or mlflow:http://localhost:5000{meant}"
        )
    return open_kind(kind, where.strip())


def open_kind(kind: str, where: str) -> Tracker:
    """As `open_tracker`, from its two halves."""
    if "\0" in where:
        raise FairtrialError(f"cannot track to {kind}:{where[:200]!r}: no place can have this name")
    if kind == "tensorboard":
        from fairtrial.tracking.tensorboard import TensorBoard

        return TensorBoard(Path(where))
    from fairtrial.tracking.mlflow_client import MLflow

    return MLflow(where)
