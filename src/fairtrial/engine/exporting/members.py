"""What an exported file holds: one trained network, or several whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fairtrial.engine.exporting.batches import parts
from fairtrial.engine.network import load_keras_weights, network_of
from fairtrial.study import layers
from fairtrial.study.shapes import Shape

Weights = Mapping[str, NDArray[np.float32]]
"""By `layer/weight`, in Keras's names and layouts, as `saved_weights.read_weights` gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network's description with the weights of one trial, or of several by a name for each (`seed-3`)."""

    name: str
    network: layers.Network
    input_shape: Shape
    members: Mapping[str, Weights]

    @property
    def flat_weights(self) -> dict[str, NDArray[np.float32]]:
        """All weights in one mapping; those of several members begin with the member's name."""
        if len(self.members) == 1:
            (only,) = self.members.values()
            return dict(only)
        return {
            f"{member}/{name}": tensor
            for member, weights in self.members.items()
            for name, tensor in weights.items()
        }


class Classifier(nn.Module):
    """Probabilities of the classes, (n, classes), for images in [0, 1], (n, channels, height, width)."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(networks)

    def forward(self, images: Tensor) -> Tensor:
        said = [member(images).softmax(1) for member in self.members]
        return said[0] if len(said) == 1 else torch.stack(said).mean(0)


def classifier(model: Model) -> Classifier:
    """The model for torch, in inference mode. Raises ValueError if the weights are of another network."""
    networks: list[nn.Module] = []
    for weights in model.members.values():
        network = network_of(model.network, input_shape=model.input_shape, seed=0)
        load_keras_weights(network, weights)
        networks.append(network)
    return Classifier(networks).eval().requires_grad_(False)


def probabilities(model: Model, images: NDArray[np.float32], *, double: bool = False) -> NDArray[np.floating]:
    """Our own: (n, classes) for images (n, height, width, channels) in [0, 1]; in float32 products, or float64 ones."""
    own = classifier(model)
    if double:
        own = own.double()
    with torch.inference_mode():
        said = [
            own(torch.tensor(part, dtype=torch.float64 if double else torch.float32).permute(0, 3, 1, 2))
            for part in parts(images)
        ]
    return torch.cat(said).numpy()
