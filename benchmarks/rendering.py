"""The tables and the picture of docs/performance.md from what was measured: `benchmarks/render`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import picture, results
from benchmarks.commands import add_output, say
from benchmarks.comparing import compared
from benchmarks.environments import ROOT
from benchmarks.growth_page import growth_block
from benchmarks.page import rows_block
from fairtrial.errors import FairtrialError
from fairtrial.report.marked import surroundings, write_block

PAGE = ROOT / "docs" / "performance.md"
PICTURE = "images/performance.svg"
ROWS, GROWTH = "rows measured", "growth measured"


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/render", description=__doc__)
    add_output(parser)
    parser.add_argument("--page", type=Path, default=PAGE, help="Markdown file that holds the marks")
    asked = parser.parse_args()
    try:
        render(results.read(asked.output), asked.page)
    except (FairtrialError, ValueError) as error:
        sys.exit(f"benchmarks/render: {error}")
    say(f"written: {asked.page}")
    return 0


def render(measured: results.Results, page: Path) -> None:
    """Replace what stands between the page's marks, and draw the picture beside it."""
    write_block(page, surroundings(page, ROWS), rows_block(measured, picture=PICTURE))
    write_block(page, surroundings(page, GROWTH), growth_block(measured))
    if found := compared(measured):
        drawn = page.parent / PICTURE
        drawn.parent.mkdir(parents=True, exist_ok=True)
        drawn.write_text(picture.figure(found).svg(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
