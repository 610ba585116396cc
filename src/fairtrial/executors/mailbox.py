"""What attempts on other machines tell while they go on, gathered in one place for whoever waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message of an attempt that goes on: an event's line with its place among them, or a checkpoint."""

    place: int = 0
    line: str = ""
    checkpoint: bytes = b""
    node: str = ""


class Mailbox:
    """One question asks it for all that was told, however many attempts go on. Nothing final passes through it."""

    def __init__(self) -> None:
        self._told: list[tuple[int, Told]] = []
        self._news = asyncio.Event()

    async def put(self, number: int, told: Told) -> None:
        """Attempt `number` tells something."""
        self._told.append((number, told))
        self._news.set()

    async def take(self, seconds: float) -> list[tuple[int, Told]]:
        """Everything since the last time; waits for the first so long, and has nothing then."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return []
        told, self._told = self._told, []
        self._news.clear()
        return told
