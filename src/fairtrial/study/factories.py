"""Networks of the user's own: named by a file (or an installed module) and a function, never by the function itself."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from fairtrial.errors import StudyError
from fairtrial.study.limits import refusal
from fairtrial.study.sources import Sources, sources_of

FORM = re.compile(r"(?P<place>[^\0\n]{1,400}?):(?P<function>[A-Za-z_][A-Za-z0-9_]{0,79})")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
EXAMPLE = "such as mymodel.py:build"
IN_A_FILE = (
    "workers are processes of their own and find a network by its file and its name: write it into a file "
    "(in a notebook, a cell that begins with %%writefile mymodel.py) and give 'mymodel.py:build'"
)


def _checked(given: object) -> object:
    if not isinstance(given, str):
        return given
    found = FORM.fullmatch(given.strip())
    if found is None or not (found["place"].endswith(".py") or _MODULE.fullmatch(found["place"])):
        raise refusal(
            f"must name a file and the function in it that builds the network, {EXAMPLE}, or an installed "
            f"module and its function, such as torchvision.models:resnet18; got {given[:80]!r}"
        )
    return given.strip()


FactoryName = Annotated[str, BeforeValidator(_checked)]


def parts_of(factory: str) -> tuple[str, str]:
    """Where it is, a `.py` file or a dotted module, and the function's name."""
    place, _, function = factory.rpartition(":")
    return place, function


def factory_sources(factory: str, folder: Path) -> Sources:
    """The files that a factory is made of. Raises StudyError where there is no such file or module."""
    place, _ = parts_of(factory)
    if place.endswith(".py"):
        path = (folder / place).absolute()
        if not path.is_file():
            raise StudyError(f"there is no file {place!r} in {folder}")
        return sources_of(path.parent, [path.name])
    path = _module_file(place)
    # Its own folder is found again on every machine by the module's name.
    return Sources(folder=str(path.parent), files=sources_of(path.parent, [path.name]).files[:1])


def module_folder(module: str) -> Path:
    """The folder of an installed module's file. Raises StudyError where it is not installed."""
    return _module_file(module).parent


def identity_of(factory: str) -> str:
    """The factory without the folder it is in, which can change no number."""
    place, function = parts_of(factory)
    return f"{Path(place).name}:{function}" if place.endswith(".py") else factory


def _module_file(module: str) -> Path:
    """Where an installed module is, without importing it or what is around it."""
    top, *rest = module.split(".")
    try:
        found = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        found = None
    origin = None if found is None else found.origin
    if origin is None or not origin.endswith(".py"):
        raise StudyError(f"there is no installed module {top!r}; a file is named with its ending, {EXAMPLE}")
    path = Path(origin)
    for part in rest:
        below = path.parent / part
        path = below / "__init__.py" if below.is_dir() else below.with_suffix(".py")
        if not path.is_file():
            raise StudyError(f"module {top!r} has no {'.'.join(rest)}")
    return path


def name_of(factory: Any) -> str:
    """The name under which a worker finds a function or class that Python code gives. Raises StudyError if none can."""
    name = getattr(factory, "__qualname__", None)
    if not (inspect.isfunction(factory) or inspect.isclass(factory)) or not isinstance(name, str):
        raise StudyError(
            f"a network is given by a function or class that builds it, got {type(factory).__name__}: {IN_A_FILE}"
        )
    if name == "<lambda>":
        raise StudyError(f"a lambda has no name by which a worker could find it: {IN_A_FILE}")
    if "." in name:
        raise StudyError(f"{name.replace('.<locals>', '')} is made within another function: {IN_A_FILE}")
    try:
        file = inspect.getsourcefile(factory)
    except TypeError:
        file = None
    if file is None or not file.endswith(".py") or not Path(file).is_file():
        raise StudyError(f"{name} is in no file: {IN_A_FILE}")
    module = sys.modules.get(factory.__module__)
    if getattr(module, name, None) is not factory:
        raise StudyError(f"{Path(file).name} has no {name} that is this very function: {IN_A_FILE}")
    return f"{Path(file).absolute()}:{name}"
