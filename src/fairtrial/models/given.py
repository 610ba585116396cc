"""Pictures that somebody names: files, and folders of them, which may have a folder for each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairtrial.images.arrays import in_order
from fairtrial.images.pictures import ANY_SUFFIXES

MOST_PICTURES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A file, or what was named in its place and why it cannot be one."""

    path: Path
    label: str | None = None
    wrong: str = ""


def given(places: Sequence[Path], *, classes: Sequence[str]) -> tuple[list[Given], list[str]]:
    """Every picture, in the order of the places and, in folders, of their names; and what folders hold besides."""
    found: list[Given] = []
    skipped: list[str] = []
    for place in places:
        try:
            is_folder = place.is_dir()
        except (OSError, ValueError):
            is_folder = False
        found += _in_folder(place, classes, skipped) if is_folder else [Given(path=place)]
    return found[:MOST_PICTURES], skipped


def _in_folder(folder: Path, classes: Sequence[str], skipped: list[str]) -> Iterator[Given]:
    try:
        names = [one for one in in_order(one.name for one in folder.iterdir()) if not one.startswith(".")]
    except OSError as error:
        yield Given(path=folder, wrong=f"{folder}: cannot be read ({error.strerror})")
        return
    count, strangers = 0, list[str]()
    for name in names:
        place = folder / name
        if place.is_dir():
            if name not in classes:
                strangers.append(name)
                skipped.append(f"{place} (a folder, and no class of the model)")
                continue
            for one in in_order(one.name for one in place.iterdir() if not one.name.startswith(".")):
                if _is_picture(place / one, skipped):
                    count += 1
                    yield Given(path=place / one, label=name)
        elif _is_picture(place, skipped):
            count += 1
            yield Given(path=place)
    if not count:
        known = ", ".join(classes[:12]) + (", …" if len(classes) > 12 else "")
        about = (
            f"; its folders ({', '.join(strangers[:5])}) are no classes of the model ({known})"
            if strangers
            else ""
        )
        yield Given(
            path=folder, wrong=f"{folder}: there is no picture in it ({', '.join(ANY_SUFFIXES)}){about}"
        )


def _is_picture(path: Path, skipped: list[str]) -> bool:
    if path.suffix.lower() in ANY_SUFFIXES and not path.is_dir():
        return True
    skipped.append(str(path))
    return False
