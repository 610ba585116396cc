"""Text for LaTeX: whatever a study file holds is printed, never executed."""

from __future__ import annotations

import re

_PRINTED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": "$<$",
    ">": "$>$", "|": "$|$", '"': r"\char34{}", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "*": "{*}",
    "±": r"$\pm$", "−": "$-$", "×": r"$\times$", "≥": r"$\geq$", "≤": r"$\leq$", "α": r"$\alpha$",
    "→": r"$\rightarrow$", "·": r"$\cdot$", "–": "--", "—": "---", "…": r"\ldots{}",
}  # fmt: skip
"""Brackets and stars stand in braces because after a row's end they would be read as its options."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def latex(text: str) -> str:
    r"""One line of text that LaTeX prints as it is.

    >>> latex("50 % of_all {x} \\input"), latex("a -- b")
    ('50 \\% of\\_all \\{x\\} \\textbackslash{}input', 'a -{}- b')
    """
    plain = _CONTROL.sub("?", " ".join(text.split()))
    plain = re.sub(r"-(?=-)", "\x00", plain)
    printed = "".join(_PRINTED.get(character, character) for character in plain)
    return printed.replace("\x00", "-{}")


def needs_unicode_engine(text: str) -> bool:
    """Whether pdflatex would stop at a character of this text, so that lualatex or xelatex is needed."""
    return any(ord(character) > 0xFF for character in text)
