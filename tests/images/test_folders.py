"""A folder of images in class folders is a data set, or it is said what to do to make it one."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fairtrial.errors import DataError
from fairtrial.images import known, opening

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def fill(tmp_path: Path, noise) -> Callable[..., Path]:
    """`fill("train/cat", 5)` puts five images of noise there; no two calls put the same."""
    made = iter(range(1, 1000))

    def put(place: str, count: int, shape: tuple[int, ...] = (8, 7), suffix: str = ".png") -> Path:
        folder = tmp_path / "pets" / place
        folder.mkdir(parents=True, exist_ok=True)
        for image in noise(count, *shape, seed=next(made)):
            Image.fromarray(image).save(folder / f"{len(list(folder.iterdir())):03d}{suffix}")
        return tmp_path / "pets"

    return put


def test_class_folders_with_a_test_part(fill, facts_at) -> None:
    """What a pixel is in the file, it is in the array; classes are in the order people give them."""
    fill("test/2", 2)
    fill("train/10", 3)
    folder = fill("train/2", 4)
    facts = facts_at(folder)
    assert (facts.name, facts.class_names, facts.input_shape) == ("pets", ("2", "10"), (8, 7, 1))
    assert (facts.train_images, facts.test_images) == (7, 2)
    assert facts.notes == ("pets: no test image is of 1 of its 2 classes (10)",)
    arrays = opening.arrays_of(facts)
    first = np.asarray(Image.open(folder / "train" / "2" / "000.png"))
    assert np.array_equal(arrays["train_images"][0, ..., 0], first)
    assert arrays["train_labels"].tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_without_a_test_part_one_is_set_apart_by_content(fill, facts_at) -> None:
    """The same images whatever they are called and in whatever order they come; equal ones on one side."""
    fill("cat", 20)
    folder = fill("dog", 10)
    content = (folder / "dog" / "000.png").read_bytes()
    (folder / "dog" / "zzz.png").write_bytes(content)
    facts = facts_at(folder)
    assert "it has no test part; " in facts.notes[0] and facts.test_images in (6, 7)
    before = opening.arrays_of(facts)
    for file in sorted(folder.glob("*/*.png")):
        file.rename(file.with_name(f"{zlib.crc32(file.name.encode())}-{file.name}"))
    after = opening.arrays_of(facts_at(folder))
    names = known.files_of(facts_at(folder))
    assert len(names["train"]) == len(after["train_images"]) and all("-" in name for name in names["test"])
    for name, image in zip(names["test"], after["test_images"], strict=True):
        assert np.array_equal(np.asarray(Image.open(folder / name)), image[..., 0])
    tests = [{image.tobytes() for image in arrays["test_images"]} for arrays in (before, after)]
    assert tests[0] == tests[1]
    assert not tests[0] & {image.tobytes() for image in before["train_images"]}
    assert facts_at(folder, test=0.4).test_images > facts.test_images


def test_images_that_are_not_alike_are_refused_with_what_to_do(fill, facts_at) -> None:
    """Scaling and colouring change what is learnt from: whoever wants it says so."""
    fill("cat", 5)
    fill("cat", 2, (12, 9))
    folder = fill("dog", 5, (8, 7, 3))
    with pytest.raises(
        DataError, match=r"5 of 8 x 7 pixels in grey .* data\.size: 8x7 .* data\.colour: grey or rgb"
    ):
        facts_at(folder)
    with pytest.raises(DataError, match=r"data\.colour: grey or rgb$"):
        facts_at(folder, size=(8, 7))
    grey, colour = (facts_at(folder, size=(9, 9), colour=one) for one in ("grey", "rgb"))
    assert (grey.input_shape, colour.input_shape) == ((9, 9, 1), (9, 9, 3))
    assert any("images were scaled to 9 x 9" in note for note in grey.notes)


def test_transparency_needs_a_background(fill, facts_at, tmp_path) -> None:
    folder = fill("cat", 4)
    fill("dog", 4)
    clear = np.zeros((8, 7, 4), np.uint8)
    clear[0, 0] = (200, 200, 200, 128)
    Image.fromarray(clear).save(folder / "dog" / "clear.png")
    with pytest.raises(
        DataError, match=r"transparent in places; say what shows through with data\.background"
    ):
        facts_at(folder, colour="grey")
    facts = facts_at(folder, colour="grey", background="white", test=0.2)
    assert any("transparency of 1 images was left out (laid on white)" in note for note in facts.notes)
    arrays = opening.arrays_of(facts)
    images = np.concatenate([arrays["train_images"], arrays["test_images"]])
    assert any(image[0, 0, 0] == 227 and (image.reshape(-1)[1:] == 255).all() for image in images)


def test_what_is_no_image_is_named(fill, facts_at) -> None:
    """Other files are left out and said; a damaged image is refused, since it would be missing."""
    fill("cat", 5)
    folder = fill("dog", 5)
    (folder / "dog" / "notes.txt").write_text("a good dog")
    (folder / "dog" / ".DS_Store").write_bytes(b"x")
    assert any(
        "files that are no images were left out: 1 (dog/notes.txt)" in note for note in facts_at(folder).notes
    )
    whole = (folder / "dog" / "000.png").read_bytes()
    (folder / "dog" / "000.png").write_bytes(whole[:60])
    with pytest.raises(DataError, match=r"000\.png: not an undamaged image"):
        facts_at(folder)


def test_a_bomb_is_refused_before_it_is_unpacked(fill, facts_at) -> None:
    """A few kilobytes of PNG may say that they are a picture of gigabytes."""
    fill("cat", 5)
    folder = fill("dog", 5)
    Image.new("1", (5000, 5000)).save(folder / "dog" / "000.png")
    with pytest.raises(DataError, match="5000 x 5000 pixels; at most 4096 a side"):
        facts_at(folder)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ((), "0 folders in it; a folder for each class is needed"),
        (("cat",), "1 folder in it"),
        (("test/cat", "test/dog"), "a folder 'test' and none for training"),
        (("train/cat", "train/dog", "test/cow"), "class 'cow' has no training images"),
        (("train/cat", "training/dog"), "has both 'train"),
    ],
)
def test_folders_that_are_no_data_set_say_why(fill, facts_at, tmp_path, places, said) -> None:
    (tmp_path / "pets").mkdir()
    for place in places:
        fill(place, 3)
    with pytest.raises(DataError, match=said):
        facts_at(tmp_path / "pets")


def test_a_folder_that_changes_is_another_data_set_and_that_is_said(fill, facts_at) -> None:
    """Otherwise last week's trials would answer for this week's images."""
    fill("cat", 6)
    folder = fill("dog", 6)
    first = facts_at(folder)
    assert facts_at(folder) == first
    fill("dog", 3)
    changed = facts_at(folder)
    assert changed.fingerprint != first.fingerprint
    assert (
        f"its content has changed since it was first used (fingerprint {first.fingerprint[:12]} before"
        in changed.notes[-1]
    )
    assert facts_at(folder).notes == changed.notes


def test_jpeg_and_palettes_are_read_as_what_they_show(fill, facts_at) -> None:
    fill("cat", 4, (8, 8, 3), ".jpg")
    folder = fill("dog", 4, (8, 8, 3))
    picture = Image.open(folder / "dog" / "000.png").quantize(4)
    picture.save(folder / "dog" / "000.png")
    assert facts_at(folder).input_shape == (8, 8, 3)


def test_photographs_stand_as_viewers_show_them(fill, facts_at) -> None:
    """A camera stores what its sensor saw and says in EXIF how it was held; whoever labelled it saw it upright."""
    fill("cat", 4, (8, 7, 3))
    folder = fill("dog", 4, (8, 7, 3))
    upright = np.asarray(Image.open(folder / "cat" / "000.png"))
    orientation = Image.Exif()
    orientation[0x0112] = 6  # to be turned clockwise by a quarter
    Image.fromarray(np.rot90(upright)).save(folder / "cat" / "000.png", exif=orientation)
    facts = facts_at(folder, test=0.1)
    arrays = opening.arrays_of(facts)
    both = np.concatenate([arrays["train_images"], arrays["test_images"]])
    assert any("1 image was turned as EXIF says" in note for note in facts.notes)
    assert any(np.array_equal(one, upright) for one in both)


def test_folders_within_a_class_are_read_unless_they_are_parts(fill, facts_at) -> None:
    """Images that lie deeper would be missing in the training set; train and test below the classes would be mixed."""
    fill("cat", 5)
    fill("cat/more/still", 3)
    folder = fill("dog", 5)
    facts = facts_at(folder)
    assert facts.train_images + facts.test_images == 13
    fill("dog/test", 2)
    with pytest.raises(DataError, match=r"dog/test: a part within the folder of a class; .* train/CLASS"):
        facts_at(folder)


def test_no_image_is_passed_over_without_a_word(fill, facts_at) -> None:
    """What is learnt from less than what lies there must say so, or be refused."""
    fill("cat", 5)
    fill("dog", 5)
    folder = fill(".", 2)
    assert any(
        "images outside of the class folders were not read: 2" in note for note in facts_at(folder).notes
    )
    Image.new("L", (7, 8)).save(folder / "cat" / "scan.tif")
    with pytest.raises(DataError, match=r"scan\.tif: images of this format are not read; .* Convert it"):
        facts_at(folder)


def test_several_damaged_images_are_named_at_once(fill, facts_at) -> None:
    fill("cat", 6)
    folder = fill("dog", 6)
    for name in ("cat/001.png", "dog/000.png", "dog/004.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:50])
    with pytest.raises(DataError, match=r"cat/001\.png: .*; save it anew.*dog/000\.png.*dog/004\.png"):
        facts_at(folder)


def test_a_class_without_test_images_and_a_folder_too_high_are_told(fill, facts_at) -> None:
    fill("train/cat", 4)
    fill("train/dog", 4)
    folder = fill("test/cat", 2)
    assert "pets: no test image is of 1 of its 2 classes (dog)" in facts_at(folder).notes
    with pytest.raises(DataError, match=r"1 folder in it; .* is .*pets meant\?"):
        facts_at(folder.parent)
