"""Makes v<version>.sql and v<version>.json, the stores kept to test upgrades: run once per version.

    python tests/store/make_store_fixture.py

The JSON holds what the store must still give back after any upgrade. Never made again for a version that is
in use: later programs would write it in a later shape. Versions 1 to 3 were made by the programs of their time
(1 as the database file itself, 2 by commit 196af7e, 3 by commit 90758be).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from store_samples import PROVENANCE, diverged, finished, plain, trial_of

from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.store import Claim, Proposal, Store, StoredLook, StoredVerdict
from fairtrial.store.migrations import newest
from fairtrial.store.owner import Owner
from fairtrial.trial import Lost, Trial

OWNER = Owner(host="a-host", boot_id="a-boot", pid_namespace="pid:[1]", pid=1234, started="5678")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TRIALS = [*(trial_of(seed) for seed in (1, 2, 3, 4)), trial_of(1, width=100)]
PLAN, TERMS = '{"first":3,"horizon":50}', '{"alpha":0.05,"study":"width"}'


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def given_back(store: Store, keys: Sequence[str], parts: Sequence[str]) -> dict[str, Any]:
    """What the store holds of these trials and of the samples, as plain values; a version has the `parts` of its time."""
    read: Mapping[str, Any] = {
        "trials": lambda: [plain(one) for one in store.stored(keys, history=True).values()],
        "attempts": lambda: {
            key: [asdict(one) for one in some] for key, some in store.attempts(keys).items()
        },
        "plans": lambda: [asdict(one) for one in store.plans()],
        "verdicts": lambda: [asdict(one) for one in store.verdicts()],
        "pairs": lambda: [asdict(one) for one in store.pairs(TRIALS[0].arm_key, TRIALS[4].arm_key)],
        "proposals": lambda: [asdict(one) for one in store.proposals(sha256("space"))],
        "selections": lambda: [asdict(one) for one in store.selections(study="width", question="S1")],
    }
    assert set(parts) <= set(read)
    return json.loads(json.dumps({part: read[part]() for part in parts}, default=datetime.isoformat))


def fill(store: Store) -> None:
    """A plan, outcomes of all kinds, attempts, a look, pairs, a search and its selection."""

    def claim(number: int) -> Claim:
        claimed = store.claim(TRIALS[number])
        assert isinstance(claimed, Claim)
        return claimed

    def side(trial: Trial, seconds: float) -> ArmTimes:
        return ArmTimes(
            arm_key=trial.arm_key,
            arm_name=trial.arm.name,
            train_seconds=seconds,
            fit_seconds=1.1 * seconds,
            process_seconds=0.9 * seconds,
            timed_steps=200,
            timed_seconds=0.5,
        )

    store.add_plan(study="width", sha256=sha256(PLAN), plan=PLAN, seen={})
    store.record(claim(0), finished(TRIALS[0]), trial=TRIALS[0], weights=True)
    lost = Lost(key=TRIALS[1].key, state="failed", reason="out of memory")
    store.record_lost(claim(1), lost, trial=TRIALS[1])
    store.record(claim(1), diverged(TRIALS[1]), trial=TRIALS[1], weights=False)
    store.record_lost(claim(2), Lost(key=TRIALS[2].key, state="stopped", reason=""), trial=TRIALS[2])
    store.record(claim(4), finished(TRIALS[4], epochs=2), trial=TRIALS[4], weights=False)
    look = StoredLook(
        n=3, seeds=(1, 2, 3), estimate=0.01, sd=0.001, margin=0.001, sign_level=0.01, low=0.005, high=0.015,
        equivalence_level=0.02, equivalence_low=None, equivalence_high=None, alone="undecided", verdict="undecided",
    )  # fmt: skip
    verdict = StoredVerdict(sha256=sha256(TERMS), study="width", question="Q1", terms=TERMS, looks=(look,))
    store.add_looks([verdict])
    for number in (1, 2):
        times = PairTimes(
            seed=number,
            first=side(TRIALS[0], 1.0 + number),
            second=side(TRIALS[4], 2.0 + number),
            machine="a-machine",
            processor="a processor",
            device="cpu",
            load_average=None,
            other_load=0.25,
            seconds=2.0,
            provenance=PROVENANCE,
        )
        store.record_pair(times, first=TRIALS[0], second=TRIALS[4])
    for number, values in enumerate(({"width": 100, "rate": 0.5}, {"width": 64, "rate": 0.25})):
        key = TRIALS[4].arm_key if number == 0 else TRIALS[0].arm_key
        store.propose(Proposal(search=sha256("space"), number=number, parameters=values, arm_key=key))
    store.stop_proposal(sha256("space"), 1, [0.5, 0.25])
    store.select(
        study="width", question="S1", basis=sha256("space"), selected='{"number":0}', first_block=3000
    )
    claim(3)  # left open, as in the store of a process that was killed


def main() -> None:
    path = Path(__file__).with_name(f"v{newest()}.sql")
    if path.exists():
        raise SystemExit(f"{path} exists already and stays as it is")
    parts = ("trials", "attempts", "plans", "verdicts", "pairs", "proposals", "selections")
    with (
        TemporaryDirectory() as folder,
        Store.open(Path(folder) / "made.db", owner=OWNER, now=lambda: MOMENT) as store,
    ):
        fill(store)
        expected = given_back(store, [trial.key for trial in TRIALS], parts)
        with closing(sqlite3.connect(store.path)) as source:
            lines = list(source.iterdump())
            lines += [
                f"PRAGMA {pragma} = {source.execute(f'PRAGMA {pragma}').fetchone()[0]};"
                for pragma in ("application_id", "user_version")
            ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
