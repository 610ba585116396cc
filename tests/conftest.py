"""The order of the tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last they would leave the other cores without work."""
    items.sort(key=lambda item: "processes" not in item.path.parts)
