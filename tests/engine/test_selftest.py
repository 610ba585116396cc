"""The self-test passes where trials repeat, and finds it where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess

from fairtrial.data.catalog import Dataset
from fairtrial.diagnosis import selftests
from fairtrial.diagnosis.finding import Finding
from fairtrial.trial import Event, Lost, Outcome
from fairtrial.wire import Order, TimingOrder

Tested = Callable[[type[InProcess]], dict[str, Finding]]


class OnOneWorkerOthers(InProcess):
    """As if sums were taken in another order when fewer trials run."""

    def events(self) -> Iterator[Event]:
        for event in super().events():
            if isinstance(event, Outcome) and self.workers == 1:
                metrics = {**event.metrics, "test_loss": event.metrics["test_loss"] + 1e-12}
                yield replace(event, metrics=metrics)
            else:
                yield event


class Forgetful(InProcess):
    """As if checkpoints could not be read."""

    def start(self, order: Order | TimingOrder) -> None:
        assert isinstance(order, Order)
        super().start(replace(order, checkpoint=""))


class Failing(InProcess):
    def events(self) -> Iterator[Event]:
        while self.orders:
            yield Lost(key=self.orders.popleft().key, state="failed", reason="out of memory", retry=False)


class Standstill(InProcess):
    """As if steps changed nothing: the loss stays where it was."""

    def events(self) -> Iterator[Event]:
        for event in super().events():
            if isinstance(event, Outcome):
                first = event.history[0].train_loss
                yield replace(
                    event, history=tuple(record._replace(train_loss=first) for record in event.history)
                )
            else:
                yield event


@pytest.fixture
def tested(mnist: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tested:
    """The self-test of one small network, trained here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(selftests, "ARMS", {"mlp": selftests.ARMS["mlp with adam"]})
    monkeypatch.setattr(selftests, "has_bfloat16", lambda: False)

    def run(kind: type[InProcess]) -> dict[str, Finding]:
        def executor(**options: Any) -> InProcess:
            return kind(mnist, **options)

        monkeypatch.setattr(selftests, "LocalExecutor", executor)
        return {one.name: one for one in selftests.findings()}

    return run


def test_a_machine_on_which_trials_repeat_passes(tested: Tested, tmp_path: Path) -> None:
    """Trained twice, interrupted and gone on with, stored and read; nothing of it where it was called."""
    (tmp_path / "fairtrial.db").write_bytes(b"whatever is there")
    found = tested(InProcess)
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(
        ("training", "determinism", "resume", "storing"), "ok"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["fairtrial.db"]
    assert (tmp_path / "fairtrial.db").read_bytes() == b"whatever is there"


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [
        (OnOneWorkerOthers, "determinism", "mlp, test_loss: stored"),
        (Forgetful, "resume", "it began anew, not from its checkpoint"),
        (Failing, "training", "mlp failed: out of memory"),
        (Standstill, "training", "mlp did not learn: its loss went from"),
    ],
)
def test_what_goes_wrong_is_found_and_named(
    kind: type[InProcess], wrong: str, said: str, tested: Tested
) -> None:
    """A self-test that cannot fail would be a comfort and nothing else."""
    found = tested(kind)
    assert found[wrong].state == "problem"
    assert said in found[wrong].text
    assert found[wrong].advice
