"""Every command and every program in the documents is run, in the order in which a page has them, and ends well.

Trials end at once here (the real ones are trained elsewhere); everything else is what a reader gets.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fairtrial as ft
from fairtrial.trial import Outcome

_path = Path(__file__).parents[1] / "cli" / "conftest.py"
_spec = importlib.util.spec_from_file_location("cli_fixtures_of_documents", _path)
assert _spec is not None and _spec.loader is not None
_cli: Any = importlib.util.module_from_spec(_spec)
sys.modules["cli_fixtures_of_documents"] = _cli
_spec.loader.exec_module(_cli)
fairtrial = _cli.fairtrial

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^( *)```(\w[\w.-]*)[^\n]*\n(.*?)^\1```", flags=re.MULTILINE | re.DOTALL)
SHOWN = {"text", "pycon"}
"""What programs print, and what doctests run."""
ELSEWHERE = {"keras.md", "models.md", "command-arms.md", "python.md"}
"""Pages with tests of their own: what they tell to do needs other libraries, or programs of the reader's."""
LONG = {"course.md", "cli.md"}
"""Pages whose examples take more than half a minute."""
NOT_HERE = re.compile(r"^(scripts/|benchmarks/|\.venv/|python -m pip )")
"""Lines of a shell that are run by other tests, or install something."""


class Quick(_cli.FakeExecutor):
    """Trials that end at once, and whose accuracies are shares also for the widest network."""

    def start(self, order: Any) -> None:
        super().start(order)
        for place, event in enumerate(self.ready):
            if isinstance(event, Outcome):
                metrics = {
                    name: min(value, 0.9999) if "accuracy" in name else value
                    for name, value in event.metrics.items()
                }
                self.ready[place] = replace(event, metrics=metrics, **_weights(order))


def _weights(order: Any) -> dict[str, str]:
    """The first trial of the arm that pages export has a network, as drawn; it is no use, but a file like any other."""
    if order.trial.arm.name != "width-200" or order.trial.seed != 1 or not order.weights:
        return {}
    from safetensors.numpy import save_file

    from fairtrial.engine.network import keras_weights, network_of
    from fairtrial.engine.saved_weights import fingerprint

    weights = keras_weights(network_of(order.trial.arm.network, input_shape=(28, 28, 1), seed=1))
    Path(order.weights).parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(one) for name, one in weights.items()}, order.weights)
    return {"weights_sha256": fingerprint(weights)}


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(kind, body) for _, kind, body in BLOCK.findall(page.read_text(encoding="utf-8"))]


def test_no_block_is_of_a_kind_that_nobody_runs() -> None:
    """A fence spelled otherwise would switch off its check without a word."""
    kinds = {kind for page in PAGES if page.name not in ELSEWHERE for kind, _ in blocks(page)}
    assert kinds <= {"sh", "yaml", "python", "csv", *SHOWN}
    assert all(page.read_text(encoding="utf-8").count("\n```") % 2 == 0 for page in PAGES)


@pytest.fixture
def prepared(fairtrial: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A folder as a reader of any page has it: notebooks to audit, numbers to compare, another store."""
    from fairtrial.executors import choice, local

    monkeypatch.setattr(local, "LocalExecutor", Quick)
    # A cluster's place is taken by the same: its own tests have a real one.
    monkeypatch.setattr(choice.Place, "_on_ray", lambda place: Quick(workers=place.workers))
    notebook = (ROOT / "tests" / "audit" / "course-notebook.ipynb").read_text(encoding="utf-8")
    Path("class").mkdir()
    _digits()
    for name in ("homework.ipynb", "class/one.ipynb", "class/two.ipynb"):
        Path(name).write_text(notebook, encoding="utf-8")
    _photos(Path("photos"))
    monkeypatch.setenv("FAIRTRIAL_OFFLINE", "1")
    Path("there").mkdir()
    assert fairtrial("run", "width", "--seeds", "3", "--store", "there/fairtrial.db").exit_code == 0
    return fairtrial


def _photos(folder: Path) -> None:
    """A folder of images in class folders, where Pillow is there to write them."""
    if importlib.util.find_spec("PIL") is None:
        return
    from PIL import Image

    rng = np.random.default_rng(1)
    for number in range(900):
        place = folder / ("cat", "dog", "hen")[number % 3] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(place)


def _digits() -> None:
    """A digit as a picture, and a folder of such."""
    if importlib.util.find_spec("PIL") is None:
        return
    from PIL import Image

    strokes = np.full((90, 70), 255, np.uint8)
    strokes[15:20, 15:55] = strokes[20:75, 45:50] = 0
    for place in (Path("seven.png"), Path("digits/7/one.png"), Path("digits/1/two.png")):
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(strokes).save(place)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.name, marks=[pytest.mark.long] if page.name in LONG else [])
        for page in PAGES
        if blocks(page) and page.name not in ELSEWHERE
    ],
)
def test_what_a_page_tells_a_reader_to_do_works(page: Path, prepared: Callable[..., Any]) -> None:
    """The first thing a reader does is to copy it."""
    done = 0
    tables = 0
    for kind, body in blocks(page):
        if kind == "yaml" and "schema: fairtrial" in body:
            name = re.search(r"^name: (\S+)", body, flags=re.MULTILINE)
            assert name is not None
            for file in (f"{name[1]}.yaml", "study.yaml"):
                Path(file).write_text(body, encoding="utf-8")
            done += 1
        elif kind == "csv":
            Path("AB"[tables] + ".csv").write_text(body, encoding="utf-8")
            tables += 1
        elif kind == "text" and body.startswith("import keras"):
            Path("homework.py").write_text(body, encoding="utf-8")
        elif kind == "python":
            exec(compile(body, page.name, "exec"), {"__name__": "__main__"})
            done += 1
        elif kind == "sh":
            done += sum(_command(line, page, prepared) for line in body.splitlines() if line.strip())
    assert done or page.name == "CONTRIBUTING.md"


def _command(line: str, page: Path, fairtrial: Callable[..., Any]) -> bool:
    words = _words(line)
    if not words or NOT_HERE.match(line.strip()):
        return False
    assert words[0] == "fairtrial", f"{page.name}: nobody runs {line!r}"
    if any("fashion_mnist" in word for word in words) and not _has_fashion():
        return False  # Debian's package is not installed, and nothing is downloaded here
    if "study.yaml" in words and words[1] != "init" and not Path("study.yaml").exists():
        assert fairtrial("init").exit_code == 0
    if words[1:3] == ["search", "study.yaml"] and "\nsearch:" not in Path("study.yaml").read_text(
        encoding="utf-8"
    ):
        Path("study.yaml").write_text(
            _with_searches(), encoding="utf-8"
        )  # a reader has one that declares some
    if words[1] in ("export", "predict"):
        if not all(map(importlib.util.find_spec, ("onnx", "onnxruntime", "PIL"))):
            return False
        assert fairtrial("run", "width", "--arm", "width-200", "--seeds", "1").exit_code == 0
        if words[1] == "predict" and not Path("model.onnx").exists():
            assert fairtrial("export", "width", "width-200", "--out", "model.onnx").exit_code == 0
    for place, word in enumerate(words[:-1]):
        if word in ("--save", "--write-study"):
            Path(words[place + 1]).unlink(missing_ok=True)
    if words[1] == "init":
        Path("study.yaml").unlink(missing_ok=True)
    if words[1] == "search":
        words += [
            "--trials",
            "2",
            *([] if "--budget" in words else ["--budget", "2s"]),
        ]  # as declared it would be minutes
    # A self-test trains for real, which it does in tests of its own.
    result = fairtrial(*(word for word in words[1:] if word != "--selftest"))
    assert result.exit_code == 0, f"{page.name}: {line}\n{result.output}"
    return True


def _with_searches() -> str:
    return next(
        body
        for kind, body in blocks(ROOT / "docs" / "study-file.md")
        if kind == "yaml" and "\nsearch:" in body
    )


@cache
def _has_fashion() -> bool:
    try:
        ft.load("width", sets=["data.dataset=fashion_mnist"])
    except ft.FairtrialError:
        return False
    return True


def _words(line: str) -> list[str]:
    """The words of a shell's line; a pattern of files stands for those there are, a budget for a short one."""
    words: list[str] = []
    for word in shlex.split(line, comments=True):
        found = sorted(map(str, Path().glob(word))) if "*" in word and "/" in word else []
        words += found or [word]
    for place, word in enumerate(words[:-1]):
        if word == "--budget":
            words[place + 1] = "2s"
    return words


def test_the_python_reference_names_what_there_is() -> None:
    """A page that is made from the program cannot lag behind it; that it is made from all of it is seen here."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        made = importlib.import_module("site_reference")
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    page = made.python()
    assert all(f"\n## {name}\n" in page for name in ft.__all__ if name != "__version__")
    commands = made.commands()
    assert "## fairtrial run" in commands and "| `--weights` | `first` or `all` or `none` |" in commands
    assert "`network`" in made.study_file()
