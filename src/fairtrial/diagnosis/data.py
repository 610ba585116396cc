"""The images that ship with fairtrial: every file, and what is in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from fairtrial.diagnosis.finding import Finding
from fairtrial.errors import DataError
from fairtrial.images import cache, shipped
from fairtrial.images.arrays import fingerprint
from fairtrial.images.facts import MNIST, DatasetFacts


def findings() -> Iterator[Finding]:
    with resources.as_file(resources.files("fairtrial.data") / MNIST.name) as folder:
        yield files(folder, MNIST)
    yield _cache(MNIST)


def files(folder: Path, facts: DatasetFacts) -> Finding:
    """The published files: readable, whole, and exactly those that are known."""
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("*.gz"))}
    named = ", ".join(f"{name} {digest[:12]}" for name, digest in sums.items()) or "no files"
    known = {"folder": str(folder), "sha256": sums, "fingerprint": facts.fingerprint}
    try:
        shipped.decode(folder, facts)
    except DataError as error:
        return Finding(
            area="data",
            name=facts.name,
            state="problem",
            text=f"{error}.",
            advice="Install fairtrial again: its files were changed or damaged.",
            facts=known,
        )
    return Finding(
        area="data",
        name=facts.name,
        state="ok",
        text=f"{facts.train_images} and {facts.test_images} images in {folder}, fingerprint {facts.fingerprint[:12]} as "
        f"published ({named}).",
        facts=known,
    )


def _cache(facts: DatasetFacts) -> Finding:
    name = f"{facts.name} cache"
    try:
        place = cache.folder() / facts.fingerprint
    except RuntimeError:
        return Finding(
            area="data",
            name=name,
            state="warning",
            text="There is no folder for it: this user has no home.",
            advice="Each worker decodes the images anew, which takes a second: set FAIRTRIAL_CACHE to a folder.",
        )
    found = cache.read(facts.fingerprint)
    known = {"folder": str(place)}
    if found is not None and fingerprint(found) == facts.fingerprint:
        return Finding(area="data", name=name, state="ok", text=f"Whole, in {place}.", facts=known)
    if not place.exists():
        return Finding(
            area="data",
            name=name,
            state="ok",
            text=f"Not there yet; the first run makes it in {place}.",
            facts=known,
        )
    return Finding(
        area="data",
        name=name,
        state="warning",
        text=f"What is in {place} is damaged or incomplete.",
        advice="It is not used, and the next run makes it anew; if this stays, delete the folder.",
        facts=known,
    )
