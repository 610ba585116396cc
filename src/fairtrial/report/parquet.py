"""Tables as Parquet files: the only module that needs pyarrow, which is optional."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from fairtrial.errors import FairtrialError

_TEXT = frozenset({"arm", "state", "key", "precision", "reason", "weights_sha256"})
_WHOLE = frozenset({"parameters", "seed", "epochs", "epoch"})


def parquet(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as one file, each column of its type also where there is no row. Raises FairtrialError without pyarrow."""
    try:
        import pyarrow as arrow  # pyright: ignore[reportMissingImports]
        from pyarrow import parquet as files  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise FairtrialError(
            "Parquet files need pyarrow, which is not installed; install it with: python -m pip install pyarrow"
        ) from None
    types = {
        name: arrow.string() if name in _TEXT else arrow.int64() if name in _WHOLE else arrow.float64()
        for name in columns
    }
    table = arrow.Table.from_pydict(
        {name: [row[name] for row in rows] for name in columns}, schema=arrow.schema(list(types.items()))
    )
    written = io.BytesIO()
    files.write_table(table, written)
    return written.getvalue()
