"""`fairtrial.Data` takes what other libraries hold, told by what their objects can do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

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
    with pytest.raises(ft.FairtrialError, match=r"such as highest=16"):
        ft.Data(digits)
    data = ft.Data(digits, highest=16, name="digits")
    assert repr(data) == "<Data 'digits': 1,438 training and 359 test images of 8 x 8 x 1, 10 classes>"
    assert opening.arrays_of(data.facts)["train_images"].max() == 255


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("a text", [1, 2]), "a text is no image; a path is named in the study"),
        ((object(),), "an object holds no images and labels that are known here"),
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


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": (0, 8)}, r"size must be a height and a width of 1 to 4096 pixels, .* got \(0, 8\)"),
        ({"size": (100_000, 100_000)}, "size must be"),
        ({"size": (4, 4, 3)}, "size must be"),
        ({"highest": 0}, "highest must be above 0 and at most 65535, got 0"),
        ({"highest": "16"}, "highest must be"),
        ({"highest": float("nan")}, "highest must be"),
        ({"highest": 16}, "Say which value is white, such as highest=2"),
        ({"name": 5}, "name must be a text, got '5'"),
        ({"test": True}, "test must be a share between 0 and 1"),
        ({"test_labels": [0, 1]}, "belong together; test_images is missing"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_words(pair, settings, said: str) -> None:
    """As a study file refuses it: no arithmetic of ours ends in a traceback."""
    with pytest.raises(ft.FairtrialError, match=said):
        ft.Data(*pair, **settings)


def test_sizes_are_written_as_in_a_study_file(pair) -> None:
    shapes = {ft.Data(*pair, size=one).facts.input_shape for one in ("4x4", 4, (4, 4))}
    assert shapes == {(4, 4, 1)}


def test_pixels_below_black_are_no_matter_of_white(pair) -> None:
    """To call another value white would not help images that were centred."""
    images, labels = pair
    with pytest.raises(ft.FairtrialError, match=r"pixels from -1 to 1; .* before they were centred"):
        ft.Data(images / 127.5 - 1, labels)


def test_labels_keep_their_order_and_their_kind(pair) -> None:
    images, labels = pair
    assert ft.Data(images, labels - 1).facts.class_names == ("-1", "0", "1")
    with pytest.raises(ft.FairtrialError, match=r"label 1 is 7 \(int\) among others"):
        ft.Data(images, ["a", 7, None] * 10)
    with pytest.raises(ft.FairtrialError, match="beside names for classes"):
        ft.Data(images, np.array(["a", "b", "c"])[labels], class_names=["x", "y", "z"])


def test_mappings_and_what_can_be_gone_through_once(pair) -> None:
    """A dictionary of arrays, an open .npz file, a dictionary of splits, and generators are all at hand in Python."""
    images, labels = pair
    plain = ft.Data(images, labels).facts.fingerprint
    for given in (
        [{"images": images, "labels": labels}],
        [{"x_train": images, "y_train": labels}],
        [{"train": (images, labels)}],
        [[images, labels]],
        [(one for one in images), (int(one) for one in labels)],
        [[{"image": one, "label": int(label)} for one, label in zip(images, labels, strict=True)]],
    ):
        assert ft.Data(*given).facts.fingerprint == plain
    splits = ft.Data({"train": (images, labels), "validation": (images, labels)})
    assert any("parts that were not read: validation" in note for note in splits.facts.notes)
    with pytest.raises(ft.FairtrialError, match=r"a mapping of full; known are the splits train and test"):
        ft.Data({"full": images})
    with pytest.raises(ft.FairtrialError, match=r"'photos' is a path; a study names it itself"):
        ft.Data("photos")


def test_transforms_are_left_out_where_they_can_be_and_random_ones_refused(pair) -> None:
    """A study that learnt from whatever a random transform made first would learn from something nobody can name."""
    images, labels = pair
    rng = np.random.default_rng(1)

    class Folder(Items):
        """torchvision's ImageFolder, as far as it is used: paths, a loader, a transform."""

        samples: ClassVar = [(place, int(label)) for place, label in enumerate(labels)]
        transform = staticmethod(lambda image: image[::-1])
        loader = staticmethod(lambda place: images[place])

        def __getitem__(self, place):
            return self.transform(images[place]), int(labels[place])

    found = ft.Data(Folder(images, labels)).facts
    assert found.fingerprint == ft.Data(images, labels).facts.fingerprint
    assert any("its transform was not applied" in note for note in found.notes)

    class Random(Items):
        def __getitem__(self, place):
            return rng.integers(0, 256, (6, 6), dtype=np.uint8), int(labels[place])

    with pytest.raises(ft.FairtrialError, match="another image each time it is read"):
        ft.Data(Random(images, labels))

    class Broken(Items):
        def __getitem__(self, place):
            raise RuntimeError("the disk is gone")

    with pytest.raises(ft.FairtrialError, match=r"item 0 cannot be read \(RuntimeError: the disk is gone\)"):
        ft.Data(Broken(images, labels))
