"""The machine a run was measured on, and its ceilings."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.contenders import last_line, our_python
from benchmarks.environments import ROOT, surroundings
from benchmarks.results import Run
from benchmarks.roofline import Ceilings
from fairtrial.engine.machine import machine, processor
from fairtrial.engine.process import machine_memory
from fairtrial.engine.provenance import provenance
from fairtrial.executors.local import available_cores

_CEILINGS = "benchmarks.peers.ceilings"


def this_run(command: str, *, ceilings: Ceilings | None) -> Run:
    """Now, here, with this code."""
    facts = provenance()
    return Run(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        machine=machine(),
        processor=processor(),
        cores=len(available_cores()),
        memory_bytes=machine_memory(),
        load_before=os.getloadavg()[0],
        versions={
            name: facts[name] for name in ("fairtrial", "commit", "python", "torch", "numpy", "system")
        },
        ceilings=ceilings,
    )


def measure_ceilings(keras_python: Path | None) -> Ceilings:
    """Matrix products by every library at hand, and copies by one process per core."""
    pythons = {"torch": our_python()} | ({"jax": keras_python} if keras_python else {})
    reached = {
        library: last_line([python, "-m", _CEILINGS, "products", "--library", library])
        for library, python in pythons.items()
    }
    return Ceilings(
        flops={
            precision: {library: found[precision] for library, found in reached.items()}
            for precision in ("float32", "bfloat16")
        },
        bandwidth=_bandwidth(),
    )


def _bandwidth() -> float:
    """Bytes a second that copies on all cores at once read and write together."""
    copying = [
        subprocess.Popen(
            [our_python(), "-m", _CEILINGS, "copies", "--core", str(core)],
            env=surroundings(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for core in available_cores()
    ]
    for process in copying:
        assert process.stdout is not None
        process.stdout.readline()  # ready
    said = [process.stdin for process in copying]
    for begin in said:
        assert begin is not None
        begin.write("go\n")
        begin.flush()
    return sum(float(process.communicate()[0]) for process in copying)
