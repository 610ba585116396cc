"""Whether this installation, this machine and a store can be relied on, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from fairtrial.diagnosis.finding import Diagnosis, Finding, State

__all__ = ["Diagnosis", "Finding", "State", "diagnose"]


def diagnose(
    store: Path, *, selftest: bool = False, on_step: Callable[[str], None] = lambda _: None
) -> Diagnosis:
    """Everything about environment, machine, data and the store; `on_step` is told what is looked at next."""
    return Diagnosis(findings=tuple(_findings(store, selftest=selftest, on_step=on_step)))


def _findings(store: Path, *, selftest: bool, on_step: Callable[[str], None]) -> Iterator[Finding]:
    from fairtrial.diagnosis import data, environment, machine, stores

    on_step("looking at environment and machine")
    yield from environment.findings()
    yield from machine.findings(store)
    on_step("looking at data")
    yield from data.findings()
    on_step(f"looking at store {store}")
    yield from stores.findings(store)
    if selftest:
        from fairtrial.diagnosis import selftests

        yield from selftests.findings(on_step=on_step)
