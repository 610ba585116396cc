"""The command as its users start it: exit codes, pipes, terminals that cannot show everything."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fairtrial

QUICK = ("--set", "data.train=500", "--set", "epochs=1")
"""A study of three widths small enough to be trained for real in a test."""


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "fairtrial", *words]


def environment(**changed: str) -> dict[str, str]:
    """This process's own, with the package under test, without a store of the developer's."""
    source = str(Path(fairtrial.__file__).parents[1])
    kept = {name: value for name, value in os.environ.items() if name != "FAIRTRIAL_STORE"}
    return {**kept, "PYTHONPATH": source, "COLUMNS": "80", **changed}


def call(*words: str, cwd: Path, **changed: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*words), cwd=cwd, env=environment(**changed), capture_output=True, timeout=120, check=False
    )


def test_help_imports_nothing_heavy_and_so_takes_a_moment(tmp_path: Path) -> None:
    """About a third of a second on a quiet machine; a shared one may run at half its speed."""
    program = (
        "import sys; sys.argv = ['fairtrial', '--help']\n"
        "from fairtrial.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'scipy', 'pydantic', 'numpy', 'sqlite3', 'pandas', 'ruamel'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    took: list[float] = []
    for _ in range(3):
        began = used()
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        took.append(used() - began)
        assert "run" in done.stdout
        assert done.stdout.splitlines()[-1] == "[]"
    assert min(took) < 1.0


def test_a_mistake_exits_2_without_a_traceback(tmp_path: Path) -> None:
    """As a shell sees it."""
    (tmp_path / "bad.yaml").write_text("schema: fairtrial/1\nname: [unclosed\n")
    done = call("check", "bad.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"bad.yaml" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("show", "course", "--json"), ("show", "course"), ("check", "course")])
def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    """`fairtrial show course | head` must end quietly."""
    with subprocess.Popen(
        command(*words), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert b"Traceback" not in complaint
    assert b"BrokenPipe" not in complaint


@pytest.mark.parametrize(
    "terminal",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1", "NO_COLOR": "1"},
        {"COLUMNS": "20", "TERM": "dumb"},
    ],
)
def test_no_terminal_is_too_poor(tmp_path: Path, terminal: dict[str, str]) -> None:
    """A character that a terminal cannot show must not cost the whole output.

    One process for all commands: how its output is encoded is settled before the command is known.
    """
    commands = (["--help"], ["list"], ["check", "course"], ["show", "course"], ["status", "course"])
    program = (
        "import sys\n"
        "from fairtrial.cli.app import main\n"
        f"for words in {commands}:\n"
        "    sys.argv = ['fairtrial', *words]\n"
        "    try: main()\n"
        "    except SystemExit as end: assert not end.code, (words, end.code)\n"
        "    print('== the end of', *words, flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(**terminal),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
    shown = done.stdout
    for words in commands:
        said, _, shown = shown.partition(f"== the end of {' '.join(words)}\n".encode())
        assert len(said) > 100, words


def test_a_real_run_prints_pure_json_and_its_progress_elsewhere(tmp_path: Path) -> None:
    """The whole way once, with real workers: file, data, training, store, answers."""
    done = call("run", "width", *QUICK, "--seeds", "1", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert [len(arm["trials"]) for arm in found["arms"]] == [1, 1, 1]
    assert [arm["trials"][0]["state"] for arm in found["arms"]] == ["finished"] * 3
    assert b"[3/3]" in done.stderr


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGINT, 130, "interrupted; nothing finished is lost. Go on with: "),
        (signal.SIGTERM, 143, "ended by SIGTERM; nothing finished is lost. Go on with: "),
    ],
)
def test_a_command_that_is_told_to_end_names_the_command_that_goes_on(
    tmp_path: Path, number: signal.Signals, status: int, said: str
) -> None:
    """Whoever interrupts wants to know what was lost (nothing) and how to go on; so does who reads a queue's log."""
    words = ("run", "width", "--set", "epochs=200", "--seeds", "3")
    with subprocess.Popen(
        command(*words), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        wait_for_running(tmp_path)
        process.send_signal(number)
        complaint = process.stderr.read().decode()
        code = process.wait(timeout=30)
    assert code == status
    assert said in complaint
    assert complaint.rstrip().endswith("run width --set epochs=200 --seeds 3")
    with contextlib.closing(sqlite3.connect(tmp_path / "fairtrial.db")) as store:
        assert store.execute("SELECT count(*) FROM claims").fetchone() == (0,), "nothing is left claimed"
    assert "Traceback" not in complaint


def wait_for_running(folder: Path) -> None:
    """Until a worker has claimed a trial of the long study."""
    for _ in range(600):
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(
                sqlite3.connect(f"{(folder / 'fairtrial.db').as_uri()}?mode=ro", uri=True)
            ) as store,
        ):
            if store.execute("SELECT count(*) FROM claims").fetchone() > (0,):
                return
        time.sleep(0.1)
    raise AssertionError("no trial was running after a while")


def test_ctrl_c_while_modules_are_imported_leaves_no_traceback(tmp_path: Path) -> None:
    """The first third of a second is spent on imports, and a mistyped command is taken back just then."""
    program = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from fairtrial.__main__ import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, b"")


@pytest.mark.parametrize(
    ("act", "status"),
    [
        ("exec('raise KeyboardInterrupt')", 130),
        ("swallow(KeyboardInterrupt()); time.sleep(20)", 130),
        ("swallow(Terminated(signal.SIGTERM)); time.sleep(20)", 143),
        ("atexit.register(os.kill, os.getpid(), signal.SIGINT)", 0),
        ("atexit.register(os.kill, os.getpid(), signal.SIGTERM)", 0),
    ],
)
def test_the_exit_status_is_the_commands_own_wherever_a_signal_finds_it(
    tmp_path: Path, act: str, status: int
) -> None:
    """Python by itself ends with the signal's status, or goes on as if there had been none."""
    (tmp_path / "commanded.py").write_text(
        "import atexit, os, signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import fairtrial.cli.app\n"
        "from fairtrial.__main__ import main\n"
        "from fairtrial.cli.endings import Terminated\n"
        "class Dying:\n"
        "    def __del__(self):\n"
        "        raise self.error\n"
        "def swallow(error):\n"
        "    one = Dying()\n"
        "    one.error = error\n"
        f"fairtrial.cli.app.main = lambda: exec({act!r})\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "commanded"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        timeout=15,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (status, "")
