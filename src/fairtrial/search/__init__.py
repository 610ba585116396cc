"""Finds a better value, then confirms it on fresh seeds."""

from __future__ import annotations

from fairtrial.search.running import SearchReport, search

__all__ = ["SearchReport", "search"]
