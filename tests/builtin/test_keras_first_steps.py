"""The programs that `fairtrial show course --code` prints of the notebook's fifteen models, run by Keras for a few steps.

Needs a Python that has TensorFlow: the one running the tests, or the one that the environment variable
FAIRTRIAL_KERAS_PYTHON names. `scripts/keras` makes one.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from fairtrial.study.shapes import parameters

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def programs() -> Any:
    """scripts/keras_programs.py, which also writes the table of the page."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("keras_programs")
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("part", [0, 1, 2])
def test_every_program_of_the_notebooks_models_runs_and_takes_our_first_steps(
    part: int, programs: Any
) -> None:
    """From the first line to the last; the same parameters, and from the same weights the same losses. Five models at a time."""
    if not programs.has_tensorflow():
        pytest.skip(
            "needs a Python with TensorFlow: scripts/keras makes one, FAIRTRIAL_KERAS_PYTHON names one"
        )
    arms = programs.fifteen()
    assert len(arms) == 15
    rows, versions = programs.compared(arms[5 * part : 5 * part + 5])
    assert len(rows) == 5
    print("\n".join(programs.table(rows, versions)))
    assert [f"{row.arm.name}: {fault}" for row in rows for fault in row.faults] == []


def test_the_page_has_the_table_of_all_fifteen(programs: Any) -> None:
    """With the parameters there are now; a loss that is further apart than is allowed is on no page."""
    page = (ROOT / "docs" / "keras.md").read_text(encoding="utf-8")
    block = page.split("<!-- keras-programs: begin -->")[1].split("<!-- keras-programs: end -->")[0]
    found = re.findall(
        r"^\| `(.+?)` \| ([\d,]+), ([\d,]+) \| .* \| (.+?) \| (.+?) \|$", block, flags=re.MULTILINE
    )
    arms = programs.fifteen()
    assert [name for name, *_ in found] == [arm.name for arm in arms]
    for arm, (_, theirs, ours, first, later) in zip(arms, found, strict=True):
        assert theirs == ours == f"{parameters(arm):,}"
        assert float(first) <= programs.FIRST and float(later) <= programs.LATER


def test_a_program_that_differs_is_noticed(programs: Any) -> None:
    """Another parameter, another loss, another end."""
    arm = programs.fifteen()[0]
    right = {
        "arm": arm, "theirs": parameters(arm), "keras": (2.3, 2.2, 2.1), "ours": (2.3, 2.2, 2.1), "printed": "Test Accuracy = 0.100",
        "steps": programs.STEPS + 2,
    }  # fmt: skip
    assert programs.Row(**right).faults == []
    for change in (
        {"theirs": 1},
        {"ours": (2.3001, 2.2, 2.1)},
        {"ours": (2.3, 2.2, 2.11)},
        {"ours": (float("nan"), 2.2, 2.1)},
        {"printed": ""},
        {"steps": 3},
    ):
        assert len(programs.Row(**right | change).faults) == 1
