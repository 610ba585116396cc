"""What the libraries take where a program says nothing: current releases, and what older ones took."""

from __future__ import annotations

from fairtrial.audit.experiment import Library

LEARNING_RATES: dict[Library, dict[str, float]] = {
    "keras": {
        "adam": 0.001,
        "adamw": 0.001,
        "sgd": 0.01,
        "rmsprop": 0.001,
        "adagrad": 0.001,
        "adadelta": 0.001,
        "adamax": 0.001,
        "nadam": 0.001,
        "ftrl": 0.001,
        "lion": 0.001,
    },
    "torch": {
        "adam": 0.001,
        "adamw": 0.001,
        "sgd": 0.001,
        "rmsprop": 0.01,
        "adagrad": 0.01,
        "adadelta": 1.0,
        "adamax": 0.002,
        "nadam": 0.002,
        "radam": 0.001,
    },
    "sklearn": {"adam": 0.001, "sgd": 0.001},
}
"""By optimiser; scikit-learn's are `learning_rate_init` of its networks."""

OLDER_LEARNING_RATES: dict[Library, dict[str, tuple[float, ...]]] = {
    "keras": {"adagrad": (0.01,), "adadelta": (1.0,), "adamax": (0.002,), "nadam": (0.002,)},
}

SETTINGS: dict[Library, dict[str, tuple[float, ...]]] = {
    "keras": {"batch_size": (32,), "epochs": (1,), "momentum": (0, 0.99)},
    "torch": {"batch_size": (1,), "momentum": (0, 0.1), "dropout": (0.5,)},
    "sklearn": {"batch_size": (200,), "epochs": (200,), "momentum": (0.9,)},
}
"""Settings that do not depend on the optimiser; momentum is that of an optimiser, and of a batch normalisation."""

NAMES: dict[Library, str] = {
    "keras": "Keras",
    "torch": "PyTorch",
    "sklearn": "scikit-learn",
    "unknown": "the library",
}
OPTIMIZER_NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "Nadam",
    "radam": "RAdam",
    "ftrl": "Ftrl",
    "lion": "Lion",
}


def default_learning_rate(library: Library, optimizer: str | None) -> float | None:
    """What the optimiser takes unless told; None where that is not known."""
    return LEARNING_RATES.get(library, {}).get((optimizer or "").lower())
