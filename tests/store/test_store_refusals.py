"""What is not a store of ours is refused in words, before anything is changed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_samples import finished, trial_of

from fairtrial.errors import StoreError
from fairtrial.store import Claim, Store
from fairtrial.store.migrations import newest

SCRIPT = Path(__file__).with_name("store_child.py")


def refusal(path: Path, *, create: bool = True) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(path, create=create)
    said = str(caught.value)
    assert said.startswith(str(path)), "it names the file"
    assert "\n" not in said
    return said


@pytest.mark.parametrize("content", [b"name: width\n", b"\x00", bytes(5000), b"SQLite format 2\x00" * 300])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """`--store course.yaml` is a slip of the fingers; it must not cost the study file."""
    path = tmp_path / "course.yaml"
    path.write_bytes(content)
    assert "not a fairtrial store (not even a database); choose another --store" in refusal(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "trace", ["CREATE TABLE notes (x)", "PRAGMA user_version = 3", "PRAGMA application_id = 9"]
)
def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, trace: str) -> None:
    """Tables of ours in a browser's history would harm both."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute(trace)
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert "database of another program" in refusal(path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_fairtrial_is_refused(tmp_path: Path) -> None:
    """An older program would not know what the newer one means by its columns."""
    path = tmp_path / "fairtrial.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {newest() + 1}")
    connection.close()
    said = refusal(path)
    assert "newer fairtrial" in said
    assert f"store version {newest() + 1}; this one knows up to {newest()}" in said


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """`--store results/` is a natural guess; the message shows the right form."""
    assert "is a folder; a store is a file, for example" in refusal(tmp_path)


def test_a_path_without_its_folder_is_refused(tmp_path: Path) -> None:
    """Making folders for a mistyped path would hide the outcomes in it."""
    said = refusal(tmp_path / "reslts" / "fairtrial.db")
    assert f"there is no folder {tmp_path / 'reslts'}" in said
    assert not (tmp_path / "reslts").exists()


def test_a_missing_store_is_made_only_when_that_was_asked(tmp_path: Path) -> None:
    """Asking for the answers in a wrong folder must not leave an empty store there."""
    path = tmp_path / "fairtrial.db"
    assert "there is no store here yet; `fairtrial run STUDY` makes one" in refusal(path, create=False)
    assert not path.exists()
    Store.open(path).close()
    Store.open(path, create=False).close()


def test_what_a_process_killed_while_making_a_store_leaves_is_taken_over(tmp_path: Path) -> None:
    """An empty file, or a database with nothing in it yet, is no reason to bother anybody."""
    empty = tmp_path / "empty.db"
    empty.touch()
    half = tmp_path / "half.db"
    connection = sqlite3.connect(half)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert half.stat().st_size > 0
    for path in (empty, half):
        with Store.open(path) as store:
            assert isinstance(store.claim(trial_of(1)), Claim)


def test_a_damaged_store_says_so(tmp_path: Path) -> None:
    """A traceback of sqlite3 would not tell the user that a copy is needed."""
    path = tmp_path / "fairtrial.db"
    trial = trial_of(1)
    with Store.open(path) as store:
        claim = store.claim(trial)
        assert isinstance(claim, Claim)
        store.record(claim, finished(trial), trial=trial, weights=False)
    whole = path.read_bytes()
    connection = sqlite3.connect(path)
    roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'trials'").fetchall()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(whole)
    for (root,) in roots:
        content[(root - 1) * page : root * page] = b"\x5a" * page
    path.write_bytes(content)
    with Store.open(path) as store, pytest.raises(StoreError, match=r"is damaged .*restore a copy"):
        store.stored([trial.key])
    path.write_bytes(whole[:page] + b"\x5a" * (len(whole) - page))
    assert "is damaged" in refusal(path)


def on_a_small_disk(what: str, folder: Path) -> str:
    """Run store_child.py on a disk of its own; skips where disks cannot be mounted."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o size=1m tmpfs '{folder}'"
    for unshare in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        if shutil.which("unshare") is None:
            break
        if subprocess.run([*unshare, "sh", "-c", mount], capture_output=True, check=False).returncode == 0:
            command = f"{mount} && exec '{sys.executable}' '{SCRIPT}' {what} '{folder}'"
            done = subprocess.run(
                [*unshare, "sh", "-c", command], capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout
    pytest.skip("needs the right to mount a small disk (unshare --mount, tmpfs)")


def test_a_full_disk_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """Disks fill up during long studies: free some space, run again, and nothing is trained twice."""
    full, again = on_a_small_disk("fill", tmp_path / "disk").splitlines()
    assert "the disk is full; free some space and run again" in full
    assert again == "recorded again"


def test_a_read_only_place_takes_no_outcomes_and_is_read_all_the_same(tmp_path: Path) -> None:
    """Somebody else's results on a read-only disk: its answers can be had, and `run` says what is wrong."""
    *refused, read = on_a_small_disk("read_only", tmp_path / "disk").splitlines()
    assert len(refused) == 2
    for said in refused:
        assert "cannot be written; choose a --store in a place of your own" in said
    assert read == "read 1 trial"
