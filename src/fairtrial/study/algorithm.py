"""Which of the engine's two ways of training an arm takes: it follows from the arm alone."""

from __future__ import annotations

from typing import Literal

from fairtrial.study.layers import Activation, Dense, Flatten
from fairtrial.study.schema import Arm
from fairtrial.study.training import Adam

Algorithm = Literal["batched", "online"]


def algorithm(arm: Arm) -> Algorithm:
    """`online` for chains of dense layers that Adam trains one image at a time, else `batched`.

    Online skips what has no gradient and does the rest in one pass over the weights. It computes
    what the batched way computes, up to rounding; needs beta_1 < beta_2, so that the weights of an
    input that is zero for long come to rest.
    """
    settings = arm.settings
    one_at_a_time = min(settings.batch_size, settings.data.train_count) == 1
    adam = settings.optimizer
    if not one_at_a_time or not isinstance(adam, Adam) or adam.beta_1 >= adam.beta_2:
        return "batched"
    if not arm.network:
        return "batched"
    flatten, *chain = arm.network
    activated = True  # an activation may follow a dense layer that has none, and nothing else
    for layer in chain:
        if isinstance(layer, Dense):
            activated = layer.activation != "linear"
        elif isinstance(layer, Activation) and not activated:
            activated = True
        else:
            return "batched"
    return "online" if isinstance(flatten, Flatten) else "batched"
