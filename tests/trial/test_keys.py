"""A trial's key: equal for what gives equal numbers, different for what does not, stable for ever."""

from __future__ import annotations

from typing import Any

import pytest

from fairtrial import trial as trials
from fairtrial.study.schema import Arm, ArmSettings, Published
from fairtrial.trial import Trial

LAYERS: list[Any] = [
    "flatten",
    {"dense": {"units": 50, "activation": "relu"}},
    {"dense": {"units": 50, "activation": "relu"}},
]
PICTURE: list[Any] = [{"conv": {"filters": 4}}, {"pool": 2}, "flatten", {"dropout": 0.5}, {"dense": 9}]


def key(seed: int = 1, name: str = "arm", **settings: Any) -> str:
    arm = Arm(name=name, settings=ArmSettings.model_validate(settings))
    return Trial(arm=arm, seed=seed, precision="float32").key


def layers(changed: dict[int, Any]) -> dict[str, Any]:
    return {"layers": [changed.get(at, layer) for at, layer in enumerate(PICTURE)]}


@pytest.mark.parametrize(
    "same",
    [
        {"network": {"layers": LAYERS}},
        {"network": {"mlp": {"depth": 2, "activation": "relu", "width": 50}}},
        {"optimizer": {"name": "adam"}},
        {"optimizer": {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.9}},
        {"data": {"train": 54_000}},
        {"data": {"split": "fixed", "validation": 6000}},
        {"data": {"augment": "none"}},
        {"data": {"augment": None}},
        {"data": {"augment": {"shift": 0, "rotate": -0.0, "zoom": 0.0}}},
        {"early_stopping": None},
        {"name": "another"},
    ],
    ids=str,
)
def test_what_says_the_same_has_one_key(same: dict[str, Any]) -> None:
    """A grown or rewritten study must find what it has trained already."""
    assert key(**same) == key()


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"network": {"mlp": {"width": 51}}},
        {"network": {"mlp": {"activation": "tanh"}}},
        {"optimizer": {"name": "adam", "learning_rate": 0.0011}},
        {"optimizer": {"name": "adamw"}},
        {"batch_size": 101},
        {"epochs": 6},
        {"data": {"split": "reshuffled"}},
        {"data": {"train": 53_999}},
        {"data": {"buffer_size": 9999}},
        {"data": {"augment": {"shift": 1}}},
        {"data": {"augment": {"rotate": 1}}},
        {"data": {"augment": {"zoom": 0.1}}},
        {"early_stopping": {"patience": 3}},
    ],
    ids=str,
)
def test_what_can_change_a_number_changes_the_key(other: dict[str, Any]) -> None:
    """Two different trainings under one key would be one wrong number."""
    assert key(**other) != key()


def test_an_augmentation_has_one_key_however_it_is_written() -> None:
    """`rotate: 10` and `rotate: 10.0` with a zero beside it train alike; 11 degrees do not."""
    ten = key(data={"augment": {"rotate": 10}})
    assert key(data={"augment": {"rotate": 10.0, "shift": 0}}) == ten
    assert key(data={"augment": {"rotate": 11}}) != ten


def test_a_layers_name_counts_only_where_it_names_a_random_stream() -> None:
    """A named convolution draws other weights; a named pooling computes what it did."""
    plain = key(network={"layers": PICTURE})
    for at, layer in (
        (1, {"pool": {"name": "shrink"}}),
        (2, {"flatten": {"name": "row"}}),
        (1, {"pool": {"stride": 2}}),
    ):
        assert key(network=layers({at: layer})) == plain
    for at, layer in (
        (0, {"conv": {"filters": 4, "name": "first"}}),
        (3, {"dropout": {"rate": 0.5, "name": "noise"}}),
        (4, {"dense": {"units": 9, "name": "last"}}),
        (1, {"pool": {"stride": 1}}),
    ):
        assert key(network=layers({at: layer})) != plain
    assert key(network=layers({4: {"dense": {"units": 9, "name": "dense-1"}}})) == plain


def test_titles_notes_and_published_figures_are_not_identity() -> None:
    """Correcting a title must not train the course again."""
    arm = Arm(name="arm", settings=ArmSettings())
    dressed = Arm(
        name="arm", settings=ArmSettings(), title="t", note="n", published=Published(test_accuracy=0.9)
    )
    assert (
        Trial(arm=arm, seed=1, precision="float32").key == Trial(arm=dressed, seed=1, precision="float32").key
    )


def test_another_engine_has_another_key_for_the_same_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of two engines are never mixed, but the arm is known to be the same."""

    def made() -> Trial:
        return Trial(arm=Arm(name="arm", settings=ArmSettings()), seed=1, precision="float32")

    old = made()
    old_key, old_arm = old.key, old.arm_key
    monkeypatch.setattr(trials, "ENGINE_VERSION", trials.ENGINE_VERSION + 1)
    assert made().key != old_key
    assert made().arm_key == old_arm


def test_precision_is_part_of_the_key() -> None:
    """bfloat16 gives other numbers; that it changes no answer must be shown, not assumed."""
    arm = Arm(name="arm", settings=ArmSettings())
    assert Trial(arm=arm, seed=1, precision="float32").key != Trial(arm=arm, seed=1, precision="bfloat16").key


def test_keys_of_this_engine_version_are_frozen() -> None:
    """If this fails, stored outcomes are lost to their studies: raise the engine version knowingly."""
    assert trials.ENGINE_VERSION == 2
    assert key() == "35b6faf80569076568f5acd25b0aa3e164df90988080da97a0ddd43e531449c8"
    assert (
        key(network={"layers": PICTURE}) == "28bf894af60a2b222e3d5ff992c0e6ad09b2a4bdb7aec6e0897867d9b13d7b86"
    )
