"""Finds a better value, then confirms it on fresh seeds."""

from __future__ import annotations

from fairtrial.searching.running import SearchReport, search

__all__ = ["SearchReport", "search"]
