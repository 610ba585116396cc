"""A network that the user's own code builds: found by file and name, built anew for each trial, seeded like any other."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fairtrial.data.streams import generator
from fairtrial.engine.network import Network
from fairtrial.errors import OwnCodeError
from fairtrial.study.factories import parts_of
from fairtrial.study.own_code import line_at_fault
from fairtrial.study.schema import Arm

if TYPE_CHECKING:
    from jaxtyping import Float

PROBED_IMAGES = 2
MOST_ROWS = 300
"""Of the layer table that is kept."""

_NAME = "fairtrial_own_network"

_folders: list[str] = []
"""Where this process has found networks so far: what was loaded from there, under whatever name, is not the next one's."""


class OwnNetwork(Network):
    """The user's module in the place of our layers: takes images in [0, 1], (n, channels, height, width), gives logits."""

    def __init__(
        self, module: nn.Module, *, seed: int, folder: str, rows: list[tuple[str, str, str, int]]
    ) -> None:
        nn.Module.__init__(self)
        self.module, self._seed, self._folder, self._rows = module, seed, folder, rows
        self._trained: list[nn.Parameter] = []

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        try:
            return self.module(images.contiguous())
        except Exception as error:
            raise _fault(error, self._folder, "while it computed") from error

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Those that training moves: neither frozen nor without a part in the output."""
        return iter(self._trained)

    def start_epoch(self, epoch: int) -> None:
        """What the module draws while it trains, such as dropout, starts anew with each epoch."""
        _seed_all(self._seed, "module", epoch)

    def round(self) -> dict[Tensor, Tensor]:
        raise OwnCodeError("a network of your own is trained in float32; leave precision at auto")

    def weights(self) -> dict[str, Tensor]:
        """By the module's own names, in its own layouts."""
        return {
            name: tensor.detach()
            for name, tensor in self.module.state_dict().items()
            if tensor.is_floating_point()
        }

    def described(self) -> dict[str, str]:
        """What can be said of it beside its figures: how many weights, and its layers."""
        everything = list(self.module.parameters())
        return {
            "parameters": str(sum(one.numel() for one in everything)),
            "trainable": str(sum(one.numel() for one in self._trained)),
            "layers": json.dumps(self._rows[:MOST_ROWS]),
        }

    def ready(self, images: Tensor, classes: int) -> None:
        """See that it gives what is needed, and which of its weights training can move; it is left as it was."""
        self.module.eval()
        with torch.no_grad(), _Table(self.module, self._rows):
            _check_output(self(images), len(images), classes)
        state = {name: tensor.clone() for name, tensor in self.module.state_dict().items()}
        self.module.train()
        said = self(images)
        if said.requires_grad:
            labels = torch.zeros(len(images), dtype=torch.int64)
            functional.cross_entropy(said.float(), labels).backward()
        self._trained = [one for one in self.module.parameters() if one.grad is not None]
        if not self._trained:
            raise OwnCodeError("the network has no weights that training could move")
        for one in self.module.parameters():
            one.grad = None
        self.module.load_state_dict(state)


def build_own(arm: Arm, *, seed: int) -> OwnNetwork:
    """The network of `arm` as trial number `seed` starts it, drawn from the stream (seed, "init", "module").

    Raises OwnCodeError with the user's own line for a factory that fails or builds no such network.
    """
    network, sources = arm.settings.network, arm.sources
    assert network.python is not None
    if sources is None:
        raise OwnCodeError(
            f"{network.python} was not looked for: make the study with fairtrial.load or fairtrial.Study"
        )
    if changed := sources.changed():
        raise OwnCodeError(changed)
    facts = arm.settings.data.facts
    height, width, channels = facts.input_shape
    _seed_all(seed, "init", "module")
    factory = _found(network.python, Path(sources.folder))
    arguments = network.arguments.as_dict()
    offered = {"classes": facts.classes, "input_shape": (channels, height, width)}
    arguments |= {
        name: value for name, value in offered.items() if name not in arguments and _takes(factory, name)
    }
    try:
        module: Any = factory(**arguments)
    except (Exception, SystemExit) as error:
        raise _fault(error, sources.folder, f"when {network.python} was called") from error
    if not isinstance(module, nn.Module):
        raise OwnCodeError(f"{network.python} must return a torch.nn.Module, got {type(module).__name__}")
    own = OwnNetwork(module, seed=seed, folder=sources.folder, rows=[])
    own.ready(torch.zeros(PROBED_IMAGES, channels, height, width), facts.classes)
    return own


def _found(factory: str, folder: Path) -> Callable[..., Any]:
    """The function or class of that name. The user's modules are loaded anew, so that no trial leaves another anything."""
    place, name = parts_of(factory)
    try:
        module = (
            _from_file(folder / Path(place).name) if place.endswith(".py") else importlib.import_module(place)
        )
    except (Exception, SystemExit) as error:
        raise _fault(error, str(folder), f"when {place} was imported") from error
    found = getattr(module, name, None)
    if not callable(found):
        known = [one for one, value in vars(module).items() if callable(value) and not one.startswith("_")]
        what = "is no function or class" if found is not None else "is not there"
        raise OwnCodeError(f"{place}: {name} {what}; it has {', '.join(known[:20]) or 'none'}")
    return found


def _from_file(path: Path) -> ModuleType:
    folder = str(path.parent)
    _folders[:] = dict.fromkeys((*_folders, folder))
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == _NAME or (isinstance(file, str) and _users(file)):
            del sys.modules[name]
    sys.path[:] = [one for one in sys.path if one not in _folders]
    # First while it is imported, so that it finds what lies beside it, and last ever after: no file of the user's may
    # stand for a part of Python that torch asks for later.
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location(_NAME, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[_NAME] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
        sys.path.append(folder)
    return module


def _users(file: str) -> bool:
    """Whether a module is of a folder with networks. Installed packages and this one stay, wherever such a folder lies."""
    package = Path(__file__).resolve().parents[1]
    if "site-packages" in file or "dist-packages" in file or Path(file).is_relative_to(package):
        return False
    return any(Path(file).is_relative_to(folder) for folder in _folders)


def _takes(factory: Callable[..., Any], name: str) -> bool:
    try:
        return name in inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False


def _check_output(said: Any, images: int, classes: int) -> None:
    wanted = (
        f"for {images} images it must give a tensor of shape ({images}, {classes}), a logit for each class"
    )
    if not isinstance(said, Tensor):
        raise OwnCodeError(f"the network gives {type(said).__name__}; {wanted}")
    if tuple(said.shape) != (images, classes) or not said.is_floating_point():
        raise OwnCodeError(f"the network gives a tensor of shape {tuple(said.shape)}, {said.dtype}; {wanted}")


class _Table:
    """Within it, each innermost module that computes leaves a row: name, class, shape of its output, weights."""

    def __init__(self, module: nn.Module, rows: list[tuple[str, str, str, int]]) -> None:
        self.module, self.rows = module, rows
        self.hooks: list[Any] = []

    def __enter__(self) -> None:
        for name, one in self.module.named_modules():
            if not any(True for _ in one.children()):
                self.hooks.append(one.register_forward_hook(self._row(name or type(one).__name__)))

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _row(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def noted(module: nn.Module, _given: Any, said: Any) -> None:
            shape = str((None, *said.shape[1:])) if isinstance(said, Tensor) else ""
            count = sum(one.numel() for one in module.parameters())
            self.rows.append((name, type(module).__name__, shape, count))

        return noted


def _seed_all(seed: int, *names: str | int) -> None:
    """Every generator that a module may draw from."""
    drawn = int(generator(seed, *names).integers(2**32))
    torch.manual_seed(drawn)
    np.random.seed(drawn)
    random.seed(drawn)


def _fault(error: BaseException, folder: str, when: str) -> Exception:
    """What went wrong in the user's code, with the line of it that was last; memory that is short is nobody's mistake."""
    if isinstance(error, OwnCodeError):
        return error
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "memory" in str(error)):
        return error
    return OwnCodeError(line_at_fault(error, folder, when))
