"""The catalogue: what it says of each data set is published, and each is read from files of its own format."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import re
import struct
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fairtrial.errors import DataError
from fairtrial.images import formats, idx, mirrors, opening, published
from fairtrial.images.facts import MNIST, Source

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")


def test_every_file_has_a_checksum_and_more_than_one_place() -> None:
    """USPS is the one of which nobody has published more than an MD5 and no size."""
    for entry in published.CATALOGUE.values():
        for file in entry.files:
            assert len(file.urls) >= 2, file.name
            if entry.name == "usps":
                assert re.fullmatch("[0-9a-f]{32}", file.md5) and file.size is None
            else:
                assert re.fullmatch("[0-9a-f]{64}", file.sha256) and file.size
        assert entry.class_names == () or len(set(entry.class_names)) == entry.classes
    assert published.CATALOGUE["mnist"].facts == MNIST


def test_the_catalogue_has_what_people_ask_for() -> None:
    splits = ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")
    assert set(published.CATALOGUE) == {
        "mnist", "fashion_mnist", "kmnist", "qmnist", "usps", "cifar10", "cifar100", "svhn", *(f"emnist_{one}" for one in splits),
    }  # fmt: skip


@debian
def test_fashion_mnist_of_debian_is_the_published_one(monkeypatch) -> None:
    """Its package packs the same content without names and times; put back, the published checksums come out."""
    times = {"t10k": (1504176627, 1504176627), "train": (1504176606, 1504176606)}
    for file in mirrors.FASHION_MNIST:
        packed = (DEBIAN / file.name).read_bytes()
        when = times[file.name.partition("-")[0]]["labels" in file.name]
        named = b"\x1f\x8b\x08\x08" + struct.pack("<I", when) + packed[8:10] + file.name[:-3].encode() + b"\0"
        assert hashlib.sha256(named + packed[10:]).hexdigest() == file.sha256, file.name
        assert len(named) + len(packed) - 10 == file.size


@debian
def test_fashion_mnist_is_found_where_debian_puts_it(monkeypatch) -> None:
    """No download, whatever the line is like; and its facts need no file at all."""
    monkeypatch.setenv("FAIRTRIAL_OFFLINE", "1")
    facts = opening.facts_of(Source(dataset="fashion_mnist"))
    assert (facts.input_shape, facts.classes, facts.class_names[9]) == ((28, 28, 1), 10, "Ankle boot")
    arrays = opening.arrays_of(facts)
    assert np.bincount(arrays["train_labels"]).tolist() == [6000] * 10
    assert np.bincount(arrays["test_labels"]).tolist() == [1000] * 10


def test_what_is_not_here_says_how_to_get_it(monkeypatch, cache_folder) -> None:
    monkeypatch.setenv("FAIRTRIAL_OFFLINE", "1")
    with pytest.raises(
        DataError, match=r"kmnist is not here and could not be fetched:(.|\n)*train-images-idx3-ubyte\.gz"
    ):
        opening.facts_of(Source(dataset="kmnist"))


def gz_idx(array: np.ndarray) -> bytes:
    kind = 0x0C if array.dtype.itemsize == 4 else 0x08
    head = bytes((0, 0, kind, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes())


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_emnist_is_turned_upright_and_letters_begin_at_a(tmp_path, noise) -> None:
    """Its images are stored column by column, and its letters are numbered from 1."""
    images, labels = noise(26, 28, 28), np.arange(1, 27, dtype=np.uint8)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for part in ("train", "test"):
            archive.writestr(
                f"gzip/emnist-letters-{part}-images-idx3-ubyte.gz", gz_idx(images.transpose(0, 2, 1))
            )
            archive.writestr(f"gzip/emnist-letters-{part}-labels-idx1-ubyte.gz", gz_idx(labels))
    train, _ = formats.emnist(
        {"gzip.zip": put(tmp_path / "gzip.zip", content.getvalue())}, split="letters", first=1
    )
    assert np.array_equal(train.images[..., 0], images)
    assert train.labels.tolist() == list(range(26))
    with pytest.raises(DataError, match="not the archive it should be"):
        formats.emnist({"gzip.zip": tmp_path / "gzip.zip"}, split="digits", first=0)


def test_qmnist_has_the_class_in_the_first_of_eight_columns(tmp_path, noise) -> None:
    rows = np.zeros((5, 8), ">i4")
    rows[:, 0], rows[:, 1:] = [3, 1, 4, 1, 5], 100_000
    files = {}
    for part in ("train", "test"):
        for name, array in (("images-idx3-ubyte", noise(5, 28, 28)), ("labels-idx2-int", rows)):
            files[f"qmnist-{part}-{name}.gz"] = put(tmp_path / f"{part}-{name}", gz_idx(array))
    train, _ = formats.qmnist(files)
    assert train.labels.tolist() == [3, 1, 4, 1, 5] and train.images.shape == (5, 28, 28, 1)


def test_usps_has_values_around_zero_and_labels_from_one(tmp_path) -> None:
    values = np.linspace(-1, 1, 256)
    line = "7 " + " ".join(f"{place}:{value:.6f}" for place, value in enumerate(values, start=1))
    files = {
        name: put(tmp_path / name, bz2.compress(f"{line}\n".encode())) for name in ("usps.bz2", "usps.t.bz2")
    }
    train, _ = formats.usps(files)
    assert train.labels.tolist() == [6] and train.images.shape == (1, 16, 16, 1)
    assert train.images.reshape(-1)[[0, 255]].tolist() == [0, 255]
    put(tmp_path / "usps.bz2", bz2.compress(b"1 2:0.5\n"))
    with pytest.raises(DataError, match="value 2 where 1 belongs"):
        formats.usps(files)


@pytest.mark.parametrize(("labels", "names"), [(1, ("a.bin", "b.bin")), (2, ("train.bin", "test.bin"))])
def test_cifar_is_rows_of_labels_and_three_planes(tmp_path, noise, labels, names) -> None:
    """Of CIFAR-100 the second label counts, the finer one."""
    images = noise(4, 32, 32, 3)
    rows = np.concatenate(
        [np.full((4, labels), 9, np.uint8), images.transpose(0, 3, 1, 2).reshape(4, -1)], axis=1
    )
    rows[:, labels - 1] = [0, 1, 2, 3]
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(f"cifar/{name}")
            member.size = rows.nbytes
            archive.addfile(member, io.BytesIO(rows.tobytes()))
    files = {"cifar.tar.gz": put(tmp_path / "cifar.tar.gz", content.getvalue())}
    train, test = formats.cifar(files, batches=((names[0],), names[1]), labels=labels)
    assert np.array_equal(train.images, images) and test.labels.tolist() == [0, 1, 2, 3]
    with pytest.raises(DataError, match=r"other\.bin is not in it"):
        formats.cifar(files, batches=(("other.bin",), names[1]), labels=labels)
    with pytest.raises(DataError, match=r"no rows of 307[34]"):
        formats.cifar(files, batches=((names[0],), names[1]), labels=3 - labels)


def test_svhn_has_the_image_last_and_ten_for_zero(tmp_path, noise) -> None:
    from scipy.io import savemat

    images = noise(3, 32, 32, 3)
    for name in ("train", "test"):
        savemat(
            tmp_path / name,
            {"X": images.transpose(1, 2, 3, 0), "y": np.array([[1], [10], [9]], np.uint8)},
            appendmat=False,
        )
    train, _ = formats.svhn({"train": tmp_path / "train", "test": tmp_path / "test"})
    assert np.array_equal(train.images, images) and train.labels.tolist() == [1, 0, 9]
    put(tmp_path / "test", b"MATLAB 5.0 or so")
    with pytest.raises(DataError, match="not a file of MATLAB 5"):
        formats.svhn({"train": tmp_path / "train", "test": tmp_path / "test"})


def test_a_data_set_that_is_not_as_it_was_published_is_refused(tmp_path, monkeypatch, noise) -> None:
    """Right checksum or not: counts, shape and labels must be those of the catalogue."""
    entry = published.CATALOGUE["kmnist"]
    files = {}
    for prefix, count in (("train", 20), ("t10k", 20)):
        files[f"{prefix}-images-idx3-ubyte.gz"] = put(tmp_path / f"{prefix}i", gz_idx(noise(count, 28, 28)))
        files[f"{prefix}-labels-idx1-ubyte.gz"] = put(
            tmp_path / f"{prefix}l", gz_idx(np.arange(count, dtype=np.uint8) % 10)
        )
    monkeypatch.setattr(published, "files_of", lambda _: files)
    with pytest.raises(
        DataError, match=r"kmnist: training images of \(20, 28, 28, 1\); it is published with \(60000,"
    ):
        published.read("kmnist")
    small = replace(entry, train=20, test=20)
    monkeypatch.setitem(published.CATALOGUE, "kmnist", small)
    facts = opening.facts_of(Source(dataset="kmnist"))
    assert (facts.name, facts.train_images, facts.class_names[0]) == ("kmnist", 20, "o")
    monkeypatch.setitem(published.CATALOGUE, "kmnist", replace(small, fingerprint="0" * 64))
    with pytest.raises(DataError, match="the files are readable but hold something else"):
        published.read("kmnist")


def test_integers_are_read_as_such_and_bytes_not(tmp_path) -> None:
    content = gz_idx(np.array([[1, -2]], ">i4"))
    assert idx.parsed(content, where="x", dimensions=2, kind=idx.INTEGERS).tolist() == [[1, -2]]
    with pytest.raises(DataError, match="unsigned bytes in 2 dimensions"):
        idx.parsed(content, where="x", dimensions=2)
