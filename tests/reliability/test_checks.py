"""The checks that a campaign rests on notice what they are there to notice."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from benchmarks.growing import stores
from reliability.case import Found
from reliability.faults import FAULTS
from reliability.kills import Tally
from reliability.kinds import KINDS
from reliability.nightly import State, report
from reliability.sound import NOTHING, Contents, complain_of_loss, contents

from fairtrial.errors import FairtrialError
from fairtrial.report.marked import surroundings
from fairtrial.store import Store
from reliability import kills, load, places


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of eight made-up trials: four seeds of two arms."""
    monkeypatch.setattr(stores, "SEEDS", 4)
    with Store.open(tmp_path / "store.db") as store:
        stores.fill(store, stores.made(8))
    return tmp_path / "store.db"


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def complaints(now: Contents, whole: Contents) -> list[str]:
    found: list[str] = []
    complain_of_loss(now, before=NOTHING, told=list(whole.trials), whole=whole, complaints=found)
    return found


def test_a_trial_that_is_gone_and_one_with_another_bit_are_complained_of(path: Path) -> None:
    """A campaign that cannot see a loss would report none, whatever happened."""
    wrong: list[str] = []
    whole = contents(path, wrong)
    assert (whole.done, wrong) == (8, [])
    assert complaints(whole, whole) == []
    change(
        path,
        "UPDATE trials SET test_loss = test_loss + 1e-9 WHERE seed = 2 AND arm_key = (SELECT max(arm_key) FROM arms)",
    )
    assert len(complaints(contents(path, wrong), whole)) == 1
    change(path, "DELETE FROM trials WHERE seed = 3")
    after = complaints(contents(path, wrong), whole)
    assert sum("which the user was told is done" in one for one in after) == 2
    assert wrong, "epochs without their trial are half a trial"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM epochs WHERE epoch = 2",
        "DELETE FROM predictions",
        "UPDATE epochs SET train_loss = 7 WHERE epoch = 1",
    ],
)
def test_half_a_trial_and_other_epochs_are_complained_of(path: Path, statement: str) -> None:
    """The row of a trial alone would still look whole."""
    wrong: list[str] = []
    whole = contents(path, wrong)
    change(path, statement)
    now = contents(path, wrong)
    assert wrong or complaints(now, whole)


def test_damage_to_the_file_is_complained_of(path: Path) -> None:
    """`integrity_check` is asked, and its answer is heard."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'trials_by_arm'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[root * size - 8 : root * size] = b"damaged!"
    path.write_bytes(content)
    wrong: list[str] = []
    contents(path, wrong)
    assert any(one.startswith("integrity_check") for one in wrong)


def test_a_state_goes_on_where_it_ended_and_only_with_its_own_seed(tmp_path: Path) -> None:
    """Two hundred kills take longer than one call may."""
    state = State(
        seed=3, tally=Tally(studies=2), found={"full_disk": Found(fault="full", finished=4, kept=3)}
    )
    state.tally.kills[KINDS[0].name] = 5
    state.keep(tmp_path / "state.json")
    assert State.read(tmp_path / "state.json", seed=3) == state
    with pytest.raises(FairtrialError, match="was begun with --seed 3, not 4"):
        State.read(tmp_path / "state.json", seed=4)


def test_the_report_says_what_was_done_what_was_not_and_what_is_wrong() -> None:
    """A fault that this machine does not permit must not look like one that was survived."""
    state = State(seed=1, not_here={"full_disk": "needs root"})
    state.found["locked_store"] = Found(
        fault="Locked.", way="a lock", told="store /somewhere/store.db: locked", finished=3, kept=3
    )
    state.tally.kills[KINDS[0].name] = 7
    told = "\n".join(report(state))
    assert f"| {KINDS[0].name} | 7 | 0 | 0 |" in told
    assert "| Locked. | a lock | 3 of 3 | `store store.db: locked` |" in told
    assert "| full disk | not possible here: needs root | - | - |" in told
    assert told.count("not tried yet") == len(FAULTS) - 2
    assert told.endswith(
        "Lost: 0; trained twice: 0; different from an undisturbed run: 0; complaints of any kind: 0."
    )
    broken = replace(state, tally=replace(state.tally, complaints=["lost: one", "trained twice: two"]))
    assert list(report(broken))[-1].startswith(
        "Lost: 1; trained twice: 1; different from an undisturbed run: 0;"
    )


@pytest.mark.parametrize(
    ("lines", "code", "silent"),
    [
        ([], -2, True),  # Python had not even a handler
        ([], -11, False),  # nobody asks for that
        ([], 1, False),
        (
            ["Traceback (most recent call last):", '  File "<frozen site>", line 616', "KeyboardInterrupt"],
            1,
            True,
        ),
        (
            [
                "Traceback (most recent call last):",
                '  File "/src/fairtrial/cli/app.py", line 3',
                "KeyboardInterrupt",
            ],
            1,
            False,
        ),
        (["[1/8] narrow seed 1: validation accuracy 80.00 %, 1.0 s"], -2, False),
        (["[1/8] narrow seed 1: validation accuracy 80.00 %, 1.0 s"], 130, False),
        (["", "interrupted; nothing finished is lost. Go on with: fairtrial run x"], 130, True),
        (["", "interrupted; nothing finished is lost. Go on with: fairtrial run x"], -2, False),
    ],
)
def test_ctrl_c_must_be_told_and_have_its_status_once_there_is_something_that_can(
    lines: list[str], code: int, silent: bool
) -> None:
    """A signal may find Python itself; from then on nothing is excused."""
    command = cast(Any, SimpleNamespace(lines=lines, errors="\n".join(lines), process=SimpleNamespace(pid=1)))
    command.finished = [("narrow", 1)] if any(line.startswith("[1/8]") for line in lines) else []
    tally = Tally()
    ctrl_c = next(kind for kind in KINDS if "Ctrl-C" in kind.name)
    kills._complain_of_words(command, [ctrl_c], code, NOTHING, NOTHING, owed=False, tally=tally)  # pyright: ignore[reportPrivateUsage]
    assert bool(tally.complaints) is not silent


@pytest.mark.slow
def test_two_processes_on_one_store_share_the_queue_and_what_they_do_is_counted(tmp_path: Path) -> None:
    """The figures of `scripts/load`, small: every trial once, and a complaint where one is missing."""
    asked = load.Load(stored=100, queued=100, processes=2)
    full = tmp_path / "full.db"
    assert load.fill(full, asked.stored, seconds=None) == 0
    found = load.measure(asked, full, tmp_path)
    assert found["complaints"] == []
    assert sum(found["shares"]) == 100
    assert found["peak_bytes"] > 2**25 and found["slowest"] > 0
    assert any("0, 0" in line for line in load.report(asked, found))
    change(tmp_path / "load.db", "DELETE FROM trials WHERE rowid = 1")
    assert load.whole(tmp_path / "load.db", 200)[0].startswith("trials: 199, expected 200")


def test_a_small_disk_is_full_when_it_is_filled(tmp_path: Path) -> None:
    """Where disks cannot be mounted the place says so: it never stands for a test that passed."""
    try:
        with places.small_disk(tmp_path / "disk", megabytes=1):
            places.fill(tmp_path / "disk")
            with (
                pytest.raises(OSError, match="No space left"),
                (tmp_path / "disk" / "more").open("wb") as file,
            ):
                file.write(bytes(10_000))
    except places.NotHere as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("block", ["faults", "load", "fuzz"])
def test_the_page_has_a_place_for_each_commands_figures(block: str) -> None:
    """`--write` is refused without one, after half an hour of kills if nobody had looked before."""
    before, after = surroundings(Path(__file__).parents[2] / "docs" / "reliability.md", block)
    assert before.count("## ") > 0 and after.startswith("<!-- ")


def test_a_campaign_ends_with_the_kills_that_were_asked_for_and_repeats_no_study(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two studies side by side must neither share their moments nor kill once too often."""
    drawn: list[float] = []

    def study(*given: Any, rng: random.Random, most: int, until: float) -> None:
        drawn.append(rng.random())
        given[2].kills[KINDS[0].name] += min(most, 3)
        given[2].sentences[KINDS[0].name] = "killed"

    monkeypatch.setattr(kills, "_one_study", study)
    tally, said = Tally(), list[str]()
    for wanted in (10, 7):  # in two pieces
        kills.kill_at_random(cast("Any", None), tally, kills=wanted, seed=1, say=said.append, seconds=60)
    assert tally.total == 17
    assert tally.studies == len(drawn) == len(set(drawn)) == len(said)
    assert Tally.of(tally.as_dict()) == tally


def words(
    *said: str, kinds: tuple[int, ...] = (), code: int = 0, pid: int = 7, claimed: int = 0, failed: int = 0
) -> Tally:
    """What is counted and complained of where a command said this after these kills."""
    command: Any = SimpleNamespace(
        lines=list(said), errors="\n".join(said), finished=[("narrow", 1)], process=SimpleNamespace(pid=pid)
    )
    now = Contents(trials={}, claimed_by=frozenset({claimed}), attempts=failed)
    tally = Tally()
    kills._complain_of_words(
        command, [KINDS[one] for one in kinds], code, now, NOTHING, owed=False, tally=tally
    )
    return tally


def test_what_the_user_was_not_told_is_complained_of() -> None:
    """Nothing lost and nothing said is half of the promise."""
    line = "narrow seed 2: failed: the worker was killed by SIGKILL (perhaps ...); it is tried again"
    told = words(line, kinds=(0, 0), failed=1)
    assert (told.told.total(), told.nothing_to_tell.total(), told.complaints) == (1, 1, [])
    assert words(kinds=(0,), failed=1).complaints == ["1 attempts failed and 0 were told"]
    assert "nobody was told" in words("[1] narrow seed 1: validation", kinds=(4,), code=143).complaints[0]
    ended = words(
        "ended by SIGTERM; nothing finished is lost. Go on with: fairtrial run", kinds=(4,), code=143
    )
    assert (ended.told.total(), ended.complaints) == (1, [])
    assert words(kinds=(3,), code=-9, claimed=7).told.total() == 1
    assert words(kinds=(3,), code=-9).nothing_to_tell.total() == 1
    assert words(kinds=(2,)).unnoticed == 1
    assert "a traceback was shown" in words("Traceback (most recent call last):").complaints[0]
    assert "exit status 1" in words(code=1).complaints[0]
