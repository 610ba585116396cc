"""Headers of arrays that only look like some: what is said of them speaks of the file and not of Python."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from fairtrial.errors import DataError
from fairtrial.images import opening
from fairtrial.images.facts import Source


@pytest.mark.parametrize(("old", "new"), [(b"False", b"Fclse"), (b"False", b"{1:2}"), (b"(2,", b"(a,")])
def test_a_damaged_header_is_told_without_parts_of_python(tmp_path: Path, old: bytes, new: bytes) -> None:
    """Found by fuzzing: NumPy's message ends in the address of an object."""
    content = io.BytesIO()
    np.save(content, np.zeros((2, 4, 4), np.uint8))
    (tmp_path / "images.npy").write_bytes(content.getvalue().replace(old, new, 1))
    np.save(tmp_path / "labels.npy", np.array([0, 1]))
    with pytest.raises(DataError, match=r"images\.npy: not an undamaged \.npy file") as caught:
        opening.facts_of(Source(dataset=str(tmp_path)))
    assert "object at 0x" not in str(caught.value)


def test_images_that_do_not_fit_into_memory_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it runs out is chance; that it did is said, and what to do."""

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(opening, "assembled", full)
    np.savez(tmp_path / "some.npz", images=np.zeros((20, 4, 4), np.uint8), labels=np.arange(20) % 2)
    with pytest.raises(DataError, match=r"some\.npz: its images do not fit into the memory there is"):
        opening.facts_of(Source(dataset=str(tmp_path / "some.npz")))
