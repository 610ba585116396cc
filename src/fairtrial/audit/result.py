"""What an audit of a file found, and how it shows itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from fairtrial.audit.document import FileKind, Place
from fairtrial.audit.experiment import Experiments
from fairtrial.audit.finding import Finding, FindingKind
from fairtrial.audit.kinds import TITLES


@dataclass(frozen=True)
class Audit:
    """Everything found in one file: `findings` in the order in which they are told, `experiments` as they were read."""

    path: str
    kind: FileKind
    findings: tuple[Finding, ...]
    experiments: Experiments
    unread: tuple[str, ...] = ()
    """What could not be read or followed, in sentences."""

    @property
    def serious(self) -> tuple[Finding, ...]:
        """Findings for which a conclusion of the file may be false."""
        return tuple(finding for finding in self.findings if finding.serious)

    def of(self, kind: FindingKind) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

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

    def as_dict(self) -> dict[str, Any]:
        """The audit as `fairtrial audit --json` prints it."""
        return {
            "path": self.path,
            "kind": self.kind,
            "headline": self.headline,
            "counts": self.counts,
            "findings": [asdict(finding) for finding in self.findings],
            "experiments": _plain(asdict(self.experiments)),
            "unread": list(self.unread),
        }

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.headline}"]
        lines.extend(f"{where(one.place)}: {one.kind}: {one.sentence}" for one in self.findings)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        groups: list[str] = []
        for kind, title in TITLES.items():
            if not (found := self.of(kind)):
                continue
            items = "".join(
                f"<li>{escape(where(one.place))}: {escape(one.sentence)} <em>({escape(one.sure)})</em></li>"
                for one in found
            )
            groups.append(f"<p><strong>{escape(title)}</strong></p><ul>{items}</ul>")
        unread = "".join(f"<li>{escape(one)}</li>" for one in self.unread)
        said = f"<p>Not read:</p><ul>{unread}</ul>" if unread else ""
        return f"<p>{escape(self.path)}: {escape(self.headline)}</p>{''.join(groups)}{said}"


def where(place: Place) -> str:
    """`cell 12, line 3` of a notebook, `line 118` of a text or script."""
    if place.file_line is not None:
        return f"line {place.file_line}"
    return f"cell {place.cell}, line {place.line}"


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
