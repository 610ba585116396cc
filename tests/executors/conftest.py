"""A Ray cluster for whichever tests want one; and the way to the modules beside these tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from benchmarks.ray_nodes import ENVIRONMENT, RayNodes, ray_nodes

# Tests are imported one by one and would not find the modules beside them.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def loopback() -> Iterator[None]:
    """Ray reads its environment when it is imported, by whichever test comes first."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def nodes() -> Iterator[RayNodes]:
    """Two nodes, which whatever looks for a cluster finds."""
    with found_nodes() as made:
        yield made


@pytest.fixture(scope="module")
def nodes_from_afar() -> Iterator[RayNodes]:
    """Two others, whose head serves drivers that are no node of the cluster: one more process that takes seconds."""
    with found_nodes(from_afar=True) as made:
        yield made


@contextmanager
def found_nodes(*, from_afar: bool = False) -> Generator[RayNodes]:
    # Not imported before it is known where: it reads the environment then.
    if find_spec("ray") is None:
        missing = "needs pip install 'fairtrial[ray]'"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with pytest.MonkeyPatch.context() as environment, ray_nodes(2, from_afar=from_afar) as made:
        environment.setenv("RAY_ADDRESS", made.address)
        yield made
