"""Names of libraries: one path for each thing, however it was imported, and what unimported names usually mean."""

from __future__ import annotations

from fairtrial.audit.values import Reference, Unknown, Value

_SAME = (
    ("tensorflow.compat.v1.", "tensorflow."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.python.keras", "keras"),
    ("tensorflow.keras", "keras"),
    ("tf_keras", "keras"),
    ("keras.api", "keras"),
    ("keras.models.Sequential", "keras.Sequential"),
    ("keras.models.Model", "keras.Model"),
    ("keras.engine.sequential.Sequential", "keras.Sequential"),
    ("keras.layers.Input", "keras.Input"),
    ("keras.layers.core", "keras.layers"),
    ("keras.layers.convolutional", "keras.layers"),
    ("keras.layers.experimental.preprocessing", "keras.layers"),
    ("keras.optimizers.legacy", "keras.optimizers"),
    ("keras.optimizers.experimental", "keras.optimizers"),
    ("torch.nn.modules", "torch.nn"),
)
USUAL = {
    "tf": "tensorflow",
    "tfds": "tensorflow_datasets",
    "keras": "keras",
    "layers": "keras.layers",
    "optimizers": "keras.optimizers",
    "np": "numpy",
    "torch": "torch",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "optim": "torch.optim",
    "Sequential": "keras.Sequential",
    "Model": "keras.Model",
    "Input": "keras.Input",
    "DataLoader": "torch.utils.data.DataLoader",
    "MLPClassifier": "sklearn.neural_network.MLPClassifier",
    "EarlyStopping": "keras.callbacks.EarlyStopping",
    **{name: f"keras.optimizers.{name}" for name in ("Adam", "AdamW", "SGD", "RMSprop", "Adagrad")},
    **{
        name: f"keras.layers.{name}"
        for name in (
            "Dense", "Flatten", "Conv2D", "MaxPooling2D", "MaxPool2D", "AveragePooling2D", "Dropout",
            "GlobalAveragePooling2D", "BatchNormalization", "Activation", "InputLayer",
        )
    },
}  # fmt: skip
"""What a name means in a file that shows no import of it, as an excerpt or an exported page."""
BUILTINS = frozenset(
    [
        "abs",
        "bool",
        "dict",
        "enumerate",
        "float",
        "int",
        "isinstance",
        "len",
        "list",
        "map",
        "max",
        "min",
        "print",
        "range",
        "reversed",
        "round",
        "set",
        "sorted",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "zip",
    ]
)


def canonical(path: str) -> str:
    """One spelling for what a library offers in several places.

    >>> canonical("tensorflow.keras.models.Sequential"), canonical("keras.layers.Dense")
    ('keras.Sequential', 'keras.layers.Dense')
    """
    for long, short in _SAME:
        if path == long or path.startswith(long if long.endswith(".") else f"{long}."):
            path = short + path[len(long) :]
    return path


def unbound(name: str) -> Value:
    """What a name stands for that the file never binds."""
    if name in BUILTINS:
        return Reference(f"builtins.{name}")
    if name == "__name__":
        return "__main__"
    return Reference(USUAL[name]) if name in USUAL else Unknown(name)
