"""The pages of the site, laid out from docs/ and the documents beside it, with links that hold there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import yaml
from site_reference import commands, python, study_file

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
OTHERS = {
    "ARCHITECTURE.md": "design.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Documents that stand elsewhere in the repository, and what they are called on the site."""

GENERATED = {
    "reference-commands.md": commands,
    "reference-study.md": study_file,
    "reference-python.md": python,
}
AWAITED = frozenset({"data.md", "models.md", "python.md", "command-arms.md"})
"""Pages that have a place before they are written: until then they are left out."""

_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1[`~]*[ \t]*$", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s#]*)(#[^()\s]*)?\)")


def lay_out(build: Path) -> Path:
    """Put all pages where mkdocs looks for them; the configuration to build them with."""
    pages = build / "site-pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    sources = {path: path.name for path in DOCS.glob("*.md")}
    sources |= {ROOT / name: called for name, called in OTHERS.items()}
    for path, called in sources.items():
        text = for_the_site(path.read_text(encoding="utf-8"), path, sources)
        (pages / called).write_text(text, encoding="utf-8")
    for called, made in GENERATED.items():
        (pages / called).write_text(made(), encoding="utf-8")
    for folder in ("images", "evidence", "site"):
        shutil.copytree(
            DOCS / folder, pages / folder, ignore=shutil.ignore_patterns("*.db", "*-wal", "*-shm")
        )
    for path in DOCS.glob("*.html"):
        shutil.copy(path, pages / path.name)
    configured = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    configured["nav"] = _there(configured["nav"], {path.name for path in pages.iterdir()})
    configured |= {"docs_dir": str(pages.absolute())}
    written = build / "mkdocs.yml"
    written.write_text(yaml.safe_dump(configured, sort_keys=False), encoding="utf-8")
    return written


def _there(entries: list[Any], names: set[str]) -> list[Any]:
    """The navigation without pages that are awaited and not there; any other that is missing is mkdocs's to report."""
    kept: list[Any] = []
    for entry in entries:
        ((title, inner),) = entry.items()
        if isinstance(inner, list):
            kept.append({title: _there(inner, names)})
        elif inner in names or inner not in AWAITED:
            kept.append(entry)
    return kept


def for_the_site(text: str, source: Path, pages: dict[Path, str]) -> str:
    """The document with links to other documents as the site calls them, and lists as its Markdown wants them.

    What the site does not have (source code, a licence) is named and not linked to.
    """
    parts: list[str] = []
    last = 0
    for fence in _FENCE.finditer(text):
        parts += [_prose(text[last : fence.start()], source, pages), fence[0]]
        last = fence.end()
    return "".join([*parts, _prose(text[last:], source, pages)])


def _prose(text: str, source: Path, pages: dict[Path, str]) -> str:
    def link(found: re.Match[str]) -> str:
        image, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        path = (source.parent / target).resolve()
        if path in pages:
            return f"{image}[{words}]({pages[path]}{anchor})"
        if path.is_relative_to(DOCS) and path.suffix != ".db":
            return f"{image}[{words}]({path.relative_to(DOCS).as_posix()}{anchor})"
        named = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else target
        return words if named in words else f"{words} (`{named}`)"

    return _lists(_LINK.sub(link, text))


def _lists(text: str) -> str:
    """Lists begin after an empty line, and inner ones are indented by four."""
    lines: list[str] = []
    item = re.compile(r"( *)([-*]|\d+\.) ")
    for line in text.split("\n"):
        found = item.match(line)
        before = lines[-1] if lines else ""
        if found and before.strip() and not item.match(before) and not before.startswith(("  ", "|")):
            lines.append("")
        lines.append(" " * len(found[1]) + line if found else line)
    return "\n".join(lines)
