"""Predictions: small, and as exact as promised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from store_samples import finished, predictions_of, trial_of

from fairtrial.errors import StoreError
from fairtrial.store import Claim, Store
from fairtrial.store.predictions import as_kept, pack, unpack
from fairtrial.trial import Predictions

NAMES = ("images", "evaluations", "classes", "probabilities", "right_counts")


def through_the_store(predictions: Predictions) -> Predictions:
    # A dictionary answers to names as a row of the table does.
    return unpack(dict(zip(NAMES, pack(predictions), strict=True)))  # pyright: ignore[reportArgumentType]


@given(
    probabilities=arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(0, 1, width=32)),
    seed=st.integers(0, 1000),
)
def test_probabilities_come_back_within_the_promised_error(
    probabilities: np.ndarray[tuple[int], np.dtype[np.float32]], seed: int
) -> None:
    """Ensembles and calibration are computed from these; the error must be far below what they resolve."""
    rng = np.random.default_rng(seed)
    images = len(probabilities)
    given_ = Predictions(
        classes=rng.integers(0, 256, images, dtype=np.uint8),
        probabilities=probabilities,
        right=rng.integers(0, 256, images, dtype=np.uint8),
        evaluations=5,
    )
    back = through_the_store(given_)
    assert (back.classes == given_.classes).all()
    assert (back.right == given_.right).all()
    assert back.evaluations == 5
    assert (back.probabilities.dtype, back.probabilities.shape) == (np.float32, (images,))
    assert (np.abs(back.probabilities.astype(float) - probabilities.astype(float)) <= 7.7e-6).all()
    again = through_the_store(back)
    assert (again.probabilities == back.probabilities).all(), "a second trip must lose nothing more"


def test_certainty_and_impossibility_come_back_exactly() -> None:
    """0 and 1 are where most probabilities of a good classifier are."""
    edges = Predictions(
        classes=np.array([0, 9], np.uint8),
        probabilities=np.array([0, 1], np.float32),
        right=np.array([0, 5], np.uint8),
        evaluations=5,
    )
    assert through_the_store(edges).probabilities.tolist() == [0.0, 1.0]


def test_ten_thousand_predictions_take_little_room(store: Store) -> None:
    """A hundred thousand trials should fit a laptop's disk; a real classifier's take less than this."""
    trial = trial_of(1)
    claim = store.claim(trial)
    assert isinstance(claim, Claim)
    store.record(claim, finished(trial, images=10_000), trial=trial, weights=False)
    back = store.predictions(trial.key)
    assert back is not None
    expected = predictions_of(trial.seed, images=10_000)
    assert (back.classes == expected.classes).all()
    assert (back.right == expected.right).all()
    assert back.probabilities == pytest.approx(expected.probabilities, abs=7.7e-6)
    assert sum(len(blob) for blob in pack(expected)[2:]) < 30_000
    assert store.predictions("0" * 64) is None


@pytest.mark.parametrize("value", [-1e-6, -0.5, 1.5, 1.00001, np.nan, np.inf])
def test_what_is_no_probability_is_refused(value: float) -> None:
    """One among many: packed, it would come back as another number."""
    whole = predictions_of(1)
    wrong = whole.probabilities.copy()
    wrong[7] = value
    with pytest.raises(StoreError, match=r"a probability that is not in \[0, 1\]"):
        pack(replace(whole, probabilities=wrong))


def test_a_probability_that_passes_one_by_a_hair_is_one() -> None:
    """Sums in bfloat16 may; and what is compared before it is stored is what would come back."""
    drawn = predictions_of(1)
    drawn.probabilities[:2] = (np.float32(1.0000005), 0)
    back = through_the_store(drawn)
    assert back.probabilities[:2].tolist() == [1.0, 0.0]
    assert as_kept(drawn).probabilities.tolist() == back.probabilities.tolist()
    assert Store.as_kept(drawn).classes.tolist() == drawn.classes.tolist()


@pytest.mark.parametrize("name", ["classes", "probabilities", "right"])
def test_each_image_has_one_entry_in_every_array(name: str) -> None:
    """Shifted by one, every image would have another's prediction."""
    whole = predictions_of(1)
    with pytest.raises(StoreError, match="need one entry per test image in each array, got"):
        pack(replace(whole, **{name: getattr(whole, name)[:-1]}))


@pytest.mark.parametrize("images", [99, 101, 98, 50])
def test_another_number_of_bytes_than_images_is_refused(images: int) -> None:
    """Never more is unpacked than there must be."""
    row: dict[str, object] = dict(zip(NAMES, pack(predictions_of(1)), strict=True))
    with pytest.raises(ValueError, match=f"predictions of {images} images|of {2 * images} images"):
        unpack({**row, "images": images})  # pyright: ignore[reportArgumentType]
