"""One thread, as in every trial: with more, sums are taken in another order."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fairtrial.data.catalog import Dataset, load

# Tests are imported one by one and would not find the module beside them.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """MNIST with a fifth of its test images: most of a small trial's time would go into testing it."""
    whole = load("mnist")
    return replace(whole, test_images=whole.test_images[:2000], test_labels=whole.test_labels[:2000])
