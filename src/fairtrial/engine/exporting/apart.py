"""Programs that read files or run libraries of others, each in a process of its own: what ends there ends nothing here."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence

from fairtrial.errors import FairtrialError

SECONDS = 600
_BACKENDS = ("tensorflow", "jax", "torch")


def apart(
    module: str, arguments: Sequence[str], *, given: str = "", seconds: float = SECONDS, what: str
) -> str:
    """What the module prints. Raises FairtrialError, beginning with `what`, where it fails or takes too long."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command,
            input=given.encode(),
            capture_output=True,
            timeout=seconds,
            env=environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FairtrialError(f"{what}: it was given up after {seconds:g} s") from None
    if done.returncode:
        raise FairtrialError(f"{what}: {_reason(done)}")
    return done.stdout.decode(errors="replace")


def environment() -> dict[str, str]:
    """Keras with whichever backend there is, unless one was chosen; quiet, and on the processor."""
    found = dict(os.environ)
    if "KERAS_BACKEND" not in found:
        backend = next((one for one in _BACKENDS if importlib.util.find_spec(one) is not None), "torch")
        found["KERAS_BACKEND"] = backend
    found.setdefault("JAX_PLATFORMS", "cpu")
    found.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return found


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode < 0:
        return f"the process that did it was ended by signal {-done.returncode}"
    lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:500] if lines else f"the process that did it ended with status {done.returncode}"
