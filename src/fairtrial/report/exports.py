"""Trials, history and answers for programs: CSV and JSON with names that stay."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fairtrial.analysis.outstanding import headline, outstanding
from fairtrial.analysis.values import PHASES, Answers
from fairtrial.report.files import write_text
from fairtrial.report.methods_paragraph import MARKDOWN, method, software
from fairtrial.report.search_tables import PROPOSAL_COLUMNS, proposal_records
from fairtrial.trial import METRICS, EpochRecord

ANSWER_COLUMNS = (
    "question", "metric", "on", "over", "variant", "baseline", "verdict", "variant_mean", "baseline_mean",
    "estimate", "low", "high", "margin", "confidence", "seeds", "pairing_correlation", "variant_fit_seconds",
    "baseline_fit_seconds", "caveats", "claims", "sentence", "fresh_images_low", "fresh_images_high", "held_fixed",
)  # fmt: skip
TRIAL_COLUMNS = (
    "arm", "parameters", "seed", "state", "key", "epochs", "precision", *METRICS,
    *(f"{phase}_seconds" for phase in PHASES), "reason", "weights_sha256",
)  # fmt: skip
HISTORY_COLUMNS = ("arm", "seed", "key", *EpochRecord._fields)


def write_csv(answers: Answers, path: str | Path) -> tuple[Path, ...]:
    """Write the answers to `path`, and beside it `…-trials.csv`, `…-history.csv` and, with searches, `…-proposals.csv`."""
    target = Path(path)
    found = answers.as_dict()
    beside = {
        "trials": _csv(TRIAL_COLUMNS, _trials(found["arms"])),
        "history": _csv(HISTORY_COLUMNS, _history(found["arms"])),
    }
    if answers.searches:
        beside["proposals"] = _csv(PROPOSAL_COLUMNS, proposal_records(answers))
    suffix = target.suffix or ".csv"
    return (
        write_text(target, answers_csv(answers)),
        *(
            write_text(target.with_name(f"{target.stem}-{what}{suffix}"), text)
            for what, text in beside.items()
        ),
    )


def trials_csv(answers: Answers) -> tuple[str, str]:
    """One row per trial, and one row per epoch of each: what `answers.trials()` and `.history()` hold."""
    arms = answers.as_dict()["arms"]
    return _csv(TRIAL_COLUMNS, _trials(arms)), _csv(HISTORY_COLUMNS, _history(arms))


def trial_rows(answers: Answers) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The same as plain values, columns in their order."""
    arms = answers.as_dict()["arms"]
    return (
        [{name: row[name] for name in TRIAL_COLUMNS} for row in _trials(arms)],
        [{name: row[name] for name in HISTORY_COLUMNS} for row in _history(arms)],
    )


def answers_csv(answers: Answers) -> str:
    """One line per answer; several caveats or claims in one cell, parted by semicolons.

    After the study's own those on what searches, re-tunings and combinations selected.
    """
    rows: list[dict[str, Any]] = []
    for answer in [one.as_dict() for one in (*answers, *answers.selected)]:
        claims = "; ".join(f"{claim['says']}: {claim['verdict']}" for claim in answer["claims"])
        fresh = answer["fresh_images"] or {"low": None, "high": None}
        more = {
            "fresh_images_low": fresh["low"],
            "fresh_images_high": fresh["high"],
            "held_fixed": answer["held_fixed_line"],
        }
        rows.append({**answer, **more, "caveats": "; ".join(answer["caveats"]), "claims": claims})
    return _csv(ANSWER_COLUMNS, rows)


def write_json(answers: Answers, path: str | Path) -> Path:
    """Write all of it as one JSON document: what `fairtrial answers --json` prints, and what stands around it."""
    return write_text(path, json.dumps(as_json(answers), indent=1, allow_nan=False) + "\n")


def as_json(answers: Answers) -> dict[str, Any]:
    study = answers.declared
    return {
        **answers.as_dict(),
        "title": study.title,
        "headline": headline(answers),
        "questions": [question.model_dump(mode="json", by_alias=True) for question in study.questions],
        "seeds_declared": study.seeds.model_dump(mode="json"),
        "margins": study.margins.model_dump(mode="json"),
        "confidence": study.confidence,
        "method": method(answers, MARKDOWN),
        "software": list(software(answers)),
        "outstanding": asdict(outstanding(answers)),
    }


def _trials(arms: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"arm": arm["name"], "parameters": arm["parameters"], **trial}
        for arm in arms
        for trial in arm["trials"]
    ]


def _history(arms: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"arm": arm["name"], "seed": trial["seed"], "key": trial["key"], **epoch}
        for arm in arms
        for trial in arm["trials"]
        for epoch in trial["history"]
    ]


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()
