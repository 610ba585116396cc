"""A row of the course in plain PyTorch, as a careful user writes it.

    python -m benchmarks.peers.torch_peer ROW.json --mnist FOLDER

Eager, float32, all cores. All images are one tensor and a batch is an index into it, without a DataLoader; Adam is
the fused one; no number is read back within an epoch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

BEGAN = perf_counter()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from benchmarks.peers.measuring import Asked, asked, images, measure  # noqa: E402

SEED = 0
EVALUATION_BATCH = 1000
ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "linear": nn.Identity}
OUTPUT = {"kind": "dense", "activation": "linear", "initializer": "glorot_uniform"}
INITIALIZERS = {"glorot_uniform": nn.init.xavier_uniform_, "he_uniform": nn.init.kaiming_uniform_}


class TorchPeer:
    """A network, Adam, and the images, divided once into training and validation."""

    def __init__(self, asked: Asked) -> None:
        torch.manual_seed(SEED)
        torch.set_num_threads(cores())
        self.row = asked.row
        self.images, self.labels = _tensors(asked, "train")
        self.test_images, self.test_labels = _tensors(asked, "t10k")
        drawn = torch.randperm(len(self.labels))
        self.validation, self.training = drawn.split([asked.row["validation"], asked.row["train"]])
        self.network = network(asked.row)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=asked.row["learning_rate"], fused=True)
        self.versions = {"torch": torch.__version__, "threads": str(torch.get_num_threads())}

    def fit(self, epochs: int, ended: Callable[[], None]) -> None:
        for _ in range(epochs):
            self.train(len(self.training))
            self.validate()
            ended()

    def train(self, steps: int) -> None:
        order = self.training[torch.randperm(len(self.training))]
        loss_sum, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for chosen in order.split(self.row["batch_size"])[:steps]:
            labels = self.labels[chosen]
            logits = self.network(self.images[chosen])
            loss = functional.cross_entropy(logits, labels)
            loss.backward()
            self.adam.step()
            self.adam.zero_grad()
            loss_sum += loss.detach() * len(chosen)
            right += (logits.detach().argmax(1) == labels).sum()
        self.trained = (float(loss_sum), int(right))

    def validate(self) -> None:
        self.validated = self._scores(self.images[self.validation], self.labels[self.validation])

    def test_accuracy(self) -> float:
        return self._scores(self.test_images, self.test_labels)[1]

    @torch.inference_mode()
    def _scores(self, pixels: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
        logits = torch.cat([self.network(batch) for batch in pixels.split(EVALUATION_BATCH)])
        loss = functional.cross_entropy(logits, labels)
        return float(loss), float((logits.argmax(1) == labels).float().mean())


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def network(row: dict[str, Any]) -> nn.Sequential:
    """The row's layers with Keras's ways of drawing the first weights; shapes follow from the first image."""
    modules: list[nn.Module] = []
    for layer in [*row["layers"], {**OUTPUT, "units": row["classes"]}]:
        match layer["kind"]:
            case "flatten":
                modules.append(nn.Flatten())
            case "dense":
                modules += [nn.LazyLinear(layer["units"]), ACTIVATIONS[layer["activation"]]()]
            case "conv":
                modules += [
                    nn.LazyConv2d(layer["filters"], layer["kernel"]),
                    ACTIVATIONS[layer["activation"]](),
                ]
            case "pool":
                modules.append(nn.MaxPool2d(layer["size"]))
            case kind:
                raise ValueError(f"no row of the course has a layer {kind!r}")
    made = nn.Sequential(*modules)
    made(torch.zeros(1, 1, 28, 28))
    weighted = [module for module in made if isinstance(module, nn.Linear | nn.Conv2d)]
    described = [layer for layer in row["layers"] if "initializer" in layer] + [OUTPUT]
    for module, layer in zip(weighted, described, strict=True):
        INITIALIZERS[layer["initializer"]](module.weight)
        nn.init.zeros_(module.bias)  # pyright: ignore[reportArgumentType]
    return made


def _tensors(asked: Asked, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    pixels, labels = images(asked.mnist, part)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels)


if __name__ == "__main__":
    what = asked(__doc__)
    measure(TorchPeer(what), what, began=BEGAN)
