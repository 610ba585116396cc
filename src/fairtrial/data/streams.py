"""Named random streams: all randomness of a trial is drawn from its seed and a name."""

from __future__ import annotations

import hashlib
import json

import numpy as np


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """The random stream called `names` of `seed`: the same numbers for ever, on every machine.

    The names are part of the stream's identity: ("a", "b") and ("ab"), 1 and "1" are different
    streams, and no stream can be reached by drawing further from another. Raises TypeError for
    a name that is neither text nor a whole number.

    >>> bool(generator(1, "order", 2).random() == generator(1, "order", 2).random())
    True
    """
    digest = hashlib.sha256(_canonical(seed, names)).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def _canonical(seed: object, names: tuple[object, ...]) -> bytes:
    parts = (seed, *names)
    for part in parts:
        # True would be written as a word of its own although it equals 1.
        if isinstance(part, bool) or not isinstance(part, (str, int)):
            raise TypeError(f"a random stream is named by text and whole numbers, not by {part!r}")
    return json.dumps(parts, separators=(",", ":")).encode("ascii")
