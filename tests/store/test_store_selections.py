"""What searches propose and select, and what a trial is: as it was written, and on seeds that nobody was judged on."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from store_samples import finished, trial_of
from test_store_pairs import times

from fairtrial.errors import StoreError
from fairtrial.store import Claim, Description, Proposal, Selection, Store, without_search_for_cycles
from fairtrial.store import store as store_module
from fairtrial.store.outcomes import _json  # pyright: ignore[reportPrivateUsage]
from fairtrial.store.reading import can_be_written
from fairtrial.trial import ENGINE_VERSION, Lost, Trial, canonical, data_fingerprint

NOW = datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
POINT = Proposal(search="s", number=0, parameters={"width": 64, "rate": 0.5}, arm_key="a")


@pytest.fixture
def dated(tmp_path: Path) -> Iterator[Store]:
    """A store whose clock stands still."""
    with Store.open(tmp_path / "dated.db", now=lambda: NOW) as opened:
        yield opened


def claimed(store: Store, trial: Trial) -> Claim:
    claim = store.claim(trial)
    assert isinstance(claim, Claim)
    return claim


def put(store: Store, trial: Trial) -> None:
    store.record(claimed(store, trial), finished(trial), trial=trial, weights=False)


def test_a_number_of_a_search_is_one_point(store: Store) -> None:
    """Two processes propose at once: the slower one hears that its number is taken, and what was said stays."""
    assert store.propose(POINT) is True
    assert store.propose(replace(POINT, parameters={"width": 1})) is False
    assert store.propose(replace(POINT, number=1, arm_key="b")) is True
    assert store.propose(replace(POINT, search="another")) is True
    store.stop_proposal("s", 1, [0.5, 0.625])
    stopped = replace(POINT, number=1, arm_key="b", scores=(0.5, 0.625))
    assert store.proposals("s") == [POINT, stopped]
    assert store.proposals("another") == [replace(POINT, search="another")]
    assert store.proposals("none") == []


def select(store: Store, question: str, *, basis: str = "b", **more: bool) -> Selection:
    selected = f'{{"of":"{question}"}}'
    return store.select(
        study="t", question=question, basis=basis, selected=selected, first_block=3000, **more
    )


def test_each_selection_has_seeds_that_nobody_was_judged_on(dated: Store) -> None:
    """Judged on the seeds of another, it would owe its success to what was seen there."""
    first, second = select(dated, "Q"), select(dated, "R")
    assert first == Selection(
        study="t", question="Q", basis="b", selected='{"of":"Q"}', block=3000, selected_at=NOW
    )
    assert (second.question, second.selected, second.block) == ("R", '{"of":"R"}', 4000)
    assert select(dated, "Q", basis="later").block == 5000
    assert select(dated, "S", fresh=False).block == 3000, "it owes those seeds nothing"
    again = dated.select(study="t", question="Q", basis="b", selected='{"of":"other"}', first_block=9000)
    assert again == first, "what was selected before stands"
    assert dated.selection(study="t", question="Q", basis="b") == first
    assert dated.selection(study="t", question="Q", basis="none") is None
    assert [one.basis for one in dated.selections(study="t", question="Q")] == ["b", "later"]
    assert dated.selections(study="u", question="Q") == []


def test_a_first_block_that_is_free_is_taken(dated: Store) -> None:
    """The next block follows on the last one, unless it is asked for farther on."""
    assert select(dated, "Q").block == 3000
    further = dated.select(study="t", question="R", basis="b", selected="{}", first_block=9000)
    assert further.block == 9000
    assert select(dated, "S").block == 10000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE proposals SET parameters = '[]'", "the parameters of a proposal cannot be read"),
        ("UPDATE proposals SET scores = '7'", "the scores of a proposal cannot be read"),
        ("UPDATE selections SET selected = 'x'", "what was selected cannot be read"),
    ],
)
def test_what_was_changed_by_hand_is_named(change: str, said: str, store: Store) -> None:
    """A search that went on from nonsense would cost hours."""
    store.propose(POINT)
    select(store, "Q")
    store._connection.execute(change)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StoreError, match=rf"holds what no fairtrial wrote \({said}"):
        _ = store.proposals("s"), store.selections(study="t", question="Q")


def test_a_trial_is_described_by_the_first_digits_of_its_key(store: Store) -> None:
    """Enough to make it again, and to prove that it is the same."""
    trial, other = trial_of(1), trial_of(2)
    put(store, trial)
    put(store, other)
    expected = Description(
        key=trial.key,
        arm_key=trial.arm_key,
        name="width-50",
        settings=json.dumps(canonical(trial.arm), sort_keys=True, separators=(",", ":")),
        data_fingerprint=data_fingerprint(trial.arm),
        precision="float32",
        number=1,
        engine_version=ENGINE_VERSION,
    )
    for given in (trial.key, trial.key[:20], f" {trial.key[:9].upper()}\n"):
        assert store.described(given) == expected
    assert store.described(other.key).number == 2
    rows = store._connection.execute("SELECT key FROM trials ORDER BY key").fetchall()  # pyright: ignore[reportPrivateUsage]
    assert [len(row["key"]) for row in rows] == [64, 64]


@pytest.mark.parametrize("given", ["", "  ", "xyz", "0" * 65, "12-34"])
def test_what_is_no_key_is_said_to_be_none(given: str, store: Store) -> None:
    """Whoever gives a name for a key wants to be told what a key is."""
    with pytest.raises(StoreError, match="a trial's key is 64 hexadecimal digits or the first few of them"):
        store.described(given)


def test_a_key_that_is_not_there_was_tried_or_was_not(store: Store) -> None:
    """Two trials whose keys begin alike are asked for by more digits."""
    lost, alike = trial_of(1), (trial_of(2), trial_of(3))
    store.record_lost(claimed(store, lost), Lost(key=lost.key, state="failed", reason="why"), trial=lost)
    said = rf"{lost.key}: such a trial was tried and has no outcome there \({store.path}\)"
    with pytest.raises(StoreError, match=said):
        store.described(lost.key)
    with pytest.raises(StoreError, match=f"{'0' * 64}: such a trial is not there"):
        store.described("0" * 64)
    for number, trial in enumerate(alike):
        put(store, trial)
        key = f"abc{number}" + "0" * 60
        store._connection.execute("PRAGMA foreign_keys = OFF")  # pyright: ignore[reportPrivateUsage]
        store._connection.execute("UPDATE trials SET key = ? WHERE key = ?", (key, trial.key))  # pyright: ignore[reportPrivateUsage]
    said = (
        "abc: several trials of .* have keys that begin so, abc0000000000000 and abc1000000000000 among them"
    )
    with pytest.raises(StoreError, match=said):
        store.described("abc")
    assert store.described("abc1").number == 3


def test_a_pair_is_not_written_into_a_store_that_is_no_longer_there(store: Store, tmp_path: Path) -> None:
    """An hour of timing would be gone without a word."""
    narrow, wide = trial_of(1), trial_of(1, width=200)
    pair = times(narrow, wide)
    store.path.rename(tmp_path / "away.db")
    with pytest.raises(StoreError, match="moved, deleted or replaced while it was in use"):
        store.record_pair(pair, first=narrow, second=wide)
    (tmp_path / "away.db").rename(store.path)
    store.record_pair(pair, first=narrow, second=wide)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("first_train_seconds = 0", r"a pair with 0\.0 and 1\.75 seconds"),
        ("second_train_seconds = 2.8", r"a pair with 2\.8 and 2\.75 seconds"),
        ("second_fit_seconds = 9e999", r"a pair with 2\.5 and inf seconds"),
    ],
)
def test_seconds_that_make_no_ratio_are_refused(change: str, said: str, store: Store) -> None:
    """An answer on time divides them."""
    narrow, wide = trial_of(1), trial_of(1, width=200)
    store.record_pair(times(narrow, wide), first=narrow, second=wide)
    store._connection.execute(f"UPDATE pairs SET {change}")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StoreError, match=said):
        store.pairs(narrow.arm_key, wide.arm_key)


def test_a_training_takes_no_longer_than_with_its_validations(store: Store) -> None:
    """Equal, where there are none."""
    narrow, wide = trial_of(1), trial_of(1, width=200)
    pair = times(narrow, wide)
    longer = replace(pair, first=replace(pair.first, train_seconds=1.76))
    with pytest.raises(StoreError, match=r"got 1\.76 and 1\.75 seconds"):
        store.record_pair(longer, first=narrow, second=wide)
    equal = replace(pair, first=replace(pair.first, train_seconds=0.25, fit_seconds=0.25))
    store.record_pair(equal, first=narrow, second=wide)
    assert [one.times for one in store.pairs(narrow.arm_key, wide.arm_key)] == [equal]


def test_a_pair_keeps_its_engine_and_its_day(dated: Store) -> None:
    """Pairs of another engine are of another program."""
    narrow, wide = trial_of(1), trial_of(1, width=200)
    dated.record_pair(times(narrow, wide), first=narrow, second=wide)
    (found,) = dated.pairs(narrow.arm_key, wide.arm_key)
    assert (found.engine_version, found.recorded_at) == (ENGINE_VERSION, NOW)


def test_seeds_are_counted_from_where_their_block_begins(store: Store) -> None:
    """A search's seeds show nothing of a question's, the first and the last of a block included."""
    numbers = (1, 999, 1001, 1999, 2001)
    for number in numbers:
        put(store, trial_of(number))
    arm = trial_of(1).arm_key
    assert [store.seen([arm], block=block)[arm] for block in (0, 1000, 2000)] == [2, 2, 1]
    assert store.seen([arm], block=3000) == {}
    assert [one.seed for one in store.stored_of_arms([arm], block=1000, last_seed=999)[arm]] == [1, 999]
    found = store.stored_of_arms([arm], block=1000, last_seed=998)[arm]
    assert [(one.seed, one.outcome.history) for one in found] == [(1, ())]
    (whole,) = store.stored_of_arms([arm], last_seed=998, history=True)[arm]
    assert (whole.seed, len(whole.outcome.history)) == (1, 5)


def test_whether_a_store_can_be_written_takes_both_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite writes into the file, and makes files of its own beside it."""
    path = tmp_path / "a.db"
    for closed, expected in ((None, True), (path, False), (tmp_path, False)):
        monkeypatch.setattr("os.access", lambda place, mode, closed=closed: Path(place) != closed)
        assert can_be_written(path) is expected


def test_what_is_kept_as_json_reads_the_same_whoever_writes_it() -> None:
    """It is compared as text: no order, no spaces, and nothing that is no number."""
    assert _json({"b": 1, "a": [1, 2]}) == '{"a":[1,2],"b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        _json({"a": float("nan")})


def test_garbage_is_looked_for_again_afterwards() -> None:
    """A process that reads a store in a notebook lives on; and one that never looks stays so."""
    for before in (True, False):
        (gc.enable if before else gc.disable)()
        try:
            with without_search_for_cycles():
                assert not gc.isenabled()
            assert gc.isenabled() is before
        finally:
            gc.enable()


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


def test_the_disk_is_waited_for_once_a_second(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut costs the last second's trials at most, as the documentation promises."""
    waited: list[Path] = []
    clock = Clock()
    monkeypatch.setattr(store_module, "to_disk", waited.append)
    monkeypatch.setattr(store_module, "time", SimpleNamespace(monotonic=clock.monotonic))
    counts: list[int] = []
    for seed, passes in enumerate((0.0, 0.875, 0.125, 0.875), start=1):
        clock.seconds += passes
        put(store, trial_of(seed))
        counts.append(len(waited))
    assert counts == [1, 1, 2, 2]
    store.close()
    assert len(waited) == 3, "the last one when it is closed"


def test_a_store_in_which_nothing_was_recorded_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` is asked for again and again."""
    waited: list[Path] = []
    monkeypatch.setattr(store_module, "to_disk", waited.append)
    with Store.open(tmp_path / "fairtrial.db") as store:
        store.settle()
        claimed(store, trial_of(1))
    assert waited == []


def test_a_store_that_was_closed_holds_nothing(tmp_path: Path) -> None:
    """Neither the file nor a trial: another process could not go on with either."""
    store = Store.open(tmp_path / "fairtrial.db")
    claimed(store, trial_of(1))
    store.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        store._connection.execute("SELECT 1")  # pyright: ignore[reportPrivateUsage]
    with closing(sqlite3.connect(store.path)) as opened:
        assert opened.execute("SELECT count(*) FROM claims").fetchone() == (0,)


def test_a_locked_store_is_asked_to_take_claims_back_for_a_second(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever presses Ctrl-C wants to leave: what is not given back ends with the process."""
    patience: list[float | None] = []
    writing = store_module.writing

    def noted(opened: sqlite3.Connection, **more: float | None) -> object:
        patience.append(more.get("patience"))
        return writing(opened, **more)

    claim = claimed(store, trial_of(1))
    monkeypatch.setattr(store_module, "writing", noted)
    store.release(claim)
    assert patience == [1]


def test_metrics_that_cannot_be_are_refused_when_they_are_read(store: Store) -> None:
    """An answer that averages them would be as wrong, and look sound."""
    put(store, trial_of(1))
    opened = store._connection  # pyright: ignore[reportPrivateUsage]
    opened.execute("PRAGMA ignore_check_constraints = ON")
    for column in ("test_accuracy", "validation_seen"):
        opened.execute(f"UPDATE trials SET {column} = 1.5")
        with pytest.raises(StoreError, match=f"trial {trial_of(1).key[:12]} has a metric that cannot be one"):
            store.stored([trial_of(1).key])
        opened.execute(f"UPDATE trials SET {column} = 0.5")
    assert len(store.stored([trial_of(1).key])) == 1
    opened.execute("UPDATE provenance SET json = '[]'")
    with pytest.raises(StoreError, match=r"\(where a trial was trained cannot be read: it says '\[\]'\)"):
        store.stored([trial_of(1).key])


def test_where_a_pair_was_timed_must_be_readable(store: Store) -> None:
    """Pairs of two machines are not put together."""
    narrow, wide = trial_of(1), trial_of(1, width=200)
    store.record_pair(times(narrow, wide), first=narrow, second=wide)
    store._connection.execute("UPDATE provenance SET json = '7'")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StoreError, match=r"\(where a pair was timed cannot be read: it says '7'\)"):
        store.pairs(narrow.arm_key, wide.arm_key)


def test_what_had_been_seen_is_kept_in_one_order(store: Store) -> None:
    """As text, in which people compare plans."""
    store.add_plan(study="s", sha256="1", plan="{}", seen={"b": 2, "a": 1})
    (row,) = store._connection.execute("SELECT seen FROM plans").fetchall()  # pyright: ignore[reportPrivateUsage]
    assert row["seen"] == '{"a": 1, "b": 2}'
    store._connection.execute("UPDATE plans SET seen = '[]'")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StoreError, match=r"\(what had been seen when study 's' was planned cannot be read"):
        store.plans()
