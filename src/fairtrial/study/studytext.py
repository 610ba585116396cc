"""A study that was asked for without a file, as a commented file that gives the same study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from fairtrial.errors import FairtrialError
from fairtrial.study.asking import Asked
from fairtrial.study.spelling import flow

COMMENTS = {
    "data": "Which images, and how they are divided: once per seed unless reshuffled.",
    "base": "Every arm starts from this.",
    "arms": "An arm is one complete configuration, written as its departures from base.",
    "questions": "A question holds one arm, the variant, against another, the baseline.",
    "seeds": "Every arm at least min times, no question more than max.",
    "margins": "The smallest change that matters: fix it before you look.",
}


def write_new(path: Path, text: str) -> None:
    """Write `text` to a file that is not there yet. Raises FairtrialError if it is, or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise FairtrialError(f"{path} is there already and is left as it is; name another file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise FairtrialError(f"{path} cannot be written: {reason}") from None


def study_text(asked: Asked, *, file: str) -> str:
    """A study file, to be called `file`, that loads to the same arms, trials and questions."""
    return "\n".join([*_opening(asked, " ".join(file.split())), *_sections(asked.document), ""])


def _opening(asked: Asked, file: str) -> Iterator[str]:
    commands = (
        (f"fairtrial check {file}", "mistakes, confounds, what it will cost"),
        (f"fairtrial run {file} --budget 5m", "train for about five minutes, then read the answers"),
        (f"fairtrial answers {file}", "the answers again"),
    )
    width = max(len(command) for command, _ in commands)
    yield f"# {asked.study.title}"
    yield "#"
    yield from (f"#     {command:<{width}}    {does}" for command, does in commands)


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    for key, value in document.items():
        if key in COMMENTS:
            yield ""
            yield f"# {COMMENTS[key]}"
        match value:
            case dict() if key in ("base", "arms"):
                yield f"{key}:"
                for name, one in cast("dict[str, object]", value).items():
                    yield from _entry(name, one)
            case list():
                yield f"{key}:"
                for one in cast("list[dict[str, object]]", value):
                    for place, (name, inner) in enumerate(one.items()):
                        yield f"  {'-' if place == 0 else ' '} {name}: {flow(inner)}"
            case _:
                yield f"{key}: {flow(value)}"


def _entry(name: str, value: object) -> Iterator[str]:
    """One setting or arm; a network of layers has a line for each."""
    layers = cast("dict[str, list[object]]", value).get("layers") if name == "network" else None
    if layers:
        yield f"  {name}:"
        yield "    layers:"
        yield from (f"      - {flow(layer)}" for layer in layers)
    else:
        yield f"  {flow(name)}: {flow(value)}"
