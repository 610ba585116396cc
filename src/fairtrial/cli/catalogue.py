"""What `fairtrial data list` prints: the catalogue, as a table where there is room for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairtrial.cli.console import emit_json, stdout
from fairtrial.cli.datasets import plain_entry, shape_text, size_text
from fairtrial.images import published

_TITLE = 36
"""Characters of a title that a line of the catalogue has room for, at the least."""


def print_catalogue(*, as_json: bool) -> None:
    entries = [(entry, published.where(entry)) for entry in published.CATALOGUE.values()]
    if as_json:
        emit_json([{**plain_entry(entry), "here": place} for entry, place in entries])
        return
    console = stdout()
    table = _catalogue_table(entries)
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    longest = max(len(entry.title) for entry, _ in entries)
    # Titles may go on in a second line; figures that are cut off are of no use.
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
            entry.name, f"{entry.train:,}", f"{entry.test:,}", shape_text(entry.shape), str(entry.classes),
            _download(entry), "yes" if place else "", Text(entry.title, style="dim"),
        )  # fmt: skip
    return table


def _entry_lines(entry: published.Published, place: str) -> Iterator[RenderableType]:
    """The same, for a terminal that is too narrow for columns: nothing of it is cut off."""
    yield Text(f"{entry.name}: {entry.title}")
    size = _download(entry)
    about = [
        f"{entry.train:,} + {entry.test:,} images of {shape_text(entry.shape)}",
        f"{entry.classes} classes",
        "here" if place else f"download {size}" if size else "not here",
    ]
    yield Padding(Text(", ".join(about), style="dim"), (0, 0, 0, 2), expand=False)


def _download(entry: published.Published) -> str:
    return "" if not entry.files else "?" if entry.size is None else size_text(entry.size)
