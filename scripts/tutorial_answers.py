"""The answers that docs/tutorial.md quotes: those of docs/course.md, so that both say the same.

`python scripts/tutorial_answers.py` writes them anew; scripts/course-page does so after it has made docs/course.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
QUOTED = ("Validation accuracy ", "Training took ", "Training time", "  - claim: ")
"""Lines of an answer that a reader of the tutorial wants; the rest is in the course's own page."""


def filled(tutorial: str, course: str) -> str:
    """The tutorial with every block `<!-- ID: begin -->` holding what the course says of question ID."""
    whole = course.rpartition("\n## The course notebook, done right\n")[2]

    def block(found: re.Match[str]) -> str:
        section = re.search(rf"^#### {re.escape(found[2])}: .*\n((?:(?!#).*\n)*)", whole, flags=re.MULTILINE)
        if section is None:
            sys.exit(f"docs/course.md has no question {found[2]}, which docs/tutorial.md quotes")
        said: list[str] = []
        wanted = False
        for line in section[1].splitlines():
            if line.startswith("- "):
                wanted = line.removeprefix("- ").startswith(QUOTED)
            if wanted and line.strip():
                said.append(line)
        return "\n".join([found[1], "", *said, "", found[3]])

    return re.sub(r"(<!-- ([\w-]+): begin -->)\n.*?(<!-- \2: end -->)", block, tutorial, flags=re.DOTALL)


def write() -> None:
    page = DOCS / "tutorial.md"
    course = (DOCS / "course.md").read_text(encoding="utf-8")
    page.write_text(filled(page.read_text(encoding="utf-8"), course), encoding="utf-8")


if __name__ == "__main__":
    write()
