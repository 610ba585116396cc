"""Stored trials told to a tracker, as if they had just ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairtrial.analysis.gather import gather, trial_of
from fairtrial.errors import FairtrialError
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.tracking.live import reason
from fairtrial.tracking.runs import Run, Tracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did: trials it told of, and trials that the tracker had already."""

    where: str
    told: int
    known: int


def export(study: Study, tracker: Tracker, *, store: Store, arms: Sequence[str] | None = None) -> Exported:
    """Tell `tracker` of every stored trial of the study, or of these arms; a second time doubles nothing.

    Raises FairtrialError where the tracker cannot be told: what it was told before stays, and the same call goes on.
    """
    told = known = 0
    chosen = [study.arms[name] for name in (study.arms if arms is None else arms)]
    found = gather(chosen, store, history=True)
    try:
        for arm in found.values():
            for stored in arm.trials:
                run = Run(study=study.name, trial=trial_of(arm.arm, stored.seed))
                if tracker.has(run):
                    known += 1
                else:
                    tracker.take(run, stored.outcome)
                    told += 1
        tracker.close()
    except Exception as error:  # noqa: BLE001  whatever a tracker's library raises is explained here
        raise FairtrialError(
            f"{tracker.name} cannot be told of trials: {reason(error)}; {told} were told before, and the same command "
            "goes on with the rest"
        ) from None
    return Exported(where=tracker.name, told=told, known=known)
