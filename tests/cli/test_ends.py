"""How a command ends that the machine lets down, and what the next one says of it."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest
from typer.testing import Result

import fairtrial.cli.app as commands
from fairtrial.cli.endings import Terminated, raise_when_told_to_end
from fairtrial.cli.running import after_an_end_from_outside
from fairtrial.engine.precision import resolve
from fairtrial.store import Store
from fairtrial.store.owner import this_process
from fairtrial.study import studyfile
from fairtrial.trial import Trial

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (
            MemoryError(),
            2,
            "fairtrial: out of memory; nothing finished is lost. End other programs or raise the limit",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "somewhere"),
            2,
            "fairtrial: somewhere: No space left on device; nothing finished is lost. Once that is mended, go on with:",
        ),
        (Terminated(signal.SIGHUP), 129, "ended by SIGHUP; nothing finished is lost. Go on with:"),
    ],
)
def test_a_machine_that_fails_is_told_in_a_sentence(
    fairtrial: Run, monkeypatch: pytest.MonkeyPatch, fault: BaseException, status: int, said: str
) -> None:
    """A traceback frightens, and does not say that the night's trials are all there."""

    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(commands, "load", fails)
    done = fairtrial("run", "width")
    assert done.exit_code == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_to_end_is_an_exception_once_and_the_systems_own_way_the_second_time() -> None:
    """The first lets the store be closed; whoever sends it again does not want to wait for that."""
    usual = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        raise_when_told_to_end()
        with pytest.raises(Terminated, match="SIGTERM") as ended:
            os.kill(os.getpid(), signal.SIGTERM)
        assert ended.value.status == 143
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise_when_told_to_end()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN, "nohup means it"
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_the_run_after_one_that_was_killed_says_what_became_of_it(fairtrial: Run) -> None:
    """Nobody can speak after kill -9 or a power cut, and its user wonders what is lost."""
    first = Trial(arm=studyfile.load("width").arms["width-50"], seed=1, precision=resolve("auto"))
    dead = replace(this_process(), started="before", pid=4711)
    Store.open("fairtrial.db", owner=dead).claim(first)
    said = fairtrial("run", "width", "--seeds", "1").stderr
    assert said.splitlines()[0] == (
        "note: an earlier run (process 4711) was ended from outside in the midst of 1 trial; nothing finished was "
        "lost, and this run trains what is missing"
    )
    assert "note:" not in fairtrial("run", "width", "--seeds", "2").stderr
    with Store.open("fairtrial.db") as store:
        assert after_an_end_from_outside(store, [first.key]) == ""
