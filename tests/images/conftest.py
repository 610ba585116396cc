"""A cache of its own for every test, and small images to put into files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fairtrial.images import fetching, opening
from fairtrial.images.facts import DatasetFacts, Source

Bytes = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(folder))
    for name in (fetching.OFFLINE, fetching.MIRROR):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def noise() -> Callable[..., Bytes]:
    """`noise(n, height, width)`: images in which no two are alike, the same every time."""

    def make(*shape: int, seed: int = 1) -> Bytes:
        made = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        made.flat[0] = 255
        return made

    return make


@pytest.fixture
def facts_at() -> Callable[..., DatasetFacts]:
    """`facts_at(path, colour="grey")`"""
    return lambda path, **settings: opening.facts_of(Source(dataset=opening.absolute(str(path)), **settings))
