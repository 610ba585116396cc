"""Where the user's own code builds a Keras model: `python -m … FILE FUNCTION OUT`; what it is goes to OUT as JSON.

A process of its own: the code may print, set a backend, seed, or end the process; nothing of that reaches fairtrial.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from fairtrial.study.own_code import line_at_fault

_NAME = "fairtrial_own_keras"


def main() -> None:
    file, function, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    keras = _keras()
    # What the code prints is no part of the answer, and its own files are found beside it.
    os.dup2(2, 1)
    sys.path.insert(0, str(file.parent))
    module = _imported(file)
    found = getattr(module, function, None)
    if found is None:
        known = [one for one, value in vars(module).items() if callable(value) and not one.startswith("_")]
        sys.exit(f"{file.name} has no {function}; it has {', '.join(known[:20]) or 'no functions'}")
    if not (callable(found) or isinstance(found, keras.Model)):
        sys.exit(f"{function} in {file.name} is neither a function nor a Keras model")
    model: Any = found
    try:
        model = found if isinstance(found, keras.Model) else found()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's code stumbles over
        sys.exit(line_at_fault(error, str(file.parent), f"when {function} was called"))
    if not isinstance(model, keras.Model):
        of = " of another Keras than this one" if hasattr(model, "to_json") else ""
        sys.exit(f"{function} must return a Keras model, got {type(model).__name__}{of}")
    try:
        text = model.to_json()
    except Exception as error:  # noqa: BLE001 - a layer of the user's own may fail here
        sys.exit(line_at_fault(error, str(file.parent), "when the model was asked for its JSON"))
    about = {
        "model": text,
        "parameters": int(model.count_params()) if model.built else None,
        "keras": keras.__version__,
    }
    out.write_text(json.dumps(about), encoding="utf-8")


def _keras() -> Any:
    try:
        return importlib.import_module("keras")
    except ImportError as error:
        sys.exit(f'Keras cannot be loaded ({error}): pip install "fairtrial[keras]"')


def _imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_NAME, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the same
        sys.exit(line_at_fault(error, str(file.parent), f"when {file.name} was imported"))
    return module


if __name__ == "__main__":
    main()
