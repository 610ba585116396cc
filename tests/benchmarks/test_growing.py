"""What is measured as work grows is what it says: stores of real size, overhead apart from training."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks.growing import overhead, stores, workers
from benchmarks.rows import rows

from fairtrial.study.schema import Arm

# Bytes of a real trial in docs/evidence/course.db, by its size and its trials.
LEAST, MOST = 15_000, 30_000


def test_made_up_trials_are_stored_answered_and_resumed_like_real_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store of smaller outcomes would be quicker than any user's."""
    monkeypatch.setattr(stores, "SEEDS", 10)
    found = stores.measure(30, tmp_path / "small.db")
    assert (found["trials"], found["arms"], found["questions"]) == (30, 3, 2)
    empty = stores.measure(10, tmp_path / "smaller.db")["store_bytes"]
    assert LEAST < (found["store_bytes"] - empty) / 20 < MOST
    assert min(found[name] for name in found if name.endswith("_seconds")) > 0


def test_a_study_that_lacks_a_trial_is_no_resumption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figure must be of finding everything known, not of training the rest."""
    monkeypatch.setattr(stores, "SEEDS", 3)
    study = stores.made(6)
    assert list(study.arms) == ["rate-0", "rate-1"]
    assert [question.variant for question in study.questions] == ["rate-1"]

    def trains(*_: object, **__: object) -> object:
        return type("Report", (), {"trained": 1, "remaining": 0})

    monkeypatch.setattr(stores.runner, "run", trains)
    with stores.Store.open(tmp_path / "empty.db") as store, pytest.raises(RuntimeError, match="1 trials"):
        stores.resume(study, store)


def test_the_largest_resident_set_is_read_in_bytes() -> None:
    """Off by 1 024 it would still look like a number."""
    assert 2**25 < workers.peak_bytes(os.getpid()) < 2**36


@pytest.mark.slow
def test_overhead_is_what_is_neither_training_nor_the_start_of_the_workers() -> None:
    """Six trials of the smallest model, through store, executor and answers."""
    found = overhead.measure(trials=6, workers=1)
    rest = found["wall_seconds"] - found["training_seconds"]
    assert found["overhead_milliseconds"] == pytest.approx(1000 * rest / 6)
    assert 0 < found["training_seconds"] < found["wall_seconds"]
    assert found["start_seconds"] > 0.1


@pytest.mark.slow
def test_the_mlps_are_trained_once_each_and_held_against_the_published_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twelve of the fifteen; the notebook's seconds for them add up to 609."""
    mlps = {name: arm for name, arm in rows().items() if workers.is_mlp(arm)}
    assert len(mlps) == 12
    few = {
        name: Arm(
            name=name, settings=workers.short(arm, seed=1, images=200).arm.settings, published=arm.published
        )
        for name, arm in mlps.items()
        if name in {"width-50", "combined"}
    }
    monkeypatch.setattr(workers, "rows", lambda: few)
    (found,) = workers.twelve()
    assert (found["arms"], found["published_seconds"]) == (2, pytest.approx(7.903 + 78.653))
    published = [arm.published.train_seconds for arm in mlps.values() if arm.published]
    assert sum(one or 0.0 for one in published) == pytest.approx(609, abs=1)
