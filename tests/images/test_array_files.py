"""Arrays in files: whichever usual names and types they have, the same images come of them, or a refusal in words."""

from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fairtrial.errors import DataError
from fairtrial.images import opening


@pytest.fixture
def parts(noise) -> dict[str, np.ndarray]:
    return {
        "train_images": noise(30, 6, 5),
        "train_labels": np.arange(30) % 3,
        "test_images": noise(9, 6, 5, seed=2),
        "test_labels": np.arange(9) % 3,
    }


def test_the_names_of_keras_and_ours_mean_the_same(tmp_path, parts, facts_at) -> None:
    """Whoever saved them as x_train has the same trials as whoever saved them as train_images."""
    np.savez(tmp_path / "ours.npz", **parts)
    keras = dict(zip(("x_train", "y_train", "x_test", "y_test"), parts.values(), strict=True))
    np.savez_compressed(tmp_path / "keras.npz", **keras)
    for name, array in parts.items():
        np.save(tmp_path / f"{name}.npy", array)
    one, other = facts_at(tmp_path / "ours.npz"), facts_at(tmp_path / "keras.npz")
    folder, file = facts_at(tmp_path), facts_at(tmp_path / "train_images.npy")
    assert len({each.fingerprint for each in (one, other, folder, file)}) == 1
    assert (one.input_shape, one.classes, one.train_images, one.test_images) == ((6, 5, 1), 3, 30, 9)
    arrays = opening.arrays_of(one)
    assert np.array_equal(arrays["train_images"][..., 0], parts["train_images"])
    assert np.array_equal(arrays["test_labels"], parts["test_labels"])


def test_a_pair_of_files_is_named_with_a_comma_and_has_a_test_part_set_apart(
    tmp_path, parts, facts_at
) -> None:
    """Never silently: the rule is among the notes."""
    np.save(tmp_path / "mine.npy", parts["train_images"])
    np.save(tmp_path / "theirs.npy", parts["train_labels"])
    found = facts_at(f"{tmp_path / 'mine.npy'},{tmp_path / 'theirs.npy'}")
    assert (found.train_images, found.test_images) == (24, 6)
    assert "6 of its 30 images were set apart" in found.notes[-1] and "smallest SHA-256" in found.notes[-1]
    with pytest.raises(
        DataError, match=r"name both with a comma between them, such as mine\.npy,labels\.npy"
    ):
        facts_at(tmp_path / "mine.npy")


def test_fractions_and_levels_become_bytes_and_that_is_said(tmp_path, parts, facts_at) -> None:
    """An image divided by 255 is the same image; sixteen levels taken for 255 would train badly and nobody know why."""
    plain = facts_at(saved(tmp_path, "plain", **parts))
    shared = parts | {name: parts[name] / 255 for name in ("train_images", "test_images")}
    found = facts_at(saved(tmp_path, "fractions", **shared))
    assert found.fingerprint == plain.fingerprint
    assert "pixels from 0 to 1 became 0 to 255" in found.notes[0]
    dim = parts | {name: parts[name] // 16 for name in ("train_images", "test_images")}
    assert "the brightest pixel is 15 of 255" in facts_at(saved(tmp_path, "dim", **dim)).notes[0]
    bright = facts_at(tmp_path / "dim.npz", highest=15.0)
    assert opening.arrays_of(bright)["train_images"].max() == 255
    wild = parts | {"train_images": parts["train_images"] * 3.5}
    with pytest.raises(DataError, match=r"fractions from 0 to 892\.5; .* data\.highest: 892\.5"):
        facts_at(saved(tmp_path, "wild", **wild))


def test_words_and_numbers_with_gaps_are_numbered_in_their_order(tmp_path, parts, facts_at) -> None:
    """`10` comes after `9`, and the letters of EMNIST begin at 1."""
    words = np.array([["9", "10", "cat"][one] for one in parts["train_labels"]])
    found = facts_at(saved(tmp_path, "words", images=parts["train_images"], labels=words))
    assert found.class_names == ("9", "10", "cat")
    gaps = facts_at(
        saved(tmp_path, "gaps", images=parts["train_images"], labels=parts["train_labels"] * 2 + 1)
    )
    assert gaps.class_names == ("1", "3", "5")
    assert any("the labels 1 to 5 were numbered 0 to 2" in note for note in gaps.notes)


def test_colour_first_or_last_is_colour(tmp_path, noise, facts_at) -> None:
    labels = np.arange(20) % 2
    last = noise(20, 6, 5, 3)
    one = facts_at(saved(tmp_path, "last", x=last, y=labels))
    other = facts_at(saved(tmp_path, "first", x=np.moveaxis(last, 3, 1), y=labels))
    assert one.fingerprint == other.fingerprint and one.input_shape == (6, 5, 3)
    assert any("channels came first" in note for note in other.notes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_labels": np.arange(29)}, "29 labels for the 30 images"),
        ({"train_labels": np.eye(30)}, "one label for each image, not one column for each class"),
        ({"train_labels": np.zeros(30, int)}, "label '1' is among the test images alone"),
        ({"test_labels": np.full(9, 7)}, "label '7' is among the test images alone"),
        ({"train_images": np.zeros((30, 7))}, "rows of 7 values, which make no square image"),
        ({"train_images": np.zeros((30, 4, 4, 9))}, "1 channel"),
        ({"train_images": np.full((30, 6, 5), np.nan)}, "pixels that are no numbers"),
        ({"train_images": np.full((30, 6, 5), -1)}, "pixels from -1 to -1"),
        ({"train_images": np.full((30, 6, 5), "a")}, "pixels must be numbers"),
        ({"test_images": np.zeros((9, 5, 5), np.uint8)}, r"training and test images differ \(5 x 5 x 1 and 6 x 5 x 1\)"),
        ({"x_train": np.zeros((30, 6, 5))}, "there twice, under two names"),
        ({"images": np.zeros((3, 6, 5))}, "give either two parts or one whole"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused_in_words(tmp_path, parts, facts_at, change, said) -> None:
    with pytest.raises(DataError, match=said):
        facts_at(saved(tmp_path, "wrong", **(parts | change)))


def test_files_that_only_look_like_arrays_are_refused(tmp_path, parts, facts_at) -> None:
    """No Python object is ever loaded, and nothing larger than its file is ever made room for."""
    np.save(tmp_path / "images.npy", np.array([{}] * 3, dtype=object), allow_pickle=True)
    np.save(tmp_path / "labels.npy", np.arange(3))
    with pytest.raises(DataError, match="Python objects are never read"):
        facts_at(tmp_path / "images.npy")
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 1000, 1000), }\n"
    (tmp_path / "images.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(DataError, match="its header announces 1,000,000,000,000 bytes; at most"):
        facts_at(tmp_path / "images.npy")
    (tmp_path / "no.npz").write_bytes(b"PK nothing of the kind")
    with pytest.raises(DataError, match=r"not an undamaged \.npz file"):
        facts_at(tmp_path / "no.npz")
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("weights.npy", b"")
    with pytest.raises(DataError, match="no array in it has a name that is known; it has weights"):
        facts_at(tmp_path / "other.npz")


def test_files_of_mnist_s_format_are_read_packed_or_not(tmp_path, parts, facts_at) -> None:
    """Whether somebody unpacked them changes nothing; a part alone has its test part set apart."""
    for folder, pack in (("packed", gzip.compress), ("plain", bytes)):
        (tmp_path / folder).mkdir()
        for part, prefix in (("train", "train"), ("test", "t10k")):
            for kind, name in (("images", "images-idx3"), ("labels", "labels-idx1")):
                array = parts[f"{part}_{kind}"].astype(np.uint8)
                content = (
                    bytes((0, 0, 8, array.ndim))
                    + struct.pack(f">{array.ndim}I", *array.shape)
                    + array.tobytes()
                )
                suffix = ".gz" if pack is gzip.compress else ""
                (tmp_path / folder / f"{prefix}-{name}-ubyte{suffix}").write_bytes(pack(content))
    packed, plain = facts_at(tmp_path / "packed"), facts_at(tmp_path / "plain" / "train-images-idx3-ubyte")
    assert packed.fingerprint == plain.fingerprint == facts_at(saved(tmp_path, "same", **parts)).fingerprint
    for file in (tmp_path / "plain").glob("t10k*"):
        file.unlink()
    assert facts_at(tmp_path / "plain").test_images == 6
    (tmp_path / "plain" / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="there are no labels beside it"):
        facts_at(tmp_path / "plain")


def saved(folder: Path, name: str, **arrays: np.ndarray) -> Path:
    np.savez(folder / f"{name}.npz", **arrays)  # pyright: ignore[reportArgumentType]
    return folder / f"{name}.npz"


def test_more_bytes_than_are_taken_are_refused_before_they_are_made(tmp_path: Path, facts_at, noise) -> None:
    """Scaled up, a small file could fill the memory of the machine."""
    np.savez(tmp_path / "small.npz", images=noise(400, 4, 4), labels=np.arange(400) % 2)
    with pytest.raises(
        DataError, match=r"400 images of 4096 x 4096 x 1 are more than 1,073,741,824 bytes; .* data\.size"
    ):
        facts_at(tmp_path / "small.npz", size=(4096, 4096))
