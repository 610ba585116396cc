"""Is a network of the user's own one that can be trained? Asked of a process of its own, before anything is trained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from fairtrial.executors.worker_process import same_package
from fairtrial.study.schema import Arm
from fairtrial.trial import Trial
from fairtrial.wire import Order, encode_order

LONGEST_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """How many weights the network has, or the mistake in it."""

    parameters: int | None = None
    mistake: str = ""


def probe(arm: Arm, *, longest: float = LONGEST_SECONDS) -> Probed:
    """Build the arm's network as a worker would; nothing is trained."""
    line = encode_order(Order(trial=Trial(arm=arm, seed=1, precision="float32")))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "fairtrial.engine.probe"],
            input=line + "\n",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=longest,
            env={**os.environ, **same_package()},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Probed(mistake=f"its network was not built within {longest:g} s")
    lines = done.stdout.strip().splitlines()
    try:
        said = json.loads(lines[-1])
    except (IndexError, ValueError):
        words = done.stderr.strip().splitlines()
        last = f": {words[-1][:300]}" if words else ""
        return Probed(
            mistake=f"the process that built its network ended with exit code {done.returncode}{last}"
        )
    if "mistake" in said:
        return Probed(mistake=said["mistake"])
    return Probed(parameters=int(said["parameters"]))
