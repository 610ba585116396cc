"""Tests are imported one by one and would not find the modules beside them, nor those of the rooms they borrow from."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("", "../store", "../runner", "../models"):
    sys.path.insert(0, str((Path(__file__).parent / folder).resolve()))
