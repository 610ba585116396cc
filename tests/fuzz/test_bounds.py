"""What fuzzing has found, each with the answer it must get now."""

from __future__ import annotations

import gzip
import json
import math
import os
import sqlite3
import struct
import threading
import time
import tracemalloc
import zlib
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import parsers
import pytest
from store_samples import finished, trial_of  # pyright: ignore[reportMissingImports]

import fairtrial as ft
from fairtrial import bounded
from fairtrial.bounded import read_bounded
from fairtrial.cli.comparing import compare_files, compare_groups
from fairtrial.comparison import lines, table
from fairtrial.comparison.judging import rules_from
from fairtrial.durations import seconds_in
from fairtrial.engine import checkpoint
from fairtrial.engine.saved_weights import fingerprint, read_weights
from fairtrial.errors import DataError, ExecutorError, FairtrialError, StoreError, StudyError
from fairtrial.executors import worker_process
from fairtrial.executors.local import LocalExecutor
from fairtrial.fitting import made
from fairtrial.images import cache, idx
from fairtrial.store import Claim, Proposal, Store
from fairtrial.store.migrations import APPLICATION_ID, newest
from fairtrial.store.reading import copy_to_read
from fairtrial.study import studyfile
from fairtrial.trial import EpochRecord, Lost, Started
from fairtrial.wire import decode_event, decode_order, encode_event


def test_a_message_never_commands_the_terminal() -> None:
    """It quotes files from anywhere: one could clear the screen, or end the program that prints it."""
    said = str(FairtrialError("a\x1b[2Jb\x00c\rd\x9be\ud800f\n\tg"))
    assert said == "a\\x1b[2Jb\\x00c\\rd\\x9be\\ud800f\n\tg"
    (mistake,) = StudyError("bell\x07").mistakes
    assert mistake.message == "bell\\x07"


# --- files that are none


def test_a_pipe_is_read_as_long_as_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fairtrial check <(make-study)` is a pipe; one that nobody writes into must not wait for ever."""
    monkeypatch.setattr(bounded, "SILENCE_SECONDS", 0.3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            for piece in (b"one ", b"two"):
                file.write(piece)
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_bounded(pipe, largest=100) == b"one two"
    writer.join()
    with pytest.raises(OSError, match=r"a pipe into which nobody has written for 0\.3 s"):
        read_bounded(pipe, largest=100)


def test_so_many_bytes_and_no_more(tmp_path: Path) -> None:
    """The bound itself is allowed; what is larger than memory is not even begun."""
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_bounded(file, largest=5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_bounded(file, largest=4)
    os.truncate(file, 2**42)
    began = time.perf_counter()
    with pytest.raises(OSError, match="larger than"):
        read_bounded(file, largest=2**40)
    assert time.perf_counter() - began < 1
    for place, said in (
        (tmp_path, "directory"),
        (Path("/dev/zero"), "a device"),
        (tmp_path / "a\0b", "no file can have this name"),
    ):
        with pytest.raises(OSError, match=said):
            read_bounded(place, largest=5)


def test_reading_leaves_no_file_open(tmp_path: Path) -> None:
    """A long run that looks at many a broken file must not run out of them."""
    before = open_files()
    for _ in range(20):
        for place in (tmp_path, Path("/dev/zero"), tmp_path / "nowhere"):
            with pytest.raises(OSError, match=r"directory|device|No such file"):
                read_bounded(place, largest=5)
    assert open_files() <= before


def open_files() -> int:
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.exists() else 0


def test_a_setting_on_the_command_line_is_bounded() -> None:
    """The file has its bound; what is given beside it needs one, too."""
    with pytest.raises(StudyError, match=r"--set name=x+\.\.\.: is longer than 20000 characters"):
        studyfile.load("width", sets=["name=" + "x" * 20_000])
    assert studyfile.load("width", sets=["name=" + "x" * 80]).name == "x" * 80


# --- tables


def refused(text: str, match: str, tmp_path: Path, **options: Any) -> None:
    (tmp_path / "A.csv").write_text(text)
    (tmp_path / "B.csv").write_text("seed,acc\n1,0.9\n2,0.91\n3,0.92\n")
    first, second = str(tmp_path / "A.csv"), str(tmp_path / "B.csv")
    compared = partial(compare_files, first, second, metric=None, rules=rules_from(margin=None))
    if options:
        rules = rules_from(margin=None, unpaired=True)
        compared = partial(
            compare_groups, first, baseline="1", variants=(), metric="acc", rules=rules, **options
        )
    with pytest.raises(FairtrialError, match=match) as caught:
        compared()
    assert len(str(caught.value)) < 3000


def test_a_number_too_large_to_be_one_is_no_failed_run(tmp_path: Path) -> None:
    """1e400 is infinite to Python alone; taken for a run that diverged it would turn the verdict."""
    refused("seed,acc\n1,0.9\n2,1e400\n", r"A\.csv:3: '1e400' is beyond 1e\+100", tmp_path)
    refused(f"seed,acc\n1,0.9\n2,-{'9' * 4999}\n", r"A\.csv:3: '-9+' is beyond", tmp_path)
    assert (
        math.isnan(table.number("-inf"))
        and math.isnan(table.number("Infinity"))
        and math.isnan(table.number("nan"))
    )


def test_a_seed_has_a_size_and_a_table_its_characters(tmp_path: Path) -> None:
    """Four thousand digits would be printed back; a NUL is no text."""
    refused(f"seed,acc\n{2**63},0.9\n", r"A\.csv:2: a seed is a whole number below 2\^63", tmp_path)
    assert table.whole(str(2**63 - 1)) == 2**63 - 1
    refused(
        "seed,acc\n1,0.9\n2,\x00\n",
        r"A\.csv:3: holds the control character U\+0000; a table is text",
        tmp_path,
    )


def test_tables_end_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, columns, cells, groups: each is counted before it is made into anything."""
    too_many = "more than 10000 cells in a row or 200000 in all"
    refused("seed,acc\n" + "1,2\n" * 100_000, rf"A\.csv:\d+: {too_many}", tmp_path)
    refused("x\n" + "\n" * 200_001, rf"A\.csv:\d+: {too_many}", tmp_path)
    refused("," * 1_000_000, rf"A\.csv:1: {too_many}", tmp_path)
    refused("a," * 9_000 + "b\n1\n", r"A\.csv:1: column 'a' is there twice", tmp_path)
    refused(
        ",".join(f"c{n}" for n in range(5_000)) + "\n1\n",
        r"1 cells, but the header names 5000 columns",
        tmp_path,
    )
    refused("x" * 5_000 + ",y\n1,2\n", r"found more than one \(x{77}\.\.\., y\)", tmp_path)
    refused(
        "lr,acc\n" + "".join(f"{n},0.9\n" for n in range(1_001)),
        "column 'lr' has 1001 different values",
        tmp_path,
        by="lr",
    )
    monkeypatch.setattr(lines, "LARGEST_FILE_BYTES", 20)
    refused("seed,acc\n1,0.9\n2,0.9\n", r"A\.csv: cannot be read: it is larger than 20 bytes", tmp_path)


@pytest.mark.parametrize("text", ["9" * 400 + "s", "8785h", "9000h", "1" * 21 + "s", "\u0661s"])
def test_a_budget_is_at_most_a_year(text: str) -> None:
    """An infinite one could not be counted down, nor printed."""
    with pytest.raises(FairtrialError, match="is not a length of time"):
        seconds_in(text)
    assert seconds_in("366h") == 366 * 3600


# --- images


def test_no_more_is_unpacked_than_the_header_announces(tmp_path: Path) -> None:
    """A small file that swells to fill the memory ends the program, and others with it."""
    header = bytes((0, 0, 8, 3)) + struct.pack(">3I", 2, 3, 4)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(header + bytes(64 * 2**20), 1))
    tracemalloc.start()
    with pytest.raises(
        DataError, match="at least 4120 bytes follow the header; expected 24 for its size of 2 x 3 x 4"
    ):
        idx.read_array(tmp_path / "bomb.gz", dimensions=3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20
    (tmp_path / "huge.gz").write_bytes(
        gzip.compress(bytes((0, 0, 8, 3)) + struct.pack(">3I", 2**20, 2**10, 2**10))
    )
    with pytest.raises(
        DataError,
        match="its header announces 1048576 x 1024 x 1024 = 1099511627776 bytes; expected 1073741824 at most",
    ):
        idx.read_array(tmp_path / "huge.gz", dimensions=3)


def test_images_larger_than_memory_are_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's memory may be less than what a header may announce."""

    def full(*given: Any, most: int) -> Any:
        if most > 1000:
            raise MemoryError
        return whole(*given, most=most)

    whole = idx._unpacked  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(idx, "_unpacked", full)
    (tmp_path / "images.gz").write_bytes(
        gzip.compress(bytes((0, 0, 8, 3)) + struct.pack(">3I", 2, 3, 4) + bytes(24))
    )
    with pytest.raises(DataError, match="its 2 x 3 x 4 = 24 bytes do not fit into the memory there is"):
        idx.read_array(tmp_path / "images.gz", dimensions=3)


def test_a_cache_that_is_no_file_is_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked into all the same, a pipe would keep every worker waiting."""
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path))
    cache.write("mine", dict.fromkeys(cache.ARRAYS, np.zeros(3, np.uint8)))
    assert cache.read("mine") is not None
    (tmp_path / "mine" / "test_labels.npy").unlink()
    os.mkfifo(tmp_path / "mine" / "test_labels.npy")
    assert cache.read("mine") is None


# --- what workers say


def event_with(**changes: Any) -> str:
    return json.dumps(json.loads(encode_event(finished(trial_of(1), epochs=1, images=3))) | changes)


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "[]", "null", "7", '"event"', "{}", '{"event": "Started"}', '{"event": "Ready", "more": 1}',
        '{"event": "Started", "key": 5, "worker": 1}', '{"event": "Started", "key": "k", "worker": true}',
        '{"event": "Lost", "key": "k", "state": "finished", "reason": "r"}', '{"event": "Lost", "key": "\u00e9", "state": "failed", "reason": "r"}',
        "[" * 100_000, '{"event": "Started", "key": "k", "worker": ' + "9" * 5000 + "}", event_with(metrics={"test_loss": "0.1"}),
        event_with(history=[{}]), event_with(history=5), event_with(provenance={"torch": 2}), event_with(state="stopped"),
        event_with(predictions={"classes": "!", "probabilities": "", "right": "", "evaluations": 1}),
        event_with(predictions={"classes": "", "probabilities": "AA==", "right": "", "evaluations": 1}), '{"event": ["x"]}',
    ],
    ids=lambda line: line[:30],
)  # fmt: skip
def test_a_line_that_no_worker_sends_is_an_error_of_the_executor(line: str) -> None:
    """Stored, a text where a number belongs would be a wrong answer; a traceback would not say whose fault it is."""
    with pytest.raises(ExecutorError, match=r"install one for both|does not know") as caught:
        decode_event(line)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        '"first"',
        '{"first": 1, "second": 2}',
        "[" * 100_000,
        '{"key": "k", "name": "n", "settings": 3}',
    ],
    ids=lambda line: line[:30],
)
def test_a_line_that_is_no_order_is_an_error_of_the_executor(line: str) -> None:
    """The worker ends with these words instead of training something."""
    with pytest.raises(ExecutorError, match="an order cannot be read"):
        decode_order(line)


def test_values_are_of_the_types_they_are_declared_with() -> None:
    """A whole number is a number; true is none."""
    record: dict[str, Any] = dict.fromkeys(
        ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss", "train_seconds", "validation_seconds"), 0.5
    )  # fmt: skip
    assert made(EpochRecord, epoch=1, **record | {"train_loss": 1}).train_loss == 1
    for name, value in (
        ("epoch", 1.0),
        ("epoch", True),
        ("train_loss", "0.5"),
        ("train_loss", None),
        ("train_loss", [0.5]),
    ):
        with pytest.raises(TypeError, match=rf"EpochRecord\.{name} cannot be"):
            made(EpochRecord, **{"epoch": 1, **record, name: value})
    with pytest.raises(TypeError, match=r"Lost\.state"):
        made(Lost, key="k", state="lost", reason="r")
    with pytest.raises(TypeError, match="required"):
        made(Lost, key="k")


def said_by_a_worker(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor whose only worker has just sent this."""
    monkeypatch.setattr(worker_process, "LONGEST_LINE", 1000)
    with LocalExecutor(workers=1) as executor:
        worker = executor._spawn()  # pyright: ignore[reportPrivateUsage]
        worker.key = "mine"
        executor._read(worker, said)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("said", "match"),
    [
        (
            encode_event(Started(key="another", worker=0)).encode() + b"\n",
            "told of trial 'another', which it was not given",
        ),
        (b"x" * 1001, "more than 1000 bytes in one line"),
        (b"\xff\xfe\n", "an event cannot be read"),
    ],
)
def test_a_worker_that_says_what_it_cannot_know_is_not_believed(
    said: bytes, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figures would be recorded under another trial's name."""
    with pytest.raises(ExecutorError, match=match):
        said_by_a_worker(said, monkeypatch)


# --- weights and checkpoints


def test_every_byte_of_a_checkpoint_and_of_weights_counts(tmp_path: Path) -> None:
    """One bit flipped by a disk would go on to other numbers, and nobody would know."""
    whole_weights = fingerprint(parsers._tensors())  # pyright: ignore[reportPrivateUsage]

    def checkpointed(path: Path) -> Any:
        return checkpoint.load(path, key="k" * 64)

    def weights(path: Path) -> Any:
        return read_weights(path, sha256=whole_weights)

    for begin, read in (
        (parsers._checkpoints, checkpointed),  # pyright: ignore[reportPrivateUsage]
        (parsers._saved_weights, weights),  # pyright: ignore[reportPrivateUsage]
    ):
        (whole,) = begin(tmp_path)
        path = tmp_path / "damaged"
        path.write_bytes(whole)
        assert read(path) is not None
        for at in range(0, len(whole), 7):
            damaged = bytearray(whole)
            damaged[at] ^= 1
            path.write_bytes(damaged)
            found = read(path)
            # What a file of weights says of itself counts for nothing: only what it holds.
            assert found is None or (read is not checkpointed and fingerprint(found) == whole_weights), at
        path.unlink()
        path.mkdir()
        assert read(path) is None
        path.rmdir()
        os.mkfifo(path)
        assert read(path) is None
        path.unlink()


# --- stores


def store_with(tmp_path: Path, *statements: str) -> Path:
    path = tmp_path / "fairtrial.db"
    with Store.open(path) as store:
        claim = store.claim(trial_of(1))
        assert isinstance(claim, Claim)
        store.record(claim, finished(trial_of(1), images=4), trial=trial_of(1), weights=False)
        store.propose(Proposal(search="s", number=0, parameters={"x": 1}, arm_key="a"))
        store.add_plan(study="s", sha256="x", plan="{}", seen={})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


@pytest.mark.parametrize(
    ("statement", "ask"),
    [
        ("UPDATE provenance SET json = '[1]'", lambda store: store.stored([trial_of(1).key])),
        ("UPDATE provenance SET json = 'no'", lambda store: store.stored([trial_of(1).key])),
        ("UPDATE trials SET arm_key = 'gone'", lambda store: store.stored([trial_of(1).key])),
        ("UPDATE predictions SET classes = x'00'", lambda store: store.predictions(trial_of(1).key)),
        ("UPDATE predictions SET images = 1000000000", lambda store: store.predictions(trial_of(1).key)),
        ("UPDATE proposals SET parameters = '3'", lambda store: store.proposals("s")),
        ("UPDATE proposals SET scores = '{}'", lambda store: store.proposals("s")),
        ("UPDATE plans SET seen = 'null'", lambda store: store.plans()),
        ("UPDATE plans SET registered_at = 'yesterday'", lambda store: store.plans()),
        (
            f"INSERT INTO claims VALUES ('{trial_of(2).key}', 't', 'h', 'b', 'n', 1, 's', 'never', 'never')",
            lambda store: store.claim(trial_of(2)),
        ),
    ],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused_with_the_files_name(
    statement: str, ask: Any, tmp_path: Path
) -> None:
    """A traceback would look like a fault of the program, and would not name the file to restore."""
    path = store_with(tmp_path, "PRAGMA foreign_keys = OFF", statement)
    with Store.open(path) as store, pytest.raises(StoreError) as caught:
        ask(store)
    said = str(caught.value)
    assert said.startswith(f"{path}: holds what no fairtrial wrote")
    assert "restore a copy" in said
    assert "\n" not in said


def test_predictions_that_would_swell_are_not_unpacked(tmp_path: Path) -> None:
    """A blob of a kilobyte can hold a megabyte of zeros, and a blob of a megabyte a gigabyte."""
    path = store_with(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE predictions SET classes = ?", (zlib.compress(bytes(50_000_000)),))
        connection.commit()
    tracemalloc.start()
    with (
        Store.open(path) as store,
        pytest.raises(StoreError, match="predictions of 4 images have another number of bytes"),
    ):
        store.predictions(trial_of(1).key)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "change",
    [
        "first_train_seconds = -1.0",
        "first_train_seconds = 0.0",
        "second_fit_seconds = 1e999",
        "second_fit_seconds = 0.1",
    ],
)
def test_times_that_no_clock_gave_are_refused(change: str, tmp_path: Path) -> None:
    """Their ratio would be none, and an answer made of it a number that means nothing."""
    path = parsers._whole_store(tmp_path / "timed.db")  # pyright: ignore[reportPrivateUsage]
    with closing(sqlite3.connect(path)) as connection:
        (first, second) = connection.execute("SELECT first_arm_key, second_arm_key FROM pairs").fetchone()
        connection.execute(f"UPDATE pairs SET {change}")
        connection.commit()
    with (
        Store.open(path) as store,
        pytest.raises(StoreError, match=r"holds what no fairtrial wrote \(a pair with"),
    ):
        store.pairs(first, second)


@pytest.mark.parametrize(
    "column", ["test_accuracy", "train_accuracy", "validation_accuracy_last_epoch", "validation_seen"]
)
def test_a_share_is_between_none_and_all(column: str, tmp_path: Path) -> None:
    """An accuracy of 7 is no accuracy, however it came into the file."""
    for value, right in ((1.0, True), (0.0, True), (1.0001, False), (-0.1, False)):
        (tmp_path / f"{value}").mkdir(exist_ok=True)
        path = store_with(tmp_path / f"{value}", f"UPDATE trials SET {column} = {value}")
        with Store.open(path) as store:
            if right:
                assert store.stored([trial_of(1).key])[trial_of(1).key].outcome.metrics[column] == value
            else:
                with pytest.raises(StoreError, match="has a metric that cannot be one"):
                    store.stored([trial_of(1).key])


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM n",
        "CREATE TRIGGER strange AFTER INSERT ON trials BEGIN DELETE FROM trials; END",
    ],
)
def test_a_store_that_would_run_something_is_refused(statement: str, tmp_path: Path) -> None:
    """A trigger could change every figure as it is recorded; no store of ours has one."""
    path = store_with(tmp_path, statement)
    with pytest.raises(StoreError, match="a view, trigger or virtual table, which no fairtrial makes"):
        Store.open(path)


def test_a_store_without_its_tables_says_what_is_missing(tmp_path: Path) -> None:
    """The right marks on an empty database: half a copy, for example."""
    path = tmp_path / "half.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {newest()}; CREATE TABLE x (y);"
        )
    with (
        Store.open(path) as store,
        pytest.raises(StoreError, match=r"is damaged or not whole \(no such table: trials\); restore a copy"),
    ):
        store.known(["k"])


def test_a_metric_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """SQLite checks types when it writes, not when it reads: a damaged page may hold a text there."""
    path = store_with(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        (value,) = connection.execute("SELECT test_accuracy FROM trials").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '') WHERE name = 'trials'")
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE trials SET test_accuracy = 'good'")
        connection.commit()
    assert isinstance(value, float)
    with Store.open(path) as store, pytest.raises(StoreError, match="has a metric that cannot be one"):
        store.stored([trial_of(1).key])


def test_a_place_no_store_can_be_at_is_refused_in_words(tmp_path: Path) -> None:
    """A whole command line pasted after --store."""
    for place in ("x" * 5000, str(tmp_path / "a\0b")):
        for open_it in (partial(Store.open, place), partial(ft.answers, "width", store=place)):
            with pytest.raises(StoreError, match=r"cannot be read: .*; choose another --store") as caught:
                open_it()
            assert len(str(caught.value)) < 400
    os.mkfifo(tmp_path / "pipe.db")
    with pytest.raises(StoreError, match="there is no store here"), copy_to_read(tmp_path / "pipe.db"):
        pass
