"""`fairtrial init`: a commented study file to start from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fairtrial.errors import FairtrialError

NAME = "study.yaml"


def starter_text() -> str:
    return resources.files("fairtrial.cli").joinpath("starter.yaml").read_text(encoding="utf-8")


def write_starter(folder: Path) -> Path:
    """Write study.yaml into `folder`, made if need be.

    Raises FairtrialError if it is there already or cannot be written.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(starter_text())
    except FileExistsError:
        taken = path if path.exists() else folder
        raise FairtrialError(f"{taken} is there already and is left as it is; name another folder") from None
    except OSError as error:
        raise FairtrialError(f"{path} cannot be written: {error.strerror}") from None
    return path
