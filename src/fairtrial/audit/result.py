"""What an audit of a file found, and how it shows itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Experiments
from fairtrial.audit.finding import Finding, FindingKind
from fairtrial.audit.kinds import TITLES
from fairtrial.audit.wording import where


@dataclass(frozen=True)
class Audit:
    """Everything found in one file: `findings` in the order in which they are told, `experiments` as they were read."""

    document: Document = field(repr=False)
    findings: tuple[Finding, ...]
    experiments: Experiments

    @property
    def path(self) -> str:
        """The file, as it was named."""
        return self.document.path

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be read or followed, in sentences."""
        followed = (
            f"{where(place, self.document)}: {said}" for place, said in self.experiments.not_understood
        )
        return (*self.document.unread, *followed)

    @property
    def serious(self) -> tuple[Finding, ...]:
        """Findings for which a conclusion of the file may be false."""
        return tuple(finding for finding in self.findings if finding.serious)

    def of(self, kind: FindingKind) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def where(self, finding: Finding) -> str:
        """`cell 12, line 3` of a notebook, `line 118` of a text or script."""
        return where(finding.place, self.document)

    @property
    def counts(self) -> dict[FindingKind, int]:
        """How many findings there are of each kind; kinds without any are among them."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in TITLES}

    @property
    def headline(self) -> str:
        """Models, questions and findings in one line."""
        models, asked = len(self.experiments.models), len(self.experiments.asked)
        seen = f"{counted(models, 'model')}, {counted(asked, 'question')}"
        if not self.findings:
            return f"{seen}; nothing found that speaks against its conclusions"
        return (
            f"{seen}; {counted(len(self.findings), 'finding')}, {len(self.serious) or 'none'} of them serious"
        )

    def study_text(self) -> str:
        """The commented study file that would settle the questions of the file.

        Raises AuditError where no model of it can be an arm.
        """
        from fairtrial.audit.translating import study_text

        return study_text(self.experiments, self.document)

    def as_dict(self) -> dict[str, Any]:
        """The audit as `fairtrial audit --json` prints it."""
        return {
            "path": self.path,
            "kind": self.document.kind,
            "headline": self.headline,
            "counts": self.counts,
            "findings": [{**asdict(one), "where": self.where(one)} for one in self.findings],
            "experiments": _plain(asdict(self.experiments)),
            "unread": list(self.unread),
        }

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.headline}"]
        lines.extend(f"{self.where(one)}: {one.kind}: {one.sentence}" for one in self.findings)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        groups: list[str] = []
        for kind, title in TITLES.items():
            if not (found := self.of(kind)):
                continue
            items = "".join(
                f"<li>{escape(self.where(one))}: <q>{escape(one.said)}</q> {escape(one.sentence)} <em>({escape(one.sure)})</em></li>"
                for one in found
            )
            groups.append(f"<p><strong>{escape(title)}</strong></p><ul>{items}</ul>")
        unread = "".join(f"<li>{escape(one)}</li>" for one in self.unread)
        said = f"<p>Not read:</p><ul>{unread}</ul>" if unread else ""
        return f"<p>{escape(self.path)}: {escape(self.headline)}</p>{''.join(groups)}{said}"


def counted(count: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "model"), counted(2, "model"), counted(0, "model")
    ('1 model', '2 models', 'no models')
    """
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _plain(value: Any) -> Any:
    """What JSON can hold: anything else as it was written."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
