"""The models of a study as a notebook shows them, read from a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairtrial.analysis.clocks import clock_of
from fairtrial.analysis.gather import gather
from fairtrial.errors import FairtrialError
from fairtrial.report.blocks import Block, block
from fairtrial.report.reproduction import Row, reproduction, shown_arms
from fairtrial.report.show_markdown import machines, models_markdown, three_columns
from fairtrial.store import Store
from fairtrial.study.schema import Arm, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The models of a study and the three-column table. `machines` trained them."""

    blocks: tuple[Block, ...]
    rows: tuple[Row, ...]
    machines: tuple[str, ...]

    @property
    def printed(self) -> Shown:
        """The three-column table alone: printed, reproduced, done right."""
        return replace(self, blocks=())

    def __str__(self) -> str:
        return self._repr_markdown_()

    def _repr_markdown_(self) -> str:
        lines = [*models_markdown(self.blocks, heading="**"), *three_columns(self.rows, heading="**")]
        return "\n".join(lines).rstrip() + "\n"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        names = ", ".join(one.name for one in self.blocks) or "printed, reproduced, done right"
        return {"text/plain": names, "text/markdown": self._repr_markdown_()}


def shown(study: Study, arm: str | None, store: Store) -> Shown:
    """All models of the study, or one. Raises FairtrialError for an arm the study does not have."""
    arms = chosen(study, arm)
    named = {one.name for one in arms}
    found = gather(arms, store)
    clock = clock_of(trial for one in found.values() for trial in one.trials)
    return Shown(
        blocks=tuple(block(one, clock=clock) for one in found.values()),
        rows=reproduction([one for one in shown_arms(study) if one.name in named], store),
        machines=machines(list(found.values())),
    )


def chosen(study: Study, arm: str | None) -> Sequence[Arm]:
    """The arm of that name, or all of them."""
    if arm is None:
        return list(study.arms.values())
    if arm not in study.arms:
        raise FairtrialError(f"study {study.name!r} has no arm {arm!r}; its arms: {', '.join(study.arms)}")
    return [study.arms[arm]]
