"""The course's questions Q1 to Q5 asked of Fashion-MNIST: what scripts/fashion runs."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import fairtrial as ft
from fairtrial.report.marked import surroundings, write_block

ROOT = Path(__file__).resolve().parents[1]
MARK = "fashion"
SET = "data.dataset=fashion_mnist"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fashion", description=__doc__)
    parser.add_argument(
        "--budget", help="train for about this long; without it, only the answers are written"
    )
    parser.add_argument("--store", type=Path, default=ROOT / "docs" / "evidence" / "fashion.db")
    parser.add_argument("--write", type=Path, default=ROOT / "docs" / "data.md")
    asked = parser.parse_args()
    around = surroundings(asked.write, MARK)
    study = ft.load("course", sets=[SET])
    names = [one.id for one in study.questions if re.match(r"Q[1-5](?!\d)", one.id)]
    command = ["run", "course", "--set", SET, *(word for name in names for word in ("--question", name))]
    if asked.budget:
        asked.store.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "fairtrial",
                *command,
                "--budget",
                asked.budget,
                "--store",
                str(asked.store),
            ],
            check=False,
        )
        if done.returncode:
            return done.returncode
    write_block(asked.write, around, list(listing(ft.answers(study, store=asked.store), names, command)))
    print(f"wrote {asked.write}")
    return 0


def listing(answers: ft.Answers, names: list[str], command: list[str]) -> Iterator[str]:
    """A line on how it was made, and a table with a row for each answer that has evidence."""
    chosen = [one for one in answers if one.question in names and one.seeds]
    made = [trial.outcome.provenance for arm in answers.arms for trial in arm.trials]
    processors = sorted({one.get("processor", "unknown processor") for one in made})
    versions = sorted({one.get("torch", "?") for one in made})
    yield ""
    yield (
        f"Made on {datetime.now(UTC):%Y-%m-%d} from {len(made)} trials on {', '.join(processors) or 'no machine'}, torch "
        f"{', '.join(versions) or '?'}, by `fairtrial {' '.join(command)}`:"
    )
    yield from (
        "",
        "| question | metric, on | verdict | seeds | in words |",
        "| --- | --- | --- | --- | --- |",
    )
    for one in chosen:
        on = f"{one.metric}, {one.on}" if one.on else one.metric
        yield f"| {one.question} | {on} | {one.verdict} | {one.seeds} | {one.sentence} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
