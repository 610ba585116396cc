"""`fairtrial audit`: files to audits, audits to the screen, to a page, and to a study."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

import fairtrial
from fairtrial.audit.auditing import audit_file
from fairtrial.audit.finding import Finding
from fairtrial.audit.kinds import TITLES
from fairtrial.audit.result import Audit, counted
from fairtrial.cli.console import emit_json, stdout
from fairtrial.errors import AuditError

_MOST_UNREAD = 5


@dataclass(frozen=True)
class Wanted:
    """What becomes of the audits: how they are printed, and which files are written."""

    form: Literal["terminal", "json", "csv"]
    html: Path | None
    study: Path | None


@dataclass(frozen=True)
class Outcome:
    serious: bool
    unreadable: bool


def audit_files(files: Sequence[Path], wanted: Wanted) -> Outcome:
    """Audit every file that can be read; those that cannot are named on stderr, and the others still count."""
    audits: list[Audit] = []
    unreadable = False
    for file in files:
        try:
            audits.append(audit_file(file))
        except AuditError as error:
            unreadable = True
            typer.echo(f"fairtrial: {error}", err=True)
    if wanted.study is not None and audits:
        _write_study(audits[0], wanted.study)
    if wanted.html is not None and audits:
        from fairtrial.report.audit_page import write_audit_page

        write_audit_page(audits, wanted.html)
    if audits or wanted.form != "terminal":
        _print(audits, wanted)
    return Outcome(any(audit.serious for audit in audits), unreadable)


def _write_study(audit: Audit, path: Path) -> None:
    from fairtrial.study.studytext import write_new

    write_new(path, audit.study_text())


def _print(audits: Sequence[Audit], wanted: Wanted) -> None:
    if wanted.form == "json":
        emit_json({"version": fairtrial.__version__, "files": [audit.as_dict() for audit in audits]})
        return
    if wanted.form == "csv":
        typer.echo(as_csv(audits), nl=False)
        return
    console = stdout()
    if len(audits) == 1:
        _print_one(audits[0], console)
    else:
        _print_many(audits, console)
    for path, what in ((wanted.html, "the page"), (wanted.study, "the study")):
        if path is not None:
            console.print(Text(f"wrote {what} to {path}"))


def as_csv(audits: Sequence[Audit]) -> str:
    """One line per file: how many models, questions, findings and serious ones, then each kind's count."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "models", "questions", "findings", "serious", *TITLES])
    for audit in audits:
        seen = audit.experiments
        totals = [len(seen.models), len(seen.asked), len(audit.findings), len(audit.serious)]
        writer.writerow([audit.path, *totals, *audit.counts.values()])
    return out.getvalue()


def _print_one(audit: Audit, console: Console) -> None:
    console.print(Text(f"{audit.path}: {audit.headline}", style="bold"))
    for kind, title in TITLES.items():
        if found := audit.of(kind):
            console.print()
            console.print(
                Text(
                    f"{title} ({kind})" if len(found) == 1 else f"{title} ({kind}, {len(found)})",
                    style="bold",
                )
            )
            _print_group(audit, found, console)
    if audit.unread:
        console.print()
        console.print(Text("Not followed:", style="dim"))
        shown = audit.unread[:_MOST_UNREAD]
        rest = len(audit.unread) - len(shown)
        for one in (*shown, *([f"and {rest} more; --json names them all"] if rest else [])):
            _indented(console, Text(one, style="dim"), 2)


def _print_group(audit: Audit, found: Sequence[Finding], console: Console) -> None:
    """Each finding; why it matters and what to do once, where several say the same."""
    for position, finding in enumerate(found):
        style = "yellow" if finding.serious else ""
        weight = f"{finding.sure}, serious" if finding.serious else finding.sure
        _indented(console, Text.assemble((f"{audit.where(finding)}: ", "bold"), (finding.said, "italic")), 2)
        _indented(console, Text.assemble((finding.sentence, style), (f" [{weight}]", "dim")), 4)
        following = found[position + 1] if position + 1 < len(found) else None
        if following is None or following.matters != finding.matters:
            _indented(console, Text(f"Why it matters: {finding.matters}"), 4)
        if following is None or following.advice != finding.advice:
            _indented(console, Text(f"What to do: {finding.advice}"), 4)


def _indented(console: Console, text: Text, by: int) -> None:
    console.print(Padding(text, (0, 0, 0, by), expand=False))


def _print_many(audits: Sequence[Audit], console: Console) -> None:
    """A line for each file, those with serious findings in colour, and a sum."""
    for audit in audits:
        kinds = [f"{kind} {count}" if count > 1 else kind for kind, count in audit.counts.items() if count]
        said = (
            f"{counted(len(audit.serious), 'serious finding')} of {len(audit.findings)}: {', '.join(kinds)}"
        )
        # Nothing found in what was not looked at is no praise.
        partly = "; not all of it could be followed" if audit.unread else ""
        text = Text(
            f"{audit.path}: {said if kinds else 'nothing found'}{partly}",
            style="yellow" if audit.serious else "",
        )
        console.print(text, soft_wrap=True)
    with_serious = sum(bool(audit.serious) for audit in audits)
    console.print(
        Text(
            f"{counted(len(audits), 'file')}, {counted(with_serious, 'file')} with serious findings",
            style="bold",
        )
    )
