"""What `fairtrial export` does: each format has a function, found by its name or by the end of the file's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fairtrial.errors import FairtrialError
from fairtrial.study.nearest import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for, as it was given."""

    study: str
    sets: tuple[str, ...]
    arm: str | None
    format: str | None
    seed: str
    out: Path | None
    place: str | None
    """`out` as it was written: an address is no path."""
    retrain: bool
    store: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`write` does it all, from the study to what is printed. `suffixes` are ends of file names that mean it, if any."""

    write: Callable[[Request], None]
    suffixes: tuple[str, ...] = ()


def _model(request: Request) -> None:
    from fairtrial.cli.models import export_model

    export_model(request)


def _trials(request: Request) -> None:
    from fairtrial.cli.export_trials import export_trials

    export_trials(request, format_of(request))


FORMATS: dict[str, Format] = {
    "keras": Format(write=_model, suffixes=(".keras",)),
    "onnx": Format(write=_model, suffixes=(".onnx",)),
    "safetensors": Format(write=_model, suffixes=(".safetensors",)),
    "torch.export": Format(write=_model, suffixes=(".pt2",)),
    "torchscript": Format(write=_model, suffixes=(".pt", ".ts")),
    "csv": Format(write=_trials, suffixes=(".csv",)),
    "parquet": Format(write=_trials, suffixes=(".parquet",)),
    "tensorboard": Format(write=_trials),
    "mlflow": Format(write=_trials),
}


def export_study(request: Request) -> None:
    FORMATS[format_of(request)].write(request)


def format_of(request: Request) -> str:
    """The format asked for by name, or by the end of --out. Raises FairtrialError for none and for an unknown one."""
    known = ", ".join(FORMATS)
    if request.format is not None:
        if request.format not in FORMATS:
            raise FairtrialError(
                f"--format: no format {request.format[:40]!r}{did_you_mean(request.format, FORMATS)}; there are {known}"
            )
        return request.format
    suffix = request.out.suffix.lower() if request.out is not None else ""
    found = next((name for name, one in FORMATS.items() if suffix and suffix in one.suffixes), None)
    if found is None:
        raise FairtrialError(
            f"say which --format: {known}; or give an --out whose name ends as such files do"
        )
    return found
