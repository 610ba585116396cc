"""The store: its rows, and the files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fairtrial.diagnosis.finding import Finding
from fairtrial.engine.saved_weights import saved_fingerprint
from fairtrial.errors import StoreError
from fairtrial.store.integrity import Inspection, inspect
from fairtrial.store.places import WEIGHTS_SUFFIX

_MOST = 3


def findings(path: Path) -> Iterator[Finding]:
    """All that can be said of the store at `path`, which is only read."""
    if not path.exists() and path.absolute().parent.is_dir():
        yield _finding("store", f"{path}: not there yet; the first run makes it.")
        return
    try:
        found = inspect(path)
    except StoreError as error:
        yield _finding("store", f"{error}.", state="problem")
        return
    yield _version(path, found)
    if found.version:
        yield from _rows(found)
        yield from _weights(found)
        yield from _strays(found)


def _version(path: Path, found: Inspection) -> Finding:
    known = {"path": str(path), "version": found.version, "trials": found.trials, "bytes": found.size}
    if found.version == 0:
        return _finding("store", f"{path}: empty; the first run makes a store of it.", facts=known)
    text = f"{path}: version {found.version}, {found.trials} trials of {found.arms} arms, {found.size / 2**20:.1f} MiB."
    if found.version < found.newest:
        return _finding(
            "store",
            text,
            state="warning",
            advice=f"The next command that opens it upgrades it to version {found.newest}; keep a copy if an older fairtrial "
            "must still read it.",
            facts=known,
        )
    return _finding("store", text, facts=known)


def _rows(found: Inspection) -> Iterator[Finding]:
    for fault in found.faults:
        yield _finding(
            f"store {fault.what}",
            f"{fault.text}.",
            state="problem",
            advice="The file is damaged or was changed by hand: restore a copy, or move it away and train again.",
        )
    if not found.faults:
        yield _finding(
            "store rows", "Whole: integrity, references, epochs, and every key as its settings give it."
        )


def _weights(found: Inspection) -> Iterator[Finding]:
    missing: list[Path] = []
    wrong: list[Path] = []
    for path, sha256 in found.expected:
        if not path.exists():
            missing.append(path)
        elif saved_fingerprint(path) != sha256:
            wrong.append(path)
    if wrong:
        yield _finding(
            "weights",
            f"{_files(wrong)} {'is' if len(wrong) == 1 else 'are'} damaged, or not the weights of its trial.",
            state="problem",
            advice="Delete what is damaged: no answer needs it, and pictures of weights are left out of reports.",
            facts={"damaged": [str(path) for path in wrong]},
        )
    if missing:
        yield _finding(
            "weights",
            f"{_files(missing)} of {len(found.expected)} {'is' if len(missing) == 1 else 'are'} not there.",
            state="warning",
            advice="No answer needs them; copy them back from where the store came from, or do without pictures of weights.",
            facts={"missing": [str(path) for path in missing]},
        )
    if not wrong and not missing:
        yield _finding("weights", f"{len(found.expected)} files, each the weights of its trial.")


def _strays(found: Inspection) -> Iterator[Finding]:
    if found.strays:
        yield _finding(
            "stray weights",
            f"{_files(found.strays)} ({_mebibytes(found.strays)}) {'belongs' if len(found.strays) == 1 else 'belong'} to no "
            "trial of this store.",
            state="warning",
            advice=f"Nothing needs what lies in {found.strays[0].parent} and is no trial's: delete it.",
            facts={"files": [str(path) for path in found.strays]},
        )
    if found.leftover:
        yield _finding(
            "checkpoints",
            f"{_files(found.leftover)} ({_mebibytes(found.leftover)}) of trials that are finished.",
            state="warning",
            advice=f"Nothing needs them any more: delete them from {found.leftover[0].parent}.",
            facts={"files": [str(path) for path in found.leftover]},
        )


def _finding(name: str, text: str, **more: object) -> Finding:
    return Finding(**{"area": "store", "name": name, "state": "ok", "text": text, **more})  # pyright: ignore[reportArgumentType]


def _files(paths: Sequence[Path]) -> str:
    named = ", ".join(path.name.removesuffix(WEIGHTS_SUFFIX)[:12] for path in paths[:_MOST])
    more = f" and {len(paths) - _MOST} more" if len(paths) > _MOST else ""
    return f"{len(paths)} file{'' if len(paths) == 1 else 's'} ({named}{more})"


def _mebibytes(paths: Sequence[Path]) -> str:
    return f"{sum(path.stat().st_size for path in paths if path.exists()) / 2**20:.1f} MiB"
