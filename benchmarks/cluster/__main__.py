"""What a cluster costs and how far studies scale on it, measured and simulated: `benchmarks/scale` writes docs/scale.md."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import results
from benchmarks.cluster import disturbed, driver, overhead
from benchmarks.cluster.costs import measured
from benchmarks.cluster.drawing import figure
from benchmarks.cluster.page import disturbed_block, driver_block, overhead_block, simulation_block
from benchmarks.cluster.simulation import Driver, sweep
from benchmarks.commands import add_output, at_least_one, command, say
from benchmarks.environments import ROOT
from benchmarks.machine import this_run
from benchmarks.ray_nodes import ENVIRONMENT, ray_nodes
from benchmarks.results import Run
from fairtrial.errors import FairtrialError
from fairtrial.report.marked import surroundings, write_block

PAGE = ROOT / "docs" / "scale.md"
PICTURE = "images/scale.svg"
STORE = ROOT / "docs" / "evidence" / "course.db"
PARTS = ("overhead", "driver", "disturbed", "simulation")
COPIES = (1, 10, 50)
WORKERS = tuple(sorted({*(2**power for power in range(14)), *(10**power for power in range(5))}))
AHEAD = (0, 1, 3, 10)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/scale", description=__doc__)
    add = parser.add_argument
    add("--part", action="append", choices=PARTS, help="only this part (repeatable)")
    add("--trials", type=at_least_one, default=driver.TRIALS, help="trials of the driver's part (5000)")
    add("--copies", action="append", type=at_least_one, help="sizes of simulated studies (1, 10, 50)")
    add_output(parser)
    add("--page", type=Path, default=PAGE, help="Markdown file that holds the marks")
    asked = parser.parse_args()
    run = this_run(command("benchmarks/scale", sys.argv[1:]), ceilings=None)
    try:
        for part in asked.part or PARTS:
            around = surroundings(asked.page, f"{part} measured")
            say(f"{part}:")
            if part == "simulation":
                lines = simulated(run, asked.page, copies=asked.copies or COPIES, stored=asked.output)
            else:
                lines = on_nodes(part, run, trials=asked.trials)
            write_block(asked.page, around, lines)
    except (FairtrialError, RuntimeError, ValueError) as error:
        sys.exit(f"benchmarks/scale: {error}")
    say(f"written: {asked.page}")
    return 0


def on_nodes(part: str, run: Run, *, trials: int) -> Sequence[str]:
    """What needs a cluster, on one that is started for it."""
    if part == "disturbed":
        return disturbed_block(list(disturbed.points()), run)
    with ray_nodes(driver.WORKERS) as nodes:
        os.environ.update({**ENVIRONMENT, "RAY_ADDRESS": nodes.address})
        if part == "overhead":
            return overhead_block(list(overhead.points()), list(overhead.calls()), run)
        return driver_block(list(driver.points(trials=trials)), run)


def simulated(run: Run, page: Path, *, copies: Sequence[int], stored: Path) -> list[str]:
    """The costs of trials are those of the course, the driver's those of the store as it was measured before."""
    costs = measured("course", STORE)
    recorded, when = driver.recorded(results.read(stored))
    half = recorded["record_milliseconds"] / 2000
    verdict = recorded["verdicts_seconds"] / recorded["questions"]
    reckoned = Driver(start=half, record=half, read=verdict * costs.verdicts / len(costs.questions))
    swept = list(sweep(costs, copies=copies, workers=WORKERS, ahead=AHEAD, driver=reckoned))
    drawn = page.parent / PICTURE
    drawn.write_text(figure(swept).svg(), encoding="utf-8")
    return simulation_block(swept, costs, recorded, reckoned, [run, when], picture=PICTURE)


if __name__ == "__main__":
    sys.exit(main())
