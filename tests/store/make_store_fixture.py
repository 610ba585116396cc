"""Makes v<version>.db and v<version>.json, the stores kept to test upgrades: run once per version.

    python tests/store/make_store_fixture.py

The JSON holds what the store must still give back after any upgrade. Never made again for a version
that has been released: later programs would write it in a later shape.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from store_samples import diverged, finished, plain, trial_of

from fairtrial.store import Claim, Store
from fairtrial.store.migrations import newest
from fairtrial.store.owner import Owner
from fairtrial.trial import Lost

OWNER = Owner(host="a-host", boot_id="a-boot", pid_namespace="pid:[1]", pid=1234, started="5678")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def main() -> None:
    path = Path(__file__).with_name(f"v{newest()}.db")
    if path.exists():
        raise SystemExit(f"{path} exists already and stays as it is")
    trials = [trial_of(seed) for seed in (1, 2, 3, 4)]
    with (
        TemporaryDirectory() as folder,
        Store.open(Path(folder) / "made.db", owner=OWNER, now=lambda: MOMENT) as store,
    ):

        def claim(number: int) -> Claim:
            claimed = store.claim(trials[number])
            assert isinstance(claimed, Claim)
            return claimed

        store.record(claim(0), finished(trials[0]), trial=trials[0], weights=True)
        lost = Lost(key=trials[1].key, state="failed", reason="out of memory")
        store.record_lost(claim(1), lost, trial=trials[1])
        store.record(claim(1), diverged(trials[1]), trial=trials[1], weights=False)
        store.record_lost(claim(2), Lost(key=trials[2].key, state="stopped", reason=""), trial=trials[2])
        stored = store.stored([trial.key for trial in trials], history=True)
        claim(3)
        # The claim stays open in the copy, as in the store of a process that was killed.
        with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(path)) as kept:
            source.backup(kept)
    with closing(sqlite3.connect(path, isolation_level=None)) as kept:
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 512", "VACUUM"):
            kept.execute(statement)
    expected = [plain(one) for one in stored.values()]
    path.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
