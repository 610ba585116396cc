"""Where Keras writes a file: `python -m …`, told on standard input what to build; it knows nothing of studies.

One JSON document: `name`, `out`, `weights` (a file of safetensors), `compile` (or null), and `members`: for each its
name and its layers, as the class of each with its arguments and the names of its weights in Keras's order.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from safetensors.numpy import load_file


def main() -> None:
    try:
        import keras
    except ImportError as error:
        sys.exit(f'Keras cannot be loaded ({error}): pip install "fairtrial[keras]"')
    asked = json.load(sys.stdin)
    tensors = load_file(asked["weights"])
    shape = tuple(asked["input_shape"])
    alone = len(asked["members"]) == 1
    made: list[Any] = []
    for member in asked["members"]:
        name = asked["name"] if alone else member["name"]
        layers = [getattr(keras.layers, kind)(**arguments) for kind, arguments, _ in member["layers"]]
        network: Any = keras.Sequential([keras.Input(shape), *layers], name=name)
        for layer, (_, _, names) in zip(layers, member["layers"], strict=True):
            if names:
                layer.set_weights([tensors[one] for one in names])
        made.append(network)
    model = made[0]
    if not alone:
        images: Any = keras.Input(shape)
        mean: Any = keras.layers.Average(name="mean")([network(images) for network in made])
        model = keras.Model(images, mean, name=asked["name"])
    if asked["compile"] is not None:
        optimizer: Any = getattr(keras.optimizers, asked["compile"]["class"])
        model.compile(
            optimizer=optimizer(**asked["compile"]["arguments"]),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
    model.save(asked["out"])
    sys.stdout.write(
        json.dumps(
            {
                "keras": keras.__version__,
                "backend": keras.backend.backend(),
                "parameters": int(model.count_params()),
            }
        )
    )


if __name__ == "__main__":
    main()
