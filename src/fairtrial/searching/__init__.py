"""What follows from selections: searches, arms tuned first, improvements put together; each judged where it was not chosen."""

from __future__ import annotations

from fairtrial.searching.running import SearchReport, search

__all__ = ["SearchReport", "search"]
