"""What keeps stores and machines trustworthy, for programs: train a trial again, join two stores, look everything over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fairtrial.api import open_to_read, store_path
from fairtrial.store import Store
from fairtrial.store.integrity import inspect

if TYPE_CHECKING:
    from fairtrial.diagnosis import Diagnosis
    from fairtrial.merging import Merged
    from fairtrial.rerunning import Rerun
    from fairtrial.trial import Event


def rerun(
    key: str, *, store: str | Path | None = None, on_event: Callable[[Event], None] = lambda _: None
) -> Rerun:
    """Train the stored trial whose key begins with `key` again; `.equal` says whether every bit is the same.

    The store stays as it is. Raises FairtrialError where there is no such trial, or it cannot be trained here.
    """
    from fairtrial.executors.local import LocalExecutor
    from fairtrial.rerunning import rerun as rerun_in

    path = store_path(store)
    if not path.exists():
        Store.open(path, create=False)  # says what is missing, and where
    with open_to_read(path) as opened, LocalExecutor(workers=1) as executor:
        return rerun_in(key, store=opened, executor=executor, on_event=on_event)


def merge(other: str | Path, *, store: str | Path | None = None, dry_run: bool = False) -> Merged:
    """Join the outcomes of the store at `other` to ours; what both have and differs is in `.conflicts`, and ours stays.

    `other` is only read; with `dry_run` so is ours. Raises FairtrialError for what is no store of this fairtrial or an
    older one, and for a damaged one.
    """
    from fairtrial.merging import merge as merge_into

    path = store_path(store)
    if not path.exists():
        inspect(Path(other))  # before a store is made for what then turns out to be none
    with open_to_read(path) if dry_run else Store.open(path) as opened:
        return merge_into(Path(other), opened, dry_run=dry_run)


def doctor(
    *,
    store: str | Path | None = None,
    selftest: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Diagnosis:
    """Look over this installation, this machine and the store, which is only read; `.sound` unless there is a problem.

    With `selftest` small trials of every layer and optimiser are trained in a temporary folder, twice.
    """
    from fairtrial.diagnosis import diagnose

    return diagnose(store_path(store), selftest=selftest, on_step=on_step)
