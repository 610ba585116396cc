"""A file run by the program it is for, in a process of its own: `python -m … FORMAT FILE IMAGES.npy OUT.npy`.

Images are (n, height, width, channels) in [0, 1]; what comes out are probabilities (n, classes).
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairtrial.engine import process
from fairtrial.engine.exporting.apart import apart
from fairtrial.engine.exporting.batches import parts

MEMBERS = "onnx-members"
"""As a format: what each member of an ensemble says, (n, classes, members)."""


def run_apart(
    format: str, path: Path, images: NDArray[np.float32], *, what: str, seconds: float = 600
) -> NDArray[np.float32]:
    """What the file says of the images. Raises FairtrialError, beginning with `what`."""
    with tempfile.TemporaryDirectory() as folder:
        given, said = Path(folder) / "images.npy", Path(folder) / "said.npy"
        np.save(given, images, allow_pickle=False)
        arguments = [format, str(path), str(given), str(said)]
        apart("fairtrial.engine.exporting.running", arguments, what=what, seconds=seconds)
        return np.load(said, allow_pickle=False)


def run(format: str, path: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    if format in ("onnx", MEMBERS):
        return _onnx(path, images, members=format == MEMBERS)
    if format == "keras":
        return _keras(path, images)
    return _torch(format, path, images)


def _onnx(path: Path, images: NDArray[np.float32], *, members: bool = False) -> NDArray[np.float32]:
    onnxruntime: Any = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    model, wanted = _with_members(path) if members else (str(path), ["probabilities"])
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (name,) = (one.name for one in session.get_inputs())
    said = [
        np.stack(session.run(wanted, {name: np.ascontiguousarray(part.transpose(0, 3, 1, 2))}), axis=-1)
        for part in parts(images)
    ]
    return np.concatenate(said) if members else np.concatenate(said)[..., 0]


def _with_members(path: Path) -> tuple[bytes, list[str]]:
    """The graph with what its mean is of put out as well."""
    onnx: Any = importlib.import_module("onnx")
    model = onnx.load(str(path), load_external_data=False)
    (mean,) = (node for node in model.graph.node if list(node.output) == ["probabilities"])
    if mean.op_type != "Mean":
        raise ValueError("its probabilities are no mean")
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(one, onnx.TensorProto.FLOAT, None) for one in mean.input
    )
    return model.SerializeToString(), list(mean.input)


def _keras(path: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    keras: Any = importlib.import_module("keras")
    model = keras.saving.load_model(path, compile=False)
    return np.concatenate([np.asarray(model.predict_on_batch(part)) for part in parts(images)])


def _torch(format: str, path: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    import torch

    torch.set_num_threads(1)
    program: Any = torch.export.load(path).module() if format == "torch.export" else torch.jit.load(str(path))
    with torch.inference_mode():
        said = [program(torch.from_numpy(part.transpose(0, 3, 1, 2).copy())) for part in parts(images)]
    return torch.cat(said).numpy()


def main() -> None:
    warnings.simplefilter("ignore")
    format, path, images, out = sys.argv[1:]
    process.bound_memory()
    # What a library prints is no reason why anything failed.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    try:
        said = run(format, Path(path), np.load(images, allow_pickle=False))
        np.save(out, np.asarray(said, np.float32), allow_pickle=False)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is told in one line
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        sys.exit(f"{type(error).__name__}: {first}")


if __name__ == "__main__":
    main()
