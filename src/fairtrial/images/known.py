"""What is known of data sets that were read before, so that reading a study need not decode its images each time.

Two kinds of small files in the cache folder: of each source, what it held when it was last read and how its files
looked then; of each content, its facts and where it came from. Neither is needed, and neither is believed further
than that: arrays are checked against the fingerprint whenever they are opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fairtrial.bounded import read_bounded
from fairtrial.images import cache
from fairtrial.images.facts import DatasetFacts, Source, from_plain

LARGEST_RECORD, LARGEST_NAMES = 2**20, 2**27
SETTLED_SECONDS = 2.0
"""A file younger than this when it was read may have changed since within one tick of its clock."""

_READING = b"2"
"""Changes with how files are read: what earlier versions found in them is then found out anew."""

_UNREADABLE = (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the files of a source look from outside: a digest of their names, sizes and times, and the latest time."""

    digest: str
    latest: float


def look(paths: list[Path]) -> Look:
    """Raises OSError for a file that is gone."""
    digest, latest = hashlib.sha256(_READING), 0.0
    for path in paths:
        about = path.stat()
        # The time of the inode tells of what `touch -d` and archives set back.
        entry = [str(path), about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]
        digest.update(json.dumps(entry).encode())
        latest = max(latest, about.st_mtime, about.st_ctime)
    return Look(digest=digest.hexdigest(), latest=latest)


def recall(source: Source, seen: Look) -> DatasetFacts | None:
    """The facts of `source`, if its files look as they did when they were last read."""
    kept = _read(_of_source(source))
    try:
        if kept is None or kept["look"] != seen.digest:
            return None
        return _with_change(replace(from_plain(kept["facts"]), source=source), kept.get("before"))
    except _UNREADABLE:
        return None


def remember(
    source: Source,
    seen: Look,
    facts: DatasetFacts,
    *,
    files: Mapping[str, Sequence[str]],
    read_at: float | None = None,
) -> DatasetFacts:
    """Keep what was found, for another time; the facts, with a note where the source held something else before."""
    before = _before(source, facts)
    facts = replace(facts, source=source)
    content: dict[str, Any] = {"facts": facts.plain(), "before": before}
    _write(_of_content(facts.fingerprint), {"facts": facts.plain()})
    if any(files.values()):
        names = {part: list(some) for part, some in files.items()}
        _write(_files_of(source), {"fingerprint": facts.fingerprint, **names})
    # Files that were written a moment ago could change again without looking otherwise: read them once more next time.
    settled = seen.latest < (time.time() if read_at is None else read_at) - SETTLED_SECONDS
    _write(_of_source(source), {"look": seen.digest if settled else "", **content})
    return _with_change(facts, before)


def kept(facts: DatasetFacts, notes: tuple[str, ...]) -> DatasetFacts:
    """The facts of content that came from nowhere but memory, kept under its fingerprint, with further notes."""
    facts = replace(facts, notes=(*facts.notes, *notes), source=Source(dataset=f"sha256:{facts.fingerprint}"))
    _write(_of_content(facts.fingerprint), {"facts": facts.plain()})
    return facts


def by_fingerprint(fingerprint: str) -> DatasetFacts | None:
    """The facts of this content, if it has ever been read here."""
    try:
        kept = _read(_of_content(fingerprint))
        found = None if kept is None else from_plain(kept["facts"])
    except _UNREADABLE:
        return None
    return found if found is not None and found.fingerprint == fingerprint else None


def files_of(facts: DatasetFacts) -> Mapping[str, Sequence[str]]:
    """By part, the file that each image of these facts came from; empty where they have none, or it is forgotten."""
    if facts.source is None:
        return {}
    kept = _read(_files_of(facts.source), largest=LARGEST_NAMES)
    try:
        if kept is None or kept["fingerprint"] != facts.fingerprint:
            return {}
        names = {part: [str(one) for one in kept[part]] for part in ("train", "test")}
    except _UNREADABLE:
        return {}
    whole = (len(names["train"]), len(names["test"])) == (facts.train_images, facts.test_images)
    return names if whole else {}


def _before(source: Source, facts: DatasetFacts) -> str | None:
    """The fingerprint that the source had before it came to hold what it holds now."""
    try:
        kept = _read(_of_source(source))
        if kept is None:
            return None
        last = from_plain(kept["facts"]).fingerprint
        before = kept.get("before") if last == facts.fingerprint else last
        return before if isinstance(before, str) else None
    except _UNREADABLE:
        return None


def _with_change(facts: DatasetFacts, before: object) -> DatasetFacts:
    if not isinstance(before, str) or not before:
        return facts
    note = (
        f"{facts.name}: its content has changed since it was first used (fingerprint {before[:12]} before, "
        f"{facts.fingerprint[:12]} now): trials on what it held before are other trials, and do not count here"
    )
    return replace(facts, notes=(*facts.notes, note))


def _of_source(source: Source) -> Path:
    digest = hashlib.sha256(json.dumps(asdict(source), sort_keys=True).encode()).hexdigest()
    return cache.folder() / "sources" / f"{digest}.json"


def _of_content(fingerprint: str) -> Path:
    return cache.folder() / "known" / f"{fingerprint}.json"


def _files_of(source: Source) -> Path:
    return _of_source(source).with_suffix(".files.json")


def _read(path: Path, *, largest: int = LARGEST_RECORD) -> dict[str, Any] | None:
    try:
        found = json.loads(read_bounded(path, largest=largest))
    except _UNREADABLE:
        return None
    return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all; where the disk does not allow it, it is found out anew another time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(suffix=".part", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError):
        return
