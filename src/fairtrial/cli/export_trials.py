"""`fairtrial export` of trials: as tables, or told to a tracker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from fairtrial.analysis import answers as answers_from
from fairtrial.api import open_to_read, store_path
from fairtrial.cli.app import load
from fairtrial.cli.console import emit_json, note_missing_store
from fairtrial.cli.exporting import Request
from fairtrial.errors import FairtrialError
from fairtrial.models.naming import as_file_name
from fairtrial.report.exports import HISTORY_COLUMNS, TRIAL_COLUMNS, trial_rows, trials_csv
from fairtrial.report.files import write_bytes
from fairtrial.report.parquet import parquet
from fairtrial.report.shown import chosen
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.tracking.exporting import export
from fairtrial.tracking.opening import open_kind


def export_trials(request: Request, format: str) -> None:
    """Raises FairtrialError for what it cannot do, before anything is written where that can be known."""
    if request.seed != "best" or request.retrain:
        raise FairtrialError(
            f"--seed and --retrain choose one network, and {format} takes all trials; leave them out"
        )
    study = load(request.study, list(request.sets))
    study = with_arms_alone(study, [arm.name for arm in chosen(study, request.arm)])
    path = store_path(request.store)
    note_missing_store(path)
    with open_to_read(path) as opened:
        if format in ("csv", "parquet"):
            done = _tables(
                study, opened, format, request.out or Path(f"{as_file_name(study.name) or 'trials'}.{format}")
            )
        else:
            done = _tracked(study, opened, format, request.place)
    if request.as_json:
        emit_json({"study": study.name, "format": format, **done[1]})
    else:
        typer.echo(done[0])


def with_arms_alone(study: Study, names: Sequence[str]) -> Study:
    """The study with these arms, and nothing asked about them: trials are all that is wanted."""
    arms = {name: study.arms[name] for name in names}
    return replace(study, arms=arms, questions=(), search=(), retuned=(), combined=())


def _tables(study: Study, store: Store, format: str, target: Path) -> tuple[str, dict[str, object]]:
    found = answers_from(study, store)
    beside = target.with_name(f"{target.stem}-history{target.suffix}")
    trials, history = trial_rows(found)
    if format == "csv":
        contents = [text.encode("utf-8", errors="replace") for text in trials_csv(found)]
    else:
        contents = [parquet(TRIAL_COLUMNS, trials), parquet(HISTORY_COLUMNS, history)]
    for place, content in zip((target, beside), contents, strict=True):
        write_bytes(place, content)
    said = f"wrote {target} ({count(len(trials), 'trial')}) and {beside} ({count(len(history), 'epoch')})"
    return said, {"files": [str(target), str(beside)], "trials": len(trials), "epochs": len(history)}


def _tracked(study: Study, store: Store, format: str, place: str | None) -> tuple[str, dict[str, object]]:
    where = place or _usual_place(format)
    done = export(study, open_kind(format, where), store=store)
    known = f"; {count(done.known, 'trial')} it had already" if done.known else ""
    look = f"\nlook at it with: tensorboard --logdir {where}" if format == "tensorboard" else ""
    said = f"told {done.where} of {count(done.told, 'trial')}{known}{look}"
    return said, {"where": done.where, "trials": done.told, "known": done.known}


def _usual_place(format: str) -> str:
    if format == "tensorboard":
        return "tensorboard"
    return os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


def count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
