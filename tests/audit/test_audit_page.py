"""docs/audit.md shows what the command prints, and speaks of every finding there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from fairtrial.audit.kinds import TITLES

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(tmp_path):
    """The first thing a reader does is to try it."""
    program, printed = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "homework.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "fairtrial", "audit", "homework.py"],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert [line.rstrip() for line in done.stdout.strip().splitlines()] == printed.strip().splitlines()


def test_every_kind_of_finding_has_a_row():
    """Whoever is told of a finding looks up what it means."""
    assert set(re.findall(r"^\| `([a-z-]+)` \| [A-Z`]", PAGE, flags=re.MULTILINE)) == set(TITLES)


def test_the_limits_are_those_of_the_code():
    """A limit that has moved is worse than none."""
    from fairtrial.audit.reading import LARGEST_CODE
    from fairtrial.audit.tracing.state import MOST_STEPS

    for limit in (LARGEST_CODE, MOST_STEPS):
        assert f"{limit:,}".replace(",", " ") in PAGE
