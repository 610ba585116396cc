"""Names of activations and losses, however a library spells them."""

from __future__ import annotations

import re
from typing import Any

from fairtrial.audit.values import LayerMade, Reference, Unknown

ACTIVATIONS = frozenset(
    ["relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu", "leaky_relu", "softplus", "linear", "softmax"]
)
"""Those of a study file, and softmax, which the output layer may have."""
_SAME = {"swish": "silu", "leakyrelu": "leaky_relu", "identity": "linear", "log_softmax": "softmax", "logsoftmax": "softmax", "logistic": "sigmoid"}  # fmt: skip


def activation_name(value: Any) -> str | None:
    """The study file's name for an activation; None for one it does not know.

    No activation is a linear one, in Keras and PyTorch alike.

    >>> activation_name(None), activation_name(Reference("tensorflow.nn.swish")), activation_name("mish")
    ('linear', 'silu', None)
    """
    if value is None:
        return "linear"
    if isinstance(value, LayerMade):
        return str(value.seen.settings.get("function")) if value.seen.kind == "activation" else None
    if isinstance(value, Reference):
        value = value.word
    if isinstance(value, Unknown) or not isinstance(value, str):
        return None
    name = _SAME.get(value.lower(), value.lower())
    return name if name in ACTIVATIONS else None


def loss_name(value: Any) -> str | None:
    """A loss as Keras writes it: `sparse_categorical_crossentropy`.

    >>> loss_name(Reference("keras.losses.SparseCategoricalCrossentropy"))
    'sparse_categorical_crossentropy'
    """
    if isinstance(value, Reference):
        value = value.word
    if isinstance(value, Unknown):
        found = re.search(r"\b([A-Z]\w*?)(?:Loss)?\(", value.said)
        value = found[1] if found else ""
    if not isinstance(value, str) or not value:
        return None
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value).lower().replace("cross_entropy", "crossentropy")
