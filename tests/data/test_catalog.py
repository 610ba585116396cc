"""The shipped data set is exactly MNIST, from the package or from the cache, whatever befalls them."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from fairtrial.data import catalog
from fairtrial.errors import DataError
from fairtrial.images import cache, shipped
from fairtrial.images.facts import MNIST


@pytest.fixture
def cache_folder(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def warm_cache(tmp_path_factory) -> Path:
    """A filled cache to copy from: decoding is the slow part of these tests."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAIRTRIAL_CACHE", str(folder))
        catalog.load("mnist")
    return folder


@pytest.fixture
def filled(warm_cache, cache_folder) -> Path:
    """Images, most of the bytes, are linked: whoever rewrites them puts a new file in their place."""

    def link_images(source: str, target: str) -> None:
        (os.link if Path(source).name.endswith("images.npy") else shutil.copy)(source, target)

    shutil.copytree(warm_cache, cache_folder, copy_function=link_images)
    return cache_folder / MNIST.fingerprint


def digest(dataset: catalog.Dataset) -> str:
    arrays = {name: getattr(dataset, name) for name in cache.ARRAYS}
    return catalog.fingerprint(arrays)


def test_mnist_is_mnist(cache_folder):
    """Sizes, shapes and the published number of images per class."""
    mnist = catalog.load("mnist")
    assert mnist.train_images.shape == (60_000, 28, 28, 1)
    assert mnist.test_images.shape == (10_000, 28, 28, 1)
    assert mnist.train_images.dtype == mnist.train_labels.dtype == np.uint8
    assert np.bincount(mnist.train_labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert np.bincount(mnist.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.fingerprint == MNIST.fingerprint


def test_the_first_digits_are_upright(cache_folder):
    """The first training image is the well-known 5; rows and columns swapped would still train."""
    first = catalog.load("mnist").train_images[0, :, :, 0]
    assert first[5].tolist()[12:24] == [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]


def test_the_packaged_files_hold_the_published_ones():
    """MD5 sums of the four published files, unpacked (packed they depend on who packed them)."""
    published = {
        "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
    }
    for name, expected in published.items():
        packed = (resources.files("fairtrial.data") / "mnist" / name).read_bytes()
        assert hashlib.md5(gzip.decompress(packed), usedforsecurity=False).hexdigest() == expected, name


def test_loading_fills_the_cache_and_reads_it_again(filled, monkeypatch):
    """Workers start in a tenth of a second, without decoding anything."""

    def forbidden(*_: object) -> None:
        raise AssertionError("decoded although the cache is whole")

    monkeypatch.setattr(shipped, "decode", forbidden)
    assert digest(catalog.load("mnist")) == MNIST.fingerprint


def test_arrays_cannot_be_written(filled, tmp_path, monkeypatch):
    """All workers share these pages; one that changes them would change everybody's data."""
    assert not catalog.load("mnist").train_images.flags.writeable
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "file"))
    assert not catalog.load("mnist").train_images.flags.writeable


@pytest.mark.parametrize(
    "damage", ["changed", "cut", "header", "empty", "folder", "gone", "other", "pickled"]
)
def test_a_damaged_cache_is_built_anew_and_never_used(filled, damage):
    """A disk that lost a byte, a copy that broke off: the numbers must not change."""
    path = filled / "test_images.npy"
    content = bytearray(path.read_bytes())
    path.unlink()
    match damage:
        case "changed":
            content[1_000_000] ^= 1
        case "cut":
            del content[-1:]
        case "header":
            content[20] = ord("{")
        case "empty":
            content.clear()
        case "folder":
            path.mkdir()
        case "other":
            np.save(path, np.zeros((10_000, 28, 28, 1), np.uint8))
        case "pickled":
            np.save(path, np.array([{}], dtype=object), allow_pickle=True)
        case "gone":
            pass
    if damage in ("changed", "cut", "header", "empty"):
        path.write_bytes(content)
    assert digest(catalog.load("mnist")) == MNIST.fingerprint
    if damage != "folder":
        cached = cache.read(MNIST.fingerprint)
        assert cached is not None and catalog.fingerprint(cached) == MNIST.fingerprint


@pytest.mark.parametrize("place", range(0, 128, 5))
def test_no_damage_to_the_header_of_a_cached_array_gets_past_the_check(filled, place):
    """numpy parses the header as Python text and fails in many ways; each means: build anew."""
    path = filled / "train_labels.npy"
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x15]))
    cached = cache.read(MNIST.fingerprint)
    if cached is not None and catalog.fingerprint(cached) == MNIST.fingerprint:
        assert np.bincount(cached["train_labels"])[0] == 5923


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    """A read-only home or a full disk costs time, not the study."""
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "file"))
    assert digest(catalog.load("mnist")) == MNIST.fingerprint


def test_a_user_without_a_home_is_served(monkeypatch):
    """Containers run as users that no password file knows."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("FAIRTRIAL_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cache.read(MNIST.fingerprint) is None
    cache.write(MNIST.fingerprint, {})


def test_four_processes_filling_one_cache_at_once_all_get_mnist(cache_folder):
    """One worker per core starts at the same moment on a fresh machine."""
    program = "from fairtrial.data import catalog; print(catalog.load('mnist').test_images.sum())"
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    sums = [process.communicate(timeout=120)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0] * 4
    assert sums == ["264923200"] * 4
    assert sorted(path.name for path in (cache_folder / MNIST.fingerprint).iterdir()) == sorted(
        f"{name}.npy" for name in cache.ARRAYS
    )


def test_an_own_cache_folder_goes_before_xdg_and_home(monkeypatch):
    """Clusters put caches on scratch disks; both usual ways to say so are obeyed."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("FAIRTRIAL_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.folder() == Path("/home/someone/.cache/fairtrial")
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch/cache")
    assert cache.folder() == Path("/scratch/cache/fairtrial")
    monkeypatch.setenv("FAIRTRIAL_CACHE", "/elsewhere")
    assert cache.folder() == Path("/elsewhere")


def test_files_of_another_data_set_are_refused(tmp_path):
    """Fashion-MNIST has the same names, sizes and shapes; only its content tells."""
    with resources.as_file(resources.files("fairtrial.data") / "mnist") as folder:
        for path in folder.iterdir():
            shutil.copy(path, tmp_path / path.name.replace("train", "swapped"))
        for path in folder.glob("train-*"):
            shutil.copy(path, tmp_path / path.name.replace("train", "t10k"))
        for path in folder.glob("t10k-*"):
            shutil.copy(path, tmp_path / path.name.replace("t10k", "train"))
    with pytest.raises(DataError, match="do not hold mnist: fingerprint .* expected " + MNIST.fingerprint):
        shipped.decode(tmp_path, MNIST)


def test_an_unknown_data_set_names_the_known_ones():
    """The message is the documentation."""
    with pytest.raises(DataError, match="'mnits' is no data set of the catalogue; did you mean 'mnist'"):
        catalog.load("mnits")


@pytest.mark.parametrize("change", ["name", "shape", "bytes", "dtype"])
def test_the_fingerprint_feels_every_change(change):
    """It stands for the data in every key of every trial."""
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    changed = {
        "name": {"b": array},
        "shape": {"a": array.reshape(4, 3)},
        "bytes": {"a": array + np.uint8(1)},
        "dtype": {"a": array.view(np.int8)},
    }[change]
    assert catalog.fingerprint({"a": array}) != catalog.fingerprint(changed)  # type: ignore[arg-type]
