"""What a trial learnt from is its content: keys know neither names nor places, and MNIST's are what they were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fairtrial.data import catalog
from fairtrial.errors import DataError, StoreError
from fairtrial.images import opening
from fairtrial.images.facts import MNIST
from fairtrial.restoring import restored
from fairtrial.study.schema import Arm
from fairtrial.study.studyfile import load, study_from_dict
from fairtrial.trial import Trial, canonical
from fairtrial.wire import Order, decode_order, encode_order


@pytest.fixture
def some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "cache"))
    images = np.random.default_rng(1).integers(0, 256, (60, 5, 4, 3), dtype=np.uint8)
    np.savez(tmp_path / "some.npz", images=images, labels=np.arange(60) % 3)
    return tmp_path / "some.npz"


def arm(**data: object) -> Arm:
    return study_from_dict({"schema": "fairtrial/1", "name": "x", "data": data, "arms": {"a": {}}}).arms["a"]


def key(made: Arm) -> str:
    return Trial(arm=made, seed=1, precision="bfloat16").key


def test_the_course_s_first_trial_has_the_key_it_always_had() -> None:
    first = load("course").arms["width-50"]
    assert key(first) == "3149788e741ae37348f7678a2b8a2ea807119897de8e815541c426a0796169f6"
    assert canonical(first)["data"] == {"dataset": "mnist"}


def test_mnist_by_another_way_is_mnist(tmp_path: Path, some: Path) -> None:
    """Whoever has its arrays in a file of their own has its trials already."""
    mnist = catalog.load("mnist")
    arrays = {
        name: getattr(mnist, name) for name in ("train_images", "train_labels", "test_images", "test_labels")
    }
    np.savez(tmp_path / "own.npz", **arrays)
    own = arm(dataset=str(tmp_path / "own.npz"))
    assert own.settings.data.facts == MNIST and key(own) == key(arm())
    assert key(arm(colour="grey")) == key(arm())
    assert key(arm(colour="rgb")) != key(arm())


def test_neither_name_nor_place_is_in_a_key_and_the_content_is(tmp_path: Path, some: Path) -> None:
    first = arm(dataset=str(some))
    (tmp_path / "elsewhere").mkdir()
    moved = some.rename(tmp_path / "elsewhere" / "other.npz")
    again = arm(dataset=str(moved))
    assert key(again) == key(first)
    assert str(tmp_path) not in json.dumps(canonical(again))
    assert key(arm(dataset=str(moved), colour="grey")) != key(first)
    assert key(arm(dataset=str(moved), validation=4)) == key(first)  # a tenth of 48, rounded down


def test_a_trial_of_other_data_reaches_a_worker_and_comes_back_from_a_store(some: Path) -> None:
    trial = Trial(arm=arm(dataset=str(some), size="6x6"), seed=1, precision="float32")
    sent = decode_order(encode_order(Order(trial=trial)))
    assert isinstance(sent, Order) and sent.trial.key == trial.key
    assert sent.trial.arm.settings.data.facts == trial.arm.settings.data.facts
    kept = {
        "key": trial.key,
        "name": "a",
        "settings": json.dumps(canonical(trial.arm)),
        "precision": "float32",
    }
    back = restored(**kept, number=1, engine_version=2)  # pyright: ignore[reportArgumentType]
    assert catalog.load(back.arm.settings.data.facts).train_images.shape == (48, 6, 6, 3)
    other = kept["settings"].replace(trial.arm.settings.data.facts.fingerprint, "0" * 64)
    with pytest.raises(StoreError, match="cannot be made again"):
        restored(**kept | {"settings": other}, number=1, engine_version=2)  # pyright: ignore[reportArgumentType]


def test_images_that_are_others_by_now_are_refused_and_those_in_the_cache_used(
    tmp_path: Path, some: Path
) -> None:
    """A trial whose images have changed must not be trained on what is there instead."""
    facts = arm(dataset=str(some)).settings.data.facts
    np.savez(
        some,
        images=np.zeros((60, 5, 4, 3), np.uint8) + np.arange(60, dtype=np.uint8)[:, None, None, None],
        labels=np.arange(60) % 3,
    )
    assert catalog.fingerprint(opening.arrays_of(facts)) == facts.fingerprint
    (tmp_path / "cache" / facts.fingerprint / "train_images.npy").unlink()
    with pytest.raises(
        DataError,
        match=rf"does not hold what it held: its fingerprint is \w+; expected {facts.fingerprint[:12]}",
    ):
        opening.arrays_of(facts)


def test_validation_is_a_tenth_unless_it_is_given(some: Path) -> None:
    assert arm(dataset=str(some)).settings.data.validation == 4
    assert arm(dataset=str(some), validation=10).settings.data.train_count == 38
    assert arm().settings.data.validation == 6000
