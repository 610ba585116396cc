"""What the repository says about itself is true: documents, packaging, imports, versions."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import typer.main
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fairtrial
from fairtrial.cli.app import app
from fairtrial.study import studyfile
from fairtrial.trial import ENGINE_VERSION

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "fairtrial"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
MODULES = sorted(SOURCE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if "==" in line
)


def blocks(language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language in all documents, with the name of the document."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
    return [
        (document.name, block)
        for document in DOCUMENTS
        for block in fence.findall(document.read_text(encoding="utf-8"))
    ]


def python(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


STUDIES = [(name, block) for name, block in blocks("yaml") if "schema: fairtrial" in block]
COMMANDS = [
    (name, line)
    for name, block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("fairtrial ")
]


def test_the_documents_hold_what_is_checked_here():
    """A fence spelled otherwise would switch off the tests below without a word."""
    assert {name for name, _ in STUDIES} >= {"README.md", "study-file.md"}
    assert {name for name, _ in COMMANDS} >= {"README.md", "study-file.md"}


@pytest.mark.parametrize(("document", "block"), STUDIES)
def test_every_study_in_the_documents_loads(document, block, tmp_path):
    """The first thing a reader does is to copy it."""
    path = tmp_path / "study.yaml"
    path.write_text(block, encoding="utf-8")
    (tmp_path / "mymodel.py").write_text("")  # what the documents call a user's own file
    study = studyfile.load(path)
    assert study.arms
    assert study.questions or study.search


@pytest.mark.parametrize(("document", "line"), COMMANDS)
def test_every_command_in_the_documents_is_one(document, line):
    """Options are renamed; documents are forgotten."""
    _, name, *arguments = shlex.split(line, comments=True)
    command = typer.main.get_command(app).commands[name]  # pyright: ignore[reportAttributeAccessIssue]
    command.make_context(name, arguments)


@pytest.mark.parametrize(("document", "block"), blocks("python"))
def test_every_python_name_in_the_documents_is_public(document, block):
    """What the documents use is what `__all__` promises to keep."""
    used = {
        node.attr
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ft"
    }
    assert used
    assert used <= set(fairtrial.__all__)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document):
    """A guided tour with a missing room is worse than none."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_the_public_names_are_these():
    """Adding one is a decision, and so is taking one away."""
    assert sorted(fairtrial.__all__) == [
        "Answer",
        "Answers",
        "Arm",
        "Audit",
        "Comparison",
        "Data",
        "FairtrialError",
        "Study",
        "StudyError",
        "__version__",
        "answers",
        "ask",
        "assert_not_worse",
        "audit_file",
        "builtin_names",
        "compare",
        "doctor",
        "figures",
        "import_keras",
        "load",
        "merge",
        "rerun",
        "run",
        "search",
        "show",
        "write_report",
    ]
    for name in fairtrial.__all__:
        assert getattr(fairtrial, name) is not None


def test_importing_and_loading_import_nothing_heavy():
    """Whoever only reads answers should not wait for torch, nor for a mistake in a file to be reported."""
    program = (
        "import sys, fairtrial\n"
        "heavy = {'torch', 'scipy', 'pydantic', 'pandas', 'numpy', 'ruamel'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "fairtrial.load('course'), fairtrial.answers\n"
        "print('pydantic' in sys.modules, 'torch' in sys.modules)"
    )
    assert python("-c", program).splitlines() == ["[]", "True False"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_is_longer_than_300_lines(module):
    """A module holds one concept; beyond this it holds two."""
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


def imported(module: Path) -> set[str]:
    """Top-level names of what a module imports, also those only type checkers see."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def required(*extras: str) -> set[str]:
    listed = PROJECT["project"]["dependencies"] + [
        each for extra in extras for each in PROJECT["project"]["optional-dependencies"][extra]
    ]
    return {canonicalize_name(Requirement(each).name) for each in listed}


def test_everything_imported_is_required():
    """What another package happens to bring along is gone with its next version."""
    known = metadata.packages_distributions()
    # Programs are run by whatever interpreter has what they need, never imported.
    modules = [path for path in MODULES if "programs" not in path.relative_to(SOURCE).parts]
    names = set().union(*map(imported, modules)) - set(sys.stdlib_module_names) - {"fairtrial"}
    # jaxtyping is seen by type checkers alone; what is optional is asked for by the one module that needs it, and IPython is
    # there where a cell of its own runs us.
    packages = {canonicalize_name(known[name][0]) if name in known else name for name in names}
    assert packages <= required("images", "pandas", "parquet", "mlflow", "keras", "onnx", "ray") | {
        "jaxtyping",
        "ipython",
    }


def test_every_requirement_has_an_exact_version_within_its_range():
    """`scripts/install` must give tomorrow what it gave today."""
    for extra in (None, *PROJECT["project"]["optional-dependencies"]):
        listed = (
            PROJECT["project"]["dependencies"]
            if extra is None
            else PROJECT["project"]["optional-dependencies"][extra]
        )
        for requirement in map(Requirement, listed):
            name = canonicalize_name(requirement.name)
            assert name in CONSTRAINTS, name
            assert requirement.specifier.contains(CONSTRAINTS[name], prereleases=True), requirement


def test_versions_agree_and_the_changelog_knows_them():
    """A number that can have changed without a line in the changelog cannot be trusted."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert fairtrial.__version__ == PROJECT["project"]["version"]
    assert f"## {fairtrial.__version__}" in changelog
    assert f"Engine version {ENGINE_VERSION}" in changelog


def test_the_wheel_holds_everything_that_is_read_at_run_time(tmp_path):
    """An installation without its data works in the checkout of whoever built it, and nowhere else."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(ROOT / "src").as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= packed
    assert {Path(name).suffix for name in ours} >= {".py", ".gz", ".yaml", ".sql", ".typed"}
    assert any(name.endswith("licenses/NOTICE") for name in packed)


def files() -> list[Path]:
    """Every file of the repository that is text, whether it is kept by git or not yet."""
    ignored = {".git", ".venv", "__pycache__", ".hypothesis", ".pytest_cache", ".ruff_cache", "dist", "build"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not ignored & set(path.relative_to(ROOT).parts)
        and path.suffix in {"", ".py", ".md", ".toml", ".txt", ".yaml", ".sql", ".json", ".csv"}
    ]


def test_no_file_names_a_place_on_somebodys_machine():
    """A path that exists on one machine alone breaks on all others."""
    places = re.compile("/" + r"(work|root|tmp|Users|opt)/[\w.]")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if places.search(line)
    ]
    assert found == []


def script(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "scripts" / name), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_install_says_which_python_is_missing():
    """A fresh machine often has an old one or none; pip's own message would be a riddle."""
    done = script("install", PYTHON="python-that-is-not-there")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed; python-that-is-not-there is not installed" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr


def test_install_refuses_what_it_does_not_know():
    """A misspelt --dev would install too little and fail much later."""
    done = script("install", "--develop")
    assert (done.returncode, done.stderr) == (2, "usage: scripts/install [--dev]\n")


def test_pre_commit_runs_the_checks_of_scripts_test():
    """What passes before a commit must pass afterwards."""
    hooks = re.findall(
        r"entry: \.venv/bin/(.*)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    )
    checks = (ROOT / "scripts" / "test").read_text(encoding="utf-8").replace('"$bin/', "").replace('"', "")
    for hook in hooks:
        assert hook.partition(' -m "not')[0] in checks, hook
