"""What has no layers that a study describes cannot be exported, and says so before anything is trained or written."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fairtrial.cli.app import app
from fairtrial.errors import FairtrialError
from fairtrial.models.naming import FORMATS
from fairtrial.models.verbs import export
from fairtrial.study.studyfile import load

STUDY = """
schema: fairtrial/1
name: own
arms:
  ours: {epochs: 1}
  module: {network: {python: "net.py:build"}}
  command: {command: "python train.py --seed {seed}"}
  told: {command: "python train.py {settings} {data} --seed {seed}"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "net.py").write_text("raise SystemExit('nobody runs this')\n")
    (tmp_path / "train.py").write_text("raise SystemExit('nobody runs this')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("format", list(FORMATS))
@pytest.mark.parametrize("retrain", [(), ("--retrain",)])
def test_arms_of_own_code_and_of_commands_are_refused(
    format: str, retrain: tuple[str, ...], folder: Path
) -> None:
    """Whatever the format, trained or not, with the reason and what to do; no file is left."""
    out = folder / f"m{FORMATS[format].suffix}"
    for arm, pieces in (
        (
            "module",
            ("built by net.py:build, code of your own", "save it from there", "by the module's own names"),
        ),
        ("command", ("a command of your own trains it", "let the command save its network itself")),
        ("told", ("a command of your own trains it", "let the command save its network itself")),
    ):
        asked = [
            "export",
            "study.yaml",
            arm,
            "--format",
            format,
            "--out",
            str(out),
            "--store",
            "some.db",
            *retrain,
        ]
        done = CliRunner().invoke(app, asked)
        said = " ".join(done.output.split())
        assert done.exit_code == 2, said
        assert f"arm {arm!r} cannot be exported" in said
        assert all(piece in said for piece in pieces), said
        assert "nobody runs this" not in said
    assert not out.exists() and not list(folder.glob(".*part*"))


def test_the_verb_refuses_them_too(folder: Path) -> None:
    """In Python the same, and an arm of ours that nobody has trained says how to train it."""
    study = load(folder / "study.yaml")
    for arm in ("module", "command", "told"):
        for seed in ("best", "ensemble", 1):
            with pytest.raises(FairtrialError, match=f"arm '{arm}' cannot be exported"):
                export(study, arm, format="onnx", seed=seed, store=folder / "some.db")
    with pytest.raises(FairtrialError, match=r"arm 'ours' has no trial yet.* Train it with `fairtrial run"):
        export(study, "ours", format="onnx", store=folder / "some.db")
