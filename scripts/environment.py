"""Programs of this folder run in the project's environment: to import this is to go there, if one is elsewhere."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "python"

if importlib.util.find_spec("torch") is None:
    if Path(sys.executable) == PYTHON or not PYTHON.exists():
        sys.exit(
            f"{Path(sys.argv[0]).name}: needs the project's environment; make it with scripts/install --dev"
        )
    os.execv(PYTHON, [str(PYTHON), *sys.argv])
