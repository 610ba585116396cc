"""An HTML page as cells: a notebook's export by its classes, any other page by what is preformatted in it.

Read with patterns that never go back, because the standard library's parser takes quadratic time on crafted pages.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from fairtrial.audit.document import Cell, CellKind
from fairtrial.audit.exported import text_cells

_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*+)((?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>")
_CLASS = re.compile(r"\bclass\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\w-]+))", re.IGNORECASE)
_UNSEEN = [
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<script\b", re.IGNORECASE), re.compile(r"</script\s*>", re.IGNORECASE)),
    (re.compile(r"<style\b", re.IGNORECASE), re.compile(r"</style\s*>", re.IGNORECASE)),
    (re.compile(r"<(?:head|svg)\b", re.IGNORECASE), re.compile(r"</(?:head|svg)\s*>", re.IGNORECASE)),
    (re.compile(r"data:[a-z]+/[a-z+.-]+;base64,"), re.compile(r"(?=[\"'<>\s)])")),
]
_BREAKS = frozenset({"p", "div", "br", "tr", "li", "ul", "ol", "table", "pre", "blockquote", "hr", "section"})
_ROLES: tuple[tuple[frozenset[str], CellKind], ...] = (
    (frozenset({"jp-InputArea-editor", "input_area", "sourceCode"}), "code"),
    (frozenset({"jp-RenderedMarkdown", "text_cell_render"}), "prose"),
    (frozenset({"jp-OutputArea-output", "output_subarea", "cell-output"}), "output"),
)
_CELLS = frozenset({"jp-Cell", "code_cell", "text_cell"})


def html_cells(text: str) -> tuple[Cell, ...]:
    """The page's cells, numbered as its notebook's; a page that is none becomes stretches told by their shape."""
    text = _without_unseen(text)
    cells: list[Cell] = []
    number = 0
    for kind, starts_cell, part in _parts(text):
        number += starts_cell
        if kind is not None and part.strip():
            cells.append(Cell(max(number, 1), kind, part.strip("\n")))
    if number:
        return tuple(cells)
    return tuple(
        Cell(number, cell.kind, cell.source)
        for number, cell in enumerate(text_cells(plain_text(text)), start=1)
    )


def plain_text(text: str) -> str:
    """The words of a piece of HTML, with its lines and its preformatted text as they look.

    >>> plain_text("<h2>Width</h2><p>From <b>0.97</b><br>to 0.98 &amp; up</p>").split("\\n")
    ['', '## Width', '', 'From 0.97', 'to 0.98 & up', '']
    """
    words: list[str] = []
    at = 0
    preformatted = 0
    for tag in _TAG.finditer(text):
        words.append(_words(text[at : tag.start()], preformatted > 0))
        at = tag.end()
        name, closing = tag[2].lower(), bool(tag[1])
        if name == "pre":
            preformatted = max(0, preformatted + (-1 if closing else 1))
        if len(name) == 2 and name[0] == "h" and name[1] in "123456":
            words.append("\n" if closing else f"\n{'#' * int(name[1])} ")
        elif name in ("td", "th"):
            words.append("\t" if closing else "")
        elif name in _BREAKS:
            words.append("\n")
    words.append(_words(text[at:], preformatted > 0))
    return "".join(words)


def _words(text: str, preformatted: bool) -> str:
    text = html.unescape(text)
    return text if preformatted else re.sub(r"\s+", " ", text) if text.strip() else ""


def _without_unseen(text: str) -> str:
    """`text` without comments, scripts, styles and pictures; one that never ends takes the rest with it."""
    for opening, closing in _UNSEEN:
        kept: list[str] = []
        at = 0
        while start := opening.search(text, at):
            kept.append(text[at : start.start()])
            end = closing.search(text, start.end())
            at = end.end() if end else len(text)
        text = "".join([*kept, text[at:]])
    return text


def _parts(text: str) -> Iterator[tuple[CellKind | None, bool, str]]:
    """What stands in each element that has a role; and with None, that a cell of the notebook begins."""
    role: CellKind | None = None
    element, depth, start = "", 0, 0
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if role is not None:
            if name != element or tag[3].endswith("/"):
                continue
            depth += -1 if tag[1] else 1
            if depth == 0:
                yield role, False, _shown(text[start : tag.start()], role)
                role = None
        elif not tag[1] and (classes := _classes(tag[3])):
            if classes & _CELLS:
                yield None, True, ""
            role = next((kind for names, kind in _ROLES if classes & names), None)
            element, depth, start = name, 1, tag.end()
    if role is not None:
        yield role, False, _shown(text[start:], role)


def _classes(attributes: str) -> frozenset[str]:
    found = _CLASS.search(attributes)
    return frozenset((found[1] or found[2] or found[3] or "").split()) if found else frozenset()


def _shown(part: str, role: CellKind) -> str:
    """Code and output keep their lines, whether or not the page says that they are preformatted."""
    if role == "prose":
        return plain_text(part)
    if role == "output" and re.search(r"<table\b", part):
        return plain_text(part)
    return html.unescape(_TAG.sub(lambda tag: "\n" if tag[2].lower() == "br" else "", part))
