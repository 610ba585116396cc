"""`fairtrial.Data` takes what other libraries hold, told by what their objects can do."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import fairtrial as ft
from fairtrial.images import opening


@pytest.fixture
def pair(noise) -> tuple[np.ndarray, np.ndarray]:
    return noise(30, 6, 6), np.arange(30) % 3


class Rows:
    """What a data set of Hugging Face can do, as far as it is used: columns, features, length."""

    def __init__(self, images, labels) -> None:
        self.columns = {"id": list(range(len(labels))), "image": images, "label": list(labels)}
        self.column_names = list(self.columns)
        self.features = {"label": SimpleNamespace(names=["cat", "dog", "cow"])}

    def __getitem__(self, key):
        return self.columns[key]

    def __len__(self) -> int:
        return len(self.columns["id"])


class Items:
    """What a data set of torch can do: items and their number."""

    classes = ("cat", "dog", "cow")

    def __init__(self, images, labels) -> None:
        self.items = [(image, np.int64(label)) for image, label in zip(images, labels, strict=True)]

    def __getitem__(self, place):
        return self.items[place]

    def __len__(self) -> int:
        return len(self.items)


def test_every_form_of_the_same_images_is_the_same_data(pair) -> None:
    """Trials do not depend on the library that held the images."""
    images, labels = pair
    pillow = pytest.importorskip("PIL.Image")
    made = [
        ft.Data(images, labels),
        ft.Data((images, labels)),
        ft.Data(images.tolist(), labels.tolist()),
        ft.Data(images / 255, labels),
        ft.Data(
            SimpleNamespace(
                data=images, targets=labels.tolist(), classes=["cat", "dog", "cow"], transform=None
            )
        ),
        ft.Data(
            SimpleNamespace(images=images, data=images.reshape(30, -1), target=labels, target_names=None)
        ),
        ft.Data(Rows([pillow.fromarray(one) for one in images], labels)),
        ft.Data(Items([pillow.fromarray(one) for one in images], labels)),
        ft.Data({"train": Rows(list(images), labels)}),
    ]
    assert len({one.reference for one in made}) == 1
    assert made[6].facts.class_names == made[7].facts.class_names == ("cat", "dog", "cow")
    assert (made[0].facts.train_images, made[0].facts.test_images) == (24, 6)


def test_test_images_are_taken_in_every_form(pair, noise) -> None:
    images, labels = pair
    other = (noise(6, 6, 6, seed=2), np.arange(6) % 3)
    made = [
        ft.Data(images, labels, test=other),
        ft.Data(images, labels, test_images=other[0], test_labels=other[1]),
        ft.Data((images, labels), other),
        ft.Data(((images, labels), other)),
        ft.Data({"train": Rows(list(images), labels), "test": Rows(list(other[0]), other[1])}),
    ]
    assert {(one.facts.train_images, one.facts.test_images) for one in made} == {(30, 6)}
    assert len({one.reference for one in made}) == 1
    assert ft.Data(images, labels, test=0.5).facts.test_images == 15


def test_a_study_takes_it_as_it_is_and_a_worker_finds_it(pair) -> None:
    """By its content: the object itself reaches no worker."""
    data = ft.Data(*pair, name="thirty")
    study = ft.Study(data={"dataset": data}, arms={"a": {}, "b": {"epochs": 2}})
    settings = study.arms["a"].settings.data
    assert settings.facts == data.facts and settings.validation == 2
    assert (
        ft.load("width", sets=[f"data.dataset={data}", "data.validation=5"])
        .arms["width-50"]
        .settings.data.facts
        == data.facts
    )
    assert np.array_equal(opening.arrays_of(settings.facts)["train_images"].shape, (24, 6, 6, 1))


def test_scikit_learn_s_digits() -> None:
    """A real object of a real library: sixteen levels of grey, which only the user can know."""
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    with pytest.raises(ft.FairtrialError, match=r"`highest: 16`"):
        ft.Data(digits)
    data = ft.Data(digits, highest=16, name="digits")
    assert repr(data) == "<Data 'digits': 1,438 training and 359 test images of 8 x 8 x 1, 10 classes>"
    assert opening.arrays_of(data.facts)["train_images"].max() == 255


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("a text", [1, 2]), "a text is no image; a path is named in the study"),
        ((object(),), "a object holds no images and labels that are known here"),
        (([[1, 2], [3]], [0, 1]), "cannot be made an array|no image"),
        (({"train": Rows([], [])},), "are not alike|no image|no labels"),
        (
            ([np.zeros((3, 3)), np.zeros((4, 4))], [0, 1]),
            r"its images are not alike \(3 x 3 x 1, 4 x 4 x 1\)",
        ),
    ],
)
def test_what_holds_no_images_is_refused(given, said) -> None:
    with pytest.raises(ft.FairtrialError, match=said):
        ft.Data(*given)


def test_wrong_options_are_refused(pair) -> None:
    for options, said in (
        ({"test": 1.5}, "share between 0 and 1"),
        ({"colour": "sepia"}, "colour must be one of grey, rgb"),
        ({"class_names": ["one"]}, "with 1 class names they must be 0 to 0"),
    ):
        with pytest.raises(ft.FairtrialError, match=said):
            ft.Data(*pair, **options)


def test_without_a_cache_it_cannot_be_kept(pair, monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "file"))
    with pytest.raises(ft.FairtrialError, match="set FAIRTRIAL_CACHE to a folder"):
        ft.Data(*pair)
