"""What holds for all tests: Ctrl-C can be sent, the longest come first."""

from __future__ import annotations

import signal

import pytest


def pytest_configure() -> None:
    """Shells start what runs in the background with Ctrl-C ignored, and so would be all that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last they would leave the other cores without work."""
    items.sort(key=lambda item: "processes" not in item.path.parts)
