"""The notebooks and scripts of tests/audit/corpus as the files that an audit reads, and what was planted in each.

A `.cells` file begins with lines `#: FORM` (notebook, script, text or html) and `#: KIND @ TEXT` for each planted
fault, TEXT being a piece of the line it stands on; `=== code`, `=== prose` and `=== output` begin its cells.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fairtrial.audit.document import Document
from fairtrial.audit.finding import Finding

CORPUS = Path(__file__).parents[1] / "tests" / "audit" / "corpus"
ENDINGS = {"notebook": ".ipynb", "script": ".py", "text": ".txt", "html": ".html"}


@dataclass(frozen=True)
class Planted:
    kind: str
    text: str
    """A piece of the line that it stands on; nothing where the fault is one of the whole file."""


@dataclass(frozen=True)
class Item:
    name: str
    form: str
    planted: tuple[Planted, ...]
    cells: tuple[tuple[str, str], ...]

    @property
    def file_name(self) -> str:
        return self.name + ENDINGS[self.form]

    def write(self, folder: Path) -> Path:
        """The item as a file of its form."""
        path = folder / self.file_name
        made = {"notebook": _notebook, "script": _script, "text": _text, "html": _html}[self.form](self.cells)
        path.write_text(made, encoding="utf-8")
        return path


def items(corpus: Path = CORPUS) -> Iterator[Item]:
    for path in sorted(corpus.glob("*/*.cells")):
        yield _item(path)


def _item(path: Path) -> Item:
    head, *rest = re.split(
        r"^=== (code|prose|output)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    form, *faults = re.findall(r"^#: (.*)\n", head, flags=re.MULTILINE)
    body = re.sub(r"^#: .*\n", "", head, flags=re.MULTILINE)
    cells = [("code", body)] if body.strip() else []
    cells += list(zip(rest[::2], rest[1::2], strict=True))
    planted = tuple(
        Planted(kind.strip(), text.strip()) for kind, _, text in (each.partition("@") for each in faults)
    )
    return Item(path.stem, form, planted, tuple((kind, source.rstrip("\n")) for kind, source in cells))


def _notebook(cells: tuple[tuple[str, str], ...]) -> str:
    made: list[dict[str, object]] = []
    count = 0
    for kind, source in cells:
        lines = source.splitlines(keepends=True)
        if kind == "prose":
            made.append({"cell_type": "markdown", "metadata": {}, "source": lines})
        elif kind == "code":
            count += 1
            made.append(
                {
                    "cell_type": "code",
                    "execution_count": count,
                    "metadata": {},
                    "outputs": [],
                    "source": lines,
                }
            )
        else:
            made[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": lines}]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}, indent=1)


def _script(cells: tuple[tuple[str, str], ...]) -> str:
    return "\n\n".join(source for kind, source in cells if kind == "code") + "\n"


def _text(cells: tuple[tuple[str, str], ...]) -> str:
    """As notebooks are pasted into a document: code between fences, the rest as it is."""
    parts = [f"```\n{source}\n```" if kind == "code" else source for kind, source in cells]
    return "\n\n".join(parts) + "\n"


def _html(cells: tuple[tuple[str, str], ...]) -> str:
    """As nbconvert writes it: highlighted code, rendered Markdown, outputs preformatted."""
    parts: list[str] = []
    for kind, source in cells:
        if kind == "code":
            coloured = re.sub(
                r"\b(import|from|def|return|as)\b", r'<span class="kn">\1</span>', html.escape(source)
            )
            parts.append(
                '<div class="jp-Cell jp-CodeCell jp-Notebook-cell"><div class="jp-InputPrompt jp-InputArea-prompt">'
                'In&nbsp;[1]:</div><div class="jp-CodeMirrorEditor jp-Editor jp-InputArea-editor">'
                f'<div class="highlight hl-ipython3"><pre><span></span>{coloured}\n</pre></div></div></div>'
            )
        elif kind == "prose":
            rows = (re.sub(r"^#+ (.*)$", r"<h1>\1</h1>", html.escape(row)) for row in source.split("\n"))
            text = "".join(row if row.startswith("<h1>") else f"<p>{row}</p>" for row in rows if row)
            parts.append(
                f'<div class="jp-Cell jp-MarkdownCell"><div class="jp-RenderedHTMLCommon jp-RenderedMarkdown jp-MarkdownOutput">{text}</div></div>'
            )
        else:
            parts.append(
                '<div class="jp-OutputArea"><div class="jp-RenderedText jp-OutputArea-output">'
                f"<pre>{html.escape(source)}\n</pre></div></div>"
            )
    body = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>Notebook</title></head><body class="jp-Notebook">\n{body}\n</body></html>\n'


@dataclass(frozen=True)
class Tally:
    found: tuple[tuple[Planted, Finding], ...]
    missed: tuple[Planted, ...]
    false: tuple[Finding, ...]


def compared(item: Item, document: Document, findings: tuple[Finding, ...]) -> Tally:
    """Which planted faults were found where they stand, which were not, and what was found that is not there."""
    left = list(findings)
    found: list[tuple[Planted, Finding]] = []
    missed: list[Planted] = []
    for planted in item.planted:
        hits = [
            each for each in left if each.kind == planted.kind and _stands_at(document, each, planted.text)
        ]
        if hits:
            found.append((planted, hits[0]))
            left.remove(hits[0])
        else:
            missed.append(planted)
    return Tally(tuple(found), tuple(missed), tuple(left))


def _stands_at(document: Document, finding: Finding, text: str) -> bool:
    """Whether the finding's place is the line that holds `text`, or one of the two lines around it."""
    if not text:
        return True
    for cell in document.cells:
        for number, line in enumerate(cell.source.split("\n"), 1):
            place = cell.place(number, document.kind)
            if (
                text in line
                and place.cell == finding.place.cell
                and abs(place.line - finding.place.line) <= 2
            ):
                return True
    return False
