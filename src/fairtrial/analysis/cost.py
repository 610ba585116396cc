"""How long trials take: measured where any was trained on this machine or on a cluster, else a stated guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fairtrial.analysis.values import PHASES, ArmTrials
from fairtrial.engine.machine import machine
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import multiply_adds, parameters, updates

GUESSED_MULTIPLY_ADDS = 3.2e11
"""Multiply-adds a second of one core with bfloat16 matrix units, batches of 100: a guess elsewhere."""

GUESSED_PARAMETERS = 2.5e9
"""Parameters an optimiser updates a second on one core: bound by memory, it rules at batch size 1."""

GUESSED_UPDATE_SECONDS = 0.0002
"""What an update costs beside its arithmetic."""

GUESSED_MOVED_IMAGE_SECONDS = 3e-6
"""What it takes to move an image of 28 x 28 pixels, where training augments: it rules where the network is small."""

GUESSED_TRIAL_SECONDS = 0.1
"""What a trial costs however small: its network made, the images turned into numbers to be judged by."""

GUESSED_OWN_SECONDS = 60.0
"""What a trial of the user's own code is taken to cost before one was trained: nobody can know."""

VALIDATION_MOMENTS, TEST_MOMENTS = 10, 5
"""Evaluations during the last epoch, of which each takes one pass over its images."""

Basis = Literal["measured", "cluster", "scaled", "guess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds one trial of an arm takes one worker.

    `measured`: trials of this arm on this machine; `cluster`: on the nodes of one, where none of the study was
    trained on this machine. `scaled`: trials of other arms there, by their work. `guess`: there are none.
    """

    seconds: float
    basis: Basis


def costs(arms: Mapping[str, ArmTrials]) -> dict[str, Cost]:
    """What one trial of each arm costs, from the trials of the whole study on this machine, or on a cluster."""
    basis: Basis = "measured"
    measured = _measured(arms, here)
    if not measured:
        basis, measured = "cluster", _measured(arms, on_a_cluster)
    ratios = [
        seconds / _guess(arms[name].arm) for name, seconds in measured.items() if _is_known(arms[name].arm)
    ]
    scale = float(np.exp(np.mean(np.log(ratios)))) if ratios else 1.0
    return {
        name: Cost(seconds=measured[name], basis=basis)
        if name in measured
        else Cost(seconds=scale * _guess(arm.arm), basis="scaled")
        if ratios and _is_known(arm.arm)
        else Cost(seconds=_guess(arm.arm), basis="guess")
        for name, arm in arms.items()
    }


def here(provenance: Mapping[str, str]) -> bool:
    """Whether it was this machine."""
    return provenance.get("machine") == machine()


def on_a_cluster(provenance: Mapping[str, str]) -> bool:
    """Whether it was the node of a cluster, to which this machine need not belong."""
    return "node" in provenance


def _measured(arms: Mapping[str, ArmTrials], there: Callable[[Mapping[str, str]], bool]) -> dict[str, float]:
    """Mean seconds of the arms' finished trials of one place, by the arm's name; arms without any are left out."""
    seconds = {
        name: [
            sum(trial.outcome.seconds.get(phase, 0.0) for phase in PHASES if phase != "fit")
            for trial in arm.trials
            if trial.outcome.state == "finished" and there(trial.outcome.provenance)
        ]
        for name, arm in arms.items()
    }
    return {name: float(np.mean(some)) for name, some in seconds.items() if some}


def _is_known(arm: Arm) -> bool:
    """Whether its work can be told from its settings."""
    return arm.is_described and not arm.is_command


def _guess(arm: Arm) -> float:
    """Training, forward and backward, and the evaluations: the larger part where one trains on few images."""
    if not _is_known(arm):
        return GUESSED_OWN_SECONDS
    data, epochs = arm.settings.data, arm.settings.epochs
    evaluated = data.validation * (epochs + VALIDATION_MOMENTS) + data.facts.test_images * TEST_MOMENTS
    passes = multiply_adds(arm) * (3 * data.train_count * epochs + evaluated)
    per_update = GUESSED_UPDATE_SECONDS + parameters(arm) / GUESSED_PARAMETERS
    moved = data.train_count * epochs if data.augment.moves else 0
    arithmetic = passes / GUESSED_MULTIPLY_ADDS + updates(arm) * per_update
    return GUESSED_TRIAL_SECONDS + arithmetic + moved * GUESSED_MOVED_IMAGE_SECONDS
