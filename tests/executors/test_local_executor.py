"""What is this machine's own executor's alone: its cores, its files, how its workers start and end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from orders import outcome_of, trial

from fairtrial.errors import ExecutorError
from fairtrial.executors import local
from fairtrial.executors.local import LocalExecutor
from fairtrial.wire import Order, decode_order, encode_order


def test_files_of_the_users_do_not_stand_in_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People keep a random.py and a fairtrial.py beside their study, and Python looks there first."""
    for name in ("random", "queue", "torch", "fairtrial"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    with LocalExecutor(workers=1) as executor:
        executor.start(Order(trial=trial()))
        assert outcome_of(list(executor.events()), trial().key).state == "finished"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no such limits elsewhere")
@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("(2**31, 2**31)", "the 2.0 GiB that a process may use here (`ulimit`)"),
        ("(-1, -1)", "GiB of this machine"),
    ],
)
def test_the_memory_that_is_named_is_what_the_worker_may_use(limit: str, said: str) -> None:
    """Told of the machine's 64 GiB, nobody on a shared one would look for the limit of 2 that was hit."""
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_DATA, {limit})\n"
        "from fairtrial.engine import process\n"
        "process.bound_memory(); print(process.memory_in_words())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said in done.stdout


def test_a_worker_that_cannot_start_is_an_error_and_no_trials_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation must stop the run at once, not fail every trial three times."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with LocalExecutor(workers=1) as broken:
        broken.start(Order(trial=trial()))
        with pytest.raises(ExecutorError, match="no worker can start"):
            list(broken.events())


def test_workers_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    """kill -9 of the parent must not leave trainings behind that nobody records."""
    program = (
        "import sys\n"
        "from fairtrial.executors.local import LocalExecutor\n"
        "from fairtrial.wire import Order, decode_order\n"
        "executor = LocalExecutor(workers=1)\n"
        "executor.start(Order(trial=decode_order(sys.argv[1]).trial))\n"
        "for event in executor.events():\n"
        "    print(executor._pool[0].process.pid, flush=True)\n"
    )
    order = encode_order(Order(trial=trial(epochs=100_000)))
    parent = subprocess.Popen([sys.executable, "-c", program, order], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    for _ in range(20):
        parent.stdout.readline()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(worker)


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_worker_of_another_version_says_so() -> None:
    """Two versions of fairtrial on one machine must not mix their numbers under one key."""
    line = encode_order(Order(trial=trial())).replace(trial().key, "0" * 64)
    with pytest.raises(ExecutorError, match="another version"):
        decode_order(line)


def test_there_is_a_worker_for_each_core_and_none_for_its_second_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two trials on the two threads of one core would each take nearly twice as long."""
    pairs = {0: {0, 2}, 1: {1, 3}, 2: {0, 2}, 3: {1, 3}}
    monkeypatch.setattr(local, "siblings", pairs.__getitem__)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert local.available_cores() == [0, 1]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3}, raising=False)
    assert local.available_cores() == [2, 3]
