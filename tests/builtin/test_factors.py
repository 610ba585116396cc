"""What differs between two arms: known answers, and laws that hold for any two arms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairtrial.study.augment import Augment
from fairtrial.study.factors import Difference, Held, confounds, differences, held_fixed, implied, unchanged
from fairtrial.study.layers import Conv, Dense, Flatten, Pool
from fairtrial.study.schema import Arm, ArmSettings, DataSettings, Mlp, NetworkSettings, Question
from fairtrial.study.training import SGD, Adam, AdamW, Cosine, EarlyStopping, RMSprop, Step
from fairtrial.trial import canonical


def arm(**settings: Any) -> Arm:
    return Arm(name="any", settings=ArmSettings(**settings))


def mlp(**fields: Any) -> NetworkSettings:
    return NetworkSettings(mlp=Mlp(**fields))


def layers(*entries: Any) -> NetworkSettings:
    return NetworkSettings(layers=entries)


def asked(*factors: str) -> Question:
    return Question(id="Q", variant="a", baseline="b", factors=factors)


CNN = (Conv(filters=8, name="first"), Pool(), Flatten(), Dense(units=10))


@pytest.mark.parametrize(
    ("variant", "baseline", "expected"),
    [
        ({}, {}, []),
        ({"network": mlp(width=200)}, {}, [("network.mlp.width", 200, 50)]),
        (
            {"network": mlp(width=200, depth=5)},
            {},
            [("network.mlp.width", 200, 50), ("network.mlp.depth", 5, 2)],
        ),
        ({"network": layers(Flatten(), Dense(units=50, activation="relu"))}, {"network": mlp(depth=1)}, []),
        (
            {"network": layers(Flatten(), Dense(units=60, activation="relu"))},
            {"network": mlp(depth=1)},
            [("network.layers.dense-1.units", 60, 50)],
        ),
        (
            {"network": layers(Conv(filters=8, kernel=5, name="first"), *CNN[1:])},
            {"network": layers(*CNN)},
            [("network.layers.first.kernel", 5, 3)],
        ),
        (
            {"network": layers(Conv(filters=8, kernel=(3, 5), name="first"), *CNN[1:])},
            {"network": layers(*CNN)},
            [("network.layers.first.kernel", "3 x 5", 3)],
        ),
        (
            {"network": layers(*CNN[2:])},
            {"network": layers(*CNN)},
            [
                (
                    "network.layers",
                    "flatten, dense(units 10)",
                    "conv(filters 8), pool, flatten, dense(units 10)",
                )
            ],
        ),
        (
            {"optimizer": Adam(learning_rate=0.0001), "batch_size": 1000},
            {},
            [("optimizer.learning_rate", 0.0001, 0.001), ("batch_size", 1000, 100)],
        ),
        (
            {"optimizer": SGD(momentum=0.9)},
            {"optimizer": Adam(learning_rate=0.01, beta_1=0.9)},
            [("optimizer.name", "sgd", "adam"), ("optimizer.momentum", 0.9, None)],
        ),
        (
            {"optimizer": RMSprop(momentum=0.5, learning_rate=0.01)},
            {"optimizer": SGD()},
            [("optimizer.name", "rmsprop", "sgd"), ("optimizer.momentum", 0.5, 0.0)],
        ),
        (
            {"optimizer": Adam(learning_rate=Cosine(initial=0.01))},
            {"optimizer": Adam(learning_rate=Cosine(initial=0.02))},
            [("optimizer.learning_rate.cosine.initial", 0.01, 0.02)],
        ),
        (
            {"optimizer": Adam(learning_rate=Step(initial=0.01, factor=0.5))},
            {},
            [("optimizer.learning_rate", "step(initial 0.01, factor 0.5)", 0.001)],
        ),
        ({"data": DataSettings(split="reshuffled")}, {}, [("data.split", "reshuffled", "fixed")]),
        ({"data": DataSettings(train=54_000)}, {}, []),
        ({"data": DataSettings(train=1000)}, {}, [("data.train", 1000, 54_000)]),
        ({"data": DataSettings(validation=5000)}, {}, [("data.validation", 5000, 6000)]),
        (
            {"data": DataSettings(augment=Augment(rotate=10, shift=2))},
            {"data": DataSettings(augment=Augment(shift=2))},
            [("data.augment.rotate", 10, 0)],
        ),
        (
            {"data": DataSettings(augment=Augment(rotate=10, zoom=0.1))},
            {},
            [("data.augment.rotate", 10, 0), ("data.augment.zoom", 0.1, 0)],
        ),
        ({"data": DataSettings(augment=Augment(shift=0))}, {}, []),
        ({"batch_size": 54_000}, {"batch_size": 60_000}, []),
        (
            {"early_stopping": EarlyStopping(patience=3)},
            {"early_stopping": EarlyStopping()},
            [("early_stopping.patience", 3, 2)],
        ),
        (
            {"early_stopping": EarlyStopping(patience=3)},
            {},
            [("early_stopping", "EarlyStopping(patience 3)", None)],
        ),
        ({"precision": "float32"}, {}, [("precision", "float32", "auto")]),
    ],
)
def test_differences_are_named_as_in_the_study_file(
    variant: dict[str, Any], baseline: dict[str, Any], expected: list[tuple[str, object, object]]
) -> None:
    """A path that the file does not have would send its author looking for a setting in vain."""
    found = differences(arm(**variant), arm(**baseline))
    assert [(one.path, one.variant, one.baseline) for one in found] == expected


def test_layers_under_other_names_are_reached_by_position() -> None:
    """Names seed the weights, so they count; and no path may depend on which arm comes first."""
    other = layers(Conv(filters=9, name="entry"), *CNN[1:])
    found = differences(arm(network=other), arm(network=layers(*CNN)))
    assert [one.path for one in found] == ["network.layers.0.name", "network.layers.0.filters"]


def test_whatever_a_question_does_not_declare_is_a_confound() -> None:
    """The notebook changed the batch size with the learning rate: the tool exists to say so."""
    variant = arm(optimizer=Adam(learning_rate=0.0001), batch_size=1000)
    assert confounds(asked("optimizer.learning_rate"), variant, arm()) == (
        Difference(path="batch_size", variant=1000, baseline=100),
    )
    assert confounds(asked("optimizer.learning_rate", "batch_size"), variant, arm()) == ()
    assert confounds(asked("batch_siz"), variant, arm()) == differences(variant, arm())


def test_a_declared_factor_covers_everything_below_it() -> None:
    """`optimizer` means the whole optimiser; `batch` must not cover `batch_size`."""
    variant = arm(optimizer=SGD(momentum=0.9))
    assert confounds(asked("optimizer"), variant, arm()) == ()
    assert [one.path for one in confounds(asked("optimizer.name"), variant, arm())] == [
        "optimizer.learning_rate",
        "optimizer.momentum",
    ]
    assert len(confounds(asked("batch"), arm(batch_size=1), arm())) == 1


def test_an_amount_of_augmentation_is_a_factor_of_its_own_and_a_confound_of_others() -> None:
    """Who declares the rotation has not declared the shift that came with it; `data.augment` is both."""
    moved = arm(data=DataSettings(augment=Augment(rotate=10, shift=2)))
    assert [one.path for one in confounds(asked("data.augment.rotate"), moved, arm())] == [
        "data.augment.shift"
    ]
    assert confounds(asked("data.augment"), moved, arm()) == confounds(asked("data"), moved, arm()) == ()
    wide = arm(network=mlp(width=200), data=DataSettings(augment=Augment(rotate=10)))
    assert [one.path for one in confounds(asked("network.mlp.width"), wide, arm())] == ["data.augment.rotate"]
    assert unchanged(asked("data.augment.zoom"), moved, arm()) == ("data.augment.zoom",)


def test_augmentation_is_held_fixed_apart_from_the_rest_of_the_data() -> None:
    """A question about it is still asked on these images and this split; where all are still it goes without saying."""
    moved = arm(data=DataSettings(augment=Augment(rotate=10, shift=2)))
    held = {one.path: one.value for one in held_fixed(moved, moved)}
    assert (held["data"], held["data.augment"]) == ("mnist, fixed split", "shift 2, rotate 10")
    asked_about = {one.path: one.value for one in held_fixed(moved, arm())}
    assert asked_about["data"] == "mnist, fixed split"
    assert "data.augment" not in asked_about
    assert "data" not in {one.path for one in held_fixed(arm(data=DataSettings(train=1000)), arm())}


@pytest.mark.parametrize(
    "factor", ["network.layers.first.kernel", "network.layers.0.kernel", "network.layers.first"]
)
def test_a_layer_may_be_declared_by_name_or_by_position(factor: str) -> None:
    """The file reaches layers both ways, so a factor written either way is the same factor."""
    variant = arm(network=layers(Conv(filters=8, kernel=5, name="first"), *CNN[1:]))
    baseline = arm(network=layers(*CNN))
    assert confounds(asked(factor), variant, baseline) == ()
    assert confounds(asked("network.layers.1"), variant, baseline) != ()


def test_a_question_without_factors_is_confounded_by_a_second_difference() -> None:
    """One difference is what is asked about; of two, neither can be given the credit."""
    question = Question(id="Q", variant="a", baseline="b")
    one, two = arm(batch_size=1), arm(batch_size=1, epochs=7)
    assert confounds(question, one, arm()) == ()
    assert [found.path for found in confounds(question, two, arm())] == ["batch_size", "epochs"]


def test_a_declared_factor_that_does_not_differ_is_found() -> None:
    """A typing error in `factors` would otherwise make a confound of what was meant."""
    question = asked("network.mlp.width", "epochs", "network")
    assert unchanged(question, arm(network=mlp(width=7)), arm()) == ("epochs",)
    whole = arm(network=layers(*CNN)), arm(network=layers(*CNN[2:]))
    assert unchanged(asked("network.layers.first.kernel"), *whole) == ()


def test_a_batch_size_brings_another_number_of_updates_with_it() -> None:
    """At five epochs, batch 10 000 makes 30 updates where batch 100 makes 2 700."""
    assert implied(arm(batch_size=10_000), arm()) == (Difference(path="updates", variant=30, baseline=2700),)


def test_a_width_brings_parameters_and_multiply_adds_with_it() -> None:
    """The notebook's two smallest networks: 42 310 and 199 210 parameters."""
    found = {one.path: (one.variant, one.baseline) for one in implied(arm(network=mlp(width=200)), arm())}
    assert found == {"parameters": (199_210, 42_310), "multiply_adds": (198_800, 42_200)}


def test_what_is_held_fixed_is_said_with_its_value() -> None:
    """ "Width at this learning rate" is what a question about width measures."""
    held = held_fixed(arm(network=mlp(width=200)), arm())
    assert Held(path="optimizer.learning_rate", value=0.001) in held
    assert [one.path for one in held] == [
        "network.mlp.depth",
        "network.mlp.activation",
        "optimizer",
        "optimizer.learning_rate",
        "batch_size",
        "epochs",
        "data",
        "precision",
    ]
    rate = held_fixed(arm(optimizer=Adam(learning_rate=0.02)), arm())
    assert Held(path="network", value="mlp of 2 x 50 relu") in rate
    assert Held(path="optimizer", value="adam") in rate
    assert "optimizer.learning_rate" not in {one.path for one in rate}


def test_what_two_networks_share_is_said_layer_by_layer_where_they_can_be_told_apart() -> None:
    """A larger window in the same network is another question than another network."""
    one, other = (arm(network=layers(Conv(filters=4, kernel=k, name="first"), *CNN[1:])) for k in (5, 3))
    assert held_fixed(one, other)[0] == Held(path="network.layers", value="all but first.kernel")
    assert not [held for held in held_fixed(arm(), other) if held.path.startswith("network")]
    few = arm(data=DataSettings(train=1000))
    assert Held(path="data", value="mnist, fixed split, 1000 images to train on") in held_fixed(few, few)
    stopping = arm(early_stopping=EarlyStopping(patience=2))
    assert "early_stopping" in {held.path for held in held_fixed(stopping, stopping)}
    assert "early_stopping" not in {held.path for held in held_fixed(stopping, arm())}


rates = st.sampled_from([0.001, 0.01, Cosine(initial=0.01), Step(initial=0.01, factor=0.5)])
networks = st.one_of(
    st.builds(
        mlp, width=st.integers(1, 3), depth=st.integers(0, 2), activation=st.sampled_from(["relu", "tanh"])
    ),
    st.lists(st.integers(1, 3), max_size=2).map(
        lambda units: layers(Flatten(), *(Dense(units=one, activation="relu") for one in units))
    ),
    st.builds(lambda filters: layers(Conv(filters=filters, name="first"), *CNN[1:]), st.integers(1, 2)),
)
optimizers = st.one_of(
    st.builds(Adam, learning_rate=rates),
    st.builds(AdamW, learning_rate=rates, weight_decay=st.sampled_from([0.0, 0.004])),
    st.builds(SGD, learning_rate=rates, momentum=st.sampled_from([0.0, 0.9])),
)
arms = st.builds(
    arm,
    data=st.builds(
        DataSettings,
        train=st.sampled_from([None, 1000, 54_000]),
        validation=st.sampled_from([5000, 6000]),
        split=st.sampled_from(["fixed", "reshuffled"]),
        augment=st.builds(Augment, shift=st.sampled_from([0, 2.0]), rotate=st.sampled_from([0, 10])),
    ),
    network=networks,
    optimizer=optimizers,
    batch_size=st.sampled_from([1, 1000, 54_000, 60_000]),
    epochs=st.integers(1, 2),
    early_stopping=st.none() | st.builds(EarlyStopping, patience=st.integers(1, 2)),
)


@given(arms, arms)
def test_swapping_the_arms_swaps_every_difference(one: Arm, other: Arm) -> None:
    """Which arm is called baseline is the asker's choice and changes nothing about the arms."""

    def swapped(found: tuple[Difference, ...]) -> tuple[Difference, ...]:
        return tuple(
            Difference(path=item.path, variant=item.baseline, baseline=item.variant) for item in found
        )

    assert differences(one, other) == swapped(differences(other, one))
    assert implied(one, other) == swapped(implied(other, one))
    assert [held.path for held in held_fixed(one, other)] == [held.path for held in held_fixed(other, one)]


@given(arms, arms)
def test_arms_without_a_difference_are_those_with_one_identity(one: Arm, other: Arm) -> None:
    """Otherwise a question could compare an arm with itself, or miss a change that makes a new key."""
    assert (differences(one, other) == ()) == (canonical(one) == canonical(other))


@given(arms)
def test_an_arm_differs_from_itself_in_nothing(one: Arm) -> None:
    """The smallest known answer, for every kind of arm."""
    assert differences(one, one) == implied(one, one) == ()


@given(arms, arms)
def test_declaring_every_difference_leaves_no_confound(one: Arm, other: Arm) -> None:
    """The paths that are reported must be the paths that can be declared."""
    paths = [found.path for found in differences(one, other)]
    assert confounds(asked(*paths), one, other) == ()
    assert unchanged(asked(*paths), one, other) == ()
