"""`fairtrial status`: what is done, running, failed and missing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairtrial.analysis.confirming import with_confirmations
from fairtrial.analysis.engines import not_used
from fairtrial.analysis.progress import ArmProgress, Progress, progress
from fairtrial.analysis.register import in_force
from fairtrial.analysis.replaying import Replay, replay_studies
from fairtrial.analysis.sentences import count_of
from fairtrial.api import open_to_read, store_path
from fairtrial.cli.console import emit_json, note_missing_store, stdout
from fairtrial.durations import duration
from fairtrial.executors.local import available_cores
from fairtrial.store import StoredPlan
from fairtrial.study.schema import Study


def print_status(
    study: Study, *, store: Path | None, seeds: int | None, workers: int | None, replay: bool, as_json: bool
) -> bool:
    """Whether every stored look was repeated as it is stored; True where that was not asked for."""
    path = store_path(store)
    note_missing_store(path)
    with open_to_read(path) as opened:
        standing = progress(study, opened, seeds=seeds, workers=workers or len(available_cores()))
        plan, known = in_force(study, opened), opened.plans(study.name)
        replayed = replay_studies(opened, with_confirmations(study)) if replay else None
    if as_json:
        emit_json(
            standing.as_dict()
            | {
                "plan": plan
                and {"sha256": plan.sha256, "registered_at": plan.registered_at.isoformat(timespec="seconds")}
            }
            | ({} if replayed is None else {"replay": replayed.as_dict()})
        )
        return replayed is None or not replayed.differences
    console = stdout()
    console.print(_table(standing))
    for row in standing.arms:
        for line in _details(row):
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    console.print()
    console.print(Text(left_sentence(standing)))
    console.print(Text(_plan_sentence(plan, known=bool(known))))
    for line in () if replayed is None else _replay_lines(replayed):
        console.print(Text(line), soft_wrap=True)
    return replayed is None or not replayed.differences


def _plan_sentence(plan: StoredPlan | None, *, known: bool) -> str:
    if plan is not None:
        return f"Plan {plan.sha256[:12]}, registered {plan.registered_at:%Y-%m-%d %H:%M} UTC."
    if known:
        return "This is not the plan that was registered last; the next run registers it, and answers say what changed."
    return "No plan is registered yet; the first run does so before its first trial."


def _replay_lines(replayed: Replay) -> list[str]:
    looks = f"{count_of(replayed.looks, 'look')} at {count_of(replayed.verdicts, 'verdict')}"
    if not replayed.differences:
        return [f"Replayed {looks}: every verdict comes out of the stored trials as it is stored."]
    return [
        f"Replayed {looks}; not everything comes out as it is stored:",
        *(f"  {difference}" for difference in replayed.differences),
        "The store was changed by hand, or is damaged: restore a copy.",
    ]


def left_sentence(standing: Progress) -> str:
    """What is left to do, in trials and time."""
    missing = sum(len(row.missing) + len(row.running) for row in standing.arms)
    if not missing:
        given_up = sum(one.given_up for row in standing.arms for one in row.failed)
        but = f", but for {count_of(given_up, 'trial')} given up; another run tries again" if given_up else ""
        return f"Nothing left: every arm has {standing.arms[0].wanted} seeds{but}."
    how = " (a guess: nothing of this study was timed on this machine yet)" if standing.guessed else ""
    trials = "1 trial" if missing == 1 else f"{missing} trials"
    return f"{trials} left: about {duration(standing.seconds_left)}{how}."


def _table(standing: Progress) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("arm", overflow="fold")
    for head in ("wanted", "done", "diverged", "running", "failed", "missing"):
        table.add_column(head, justify="right")
    for row in standing.arms:
        failed = sum(one.state == "failed" for one in row.failed)
        counts = (row.wanted, row.done, len(row.diverged), len(row.running), failed, len(row.missing))
        table.add_row(row.arm, *(str(count) if count else "-" for count in counts))
    return table


def _clock(moment: str) -> str:
    """A moment in UTC as people write it.

    >>> _clock("2026-11-26T12:49:47+00:00")
    '2026-11-26 12:49 UTC'
    """
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"


def _details(row: ArmProgress) -> list[str]:
    held = [
        f"{row.arm} seed {one.seed}: running since {_clock(one.since)} in process {one.pid} on {one.host}"
        for one in row.running
    ]
    tried = [
        f"{row.arm} seed {one.seed}: {one.state} ({count_of(one.attempts, 'attempt')}"
        f"{', given up' if one.given_up else ''}): {one.reason}"
        for one in row.failed
    ]
    older = [not_used(row.other_engine_versions, "trial", of=row.arm)] if row.other_engine_versions else []
    return [*held, *tried, *older]
