"""What a step's phases take is part of what the step takes, and nothing stays patched."""

from __future__ import annotations

import pytest
import torch
from benchmarks.profiling import STEP_PHASES, Profile, block, measured
from benchmarks.rows import rows

from fairtrial.engine.chain import Chain
from fairtrial.engine.evaluate import Images


@pytest.mark.parametrize("row", ["width-50", "cnn-1"])
def test_phases_are_parts_of_a_step(row: str) -> None:
    before = (Images.batch, Chain._forward, torch.Tensor.backward)
    found = measured(rows()[row], steps=2)
    assert set(found.phases) == set(STEP_PHASES)
    assert 0 < sum(found.phases.values()) <= found.step
    assert found.steps_per_epoch == 540
    assert (Images.batch, Chain._forward, torch.Tensor.backward) == before


def test_shares_are_of_the_step_and_of_the_epoch() -> None:
    known = Profile(
        row="a",
        step=0.002,
        phases={"images": 0.0002, "forward": 0.0006, "backward": 0.001, "update": 0.0001},
        validation=0.12,
        steps_per_epoch=540,
    )
    one_loop = Profile(row="b", step=0.001, phases={}, validation=1.0, steps_per_epoch=1000)
    *_, first, second = block([known, one_loop])
    assert first == "| a | 2 | 10 % | 30 % | 50 % | 5 % | 5 % | 0.12 | 10.0 % |"
    assert second == "| b | 1 |  |  |  |  |  | 1 | 50.0 % |"
