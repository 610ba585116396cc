"""Python, the packages and how PyTorch was built."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata

from fairtrial.diagnosis.finding import Finding
from fairtrial.errors import FairtrialError
from fairtrial.store.integrity import sqlite_version
from fairtrial.trial import ENGINE_VERSION

INSTALL = "install fairtrial again: `pip install --upgrade fairtrial`"


def findings() -> Iterator[Finding]:
    yield _python()
    yield _fairtrial()
    yield _packages()
    yield torch()
    yield _sqlite()


def _python() -> Finding:
    where = f"{platform.system()} {platform.release()} {platform.machine()}"
    return Finding(
        area="environment",
        name="python",
        state="ok",
        text=f"{platform.python_implementation()} {platform.python_version()} on {where}.",
        facts={
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": where,
            "executable": sys.executable,
        },
    )


def _fairtrial() -> Finding:
    version, at = metadata.version("fairtrial"), _commit()
    return Finding(
        area="environment",
        name="fairtrial",
        state="ok",
        text=f"{version}, engine version {ENGINE_VERSION}{f', commit {at[:12]}' if at else ''}"
        f"{', with changes' if at.endswith('+') else ''}.",
        facts={"version": version, "engine_version": ENGINE_VERSION, "commit": at},
    )


def _commit() -> str:
    try:
        from fairtrial.engine.provenance import commit
    except ImportError:  # of torch, of which a line of its own speaks
        return ""
    return commit()


def _packages() -> Finding:
    """What fairtrial requires, and whether it is there in the versions it requires."""
    found: dict[str, str | None] = {}
    wrong: list[str] = []
    for requirement in metadata.requires("fairtrial") or ():
        if "extra ==" in requirement:
            continue
        name, least = required(requirement)
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
            wrong.append(f"{name} is missing")
        else:
            if least and _numbers(found[name] or "") < _numbers(least):
                wrong.append(f"{name} is {found[name]}, and {least} or newer is needed")
    listed = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    return Finding(
        area="environment",
        name="packages",
        state="problem" if wrong else "ok",
        text=f"{'; '.join(wrong)}." if wrong else f"{listed}.",
        advice=f"{INSTALL.capitalize()}." if wrong else "",
        facts={"versions": found},
    )


def required(requirement: str) -> tuple[str, str]:
    """The name and the least version of a requirement, empty where it names none.

    >>> required("numpy>=1.26"), required("ruamel.yaml>=0.18,<1"), required("rich")
    (('numpy', '1.26'), ('ruamel.yaml', '0.18'), ('rich', ''))
    """
    found = re.match(r"\s*([A-Za-z0-9._-]+)", requirement)
    least = re.search(r">=\s*([0-9.]+)", requirement)
    return (found[1] if found else requirement, least[1] if least else "")


def _numbers(version: str) -> tuple[int, ...]:
    """The release of a version, to be compared: `2.13.0+cpu` is (2, 13, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", re.split(r"[^0-9.]", version)[0]))


def torch() -> Finding:
    """Without a torch that can be imported nothing else here is worth much; why it cannot is said, not raised."""
    try:
        from fairtrial.engine.build import torch_build
    except (ImportError, OSError) as error:
        return Finding(
            area="environment",
            name="torch",
            state="problem",
            text=f"PyTorch cannot be imported: {error}.",
            advice=f"{INSTALL.capitalize()}.",
        )
    try:
        build = torch_build()
    except FairtrialError as error:
        return Finding(
            area="environment",
            name="torch",
            state="problem",
            text=f"{error}.",
            advice="Set FAIRTRIAL_DEVICE to cpu, or leave it away.",
        )
    return Finding(
        area="environment",
        name="torch",
        state="ok" if build.onednn else "warning",
        text=f"{build.version}; products by {build.blas}{', oneDNN' if build.onednn else ''}, instructions {build.capability}; "
        f"{build.threads} threads here, 1 in each worker; trials train on {build.device}.",
        advice=""
        if build.onednn
        else "Without oneDNN convolutions and bfloat16 are slow: install the wheel that pytorch.org names for this system.",
        facts=asdict(build),
    )


def _sqlite() -> Finding:
    version, new_enough = sqlite_version()
    return Finding(
        area="environment",
        name="sqlite",
        state="ok" if new_enough else "problem",
        text=f"{version}.",
        advice="" if new_enough else "Stores need SQLite 3.37 or newer: use a newer Python.",
        facts={"version": version},
    )
