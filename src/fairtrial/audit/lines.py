"""What is not code in a document, line by line, each with its place and its order."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from fairtrial.audit.document import CellKind, Document, Place
from fairtrial.audit.figures import last_state

Order = tuple[int, int]
"""The cell's position in the document, and the line in the cell from 0: what stands before what."""

_HEADING = re.compile(r"^\s*(?P<marks>#{1,6})\s+(?P<text>\S.*)$")
_BOLD = re.compile(r"^\s*(?:\*\*|__)(?P<text>[^*_]{2,120})(?:\*\*|__)\s*:?\s*$")
_NUMBERED = re.compile(
    r"^\W{0,8}(?:Q|Ques(?:tion)?s?|Exercise|Task|Part|Experiment|Answer(?:ing)?(?:\s+to)?(?:\s+(?:Q|question))?)\s*\.?\s*#?\s*(?P<number>\d{1,2})\b\s*[:.)\-–]?\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_LISTED = re.compile(r"^\W{0,6}(?P<number>\d{1,2})\s*[.)]\s+(?P<rest>\S.*)$")


@dataclass(frozen=True)
class Line:
    text: str
    """As a terminal leaves it, without the marks of emphasis."""
    kind: CellKind
    place: Place
    order: Order
    level: int = 0
    """Of a heading: 1 to 6 as marked, 7 for a bold line or a short numbered one; 0 for what is none."""
    number: int | None = None
    """Of a numbered question or its answer: `Q4: ...`, `4. Fiddle with ...`, `Answering Q4`."""
    listed: bool = False
    """Whether the number is a list's, as in `4. Fiddle with the activation functions`."""


def lines_of(document: Document) -> tuple[Line, ...]:
    """All lines of prose and output that are not blank, in order."""
    return tuple(_lines(document))


def order_of(document: Document, place: Place) -> Order:
    """Where a place stands in the document's order; a line that code and output both have is the code's."""
    stretches = document.first_lines.get(place.cell, [])
    # Those of a text follow one another; a notebook's code and its output both begin on line 1.
    after = bisect_right(stretches, (place.line, len(document.cells)))
    for first, position in stretches[max(0, after - 2) : after]:
        offset = place.line - first
        if offset <= document.cells[position].source.count("\n"):
            return position, offset
    return len(document.cells), 0


def _lines(document: Document) -> Iterator[Line]:
    for index, cell in enumerate(document.cells):
        if cell.kind == "code":
            continue
        for offset, whole in enumerate(cell.source.split("\n")):
            text = last_state(whole)
            if not text.strip():
                continue
            marked = _HEADING.match(text)
            heading = marked or _BOLD.match(text)
            plain = _plain(heading["text"] if heading else text)
            number, listed = _number(plain, heading=heading is not None)
            level = len(marked["marks"]) if marked else 7 if heading else 0
            if number is not None and not listed and len(plain) <= 120:
                level = level or 7
            yield Line(
                text=plain,
                kind=cell.kind,
                place=cell.place(offset + 1, document.kind),
                order=(index, offset),
                level=level,
                number=number,
                listed=listed,
            )


def _number(text: str, *, heading: bool) -> tuple[int | None, bool]:
    if (found := _NUMBERED.match(text)) is not None:
        return int(found["number"]), False
    if (found := _LISTED.match(text)) is not None and (
        heading or "?" in text or _IMPERATIVE.match(found["rest"])
    ):
        return int(found["number"]), True
    return None, False


_IMPERATIVE = re.compile(
    r"\W{0,3}(?:the\b.{0,60}\b|now\b|next\b)?\W{0,3}(?:try|add|adjust|change|fiddle|use|increase|decrease|reduce|replace|remove|train|set|combine|compare|"
    r"apply|vary|double|halve|experiment|test|find|repeat|run|build|make|modify|switch|tune)\b",
    re.IGNORECASE,
)


def _plain(text: str) -> str:
    """Without the marks of Markdown's emphasis, code and line breaks."""
    text = re.sub(r"\*\*|__(?=\S)|(?<=\S)__|`|¶", "", text)
    text = re.sub(r"(?<!\w)[*_](?=\S)([^*_]*\S)[*_](?!\w)", r"\1", text)
    return re.sub(r"<br\s*/?>|&nbsp;", " ", text).strip()
