"""Networks are what their description says, and start where their seed says."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fairtrial.data.streams import generator
from fairtrial.engine.initializers import draw, fans, variance
from fairtrial.engine.network import Network, build, keras_weights, load_keras_weights, network_of
from fairtrial.errors import StudyError
from fairtrial.study.layers import ActivationName, Initializer
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.shapes import arm_facts, parameters

ACTIVATIONS = get_args(ActivationName)
INITIALIZERS = get_args(Initializer)


def arm(*layers: object, name: str = "arm") -> Arm:
    return Arm(name=name, settings=ArmSettings.model_validate({"network": {"layers": layers}}))


def batch(images: int = 3) -> torch.Tensor:
    """Images in [0, 1] as the training loop gives them: channels last in memory."""
    pixels = torch.rand(images, 28, 28, 1, generator=torch.Generator().manual_seed(1))
    return pixels.permute(0, 3, 1, 2)


windows = st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)))
padding = st.sampled_from(["valid", "same"])
activations = st.sampled_from(ACTIVATIONS)
initializers = st.sampled_from(INITIALIZERS)
anywhere = [
    st.just("batch_norm"),
    st.builds(lambda rate: {"dropout": rate}, st.sampled_from([0, 0.2, 0.5])),
    st.builds(lambda function: {"activation": function}, activations),
]
of_images = st.one_of(
    *anywhere,
    st.fixed_dictionaries(
        {
            "conv": st.fixed_dictionaries(
                {"filters": st.integers(1, 5)},
                optional={
                    "kernel": windows,
                    "stride": windows,
                    "padding": padding,
                    "activation": activations,
                    "initializer": initializers,
                    "bias": st.booleans(),
                },
            )
        }
    ),
    *(
        st.fixed_dictionaries(
            {kind: st.fixed_dictionaries({"size": windows}, optional={"stride": windows, "padding": padding})}
        )
        for kind in ("pool", "average_pool")
    ),
)
of_rows = st.one_of(
    *anywhere,
    st.fixed_dictionaries(
        {
            "dense": st.fixed_dictionaries(
                {"units": st.integers(1, 9)},
                optional={
                    "activation": activations,
                    "initializer": initializers,
                    "bias": st.booleans(),
                },
            )
        }
    ),
)
networks = st.builds(
    lambda images, bridge, rows: arm(*images, bridge, *rows),
    st.lists(of_images, max_size=4),
    st.sampled_from(["flatten", "global_average_pool"]),
    st.lists(of_rows, max_size=4),
)


def is_possible(candidate: Arm) -> bool:
    try:
        arm_facts(candidate)
    except StudyError:
        return False
    return True


@settings(deadline=None, max_examples=60)
@given(networks.filter(is_possible))
def test_a_network_is_what_its_description_says(candidate: Arm) -> None:
    """The layer table is computed without torch: each shape and count in it must be the network's.

    It also trains: a step in place where it is not allowed would end in an error of torch.
    """
    network = build(candidate, seed=1)
    facts = arm_facts(candidate)
    assert sum(array.size for array in keras_weights(network).values()) == parameters(candidate)
    trainable = sum(parameter.numel() for parameter in network.parameters())
    assert trainable == sum(fact.trainable for fact in facts)
    network.start_epoch(1)
    outputs = batch()
    for layer, fact in zip(network.layers, facts, strict=True):
        outputs = layer(outputs)
        shape = tuple(outputs.shape[1:])
        assert (shape if len(shape) == 1 else (*shape[1:], shape[0])) == fact.output_shape
    logits = network(batch())
    assert logits.shape == (3, 10)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@settings(deadline=None, max_examples=30)
@given(networks.filter(is_possible), st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_weights_and_dropout(candidate: Arm, seed: int) -> None:
    """A trial must be repeatable to the bit from its seed, whatever was drawn before it."""
    first, second = build(candidate, seed=seed), build(candidate, seed=seed)
    torch.rand(7)
    for name, array in keras_weights(first).items():
        assert np.array_equal(array, keras_weights(second)[name])
    first.start_epoch(1)
    first(batch())
    for network in (first, second):
        load_keras_weights(network, keras_weights(second))
        network.start_epoch(2)
    assert torch.equal(first(batch()), second(batch()))


def test_another_seed_gives_other_weights() -> None:
    """Seeds that started alike would count one trial several times."""
    candidate = arm("flatten", {"dense": 5})
    kernels = [keras_weights(build(candidate, seed=seed))["dense-1/kernel"] for seed in (1, 2)]
    assert not np.any(kernels[0] == kernels[1])


def test_layers_that_two_arms_share_start_alike() -> None:
    """Arms of one seed are compared in pairs: what they share should not differ by chance."""
    one = keras_weights(build(arm("flatten", {"dense": 20}, {"dense": 30}), seed=3))
    two = keras_weights(
        build(arm("flatten", {"dense": 20}, "batch_norm", {"dense": 30}, {"dense": 30}), seed=3)
    )
    for name in ("dense-1/kernel", "dense-2/kernel", "output/kernel"):
        assert np.array_equal(one[name], two[name])
    assert not np.any(two["dense-3/kernel"][:20] == two["dense-2/kernel"])


def test_the_last_layer_is_called_output_and_gives_one_logit_per_class() -> None:
    """It starts alike whatever number of layers comes before it."""
    weights = keras_weights(build(arm("flatten", {"dense": 20}), seed=1))
    assert list(weights) == ["dense-1/kernel", "dense-1/bias", "output/kernel", "output/bias"]
    assert weights["output/kernel"].shape == (20, 10)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (({"dense": 5},), ("dense-1", "28 x 28 x 1", "flatten")),
        (({"conv": {"name": "far", "filters": 2, "kernel": 29}},), ("far", "28 x 28 x 1", "29")),
        (("flatten", {"pool": 2}), ("pool-1", "784")),
        (("flatten", "global_average_pool"), ("global_average_pool-1", "784")),
        (
            ("flatten", {"dense": {"name": "wide", "units": 3}}, {"dense": {"name": "wide", "units": 3}}),
            ("wide",),
        ),
        (("flatten", {"dense": {"name": "output", "units": 3}}), ("output",)),
        (("flatten", {"dense": {"name": "dense-2", "units": 3}}, {"dense": 3}), ("dense-2",)),
    ],
)
def test_an_impossible_network_is_refused_in_words(layers: tuple[Any, ...], words: tuple[str, ...]) -> None:
    """A user reads which layer and which shape, not an error of torch."""
    with pytest.raises(StudyError) as refusal:
        build(arm(*layers), seed=1)
    for word in words:
        assert word in str(refusal.value)


def test_weights_go_out_and_in_again_unchanged() -> None:
    """What is stored of a trial must be the network that was measured."""
    candidate = arm(
        {"conv": {"filters": 3, "kernel": [2, 5]}},
        "batch_norm",
        "flatten",
        {"dense": {"units": 4, "bias": False}},
    )
    first, second = build(candidate, seed=1), build(candidate, seed=2)
    first.train()(batch())
    load_keras_weights(second, keras_weights(first))
    assert torch.equal(first.eval()(batch()), second.eval()(batch()))
    stored = keras_weights(second)
    assert all(array.flags.c_contiguous and array.dtype == np.float32 for array in stored.values())
    assert stored["conv-1/kernel"].shape == (2, 5, 1, 3)
    stored["dense-1/kernel"][:] = 0
    assert keras_weights(second)["dense-1/kernel"].any(), "a copy, not a view"


def test_weights_of_another_network_are_refused_by_name() -> None:
    """Half-loaded weights would be a network that nobody trained."""
    network = build(arm("flatten", {"dense": 4}), seed=1)
    before = keras_weights(network)
    with pytest.raises(ValueError, match=r"output/bias: given None, needed \(10,\)"):
        load_keras_weights(network, {k: v for k, v in before.items() if k != "output/bias"})
    with pytest.raises(ValueError, match=r"dense-1/kernel: given \(4, 784\)"):
        load_keras_weights(network, {**before, "dense-1/kernel": before["dense-1/kernel"].T})


def test_rows_and_images_give_the_same_logits() -> None:
    """A network that begins with flatten may be fed rows, which saves the loop a reshape."""
    network = build(arm("flatten", {"dense": 4}), seed=1)
    images = batch()
    assert torch.equal(network(images), network(images.permute(0, 2, 3, 1).reshape(3, 784)))
    with pytest.raises(ValueError, match="begins with flatten"):
        build(arm("batch_norm", "flatten"), seed=1)(torch.zeros(3, 784))


def test_a_network_leaves_its_images_as_they_are() -> None:
    """An activation in place on the data would train later epochs on other images."""
    for first in ({"activation": "tanh"}, {"dropout": 0.5}, "batch_norm"):
        network = build(arm(first, {"activation": "relu"}, "flatten"), seed=1)
        network.start_epoch(1)
        images = batch()
        network(images)
        assert torch.equal(images, batch())


@pytest.mark.parametrize("kind", ["pool", "average_pool"])
@pytest.mark.parametrize(("size", "stride"), [(3, 1), (2, 1), (3, 2), ([2, 5], [3, 4])])
def test_what_same_padding_adds_is_never_pooled(kind: str, size: object, stride: object) -> None:
    """A border of zeros would be the largest of negative values, and would pull means to zero."""
    network = build(arm({kind: {"size": size, "stride": stride, "padding": "same"}}, "flatten"), seed=1)
    pooled = network.layers[0](torch.full((2, 1, 28, 28), -1.0))
    assert torch.allclose(pooled, torch.tensor(-1.0))


def dropped(network: Network, epoch: int) -> list[torch.Tensor]:
    network.train().start_epoch(epoch)
    return [network.layers[0](torch.ones(4, 1, 28, 28)) for _ in range(2)]


def test_dropout_starts_anew_with_its_epoch_and_differs_between_epochs() -> None:
    """A trial resumed after a kill must draw what it would have drawn, and never the same epoch twice."""
    network = build(arm({"dropout": 0.4}, "flatten"), seed=1)
    first, second = dropped(network, 1), dropped(network, 2)
    again = dropped(build(arm({"dropout": 0.4}, "flatten"), seed=1), 2)
    assert all(torch.equal(one, two) for one, two in zip(second, again, strict=True))
    assert len({tuple(mask.flatten().tolist()) for mask in (*first, *second)}) == 4
    other_seed = dropped(build(arm({"dropout": 0.4}, "flatten"), seed=2), 1)
    assert not torch.equal(first[0], other_seed[0])


def test_dropout_keeps_the_mean_and_is_absent_from_evaluation() -> None:
    """Keras scales what is kept while training, so that evaluation needs no correction."""
    network = build(arm({"dropout": 0.25}, "flatten"), seed=1)
    values = torch.cat(dropped(network, 1)).flatten()
    assert {round(value, 5) for value in values.unique().tolist()} == {0.0, round(1 / 0.75, 5)}
    zeros = (values == 0).double().mean().item()
    assert zeros == pytest.approx(0.25, abs=5 * math.sqrt(0.25 * 0.75 / values.numel()))
    ones = torch.ones(2, 1, 28, 28)
    assert torch.equal(network.eval().layers[0](ones), ones)


def test_dropout_without_an_epoch_is_refused() -> None:
    """Otherwise its numbers would depend on whatever ran before."""
    with pytest.raises(RuntimeError, match="start_epoch"):
        build(arm({"dropout": 0.5}, "flatten"), seed=1)(batch())


def test_batch_statistics_of_many_pixels_are_exact_to_rounding() -> None:
    """Adding up 67 600 float32 numbers one by one is off by 1e-4: torch's own kernel does."""
    network = build(arm({"batch_norm": {"momentum": 0}}, "flatten"), seed=1)
    images = batch(100) + 3
    network(images)
    weights = keras_weights(network)
    exact = images.double()
    assert weights["batch_norm-1/moving_mean"][0] == pytest.approx(exact.mean().item(), rel=5e-7)
    variance = exact.var(correction=0).item()
    assert weights["batch_norm-1/moving_variance"][0] == pytest.approx(variance, rel=5e-6)


def test_batch_norm_has_the_gradient_of_its_outputs() -> None:
    """Its gradient is put together by hand: finite differences in float64 must agree."""
    layers = arm("batch_norm", "flatten").network[:1]
    layer = network_of(layers, input_shape=(3, 3, 2), seed=1).double().layers[0]
    images = torch.rand(4, 2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def outputs(inputs: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"gamma": gamma, "beta": beta}, (inputs,))

    of_rows = [torch.rand(2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(outputs, (images.requires_grad_(), *of_rows))


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("shape", [(400, 120), (5, 5, 20, 60)])
def test_initialisers_keep_their_bounds_and_variance(
    initializer: Initializer, shape: tuple[int, ...]
) -> None:
    """Keras's normals are cut off at two standard deviations, then widened to keep the variance."""
    values = draw(initializer, shape, generator=generator(1, "init", initializer)).astype(np.float64)
    deviation = math.sqrt(variance(initializer, shape))
    limit = (
        math.sqrt(3) * deviation if initializer.endswith("uniform") else 2 * deviation / 0.8796256610342398
    )
    assert 0.99 * limit < np.abs(values).max() <= limit * (1 + 1e-6)
    assert values.std() == pytest.approx(deviation, rel=0.02)
    assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size)


def test_fans_are_those_of_keras() -> None:
    """A convolution's weights reach height x width x channels inputs, not channels alone."""
    assert fans((784, 50)) == (784, 50)
    assert fans((3, 5, 32, 64)) == (480, 960)
    assert variance("glorot_uniform", (3, 5, 32, 64)) == pytest.approx(2 / 1440)
    assert variance("he_normal", (784, 50)) == pytest.approx(2 / 784)
    assert variance("lecun_uniform", (784, 50)) == pytest.approx(1 / 784)


@pytest.mark.parametrize(
    ("initializer", "first"),
    [
        ("glorot_uniform", [0.015435921959578991, -0.06781841814517975, 0.04603384807705879]),
        ("he_normal", [-0.0883486196398735, -0.06603772193193436, -0.020447280257940292]),
    ],
)
def test_the_first_weights_never_change(initializer: Initializer, first: list[float]) -> None:
    """Stored trials are comparable with new ones only while a seed means the same start."""
    network = build(arm("flatten", {"dense": {"units": 50, "initializer": initializer}}), seed=1)
    assert keras_weights(network)["dense-1/kernel"].ravel()[:3].tolist() == pytest.approx(first, rel=1e-6)
