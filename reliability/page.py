"""Figures on a page, with the machine, the day and the command they come from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fairtrial.engine.machine import processor
from fairtrial.engine.process import machine_memory
from fairtrial.engine.provenance import provenance
from fairtrial.executors.local import available_cores
from fairtrial.report.marked import surroundings, write_block


def measured_here(command: str) -> list[str]:
    facts = provenance()
    return [
        f"`{command}`, {datetime.now(UTC):%Y-%m-%d}, {processor()}, {len(available_cores())} cores, "
        f"{machine_memory() / 2**30:.0f} GiB, {facts['system']}, Python {facts['python']}, torch {facts['torch']}, "
        f"fairtrial {facts['fairtrial']}; load average {os.getloadavg()[0]:.1f} when it ended."
    ]


def write(path: Path, block: str, lines: Sequence[str]) -> None:
    write_block(path, surroundings(path, block), lines)
