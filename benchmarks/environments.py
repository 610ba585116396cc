"""Where peers run: environments of their own, and nothing of ours around them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from fairtrial.images import cache

ROOT = Path(__file__).parents[1]
REQUIREMENTS = Path(__file__).parent / "peers" / "keras-requirements.txt"

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def default_cache() -> Path:
    return cache.folder() / "benchmarks"


def keras_python(*, given: Path | None, cache: Path) -> Path:
    """The Python of an environment that holds what both Keras peers need; made in `cache` unless one is given.

    Raises SystemExit with the reason if there can be none.
    """
    if given is not None:
        python = given / "bin" / "python"
        if not python.exists():
            sys.exit(f"--environment {given}: there is no {python}; give the folder of a virtual environment")
        return python
    text = f"{sys.version_info[:2]} {REQUIREMENTS.read_text(encoding='utf-8')}"
    folder = cache / f"keras-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        print(f"making {folder} (TensorFlow and JAX, about 2 GB, once)", file=sys.stderr)
        install = [python, "-m", "pip", "install", "--no-compile", "-qq", "-r", REQUIREMENTS]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run(install, check=True)
        except subprocess.CalledProcessError as error:
            sys.exit(f"the environment of the Keras peers could not be made: {error}")
        complete.touch()
    return python


def surroundings(**added: str) -> dict[str, str]:
    """The environment variables of a peer: this process's, without what would change how it computes."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _THREADS and not name.startswith(("PYTHON", "KERAS_", "TF_", "JAX_", "XLA_"))
    }
    return {
        **kept,
        "PYTHONPATH": str(ROOT),  # the peers' programs, and nothing of the package
        "CUDA_VISIBLE_DEVICES": "",
        **added,
    }
