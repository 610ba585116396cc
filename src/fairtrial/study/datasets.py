"""What must be known of a data set before it is opened: sizes, shapes, class names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """Facts of a data set that ships with fairtrial. Shapes are (height, width, channels)."""

    name: str
    input_shape: tuple[int, int, int]
    classes: int
    train_images: int
    test_images: int
    fingerprint: str
    """SHA-256 over the decoded arrays: names, shapes and bytes of images and labels."""


MNIST = DatasetFacts(
    name="mnist",
    input_shape=(28, 28, 1),
    classes=10,
    train_images=60_000,
    test_images=10_000,
    fingerprint="0f1e754767044c74facb5b5e56218228d1f9405ad68e1c6b80a583d171e6e53c",
)

DATASETS: dict[str, DatasetFacts] = {MNIST.name: MNIST}
