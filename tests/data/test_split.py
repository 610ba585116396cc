"""Who is trained on, who is validated on, and in which order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairtrial.data.split import buffered_shuffle, split, validation_seen
from fairtrial.data.streams import generator
from fairtrial.errors import DataError
from fairtrial.study.schema import DataSettings

FIXED = DataSettings()
RESHUFFLED = DataSettings(split="reshuffled")
seeds = st.integers(1, 10_000)


def draw_by_draw(count: int, buffer_size: int, rng: np.random.Generator) -> list[int]:
    """The buffered shuffle as its definition says, one draw at a time."""
    buffer = list(range(min(buffer_size, count)))
    size = len(buffer)
    order: list[int] = []
    slots = [int(draw * size) for draw in rng.random(count - size)]
    for index, slot in zip(range(size, count), slots, strict=True):
        order.append(buffer[slot])
        buffer[slot] = index
    return order + [buffer[slot] for slot in np.argsort(rng.random(size), kind="stable")]


@given(st.integers(0, 300), st.integers(1, 400), seeds)
def test_the_vectorised_shuffle_equals_the_definition(count, buffer_size, seed):
    """The trick with the stable sort is worth two milliseconds an epoch only if it is exact."""
    fast = buffered_shuffle(count, buffer_size, rng=generator(seed))
    assert fast.tolist() == draw_by_draw(count, buffer_size, generator(seed))


@pytest.mark.parametrize("count", [1, 2, 1000, 70_000])
@pytest.mark.parametrize("buffer_size", [1, 2, 999, 1000, 1001, 10_000, 65_536, 65_537, 10**6])
def test_the_vectorised_shuffle_equals_the_definition_at_real_sizes(count, buffer_size):
    """Above 65 536 slots their numbers need more than the 16 bits that sort fastest."""
    fast = buffered_shuffle(count, buffer_size, rng=generator(7))
    assert fast.dtype == np.int64
    assert fast.tolist() == draw_by_draw(count, buffer_size, generator(7))


def test_a_buffer_of_one_keeps_the_order():
    """As in tf.data: with one slot there is nothing to choose."""
    assert buffered_shuffle(50, 1, rng=generator(1)).tolist() == list(range(50))


@given(st.integers(1, 200), st.integers(1, 200), seeds)
def test_no_image_is_drawn_before_it_could_be_in_the_buffer(count, buffer_size, seed):
    """Draw t can give nothing beyond index t + buffer - 1: this is what makes the notebook's
    validation set come from the front of the data set."""
    order = buffered_shuffle(count, buffer_size, rng=generator(seed))
    assert sorted(order.tolist()) == list(range(count))
    assert (order <= np.arange(count) + buffer_size - 1).all()


def test_a_buffer_of_everything_is_a_uniform_permutation():
    """All 24 orders of four images equally often (chi-squared, 23 degrees of freedom)."""
    rng = generator(3)
    orders = [tuple(buffered_shuffle(4, 9, rng=rng).tolist()) for _ in range(4800)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 24
    assert ((counts - 200) ** 2 / 200).sum() < 60


@pytest.mark.parametrize("settings", [FIXED, RESHUFFLED], ids=["fixed", "reshuffled"])
@pytest.mark.parametrize("train", [None, 1, 1000, 54_000])
def test_an_epoch_trains_on_each_of_its_images_once(settings, train):
    """54 000 images by default, as many as asked for otherwise, none of them twice."""
    divided = split(settings.model_copy(update={"train": train}), seed=1)
    for epoch in (1, 2):
        order = divided.epoch_order(epoch)
        assert order.dtype == np.int64
        assert len(np.unique(order)) == len(order) == (train or 54_000)
    assert len(np.unique(divided.validation)) == len(divided.validation) == 6000


@given(seeds, st.integers(1, 300), st.integers(1, 300), st.integers(1, 5))
def test_a_fixed_split_never_trains_on_a_validation_image(seed, validation, train, epoch):
    """The honest validation accuracy depends on this alone."""
    divided = split(DataSettings(validation=validation, train=train, buffer_size=50), seed=seed)
    order = divided.epoch_order(epoch)
    assert len(divided.validation) == validation
    assert not np.isin(order, divided.validation).any()
    assert sorted(order.tolist()) == divided.pool.tolist()
    assert validation_seen(divided, epoch) == 0.0


def test_a_fixed_validation_set_is_drawn_from_all_images_alike():
    """Not only from the front: over 40 seeds every tenth of the data set gives about a tenth."""
    drawn = np.concatenate([split(FIXED, seed=seed).validation for seed in range(1, 41)])
    tenths = np.bincount(drawn // 6000, minlength=10) / len(drawn)
    assert np.abs(tenths - 0.1).max() < 0.005


@pytest.mark.parametrize("train", [100, 53_999])
def test_a_subset_keeps_the_validation_images(train):
    """Learning curves compare sizes of the training set; the yardstick must stay."""
    subset, whole = split(DataSettings(train=train), seed=5), split(FIXED, seed=5)
    assert subset.validation.tolist() == whole.validation.tolist()
    assert np.isin(subset.pool, whole.pool).all()


def test_a_larger_subset_contains_the_smaller():
    """Both are the front of one permutation, so that a learning curve grows by adding images."""
    small, large = split(DataSettings(train=100), seed=5), split(DataSettings(train=200), seed=5)
    assert np.isin(small.pool, large.pool).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_reshuffled_split_leaks_as_the_notebook_did(seed):
    """Validation from the first 16 000 images only, and about 98.5 % of it trained on in five epochs."""
    divided = split(RESHUFFLED, seed=seed)
    assert 15_000 < divided.validation.max() < 16_000
    assert validation_seen(divided, 5) == pytest.approx(0.985, abs=0.006)
    assert validation_seen(divided, 1) < validation_seen(divided, 2) < validation_seen(divided, 5)


def test_each_reshuffled_epoch_is_a_pass_with_its_front_dropped():
    """Exactly `take` and `skip` on a data set that reshuffles itself."""
    divided = split(RESHUFFLED, seed=4)
    assert divided.validation.tolist() == draw_by_draw(60_000, 10_000, generator(4, "split"))[:6000]
    for epoch in (1, 3):
        expected = draw_by_draw(60_000, 10_000, generator(4, "order", epoch))[6000:]
        assert divided.epoch_order(epoch).tolist() == expected


def test_a_reshuffled_subset_is_the_front_of_the_data_set():
    """`data.train` shortens the data set itself, as `take` before the shuffle would."""
    divided = split(RESHUFFLED.model_copy(update={"train": 1000}), seed=4)
    assert divided.epoch_order(1).tolist() == draw_by_draw(7000, 10_000, generator(4, "order", 1))[6000:]
    assert divided.validation.max() < 7000


def test_what_was_seen_is_counted_from_the_orders(monkeypatch):
    """The count must notice a leak that the kind of split does not announce."""
    divided = split(DataSettings(validation=10, train=100), seed=1)
    leaking = np.concatenate([divided.pool, divided.validation[:3]])
    assert validation_seen(
        type(divided)(validation=divided.validation, pool=leaking, dropped=0, buffer_size=10, seed=1), 1
    ) == pytest.approx(0.3)
    assert validation_seen(divided, 0) == 0.0


def test_split_and_orders_are_those_they_always_were():
    """Stored outcomes were trained in these orders: change them only with a new engine version."""
    fixed, reshuffled = split(FIXED, seed=1), split(RESHUFFLED, seed=1)
    assert fixed.validation[:5].tolist() == [1, 19, 54, 71, 79]
    assert fixed.epoch_order(1)[:5].tolist() == [240, 1524, 2837, 7841, 4632]
    assert fixed.epoch_order(2)[-5:].tolist() == [51475, 54863, 41897, 51024, 55756]
    assert reshuffled.validation[:5].tolist() == [1796, 698, 3666, 3022, 3389]
    assert reshuffled.epoch_order(1)[:5].tolist() == [13663, 15768, 15507, 5189, 5670]
    assert reshuffled.epoch_order(2)[-5:].tolist() == [51794, 57262, 46252, 53311, 55272]


def test_seeds_and_epochs_have_orders_of_their_own():
    """A seed fixes the order of each epoch, and no two epochs or seeds share one."""
    orders = {
        tuple(split(FIXED, seed=seed).epoch_order(epoch)[:20].tolist()) for seed in (1, 2) for epoch in (1, 2)
    }
    assert len(orders) == 4
    again = split(FIXED, seed=2).epoch_order(2)[:20]
    assert tuple(again.tolist()) in orders


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"validation": 60_000}, "validation 60000 and train 1 need 60001 images; mnist has 60000"),
        ({"train": 54_001}, "validation 6000 and train 54001 need 60001 images; mnist has 60000"),
        ({"validation": 70_000}, "need 70001 images; mnist has 60000"),
    ],
)
def test_more_images_than_there_are_is_refused(settings, match):
    """Whoever passes by the checks of the settings must not get fewer images by a short slice."""
    with pytest.raises(DataError, match=match):
        split(FIXED.model_copy(update=settings), seed=1)


def test_epochs_are_counted_from_one():
    """Epoch 0 would be a stream nobody trained with."""
    with pytest.raises(ValueError, match="counted from 1, got 0"):
        split(FIXED, seed=1).epoch_order(0)
