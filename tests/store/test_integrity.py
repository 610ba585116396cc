"""A store is looked through as it lies there: what is wrong is named, and nothing is written."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from make_store_fixture import MOMENT, fill
from safetensors.numpy import save_file
from store_samples import finished, trial_of

from fairtrial.diagnosis import stores
from fairtrial.diagnosis.finding import Finding
from fairtrial.engine.saved_weights import fingerprint
from fairtrial.errors import StoreError
from fairtrial.store import Claim, Store
from fairtrial.store.integrity import inspect, sqlite_version
from fairtrial.store.migrations import newest
from fairtrial.store.places import checkpoint_path, weights_path

KEPT = Path(__file__).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with everything in it, and no open claim."""
    made = tmp_path / "fairtrial.db"
    with Store.open(made, now=lambda: MOMENT) as store:
        fill(store)
    return made


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        for statement in statements:
            opened.execute(statement)


def said(path: Path) -> dict[str, Finding]:
    return {one.name: one for one in stores.findings(path)}


def test_a_whole_store_has_no_faults_and_is_not_touched(path: Path) -> None:
    """Looking must not change what is looked at."""
    before = path.read_bytes()
    found = inspect(path)
    assert (found.version, found.trials, found.arms, found.faults) == (newest(), 3, 2, ())
    assert path.read_bytes() == before
    assert {one.state for one in said(path).values() if one.name.startswith("store")} == {"ok"}


@pytest.mark.parametrize("number", range(1, newest() + 1))
def test_stores_of_every_version_are_looked_through_without_an_upgrade(number: int, tmp_path: Path) -> None:
    """Keys have been made in one way from the first version on; a store is upgraded by who uses it, not by who looks."""
    old = tmp_path / "old.db"
    if (KEPT / f"v{number}.db").exists():
        old.write_bytes((KEPT / f"v{number}.db").read_bytes())
    else:
        with closing(sqlite3.connect(old)) as opened:
            opened.executescript((KEPT / f"v{number}.sql").read_text(encoding="utf-8"))
    before = old.read_bytes()
    found = inspect(old)
    assert (found.version, found.faults) == (number, ())
    assert old.read_bytes() == before
    assert said(old)["store"].state == ("ok" if number == newest() else "warning")


@pytest.mark.parametrize(
    ("statements", "what", "text"),
    [
        (["DELETE FROM arms"], "references", "trials without its arms"),
        (["DELETE FROM epochs WHERE epoch = 2"], "epochs", "without all of its epochs"),
        (["UPDATE trials SET seed = 77 WHERE seed = 2"], "keys", "1 trial"),
        (["UPDATE arms SET precision = 'bfloat16'"], "keys", "3 trials"),
        (["UPDATE trials SET engine_version = 1"], "keys", "3 trials"),
    ],
    ids=["arms gone", "epochs gone", "another seed", "another precision", "another engine"],
)
def test_rows_that_were_changed_are_a_problem(
    statements: list[str], what: str, text: str, path: Path
) -> None:
    """A store is plain SQLite, and anybody can change it; a trial's key is the digest of what it claims to be."""
    change(path, "PRAGMA foreign_keys = OFF", *statements)
    faults = {fault.what: fault.text for fault in inspect(path).faults}
    assert text in faults[what]
    assert said(path)[f"store {what}"].state == "problem"


def test_a_damaged_page_is_found_and_no_row_is_believed(path: Path) -> None:
    """Disks and copies go wrong; SQLite notices some of it only when it happens to read there."""
    with closing(sqlite3.connect(path)) as opened:
        (page,) = opened.execute("PRAGMA page_size").fetchone()
        (root,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'trials_by_arm'").fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * page + 100 : root * page] = b"\x5a" * (page - 100)
    path.write_bytes(content)
    (fault,) = inspect(path).faults
    assert fault.what == "structure"
    (problem,) = [one for one in said(path).values() if one.state == "problem"]
    assert "restore a copy" in problem.advice


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: path.write_text("no database"), "not even a database"),
        (lambda path: change(path, "CREATE TABLE notes (x)"), "database of another program"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
    ids=["text", "foreign", "folder"],
)
def test_what_is_no_store_is_said_to_be_none(
    make: Callable[[Path], object], text: str, tmp_path: Path
) -> None:
    """As whoever opens it would say."""
    wrong = tmp_path / "wrong.db"
    make(wrong)
    with pytest.raises(StoreError, match=text):
        inspect(wrong)
    (finding,) = stores.findings(wrong)
    assert (finding.state, text in finding.text) == ("problem", True)


def test_a_store_that_is_not_there_yet_is_well(tmp_path: Path) -> None:
    """The first thing somebody may call after installing."""
    (finding,) = stores.findings(tmp_path / "fairtrial.db")
    assert (finding.state, "not there yet" in finding.text) == ("ok", True)
    assert not list(tmp_path.iterdir())


def weights(path: Path, seed: int) -> Path:
    """Record a trial with its weights beside the store; returns their file."""
    trial, tensors = trial_of(seed), {"dense-1/kernel": np.full((2, 3), float(seed), np.float32)}
    outcome = finished(trial)
    with Store.open(path) as store:
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record(claim, outcome, trial=trial, weights=True)
    change(path, f"UPDATE trials SET weights_sha256 = '{fingerprint(tensors)}' WHERE key = '{trial.key}'")
    file = weights_path(path, trial.key)
    file.parent.mkdir(exist_ok=True)
    save_file(tensors, file)
    return file


def test_weights_are_there_whole_and_of_their_trial(path: Path) -> None:
    """Of the samples' own trial the weights were never saved: that is a warning, since no answer needs them."""
    files = [weights(path, seed) for seed in (11, 12, 13)]
    assert said(path)["weights"].state == "warning"
    assert "1 file" in said(path)["weights"].text and "of 4 is not there" in said(path)["weights"].text
    change(path, "UPDATE trials SET weights_saved = 0 WHERE seed = 1")
    assert said(path)["weights"].text == "3 files, each the weights of its trial."
    files[0].write_bytes(files[1].read_bytes())
    files[2].write_bytes(files[2].read_bytes()[:-5])
    found = said(path)["weights"]
    assert (found.state, found.text.startswith("2 files")) == ("problem", True)
    assert found.facts == {"damaged": sorted(map(str, (files[0], files[2])))}


def test_files_that_belong_to_no_trial_are_named_and_those_of_a_training_are_not(path: Path) -> None:
    """A kill leaves half-written weights; a trial in training has its files before it has its row."""
    change(path, "UPDATE trials SET weights_saved = 0")
    training = trial_of(20)
    with Store.open(path) as store:
        assert isinstance(store.claim(training), Claim)
        stray = weights_path(path, "a" * 64)
        part = stray.with_name(f"{trial_of(1).key}.safetensors.77.part")
        stray.parent.mkdir()
        checkpoint_path(path, "x").parent.mkdir()
        for file in (
            stray,
            part,
            weights_path(path, training.key),
            checkpoint_path(path, training.key),
            checkpoint_path(path, trial_of(1).key),
            checkpoint_path(path, trial_of(3).key),
        ):
            file.write_bytes(b"x")
        found = inspect(path)
    assert set(found.strays) == {stray, part}
    assert found.leftover == (checkpoint_path(path, trial_of(1).key),)
    assert {name: one.state for name, one in said(path).items() if one.state != "ok"} == {
        "stray weights": "warning",
        "checkpoints": "warning",
    }


def faults(path: Path) -> dict[str, str]:
    return {fault.what: fault.text for fault in inspect(path).faults}


def test_what_is_wrong_is_counted_and_the_first_are_named(path: Path) -> None:
    """Of a thousand trials nobody reads a thousand keys."""
    for seed in range(20, 24):
        with Store.open(path) as store:
            claim = store.claim(trial_of(seed))
            assert isinstance(claim, Claim)
            store.record(claim, finished(trial_of(seed)), trial=trial_of(seed), weights=False)
    with closing(sqlite3.connect(path)) as opened:
        keys = [row[0] for row in opened.execute("SELECT key FROM trials")]
    change(path, "UPDATE trials SET epochs = epochs + 1")
    text = faults(path)["epochs"]
    assert re.fullmatch(
        r"7 trials \(([0-9a-f]{12}, ){4}[0-9a-f]{12} and 2 more\) without all of its epochs", text
    )
    assert len({one for one in keys if one[:12] in text}) == 5
    change(path, f"UPDATE trials SET epochs = epochs - 1 WHERE key IN ('{keys[0]}', '{keys[1]}')")
    text = faults(path)["epochs"]
    assert (
        text.startswith("5 trials (") and text.endswith(") without all of its epochs") and "more" not in text
    )
    change(path, f"UPDATE trials SET epochs = epochs - 1 WHERE key <> '{keys[5]}'")
    change(path, f"UPDATE trials SET epochs = epochs + 1 WHERE key IN ('{keys[0]}', '{keys[1]}')")
    assert faults(path) == {"epochs": f"1 trial ({keys[5][:12]}) without all of its epochs"}


def test_rows_without_those_they_refer_to_are_told_by_their_tables(path: Path) -> None:
    """Which table was changed says what was done to the store."""
    change(path, "PRAGMA foreign_keys = OFF", "DELETE FROM arms", "DELETE FROM verdicts")
    with closing(sqlite3.connect(path)) as opened:
        broken = opened.execute("PRAGMA foreign_key_check").fetchall()
    assert faults(path)["references"] == (
        f"{len(broken)} rows refer to others that are not there (attempts without its arms, looks without its verdicts, "
        "pairs without its arms, trials without its arms)"
    )


def test_trials_of_two_engines_under_one_arm_are_each_held_against_their_own(path: Path) -> None:
    """After an upgrade both lie side by side, and neither is wrong."""
    key = trial_of(2).key
    change(path, "PRAGMA foreign_keys = OFF", "UPDATE trials SET engine_version = 1 WHERE seed = 2")
    assert faults(path) == {
        "keys": f"1 trial ({key[:12]}) under a key that does not follow from its settings"
    }


def test_an_inspection_tells_what_there_is(path: Path, tmp_path: Path) -> None:
    """The weights that are known of, and how much room the store takes, the log beside it included."""
    trial = trial_of(1)
    found = inspect(path)
    assert found.expected == ((weights_path(path, trial.key), finished(trial).weights_sha256),)
    assert (found.newest, found.size) == (newest(), path.stat().st_size)
    change(path, "UPDATE trials SET weights_saved = 1 WHERE weights_sha256 = ''")
    assert inspect(path).expected == found.expected, "what has no weights has none to be expected"
    with Store.open(path) as store:
        claim = store.claim(trial_of(30))
        assert isinstance(claim, Claim)
        log = path.with_name("fairtrial.db-wal").stat().st_size
        assert log and inspect(path).size == path.stat().st_size + log
    empty = tmp_path / "empty.db"
    empty.touch()
    nothing = inspect(empty)
    assert (nothing.version, nothing.trials, nothing.arms, nothing.faults, nothing.expected) == (
        0,
        0,
        0,
        (),
        (),
    )


def test_nothing_is_read_out_of_a_damaged_file(path: Path) -> None:
    """Its rows are not worth reading, and it is closed again."""
    with closing(sqlite3.connect(path)) as opened:
        (page,) = opened.execute("PRAGMA page_size").fetchone()
        (root,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'trials_by_arm'").fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * page + 100 : root * page] = b"\x5a" * (page - 100)
    path.write_bytes(content)
    weights_path(path, "a" * 64).parent.mkdir()
    weights_path(path, "a" * 64).write_bytes(b"x")
    found = inspect(path)
    assert (found.trials, found.arms, found.expected, found.strays, found.leftover) == (0, 0, (), (), ())
    (fault,) = found.faults
    assert (
        fault.text.startswith("SQLite's integrity check finds: ")
        and "; row 1 missing from index" in fault.text
    )


def test_a_store_is_looked_through_where_nothing_can_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's, on a shared disk: SQLite would make files beside it even to read it."""
    opened: list[sqlite3.Connection] = []
    places: list[tuple[str, object]] = []
    connect = sqlite3.connect

    def noted(where: object, **more: object) -> sqlite3.Connection:
        places.append((str(where), more.get("uri")))
        opened.append(connect(where, **more))  # pyright: ignore[reportArgumentType, reportCallIssue]
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    allowed = inspect(path)
    assert places == [(f"file:{path}?mode=ro", True)], "itself, and not to be written"
    before = sorted(path.parent.iterdir())
    monkeypatch.setattr("os.access", lambda place, mode: False)
    places.clear()
    assert inspect(path) == allowed
    assert places[0] == (f"file:{path}?mode=ro", True), "to be copied"
    assert str(path.parent) not in places[-1][0] and places[-1][0].endswith(path.name), "the copy"
    for one in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            one.execute("SELECT 1")
    assert sorted(path.parent.iterdir()) == before


def test_half_written_weights_are_strays_and_folders_are_none(path: Path) -> None:
    """Of a trial that has its weights, too; what else somebody keeps there is none of ours."""
    key = trial_of(1).key
    whole = weights_path(path, key)
    part = whole.with_name(f"{key}.safetensors.77.part")
    unsaved = weights_path(path, trial_of(2).key)
    (whole.parent / "folder").mkdir(parents=True)
    for file in (whole, part, unsaved):
        file.write_bytes(b"x")
    strays = tuple(sorted((part, unsaved)))
    assert inspect(path).strays == strays
    with Store.open(path) as store:
        claim = store.claim(trial_of(40))
        assert isinstance(claim, Claim)
        weights_path(path, trial_of(40).key).write_bytes(b"x")
        assert inspect(path).strays == strays
    left = checkpoint_path(path, f"{key}.77.part")
    left.parent.mkdir()
    left.write_bytes(b"x")
    assert inspect(path).leftover == (left,)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Looking into a mistyped name must not leave a store there."""
    with pytest.raises(StoreError, match=r"there is no store here yet; `fairtrial run STUDY` makes one"):
        inspect(tmp_path / "none.db")
    assert not list(tmp_path.iterdir())


def test_the_oldest_sqlite_that_will_do_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `doctor` says is what opening a store goes by."""
    for version, expected in (((3, 37, 0), True), ((3, 36, 9), False), ((3, 40, 1), True)):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        assert sqlite_version() == (sqlite3.sqlite_version, expected)
