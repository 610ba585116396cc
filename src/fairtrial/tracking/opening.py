"""Where to track, from the words of the command line: `mlflow:URI` or `tensorboard:DIR`."""

from __future__ import annotations

from pathlib import Path

from fairtrial.errors import FairtrialError
from fairtrial.study.nearest import did_you_mean
from fairtrial.tracking.runs import Tracker, without_password

SCHEMES = (
    "http",
    "https",
    "sqlite",
    "file",
    "postgresql",
    "mysql",
    "mssql",
    "databricks",
    "databricks-uc",
    "uc",
)
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


def _check_mlflow(where: str) -> None:
    """Raises FairtrialError for an address that MLflow could not take, which it would say when the run is under way."""
    scheme, _, rest = where.partition("://")
    shown = f"cannot track to mlflow:{without_password(where)[:200]}"
    if not rest and "://" not in where:
        if not where.startswith("databricks") and Path(where).is_file():
            raise FairtrialError(
                f"{shown}: it is a file; a folder is meant, or a database, mlflow:sqlite:///{where}"
            )
    elif scheme.partition("+")[0] not in SCHEMES:
        raise FairtrialError(
            f"{shown}: MLflow takes addresses that begin with {', '.join(SCHEMES)}, got {scheme[:40]!r}"
        )
    elif not rest.strip("/"):
        raise FairtrialError(
            f"{shown}: it names no place; a database is a file, such as mlflow:sqlite:///mlflow.db"
        )


def open_kind(kind: str, where: str) -> Tracker:
    """As `open_tracker`, from its two halves."""
    if "\0" in where:
        raise FairtrialError(f"cannot track to {kind}:{where[:200]!r}: no place can have this name")
    if kind == "tensorboard":
        path = Path(where)
        if blocking := next(
            (one for one in (path, *path.parents) if one.exists() and not one.is_dir()), None
        ):
            raise FairtrialError(f"cannot track to {kind}:{where[:200]}: {blocking} is a file; name a folder")
        from fairtrial.tracking.tensorboard import TensorBoard

        return TensorBoard(Path(where))
    from fairtrial.tracking.mlflow_client import MLflow

    _check_mlflow(where)
    return MLflow(where)
