"""Many processes on one large store: `scripts/load`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.growing import stores

import fairtrial
from fairtrial.analysis.gather import trials as trials_of
from fairtrial.analysis.progress import progress
from fairtrial.due import missing
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.trial import Trial
from reliability.page import measured_here, write

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Load:
    """`stored` trials in the store, `queued` more for `processes` that each want to train them all."""

    stored: int
    queued: int
    processes: int

    @property
    def study(self) -> Study:
        """Arms beyond those of the stored trials."""
        return stores.made(self.queued, first=self.first)

    @property
    def first(self) -> int:
        return self.stored // stores.SEEDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/load", description=__doc__)
    add = parser.add_argument
    add("--stored", type=int, default=100_000, help="made-up trials that the store holds before (100 a step)")
    add("--trials", type=int, default=10_000, help="trials that all processes want (100 a step)")
    add("--processes", type=int, default=8)
    add("--folder", type=Path, help="keep the store of made-up trials here, and take it from here")
    add(
        "--fill",
        type=float,
        metavar="SECONDS",
        help="only fill the store in the folder, so long; several may at once",
    )
    add("--write", type=Path, help="replace the load block of this file")
    options = parser.parse_args()
    load = Load(stored=options.stored, queued=options.trials, processes=options.processes)
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        left = fill(folder / f"stored-{load.stored}.db", load.stored, seconds=options.fill)
        if left:
            print(f"{left} made-up trials are still to be stored: call it again")
            return 0
        if options.fill:
            print("the store is full")
            return 0
        found = measure(load, folder / f"stored-{load.stored}.db", Path(place))
    lines = [*measured_here("scripts/load " + " ".join(words(sys.argv[1:]))), "", *report(load, found)]
    print("\n".join(lines))
    for complaint in found["complaints"]:
        print(f"WRONG: {complaint}", file=sys.stderr)
    if options.write:
        write(options.write, "load", lines)
    return 1 if found["complaints"] else 0


def words(given: list[str]) -> list[str]:
    """The options that change a figure: where things are kept on this machine does not."""
    kept: list[str] = []
    skip = False
    for word in given:
        if not skip and word not in ("--write", "--folder"):
            kept.append(word)
        skip = not skip and word in ("--write", "--folder")
    return kept


def fill(path: Path, trials: int, *, seconds: float | None) -> int:
    """Store made-up trials until there are so many, or the time is over; how many are still missing.

    The first seed of every arm is drawn and recorded as a run does it; the others are copies of those under keys of
    their own, which takes a hundredth of the time.
    """
    until = time.perf_counter() + seconds if seconds else float("inf")
    study = stores.made(trials)
    with Store.open(path) as store:
        stores.fill(store, study, seeds=1, until=until)
        lacking = missing(study, store, list(study.arms), stores.SEEDS)
    if any(trial.seed == 1 for trial in lacking):
        return len(lacking)
    originals = [trials_of(arm, range(1, 2))[0].key for arm in study.arms.values()]
    with closing(sqlite3.connect(path, isolation_level=None, timeout=600)) as connection:
        for begin in range(0, len(lacking), COPIES_AT_ONCE):
            if time.perf_counter() > until:
                return len(lacking) - begin
            connection.execute("BEGIN IMMEDIATE")
            for number, trial in enumerate(lacking[begin : begin + COPIES_AT_ONCE], begin):
                copy(connection, originals[number % len(originals)], trial)
            connection.execute("COMMIT")
    return 0


COPIES_AT_ONCE = 1000


def copy(connection: sqlite3.Connection, original: str, trial: Trial) -> None:
    """All rows of the original again, as if they had come of this trial."""
    own = {"key": trial.key, "arm_key": trial.arm_key, "seed": trial.number}
    for table in ("trials", "epochs", "predictions"):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        taken = ", ".join(f":{column}" if column in own else column for column in columns)
        connection.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {table} WHERE key = :original",
            {**own, "original": original},
        )


def keys_of(study: Study, name: str) -> list[str]:
    return [trial.key for trial in trials_of(study.arms[name], range(1, stores.SEEDS + 1))]


def measure(load: Load, full: Path, place: Path) -> dict[str, Any]:
    """Let the processes loose on a copy of the full store; what they did, what was asked meanwhile, what is wrong."""
    path = place / "load.db"
    shutil.copyfile(full, path)
    study = load.study
    with Store.open(path) as store:
        idle = [timed(lambda: progress(study, store, seeds=stores.SEEDS, workers=1)) for _ in range(5)]
        children = [start(load, path) for _ in range(load.processes)]
        for child in children:
            assert child.stdout is not None
            if child.stdout.readline() != "ready\n":
                raise RuntimeError("a process ended before it began")
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        # Read as they write: a process whose pipe is full would wait for us.
        with ThreadPoolExecutor(len(children)) as threads:
            waiting = [threads.submit(child.communicate) for child in children]
            busy: list[float] = []
            while not all(one.done() for one in waiting):
                busy.append(timed(lambda: progress(study, store, seeds=stores.SEEDS, workers=1)))
                time.sleep(0.5)
            said = [ended.result() for ended in waiting]
        known = sum(len(store.known(keys_of(study, name))) for name in study.arms)
    complaints = [
        f"process {number} ended with {child.returncode}: {errors[-300:]}"
        for number, (child, (_, errors)) in enumerate(zip(children, said, strict=True))
        if child.returncode or errors
    ]
    reports = [json.loads(output) for output, _ in said if output]
    times = Counter(key for one in reports for key in one["recorded"])
    complaints += [f"{load.queued - known} trials are missing" for _ in range(known != load.queued)]
    complaints += [f"{key[:12]} was recorded {count} times" for key, count in times.items() if count > 1]
    if times.total() != load.queued:
        complaints.append(f"{times.total()} trials were reported recorded, {load.queued} were queued")
    complaints += whole(path, load.stored + load.queued)
    return {
        "seconds": max(one["seconds"] for one in reports),
        "idle": idle,
        "busy": busy,
        "shares": sorted(len(one["recorded"]) for one in reports),
        "slowest": max(one["slowest"] for one in reports),
        "peak_bytes": max(one["peak_bytes"] for one in reports),
        "store_bytes": path.stat().st_size,
        "complaints": complaints,
    }


def start(load: Load, path: Path) -> subprocess.Popen[str]:
    source = str(Path(fairtrial.__file__).parents[1])
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "reliability.loaded",
            *(str(path), str(load.queued), str(load.first), "2"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((source, str(ROOT)))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def whole(path: Path, trials: int) -> list[str]:
    """What is wrong with the file."""
    with closing(sqlite3.connect(path)) as connection:
        found = {
            "trials": connection.execute("SELECT count(*) FROM trials").fetchone()[0],
            "claims": connection.execute("SELECT count(*) FROM claims").fetchone()[0],
            "integrity_check": connection.execute("PRAGMA integrity_check").fetchall(),
            "foreign_key_check": connection.execute("PRAGMA foreign_key_check").fetchall(),
        }
    expected = {"trials": trials, "claims": 0, "integrity_check": [("ok",)], "foreign_key_check": []}
    return [
        f"{name}: {found[name]}, expected {expected[name]}" for name in found if found[name] != expected[name]
    ]


def report(load: Load, found: dict[str, Any]) -> list[str]:
    """The block of docs/reliability.md."""
    busy, idle = sorted(found["busy"]), found["idle"]
    rows = {
        "trials in the store before": f"{load.stored:,}",
        "trials queued, in each of the processes": f"{load.queued:,}",
        "processes, each with two trials at once": f"{load.processes}",
        "trials recorded a second, all processes together": f"{load.queued / found['seconds']:.0f}",
        "share of one process, least to most": f"{found['shares'][0]:,} to {found['shares'][-1]:,}",
        "longest that one claim or record took": f"{found['slowest']:.2f} s",
        '"database is locked" or any other complaint': f"{len(found['complaints'])}",
        "`status` alone, median": f"{statistics.median(idle):.2f} s",
        f"`status` meanwhile, median and longest of {len(busy)}": (
            f"{statistics.median(busy):.2f} s, {busy[-1]:.2f} s" if busy else "-"
        ),
        "most memory of one process": f"{found['peak_bytes'] / 2**20:.0f} MiB",
        "the store afterwards": f"{found['store_bytes'] / 2**20:,.0f} MiB",
        "trials lost, trials recorded twice": "0, 0" if not found["complaints"] else "see the complaints",
    }
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]


if __name__ == "__main__":
    sys.exit(main())
