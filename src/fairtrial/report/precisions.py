"""Trials of a study that were computed in the other precision, on another kind of processor.

`precision: auto` asks the processor, so that a store from elsewhere can hold a whole study of which
nothing is shown here. What is there and not shown must be said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fairtrial.analysis.gather import LAST_SEED, gather
from fairtrial.analysis.sentences import count_of
from fairtrial.engine.precision import resolve
from fairtrial.store import Store
from fairtrial.study.schema import Arm, Study
from fairtrial.trial import ResolvedPrecision, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOtherwise:
    """`trials` of a study's arms that `precision: auto` does not mean on this processor."""

    precision: ResolvedPrecision
    trials: int
    here: ResolvedPrecision

    @property
    def sentence(self) -> str:
        are = "is" if self.trials == 1 else "are"
        return (
            f"{count_of(self.trials, 'trial')} of these arms {are} stored in {self.precision} and not shown: "
            f"`precision: auto` means {self.here} on this processor. `--set precision={self.precision}` shows them."
        )


def stored_otherwise(arms: Iterable[Arm], store: Store) -> StoredOtherwise | None:
    """None where there are none; arms that name their precision mean what they say and do not count."""
    here = resolve("auto")
    other: ResolvedPrecision = "bfloat16" if here == "float32" else "float32"
    keys = [
        Trial(
            arm=replace(arm, settings=arm.settings.model_copy(update={"precision": other})),
            seed=1,
            precision=other,
        ).arm_key
        for arm in arms
        if arm.settings.precision == "auto" and not (arm.is_command or arm.is_module)
    ]
    count = sum(map(len, store.stored_of_arms(keys, last_seed=LAST_SEED).values()))
    return StoredOtherwise(precision=other, trials=count, here=here) if count else None


def settings_for(study: Study, store: Store) -> tuple[str, ...]:
    """What to set so that most of what is stored of `study` is shown, whichever processor computed it.

    Nothing where `precision: auto` means as much here as there. For documents that are made again from
    evidence that came from elsewhere.
    """
    arms = list(study.arms.values())
    otherwise = stored_otherwise(arms, store)
    if otherwise is None:
        return ()
    shown = sum(len(arm.trials) for arm in gather(arms, store).values())
    return (f"precision={otherwise.precision}",) if otherwise.trials > shown else ()
