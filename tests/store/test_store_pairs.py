"""Pairs timed in turn come back as they went in, in the order they were recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from store_samples import PROVENANCE, trial_of

from fairtrial.errors import StoreError
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.store import Claim, Store, Taken
from fairtrial.store.owner import Owner
from fairtrial.trial import ENGINE_VERSION, Trial


def times(first: Trial, second: Trial, *, other_load: float | None = 0.25) -> PairTimes:
    sides = [
        ArmTimes(
            arm_key=trial.arm_key,
            arm_name=trial.arm.name,
            train_seconds=1.5 + number,
            fit_seconds=1.75 + number,
            process_seconds=1.25 + number,
            timed_steps=200 + number,
            timed_seconds=0.5,
        )
        for number, trial in enumerate((first, second))
    ]
    return PairTimes(
        seed=first.seed,
        first=sides[0],
        second=sides[1],
        machine="a machine",
        processor="a processor",
        device="cpu",
        load_average=None if other_load is None else 2.0,
        other_load=other_load,
        seconds=3.5,
        provenance=PROVENANCE,
    )


def test_pairs_come_back_as_they_went_in_whichever_arm_is_named_first(store: Store) -> None:
    """Every field: what was measured, where, and beside what."""
    narrow, wide, other = trial_of(1), trial_of(1, width=200), trial_of(1, width=300)
    one, two = times(narrow, wide), times(wide, narrow, other_load=None)
    store.record_pair(one, first=narrow, second=wide)
    store.record_pair(two, first=wide, second=narrow)
    store.record_pair(times(narrow, other), first=narrow, second=other)
    for keys in ((narrow.arm_key, wide.arm_key), (wide.arm_key, narrow.arm_key)):
        found = store.pairs(*keys)
        assert [pair.times for pair in found] == [one, two]
        assert {pair.engine_version for pair in found} == {ENGINE_VERSION}
    assert store.pairs(wide.arm_key, other.arm_key) == ()


def test_times_of_another_arm_or_of_none_are_refused(store: Store) -> None:
    """A pair under the wrong arms would answer a question nobody asked."""
    narrow, wide = trial_of(1), trial_of(1, width=200)
    pair = times(narrow, wide)
    with pytest.raises(StoreError, match="not of 'width-50'"):
        store.record_pair(pair, first=narrow, second=narrow)
    with pytest.raises(StoreError, match="not of"):
        store.record_pair(pair, first=wide, second=narrow)
    still = replace(pair, first=replace(pair.first, train_seconds=0.0))
    with pytest.raises(StoreError, match="takes some time"):
        store.record_pair(still, first=narrow, second=wide)
    assert store.pairs(narrow.arm_key, wide.arm_key) == ()


def test_one_process_times_at_once_on_one_machine(store: Store, tmp_path: Path) -> None:
    """Two timing passes side by side would each spoil the other's clocks; two machines do not meet."""
    elsewhere = Owner(host="b", boot_id="", pid_namespace="", pid=1, started="")
    with Store.open(store.path, owner=elsewhere) as other:
        clock = store.claim_clock("a machine")
        assert isinstance(clock, Claim)
        assert isinstance(other.claim_clock("a machine"), Taken)
        assert isinstance(other.claim_clock("another"), Claim)
        store.release(clock)
        assert isinstance(other.claim_clock("a machine"), Claim)
