"""The list of what fairtrial stands on is true, and nothing on it binds whoever uses fairtrial."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = ROOT / "docs" / "dependencies.md"
PERMISSIVE = {
    "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "MIT", "ISC", "PSF-2.0", "0BSD", "Zlib", "CC0-1.0", "BSL-1.0", "LLVM-exception", "MIT-0", "MIT-CMU",
}  # fmt: skip


def licences(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "licences"), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_list_of_dependencies_is_what_is_installed(tmp_path: Path) -> None:
    """A version raised, a package added: the list says so or the test does."""
    done = licences("--check", LIST)
    assert done.returncode == 0, done.stderr
    other = Path(shutil.copy(LIST, tmp_path / "list.md"))
    other.write_text(other.read_text(encoding="utf-8").replace("| MIT |", "| GPL |", 1), encoding="utf-8")
    done = licences("--check", other)
    assert (done.returncode, "out of date" in done.stderr) == (1, True)


def test_every_pinned_package_is_listed_once_and_no_licence_binds() -> None:
    """What is needed to run is permissive; the two exceptions are named in the text above the tables."""
    pinned = re.findall(
        r"^(\S+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    text = LIST.read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    rows = [row for row in rows if row[0] not in ("package", "---")]
    assert {row[0] for row in rows} == set(pinned)
    for row in rows:
        licence = row[3] if len(row) == 5 else row[2]
        strange = {word for word in licence.split() if word not in ("AND", "OR", "WITH")} - PERMISSIVE
        if row[0] in ("certifi", "hypothesis", "pathspec", "tqdm"):
            assert strange == {"MPL-2.0"} and f"`{row[0]}`" in text
            assert row[0] == "tqdm" or row[-1] != "run"
        else:
            assert not strange, row
