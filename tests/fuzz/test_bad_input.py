"""Whatever somebody gives to a parser is read, or refused in words: a little of `scripts/fuzz`, the same every time."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from attempting import attempt, complaint, fuzz
from parsers import PARSERS, Parser

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "fairtrial"
SLOW = {"store-pages": 2, "store-cells": 3, "store": 8, "study": 12, "ask": 12, "keras-content": 12}
"""Whole stores are read after each input; of the others there is time for more."""
INPUTS = 40


@pytest.mark.parametrize("parser", PARSERS, ids=lambda one: one.name)
def test_changed_inputs_and_other_things_than_files_are_read_or_refused_in_words(
    parser: Parser, tmp_path: Path
) -> None:
    """Only a FairtrialError that a reader can use, never another exception, never endless waiting."""
    whole = parser.begin(tmp_path)[: 3 if parser.name in SLOW else None]
    count = SLOW.get(parser.name, INPUTS)
    report = fuzz(
        parser, tmp_path, whole=whole, bombs=(), seed=1, until=lambda tried: tried >= len(whole) + 9 + count
    )
    assert [f"{one.what} ({one.begins})" for one in report.failures] == []
    assert report.inputs > count
    if not parser.silent and parser.name != "store-cells":  # most values mean something, wherever they stand
        assert report.refused > 0


@pytest.mark.parametrize(
    "parser", [one for one in PARSERS if not one.name.startswith("store")], ids=lambda one: one.name
)
def test_what_the_inputs_are_made_from_is_read(parser: Parser, tmp_path: Path) -> None:
    """Changed copies of something that is refused for another reason would reach nothing."""
    for content in parser.begin(tmp_path):
        (tmp_path / "own").mkdir(exist_ok=True)
        assert attempt(parser, content, tmp_path / "own") == ("read", ""), content[:80]


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited and measured as Linux does")
def test_the_command_tries_bombs_in_little_memory(tmp_path: Path) -> None:
    """Each parser in a process of its own that is not given more; the table is written between the marks."""
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- fuzz: begin -->\nWHAT WAS THERE\n<!-- fuzz: end -->\nafter\n")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "fuzz"), "--seconds", "3", "--write", str(document)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    page = document.read_text()
    assert "WHAT WAS THERE" not in page and page.startswith("before\n") and page.endswith("after\n")
    assert re.search(r"\| study files \(YAML\) \| \d+ \| \d+ \| [\d.]+ s \| \d+ MiB \| 0 \|", page)
    assert len(re.findall(r"\| 0 \|$", page, flags=re.MULTILINE)) == len(PARSERS)


def test_what_is_wrong_with_a_parser_is_found(tmp_path: Path) -> None:
    """A search that finds nothing anywhere proves nothing."""

    def broken(content: bytes, folder: Path) -> None:
        if b"7" in content:
            raise KeyError("seven")

    parser = Parser(name="broken", reads="nothing", begin=lambda _: [b"x"], read=broken)
    report = fuzz(
        parser, tmp_path, whole=[b"123456"], bombs=[("b", b"7")], seed=1, until=lambda tried: tried > 5
    )
    assert [one.what.split(" ")[0] for one in report.failures] == ["KeyError"]
    assert report.failures[0].begins == "bomb: b"
    for said in (
        "",
        "no",
        "x" * 9000,
        "\x1b[2J is not a number",
        "Input should be (pydantic)",
        "half a pair \ud800",
    ):
        assert complaint(said, tmp_path), said
    assert complaint("study.yaml:3: epochs must be at least 1, got 0", tmp_path) == ""


def test_nothing_is_ever_unpickled() -> None:
    """A pickle runs what it says; no file of ours is one, and none that is given is taken for one."""
    loads = []
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=names):
                    found = {one.name.split(".")[0] for one in names}
                case ast.ImportFrom(module=str(module)):
                    found = {module.split(".")[0]}
                case ast.Call(func=ast.Attribute(value=ast.Name(id=library), attr=function)):
                    found = set[str]()
                    given = {one.arg: ast.unparse(one.value) for one in node.keywords}
                    assert (library, function) != ("torch", "load"), path
                    assert (library, function) not in {("yaml", "load"), ("yaml", "unsafe_load")}, path
                    if library in ("np", "numpy") and function in ("load", "save"):
                        loads.append(function)
                        assert given.get("allow_pickle") == "False", f"{path}:{node.lineno}"
                    if function == "YAML":
                        assert given.get("typ") == "'safe'", f"{path}:{node.lineno}"
                case ast.Call(func=ast.Name(id=function)):
                    found = set[str]()
                    # The cells of a notebook are ours, and are run to show what they give; so is text that stands there.
                    ours = path.name == "cells.py" or all(isinstance(one, ast.Constant) for one in node.args)
                    assert function not in {"eval", "exec"} or ours, f"{path}:{node.lineno}"
                    if function == "YAML":
                        given = {one.arg: ast.unparse(one.value) for one in node.keywords}
                        assert given == {"typ": "'safe'", "pure": "True"}, f"{path}:{node.lineno}"
                case _:
                    continue
            assert not found & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}, (
                path
            )
    assert "load" in loads


def test_the_list_of_parsers_is_whole() -> None:
    """Whoever adds a place where files are read adds it to what is fuzzed; these read what nobody gives them."""
    reading = re.compile(
        r"read_bounded\(|safe_open\(|np\.load\(|json\.loads\(|sqlite3\.connect\(|from_yaml\("
        r"|Image\.open\(|ZipFile\(|tarfile\.open\(|read_array_header|loadmat\("
    )
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    }
    assert found == {
        # read_bounded itself
        "bounded.py",
        # parser `study`, `set`, `ask`
        "study/studyfile.py", "study/overrides.py", "study/asking.py", "study/yamltree.py",
        # `compare`, `idx`, `cache`
        "comparison/lines.py", "images/idx.py", "images/cache.py",
        # `npz`, `npy`, `picture`, `asked-picture`, `known`
        "images/arrayfiles.py", "images/pictures.py", "images/known.py",
        # published files, each held against its published checksum before it is read
        "images/formats.py",
        # `event`, `order`, `weights`, `checkpoint`
        "wire.py", "engine/saved_weights.py", "engine/checkpoint.py",
        # `store` and its kin: what opens it, and what is made of the texts in it
        "store/connection.py", "store/explaining.py", "analysis/terms.py", "analysis/plan.py", "analysis/searched.py",
        "analysis/retuned.py", "analysis/combined.py", "searching/running.py", "searching/tuning.py", "cli/searching.py",
        # `audit`
        "audit/notebook.py",
        # `store` again, as `doctor`, `merge` and `rerun` look at it
        "store/integrity.py", "store/copying.py", "restoring.py",
        # made by the report itself a moment before
        "report/page.py",
        # lines of the Keras programs that it writes or ships; what these read is handed to them a moment before
        "study/keras_code.py", "programs/keras_arm.py",
        # what programs of the user's own say: tests/own/test_commands.py and test_networks.py give them odd ones
        "commands/reading.py", "commands/running.py", "executors/probing.py", "study/own.py",
        "report/blocks.py",
        # `import-json`, `import-keras`
        "models/importing/opening.py", "models/importing/adding.py",
        # an order as this program's own driver wrote it, on a node of a cluster
        "executors/attempt.py",
        # `onnx`, `safetensors`, `keras`, `pt2`; the last is an .npy file that a process of ours wrote a moment before
        "models/archives.py", "engine/exporting/keras_file.py", "engine/exporting/tensor_file.py", "engine/exporting/running.py",
    }  # fmt: skip


@pytest.mark.slow
def test_a_report_of_the_command_is_what_it_prints(tmp_path: Path) -> None:
    """The child speaks JSON to the command; an input that failed comes with it, byte for byte."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("attempting.py")), "amount", "1", "0.2", str(tmp_path / "last")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["parser"] == "amount" and report["failures"] == []
    assert report["inputs"] == report["refused"] + report["read"] > 5
    assert (tmp_path / "last").exists()
