"""Inputs nobody would write, made from inputs somebody did: coverage says which of them to go on from."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import fairtrial

PACKAGE = str(Path(fairtrial.__file__).parent)
MOST_KEPT = 1000
LONGEST = 300_000
NUMBERS = (
    b"0", b"-1", b"1e400", b"-1e400", b"nan", b".nan", b"inf", b"9" * 19, b"9" * 400, b"9" * 5000, b"1e-400", b"0x" + b"f" * 300,
    b"2147483648", b"18446744073709551616", b"1_000", b"\xd9\xa1", b"1.", b".", b"-", b"+1", b"1e", b"true",
)  # fmt: skip
BYTES = (
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\r\n", b"\n", b"\t", b"\x1b[2J", b"\x85", b"\xe2\x80\xa8", b"\xed\xa0\x80",
    b"'", b'"', b"{", b"}", b"[", b"]", b":", b",", b"&a", b"*a", b"!!", b"%", b"#", b"|", b">", b"---", b"..", b"\\u0000", b"\\ud800",
)  # fmt: skip


@dataclass(slots=True)
class Seen:
    """Which line of the package followed which, over all inputs so far."""

    steps: set[tuple[str, int, int]] = field(default_factory=set)
    _new: int = 0

    def new_in(self, work: Callable[[], None]) -> bool:
        """Do it, and say whether it went a way that nothing went before."""
        before = len(self.steps)
        sys.settrace(self._called)
        try:
            work()
        finally:
            sys.settrace(None)
        return len(self.steps) > before

    def _called(self, frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(PACKAGE):
            return None
        last = 0

        def line(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal last
            if event == "line":
                self.steps.add((name, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line


@dataclass(slots=True)
class Corpus:
    """Inputs to go on from: the valid ones it began with, and whatever led somewhere new."""

    inputs: list[bytes]
    words: Sequence[bytes]
    rng: random.Random

    def keep(self, content: bytes) -> None:
        if len(self.inputs) < MOST_KEPT and len(content) < LONGEST:
            self.inputs.append(content)

    def another(self) -> bytes:
        """One of them, changed in one to a few places."""
        content = bytearray(self.rng.choice(self.inputs))
        for _ in range(self.rng.choice((1, 1, 1, 2, 3, 6))):
            self._change(content)
        return bytes(content[:LONGEST])

    def _change(self, content: bytearray) -> None:
        rng, size = self.rng, len(content)
        start = rng.randrange(size + 1)
        end = min(size, start + rng.choice((0, 1, 1, 2, 4, 8, 64, 512, 4096)))
        match rng.randrange(10):
            case 0:
                del content[start:end]
            case 1:
                del content[start:]
            case 2 if end > start:
                content[start] ^= 1 << rng.randrange(8)
            case 3:
                content[start:end] = rng.randbytes(end - start)
            case 4:
                content[start:start] = content[start:end] * rng.choice((1, 1, 2, 50))
            case 5:
                content[start:end] = rng.choice(NUMBERS)
            case 6:
                content[start:start] = rng.choice(BYTES) * rng.choice((1, 1, 1, 3, 100))
            case 7 if self.words:
                content[start:end] = rng.choice(self.words)
            case 8:
                self._number(content)
            case _:
                other = rng.choice(self.inputs)
                at = rng.randrange(len(other) + 1)
                content[start:end] = other[at : at + rng.choice((1, 8, 64, 512))]

    def _number(self, content: bytearray) -> None:
        """Another number in place of one that is written there, in digits or in bytes."""
        digits = [at for at, one in enumerate(content[:LONGEST]) if 48 <= one <= 57]
        if digits:
            at = self.rng.choice(digits)
            content[at : at + 1] = self.rng.choice((*NUMBERS, b"%d" % self.rng.randrange(1000)))
        elif len(content) >= 4:
            at = self.rng.randrange(len(content) - 3)
            content[at : at + 4] = self.rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"))
