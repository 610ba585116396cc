"""What `fairtrial data` prints and writes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairtrial.cli.catalogue import entry_facts, in_bytes, sides
from fairtrial.cli.console import emit_json, stdout
from fairtrial.data import catalog
from fairtrial.data.inspecting import AGREEING, COUNT, NEAR, Inspection, Twins, inspect
from fairtrial.errors import DataError
from fairtrial.images import cache, known, opening, published
from fairtrial.images.facts import (
    LARGEST_SIDE,
    LARGEST_WHITE,
    Background,
    Colour,
    DatasetFacts,
    Source,
    size_of,
)
from fairtrial.report.data_page import sheet, write_data_page
from fairtrial.report.files import write_bytes

SHOWN = 5
"""Pairs and images that the terminal lists; the page and --json have more."""


def source_of(
    reference: str,
    *,
    colour: Colour | None,
    size: str | None,
    background: Background | None,
    highest: float | None,
    test: float | None,
) -> Source:
    """Raises DataError for options that no study file would take either."""
    sides = None if size is None else _sides(size)
    if size is not None and sides is None:
        raise DataError(f"--size must be a height and a width in pixels, such as 28x28, got {size[:40]!r}")
    if test is not None and not 0 < test < 1:
        raise DataError(f"--test must be a share between 0 and 1, got {test:g}")
    if highest is not None and not 0 < highest <= LARGEST_WHITE:
        raise DataError(f"--highest must be above 0 and at most {LARGEST_WHITE}, got {highest:g}")
    return Source(
        dataset=opening.absolute(reference),
        colour=colour,
        size=sides,
        background=background,
        highest=highest,
        test=test,
    )


def _sides(text: str) -> tuple[int, int] | None:
    found: Any = size_of(int(text) if text.isdecimal() and len(text) < 6 else text)
    return found if found is not None and min(found) >= 1 and max(found) <= LARGEST_SIDE else None


def fetch(name: str, *, as_json: bool) -> None:
    if name not in published.CATALOGUE:
        raise DataError(
            f"{name[:80]!r} is no data set of the catalogue; it has {', '.join(published.CATALOGUE)}"
        )
    facts = opening.facts_of(Source(dataset=name))
    catalog.load(facts)
    _print_facts(facts, as_json=as_json, catalogue=published.CATALOGUE[name])


def print_info(source: Source, *, as_json: bool) -> None:
    """Of a data set of the catalogue that is not here, what is published of it."""
    entry = published.CATALOGUE.get(source.dataset)
    plain = source == Source(dataset=source.dataset)
    if entry is not None and not published.where(entry) and not (plain and entry.facts is not None):
        if as_json:
            emit_json({"catalogue": {**entry_facts(entry), "here": ""}, "facts": None})
            return
        for line in _catalogue_lines(entry):
            stdout().print(Text(line), soft_wrap=True)
        return
    _print_facts(opening.facts_of(source), as_json=as_json, catalogue=entry)


def _print_facts(facts: DatasetFacts, *, as_json: bool, catalogue: published.Published | None) -> None:
    if as_json:
        plain = facts.plain()
        entry = None if catalogue is None else {**entry_facts(catalogue), "here": published.where(catalogue)}
        emit_json({"catalogue": entry, "facts": plain})
        return
    console = stdout()
    for line in _fact_lines(facts):
        console.print(Text(line), soft_wrap=True)
    for line in _catalogue_lines(catalogue) if catalogue is not None else ():
        console.print(Text(line), soft_wrap=True)


def _fact_lines(facts: DatasetFacts) -> Iterator[str]:
    yield (
        f"{facts.name}: {facts.train_images:,} training and {facts.test_images:,} test images of "
        f"{sides(facts.input_shape)}, {facts.classes} classes"
    )
    if facts.class_names:
        yield f"classes:     {', '.join(facts.class_names)}"
    yield f"fingerprint: {facts.fingerprint}"
    for note in facts.notes:
        yield f"note: {note}"


def _catalogue_lines(entry: published.Published) -> Iterator[str]:
    place = published.where(entry)
    yield f"{entry.name}: {entry.title}; {entry.train:,} training and {entry.test:,} test images of {sides(entry.shape)}, {entry.classes} classes"
    yield f"more of it:  {entry.page} (terms: {entry.terms})"
    if place:
        yield f"here:        {place}"
    elif entry.files:
        size = "of unpublished size" if entry.size is None else in_bytes(entry.size)
        yield f"not here:    fairtrial data get {entry.name} downloads it ({size})"
    for file in entry.files:
        size = "" if file.size is None else f" ({in_bytes(file.size)})"
        yield f"  {file.name}{size}  {file.checksum}"
        yield from (f"    {url}" for url in file.urls)


def print_inspection(source: Source, *, html: Path | None, png: Path | None, as_json: bool) -> None:
    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"{html}: a page is a file that ends in .html")
    if png is not None and png.suffix.lower() != ".png":
        raise DataError(f"{png}: a sheet of pictures is a file that ends in .png")
    facts = opening.facts_of(source)
    dataset = catalog.load(facts)
    found = inspect(dataset, facts, files=known.files_of(facts))
    if html is not None:
        write_data_page(found, dataset, html)
    if png is not None:
        write_bytes(png, sheet(dataset, facts))
    if as_json:
        emit_json(found.as_dict())
        return
    console = stdout()
    for line in _fact_lines(facts):
        console.print(Text(line), soft_wrap=True)
    console.print()
    console.print(_balance(found))
    console.print()
    for line, below in _findings(found):
        console.print(Text(line), soft_wrap=True)
        for one in below:
            console.print(Padding(Text(one), (0, 0, 0, 2), expand=False))
    for path in (html, png):
        if path is not None:
            typer.echo(f"wrote {path}", err=True)


def _balance(found: Inspection) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("class", overflow="fold")
    for head in ("train", "share", "test", "share"):
        table.add_column(head, justify="right")
    for label, (train, test) in enumerate(zip(found.train_counts, found.test_counts, strict=True)):
        table.add_row(
            found.name(label),
            f"{train:,}",
            f"{100 * train / found.facts.train_images:.1f} %",
            f"{test:,}",
            f"{100 * test / found.facts.test_images:.1f} %",
        )
    return table


def _findings(found: Inspection) -> Iterator[tuple[str, list[str]]]:
    yield f"exact duplicates: {_twins(found.exact)}", _pairs(found, found.exact)
    missed = f"; around {found.unsure:,} of them more could be hidden" if found.unsure else ""
    yield (
        f"near duplicates (relative distance below {NEAR:g}, {found.compared:,} images compared{missed}): {_twins(found.near)}",
        _pairs(found, found.near),
    )
    listed = [
        f"{one.place}: labelled {found.name(one.place.label)}, {one.agreeing} of its {COUNT} "
        f"nearest images are {found.name(one.other)}"
        for one in found.doubts[:SHOWN]
    ]
    yield (
        f"candidates for wrong labels (at least {AGREEING} of the {COUNT} nearest images have one same other label; many will be "
        f"right): {len(found.doubts):,}",
        [*listed, *_more(len(found.doubts))],
    )
    constant, size = int(found.constant.sum()), found.constant.size
    yield f"constant pixels: {constant:,} of {size:,} are the same in every training image", []


def _twins(twins: tuple[Twins, ...]) -> str:
    if not twins:
        return "none"
    across, dispute = sum(one.across for one in twins), sum(one.in_dispute for one in twins)
    return f"{len(twins):,} ({across:,} across training and test images, {dispute:,} with different labels)"


def _pairs(found: Inspection, twins: tuple[Twins, ...]) -> list[str]:
    lines = [
        f"{one.second} ({found.name(one.second.label)}) and {one.first} ({found.name(one.first.label)})"
        + (f", {one.distance:.3f} apart" if one.distance else "")
        # What spoils a figure or a label first, and then as they were found.
        for one in sorted(twins, key=lambda one: (not one.in_dispute, not one.across))[:SHOWN]
    ]
    return [*lines, *_more(len(twins))]


def _more(count: int) -> list[str]:
    return [f"and {count - SHOWN:,} more: --json lists them, --html shows them"] if count > SHOWN else []


def save_arrays(source: Source, file: Path) -> None:
    if file.suffix.lower() != ".npz":
        raise DataError(f"{file}: arrays are written to a file that ends in .npz")
    dataset = catalog.load(opening.facts_of(source))
    content = io.BytesIO()
    np.savez_compressed(content, **{name: getattr(dataset, name) for name in cache.ARRAYS})
    write_bytes(file, content.getvalue())
    typer.echo(f"wrote {file}", err=True)
