"""Texts of a document as a study file may hold them: one line, printable; places in words; names that are allowed."""

from __future__ import annotations

import re

from fairtrial.audit.document import Document, Place


def clean(text: str) -> str:
    """One line without what no file may hold."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def comment(text: str, indent: str = "") -> str:
    """`text` as a comment of one line."""
    return f"{indent}# {clean(text)}"


def where(place: Place, document: Document) -> str:
    """The place in words: `cell 3, line 2`, or the line alone in a script or a text."""
    if document.kind in ("notebook", "html"):
        return f"cell {place.cell}, line {place.line}"
    return f"line {place.file_line or place.line}"


def identifier(text: str, taken: set[str]) -> str:
    """A name that a question may have, different from those taken, to which it is added.

    >>> identifier("Q1: wider?", taken := set()), identifier("Q1: wider?", taken)
    ('Q1-wider', 'Q1-wider-2')
    """
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-.+")[:70] or "question"
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    taken.add(unique)
    return unique
