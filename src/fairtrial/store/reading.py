"""Reading a store that cannot be written: from a copy of it, since SQLite writes beside a store even to read it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fairtrial.errors import StoreError
from fairtrial.store.copying import copied
from fairtrial.store.explaining import explained
from fairtrial.store.store import Store


def can_be_written(path: Path) -> bool:
    """Whether the store there, and what SQLite keeps beside it, can be written by this user."""
    return all(os.access(place, os.W_OK) for place in (path, path.absolute().parent))


@contextmanager
def copy_to_read(path: Path) -> Generator[Store]:
    """A copy of the store at `path` as it is now, gone afterwards; the store itself is left as it is.

    Raises StoreError, naming `path`, for what is no store or cannot be read.
    """
    path = path.absolute()
    if not path.is_file():
        raise StoreError(f"{path}: there is no store here, nor a file that could be one")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        with explained(path):
            copied(path, copy)
        try:
            opened = Store.open(copy)
        except StoreError as error:
            raise StoreError(str(error).replace(str(copy), str(path))) from error
        with opened as store:
            yield store
