"""Another process with the same store: `python store_child.py WHAT PATH ...`, told to go on over stdin.

Prints one line per thing done, flushed at once, so that whoever kills it knows how far it came.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

from store_samples import finished, trial_of

from fairtrial.api import open_to_read
from fairtrial.errors import StoreError
from fairtrial.store import Claim, Store


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def claim(path: Path, first: str, last: str) -> None:
    """Claim the seeds from `first` to `last` and keep them until stdin closes."""
    say("ready")
    sys.stdin.readline()
    with Store.open(path) as store:
        for seed in range(int(first), int(last) + 1):
            if isinstance(store.claim(trial_of(seed)), Claim):
                say(str(seed))
        say("done")
        sys.stdin.read()


def share(path: Path, first: str, last: str) -> None:
    """Claim and record whatever nobody else has."""
    say("ready")
    sys.stdin.readline()
    with Store.open(path) as store:
        for seed in range(int(first), int(last) + 1):
            trial = trial_of(seed)
            claimed = store.claim(trial)
            if isinstance(claimed, Claim):
                store.record(claimed, finished(trial), trial=trial, weights=False)
                say(str(seed))
    say("done")


def record(path: Path, first: str) -> None:
    """Record trials with many epochs and predictions until killed."""
    say("ready")
    with Store.open(path) as store:
        for seed in count(int(first)):
            trial = trial_of(seed)
            outcome = finished(trial, epochs=300, images=10_000)
            claimed = store.claim(trial)
            assert isinstance(claimed, Claim), claimed
            store.record(claimed, outcome, trial=trial, weights=False)
            say(str(seed))


def fill(folder: Path) -> None:
    """Record on a small disk until it is full, make room, record again."""
    spare = folder / "spare"
    spare.write_bytes(bytes(200_000))
    path = folder / "fairtrial.db"
    stored: list[str] = []
    with Store.open(path) as store:
        for seed in count(1):
            trial = trial_of(seed)
            try:
                claimed = store.claim(trial)
                assert isinstance(claimed, Claim), claimed
                store.record(claimed, finished(trial, images=10_000), trial=trial, weights=False)
            except StoreError as error:
                say(str(error))
                break
            stored.append(trial.key)
        spare.unlink()
        trial = trial_of(0)
        claimed = store.claim(trial)
        assert isinstance(claimed, Claim), claimed
        store.record(claimed, finished(trial), trial=trial, weights=False)
        whole = store.stored([*stored, trial.key], history=True)
        assert len(whole) == len(stored) + 1 > 1
        assert all(len(one.outcome.history) == 5 for one in whole.values())
    say("recorded again")


def read_only(folder: Path) -> None:
    """Make a store, have its disk turned read-only, open it to write and then to read."""
    trial = trial_of(1)
    with Store.open(folder / "fairtrial.db") as store:
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record(claim, finished(trial), trial=trial, weights=False)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    for name in ("fairtrial.db", "new.db"):
        try:
            Store.open(folder / name)
        except StoreError as error:
            say(str(error))
    with open_to_read(folder / "fairtrial.db") as store:
        say(f"read {len(store.known([trial.key]))} trial")


if __name__ == "__main__":
    what, where, *more = sys.argv[1:]
    {"claim": claim, "share": share, "record": record, "fill": fill, "read_only": read_only}[what](
        Path(where), *more
    )
