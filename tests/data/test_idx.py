"""The IDX reader takes whole, undamaged files and nothing else."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairtrial.errors import DataError
from fairtrial.images.idx import read_array, read_pair

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([9, 0], dtype=np.uint8)


def idx_bytes(array: np.ndarray, *, magic: bytes | None = None, sizes: Sequence[int] | None = None) -> bytes:
    magic = bytes((0, 0, 8, array.ndim)) if magic is None else magic
    sizes = array.shape if sizes is None else sizes
    return magic + struct.pack(f">{len(sizes)}I", *sizes) + array.tobytes()


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("idx")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refuses(path: Path, match: str, *, dimensions: int = 3) -> None:
    with pytest.raises(DataError, match=match) as caught:
        read_array(path, dimensions=dimensions)
    assert str(path) in str(caught.value)
    assert (
        "expected" in str(caught.value)
        or "cut short" in str(caught.value)
        or "undamaged" in str(caught.value)
    )


def test_a_whole_pair_is_read_exactly(folder):
    """Every value and its place: height before width, one channel last."""
    images, labels = read_pair(
        write(folder / "images.gz", packed(idx_bytes(IMAGES))),
        write(folder / "labels.gz", packed(idx_bytes(LABELS))),
        classes=10,
    )
    assert images.dtype == labels.dtype == np.uint8
    assert images.tolist() == IMAGES[..., None].tolist()
    assert labels.tolist() == [9, 0]


@given(st.data())
def test_a_file_cut_short_anywhere_is_refused(folder, data):
    """A download that broke off must never become a smaller data set."""
    whole = packed(idx_bytes(IMAGES))
    length = data.draw(st.integers(0, len(whole) - 1))
    refuses(write(folder / "cut.gz", whole[:length]), "cut short|undamaged")


@given(st.data())
def test_content_cut_short_anywhere_is_refused(folder, data):
    """Also when the gzip file itself is whole, because it was packed after the damage."""
    content = idx_bytes(IMAGES)
    length = data.draw(st.integers(0, len(content) - 1))
    refuses(write(folder / "short.gz", packed(content[:length])), "cut short|bytes follow the header")


@given(st.binary(min_size=1, max_size=40))
def test_anything_after_the_gzip_stream_is_refused(folder, garbage):
    """Also zeros, which Python's own gzip reader lets pass."""
    path = write(folder / "garbage.gz", packed(idx_bytes(IMAGES)) + garbage)
    refuses(path, f"{len(garbage)} bytes follow the end of the gzip stream")


@given(st.binary(min_size=1, max_size=40))
def test_anything_after_the_numbers_is_refused(folder, garbage):
    """The sizes in the header are the truth; a longer file is another file."""
    path = write(folder / "long.gz", packed(idx_bytes(IMAGES) + garbage))
    refuses(path, f"{24 + len(garbage)} bytes follow the header; expected 24")


@given(st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(folder, data):
    """gzip guards the content with a checksum; only its own header holds bytes without meaning."""
    whole = bytearray(packed(idx_bytes(IMAGES)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    try:
        array = read_array(write(folder / "changed.gz", bytes(whole)), dimensions=3)
    except DataError:
        return
    assert array.tolist() == IMAGES.tolist()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_with_a_message(folder, content):
    """No traceback of zlib or struct ever reaches the user."""
    refuses(write(folder / "any.gz", content), "cut short|undamaged")
    refuses(write(folder / "any.gz", packed(content)), "cut short|magic number|bytes follow")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (idx_bytes(LABELS), r"12 bytes of content|10 bytes of content"),
        (idx_bytes(IMAGES, magic=b"\0\0\x0d\x03"), "magic number 0x00000d03; expected 0x00000803"),
        (idx_bytes(IMAGES, magic=b"\0\x01\x08\x03"), "magic number 0x00010803; expected 0x00000803"),
        (
            idx_bytes(IMAGES, sizes=(3, 3, 4)),
            "24 bytes follow the header; expected 36 for its size of 3 x 3 x 4",
        ),
        (
            idx_bytes(IMAGES, sizes=(2**32 - 1,) * 3),
            "its header announces 4294967295 x 4294967295 x 4294967295 = 79228162",
        ),
    ],
)
def test_a_wrong_header_is_refused_saying_what_was_expected(folder, content, match):
    """Labels in place of images, other types of number, sizes that lie."""
    refuses(write(folder / "header.gz", packed(content)), match)


def test_a_missing_file_is_named(folder):
    """The user must know which of the four files to look for."""
    refuses(folder / "nowhere.gz", "No such file")


def test_counts_that_do_not_match_name_both_files(folder):
    """Images beside the labels of another part would train on noise without a word."""
    images = write(folder / "images.gz", packed(idx_bytes(IMAGES)))
    labels = write(folder / "three.gz", packed(idx_bytes(np.zeros(3, np.uint8))))
    with pytest.raises(DataError, match=r"3 labels for the 2 images") as caught:
        read_pair(images, labels, classes=10)
    assert str(images) in str(caught.value) and str(labels) in str(caught.value)


def test_a_label_out_of_range_is_named_with_its_image(folder):
    """A class the network has no output for would crash the first step, or worse."""
    images = write(folder / "images.gz", packed(idx_bytes(IMAGES)))
    labels = write(folder / "labels.gz", packed(idx_bytes(np.array([9, 10], np.uint8))))
    with pytest.raises(DataError, match="label 10 of image 1 is out of range; expected 0 to 9"):
        read_pair(images, labels, classes=10)
