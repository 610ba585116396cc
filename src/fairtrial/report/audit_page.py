"""Audits as one HTML page that looks like the report and needs nothing else, no script either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

import fairtrial
from fairtrial.audit.experiment import LayerSeen, ModelSeen, TrainingSeen
from fairtrial.audit.figures import final_figures
from fairtrial.audit.finding import Finding
from fairtrial.audit.kinds import TITLES
from fairtrial.audit.result import Audit, counted
from fairtrial.audit.wording import where
from fairtrial.errors import FairtrialError
from fairtrial.report.files import write_text
from fairtrial.report.templating import content_hash, environment, markup, source

_MOST_MODELS = 300


@dataclass(frozen=True)
class _Item:
    where: str
    finding: Finding


@dataclass(frozen=True)
class _Group:
    """Findings of one kind; why it matters and what to do stand once where all of them say the same."""

    title: str
    items: tuple[_Item, ...]
    matters: str
    advice: str


@dataclass(frozen=True)
class _Model:
    name: str
    title: str
    where: str
    layers: str
    training: str
    figures: str


@dataclass(frozen=True)
class _File:
    anchor: str
    audit: Audit
    groups: tuple[_Group, ...]
    models: tuple[_Model, ...]


def audit_page(audits: Sequence[Audit], *, made: datetime | None = None) -> str:
    """The whole page on one audit or several."""
    files = [_file(audit, number) for number, audit in enumerate(audits, start=1)]
    counts = Counter(finding.kind for audit in audits for finding in audit.findings)
    name = PurePath(audits[0].path).name if len(audits) == 1 else counted(len(audits), "file")
    body = (
        environment()
        .get_template("audit.html")
        .render(
            name=name,
            headline=_sentence(audits),
            tally=[(counts[kind], title.lower()) for kind, title in TITLES.items() if counts[kind]],
            files=files,
            version=fairtrial.__version__,
            made=(made or datetime.now().astimezone()).strftime("%Y-%m-%d"),
        )
    )
    style = f"{source('page.css')}\n{source('audit.css')}"
    policy = f"default-src 'none'; style-src '{content_hash(style)}'; base-uri 'none'; form-action 'none'"
    return (
        environment()
        .get_template("plain_shell.html")
        .render(title=f"Audit of {name}", policy=policy, style=markup(style), body=markup(body))
    )


def write_audit_page(audits: Sequence[Audit], path: Path) -> Path:
    """Write the page; raises FairtrialError for a file that is not called one, and where it cannot be written."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise FairtrialError(f"{path}: an audit is written as a page, a file that ends in .html")
    return write_text(path, audit_page(audits))


def _sentence(audits: Sequence[Audit]) -> str:
    if len(audits) == 1:
        return audits[0].headline[:1].upper() + audits[0].headline[1:]
    findings = [finding for audit in audits for finding in audit.findings]
    serious = sum(bool(audit.serious) for audit in audits)
    told = f"serious ones in {serious} of the files" if serious else "none of them serious"
    return f"{counted(len(audits), 'file')}, {counted(len(findings), 'finding')}; {told}"


def _file(audit: Audit, number: int) -> _File:
    groups: list[_Group] = []
    for kind, title in TITLES.items():
        found = audit.of(kind)
        if not found:
            continue
        matters, advice = ({one.matters for one in found}, {one.advice for one in found})
        groups.append(
            _Group(
                title=title,
                items=tuple(_Item(audit.where(one), one) for one in found),
                matters=matters.pop() if len(matters) == 1 else "",
                advice=advice.pop() if len(advice) == 1 else "",
            )
        )
    models = tuple(_model(model, audit) for model in audit.experiments.models[:_MOST_MODELS])
    return _File(f"file-{number}", audit, tuple(groups), models)


def _model(model: ModelSeen, audit: Audit) -> _Model:
    figures = [
        *final_figures(model, "accuracy", "validation"),
        *final_figures(model, "accuracy", "test"),
        *final_figures(model, "time"),
    ]
    return _Model(
        name=model.name,
        title=model.title if model.title != model.name else "",
        where=where(model.place, audit.document),
        layers=_layers(model.layers),
        training=_training(model.training),
        figures=", ".join(
            f"{one.value:.{one.decimals}f} s"
            if one.metric == "time"
            else f"{one.on} {one.value:.{one.decimals}f}"
            for one in figures
        ),
    )


def _layers(layers: Sequence[LayerSeen]) -> str:
    shown = [
        " ".join(
            [
                layer.kind or "?",
                *(
                    str(layer.settings[key])
                    for key in ("units", "filters", "kernel", "size", "rate", "function", "activation")
                    if layer.settings.get(key) is not None
                ),
            ]
        )
        for layer in layers
    ]
    return ", ".join(shown)


def _training(training: TrainingSeen) -> str:
    parts = (
        training.optimizer,
        f"learning rate {training.learning_rate:g}" if training.learning_rate is not None else None,
        f"batch {training.batch_size}" if training.batch_size is not None else None,
        counted(training.epochs, "epoch") if training.epochs is not None else None,
        "early stopping" if training.early_stopping else None,
    )
    return ", ".join(part for part in parts if part)
