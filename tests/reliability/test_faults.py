"""Real runs of a small study that faults befall, one after the other; `scripts/faults` does the same and more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from reliability.kills import Reference, Tally, kill_at_random, undisturbed

from reliability import faults, places

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """A run that nobody disturbs."""
    return undisturbed(tmp_path_factory.mktemp("whole") / "study")


@pytest.mark.parametrize("name", list(faults.FAULTS))
def test_after_every_fault_nothing_is_lost_and_the_user_knows_what_to_do(
    name: str, tmp_path: Path, whole: Reference
) -> None:
    """What the project promises must hold when things go wrong, or it is no promise."""
    try:
        found = faults.befall(name, tmp_path / "study", whole)
    except places.NotHere as reason:
        pytest.skip(str(reason))
    assert found.complaints == []
    assert found.told


def test_kills_at_random_moments_lose_nothing_and_are_told(whole: Reference) -> None:
    """Few here, two hundred by `scripts/faults`: other moments every time, named where something goes wrong."""
    seed, tally = random.randrange(10**6), Tally()
    kill_at_random(whole, tally, kills=12, seed=seed, say=lambda _: None, seconds=200)
    assert tally.complaints == [], f"seed {seed}"
    assert tally.total >= 5
