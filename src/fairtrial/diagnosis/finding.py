"""One line of a diagnosis: what was found, whether that is well, and what to do if it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`text` is what was found, `advice` one sentence on what to do; a finding that is ok needs none.

    `facts` are the same as values, for programs.
    """

    area: Literal["environment", "machine", "data", "store", "selftest"]
    name: str
    state: State
    text: str
    advice: str = ""
    facts: dict[str, Any] | None = None

    def __str__(self) -> str:
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.state}: {self.name}: {self.text}{advice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings, in the order in which they were looked for."""

    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether there is no problem; warnings are none."""
        return not any(finding.state == "problem" for finding in self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))

    @property
    def sentence(self) -> str:
        counts = {state: sum(one.state == state for one in self.findings) for state in ("problem", "warning")}
        if not any(counts.values()):
            return "Everything looked at is well."
        parts = [f"{count} {state}{'' if count == 1 else 's'}" for state, count in counts.items() if count]
        return f"{' and '.join(parts)}: see above."

    def as_dict(self) -> dict[str, Any]:
        return {"sound": self.sound, "findings": [asdict(one) for one in self.findings]}
