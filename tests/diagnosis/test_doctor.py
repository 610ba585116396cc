"""What `fairtrial doctor` looks at, and that it can find something."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import fairtrial as ft
from fairtrial.cli.app import app
from fairtrial.diagnosis import data, environment, machine, selftests
from fairtrial.diagnosis.finding import Diagnosis, Finding
from fairtrial.engine import precision
from fairtrial.images import cache
from fairtrial.images.facts import MNIST
from fairtrial.study.layers import LAYERS
from fairtrial.study.training import Optimizer


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAIRTRIAL_STORE", raising=False)
    return lambda *words: CliRunner().invoke(app, ["doctor", *words])


def test_a_line_for_each_thing_looked_at(doctor: Callable[..., Result], tmp_path: Path) -> None:
    """State first, so that problems are found by eye and by grep; nothing is left behind."""
    done = doctor()
    lines = done.stdout.splitlines()
    names = [line.split()[1] for line in lines if line.split()[:1] in (["ok"], ["warning"], ["problem"])]
    assert names == [
        "python", "fairtrial", "packages", "torch", "sqlite", "processor", "precision", "memory", "disk", "mnist",
        "mnist", "store",
    ]  # fmt: skip
    assert done.exit_code == 0
    assert not list(tmp_path.iterdir())


def test_a_problem_exits_1_and_json_holds_every_line(doctor: Callable[..., Result], tmp_path: Path) -> None:
    """For scripts that check a machine before a night's work."""
    (tmp_path / "fairtrial.db").write_text("no database at all")
    done = doctor("--json")
    assert done.exit_code == 1
    body = json.loads(done.stdout)
    assert body["sound"] is False
    assert [one["name"] for one in body["findings"] if one["state"] == "problem"] == ["store"]
    by_name = {one["name"]: one["facts"] for one in body["findings"]}
    assert by_name["precision"]["auto"] in ("bfloat16", "float32")
    assert by_name["packages"]["versions"]["numpy"] == metadata.version("numpy")
    assert by_name["mnist"]["fingerprint"] == MNIST.fingerprint
    assert len(by_name["mnist"]["sha256"]) == 4


def test_python_offers_the_same() -> None:
    """`ft.doctor()` in a notebook: sound or not, and line by line."""
    found = ft.doctor(store="nowhere/fairtrial.db")
    assert not found.sound
    assert {one.name for one in found if one.state == "problem"} == {"disk", "store"}
    assert str(found).count("\n") == len(found.findings) - 1


def test_a_package_that_is_missing_or_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions are mixed up by hand, and the error comes days later from somewhere else."""
    monkeypatch.setattr(
        metadata, "requires", lambda _: ["numpy>=999.1", "no-such-package>=1", "x>=1; extra == 'dev'"]
    )
    found = {one.name: one for one in environment.findings()}["packages"]
    assert found.state == "problem"
    assert f"numpy is {metadata.version('numpy')}, and 999.1 or newer is needed" in found.text
    assert "no-such-package is missing" in found.text


def test_a_torch_that_cannot_be_imported_is_said_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-installed torch is the most likely fault of all."""
    monkeypatch.setitem(__import__("sys").modules, "fairtrial.engine.build", None)
    found = environment.torch()
    assert (found.state, "PyTorch cannot be imported" in found.text) == ("problem", True)


def test_a_device_that_is_not_there_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker would end with it."""
    monkeypatch.setenv("FAIRTRIAL_DEVICE", "tpu")
    found = environment.torch()
    assert (found.state, "must be auto, cpu or cuda, got 'tpu'" in found.text) == ("problem", True)


@pytest.mark.parametrize(
    ("flags", "auto", "said"),
    [
        ({"avx2", "amx_bf16"}, "bfloat16", "means bfloat16 here"),
        ({"avx2"}, "float32", "does not multiply bfloat16 matrices itself: `precision: auto` means float32"),
        (set[str](), "float32", "does not tell whether"),
    ],
    ids=["with", "without", "unknown"],
)
def test_it_says_what_precision_auto_means_on_this_processor(
    flags: set[str], auto: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two machines that disagree about it train different trials from one study file."""
    for module in (precision, machine):
        monkeypatch.setattr(module, "cpu_flags", lambda: frozenset(flags))
    precision.has_bfloat16.cache_clear()
    try:
        found = {one.name: one for one in machine.findings(tmp_path / "x.db")}["precision"]
    finally:
        precision.has_bfloat16.cache_clear()
    assert said in found.text
    assert found.facts is not None
    assert found.facts["auto"] == auto


@pytest.mark.parametrize(
    ("free", "state", "said"),
    [
        (None, "ok", "does not tell"),
        (2**20, "problem", "close other programs"),
        (700 * 2**20, "warning", "run with -j 1"),
    ],
)
def test_too_little_memory_is_said_before_a_run_dies_of_it(
    free: int | None, state: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each worker is a process of its own."""
    monkeypatch.setattr(machine, "available_memory", lambda: free)
    monkeypatch.setattr(machine, "available_cores", lambda: [0, 1])
    found = {one.name: one for one in machine.findings(tmp_path / "x.db")}["memory"]
    assert found.state == state
    assert said in f"{found.text} {found.advice}"


def test_a_damaged_data_file_is_a_problem(tmp_path: Path) -> None:
    """One wrong image would change every number."""
    with resources.as_file(resources.files("fairtrial.data") / "mnist") as folder:
        copy = Path(shutil.copytree(folder, tmp_path / "mnist"))
        assert data.files(folder, MNIST).state == "ok"
    labels = copy / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(labels.read_bytes())
    content[len(content) // 2] ^= 1
    labels.write_bytes(content)
    found = data.files(copy, MNIST)
    assert (found.state, "t10k-labels" in found.text) == ("problem", True)


def test_a_damaged_cache_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is never used, but costs each worker its time."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    states: list[str] = []
    for step in (lambda: None, lambda: (tmp_path / MNIST.fingerprint).mkdir()):
        step()
        states.append({one.name: one.state for one in data.findings()}["mnist cache"])
    assert states == ["ok", "warning"]


def test_a_warning_alone_is_sound() -> None:
    """Exit 1 is for what has to be put right."""
    lines = [Finding(area="store", name="x", state=state, text="") for state in ("ok", "warning", "problem")]
    assert Diagnosis(findings=tuple(lines[:2])).sound
    assert not Diagnosis(findings=tuple(lines)).sound
    assert Diagnosis(findings=tuple(lines)).sentence.startswith("1 problem and 1 warning")


def test_the_self_test_holds_every_layer_and_every_optimiser() -> None:
    """A layer added to the vocabulary is tested from then on, or this fails."""
    wanted = selftests.trials().values()
    assert {layer.kind for one in wanted for layer in one.arm.network} == set(LAYERS)
    optimizers: set[Any] = {kind.model_fields["name"].default for kind in Optimizer.__subclasses__()}
    assert {one.arm.settings.optimizer.name for one in wanted} == optimizers
    assert len(optimizers) >= 5


@pytest.mark.course
def test_the_self_test_passes_here(doctor: Callable[..., Result], tmp_path: Path) -> None:
    """Real workers, every layer and optimiser, on two workers and on one; about 15 s where nothing else runs."""
    done = doctor("--selftest", "--json")
    assert done.exit_code == 0, done.stdout
    tested = [one for one in json.loads(done.stdout)["findings"] if one["area"] == "selftest"]
    assert [one["name"] for one in tested] == ["training", "determinism", "resume", "storing"]
    assert not list(tmp_path.iterdir())
