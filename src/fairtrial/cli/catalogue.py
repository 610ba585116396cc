"""The catalogue of published data sets as `fairtrial data list` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairtrial.cli.console import emit_json, stdout
from fairtrial.images import published

_TITLE = 20
"""Characters of a title that must be seen beside the figures; where there is no room for them each data set has lines of its own."""


def print_catalogue(*, as_json: bool) -> None:
    entries = [(entry, published.where(entry)) for entry in published.CATALOGUE.values()]
    if as_json:
        emit_json([{**entry_facts(entry), "here": place} for entry, place in entries])
        return
    console = stdout()
    table = _catalogue_table(entries)
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    longest = max(len(entry.title) for entry, _ in entries)
    # A title may be cut off; figures that are would be of no use.
    if whole - max(0, longest - _TITLE) <= console.width:
        console.print(table)
    else:
        for entry, place in entries:
            for line in _entry_lines(entry, place):
                console.print(line)
    console.print()
    console.print(
        Text("fairtrial data get NAME fetches one; --set data.dataset=NAME learns from it."), soft_wrap=True
    )


def _catalogue_table(entries: Sequence[tuple[published.Published, str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for head in ("train", "test", "size", "classes", "download"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("here", no_wrap=True)
    table.add_column("")
    for entry, place in entries:
        table.add_row(
            entry.name, f"{entry.train:,}", f"{entry.test:,}", sides(entry.shape), str(entry.classes),
            _download(entry), "yes" if place else "", Text(entry.title, style="dim", no_wrap=True, overflow="ellipsis"),
        )  # fmt: skip
    return table


def _entry_lines(entry: published.Published, place: str) -> Iterator[RenderableType]:
    """The same, for a terminal that is too narrow for columns: nothing of it is cut off."""
    yield Text(f"{entry.name}: {entry.title}")
    size = _download(entry)
    about = [
        f"{entry.train:,} + {entry.test:,} images of {sides(entry.shape)}",
        f"{entry.classes} classes",
        "here" if place else f"download {size}" if size else "not here",
    ]
    yield Padding(Text(", ".join(about), style="dim"), (0, 0, 0, 2), expand=False)


def _download(entry: published.Published) -> str:
    return "" if not entry.files else "?" if entry.size is None else in_bytes(entry.size)


def entry_facts(entry: published.Published) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "page": entry.page,
        "terms": entry.terms,
        "shape": list(entry.shape),
        "classes": entry.classes,
        "class_names": list(entry.class_names),
        "train": entry.train,
        "test": entry.test,
        "fingerprint": entry.fingerprint or None,
        "files": [
            {"name": file.name, "bytes": file.size, "checksum": file.checksum, "urls": list(file.urls)}
            for file in entry.files
        ],
    }


def sides(shape: tuple[int, int, int]) -> str:
    return f"{shape[0]} x {shape[1]}{' in colour' if shape[2] == 3 else ''}"


def in_bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
