"""The report as a notebook: a real one, whose outputs are what running it gives."""

from __future__ import annotations

import ast
import html.parser
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from typer.testing import Result

import fairtrial as ft
from fairtrial.report.cells import code, notebook_json, relative, text
from fairtrial.report.notebook import notebook_cells, write_notebook
from fairtrial.store import Store
from fairtrial.study.schema import Study

Run = Callable[..., Result]
EVIL = '<img src=x onerror=alert(1)> | `x` \'\\""" {x}'
GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])
STUDY = """\
schema: fairtrial/1
name: rate
title: {title}
base: {{network: {{mlp: {{width: 50, depth: 1}}}}, epochs: 1}}
arms: {{{slow}: {{}}, fast: {{optimizer.learning_rate: 0.01}}}}
questions:
  - {{id: faster, ask: {ask}, variant: fast, baseline: {slow}, claims: [{{says: increase, text: {ask}}}]}}
"""


def written(path: Path, *, title: str = "How fast?", slow: str = "slow", ask: str = "Faster?") -> Path:
    values = {"title": title, "slow": slow, "ask": ask}
    path.write_text(
        STUDY.format(**{name: json.dumps(value) for name, value in values.items()}), encoding="utf-8"
    )
    return path


def outputs(notebook: Any) -> list[Any]:
    return [json.loads(json.dumps(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


def execute(path: Path) -> Any:
    """Run it as Jupyter would, in the folder it lies in."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    return notebook


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning")
def test_running_it_again_gives_what_is_written_and_trains_nothing(fairtrial: Run, tmp_path: Path) -> None:
    """A notebook whose outputs its code does not give is a forgery; one that trains anew is a trap."""
    study = written(tmp_path / "rate.yaml")
    fairtrial("run", str(study), "--seeds", "4")
    before = len(ft.answers(ft.load(study)).arms[0].trials)
    done = fairtrial("report", "rate.yaml", "--notebook", "rate.ipynb")
    assert (done.exit_code, done.stdout) == (0, "")
    notebook = nbformat.read(tmp_path / "rate.ipynb", as_version=4)
    nbformat.validate(notebook)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("rate.ipynb", "rate.yaml", "fairtrial.db"):
        shutil.copy(tmp_path / name, moved)
    again = execute(moved / "rate.ipynb")
    assert outputs(again) == outputs(notebook)
    assert sum(bool(output) for output in outputs(notebook)) >= 8
    assert len(ft.answers(ft.load(study), store=moved / "fairtrial.db").arms[0].trials) == before == 4


def test_each_question_has_its_section_with_answer_models_and_figures(fairtrial: Run, tmp_path: Path) -> None:
    """One looks for a question's number and finds everything about it below."""
    fairtrial("run", "width", "--seeds", "3")
    found = ft.answers(ft.load("width"))
    cells = list(notebook_cells(found, folder=tmp_path, store=Path("fairtrial.db")))
    heads = [number for number, cell in enumerate(cells) if cell.source.startswith("## Q1-")]
    first = [cell.source for cell in cells[heads[0] : heads[1]]]
    assert first[0].startswith("## Q1-200: width-200 against width-50\n\n> Try a hidden layer size of 200.")
    assert "What differs:\n\n- network.mlp.width (50 -&gt; 200)" in first[0]
    assert first[1:] == [
        "ft.show(study, 'width-50', store=store)",
        "ft.show(study, 'width-200', store=store)",
        "answers['Q1-200']",
        "ft.figures(answers, 'Q1-200')['intervals']",
        "ft.figures(answers, 'Q1-200')['contrasts']",
        "ft.figures(answers, 'Q1-200')['learning']",
        "ft.figures(answers, 'Q1-200')['dose-response']",
    ]
    # A model is shown once, where it is first asked about.
    assert sum("'width-200', store" in cell.source for cell in cells) == 1
    assert any(cell.source == "ft.show(study, store=store).printed" for cell in cells)
    assert any("fairtrial run width" in cell.source for cell in cells)


class Tags(html.parser.HTMLParser):
    """The elements of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)


def test_what_a_study_file_says_stays_data_in_every_cell(fairtrial: Run, tmp_path: Path) -> None:
    """A notebook runs its code and shows its HTML: neither may come from a title."""
    study = written(
        tmp_path / "evil.yaml", title=f"{EVIL}\n# {EVIL}", slow=EVIL, ask=f"{EVIL}\n\n```\n{EVIL}"
    )
    fairtrial("run", str(study), "--seeds", "1")
    assert fairtrial("report", str(study), "--notebook", "evil.ipynb").exit_code == 0
    notebook = nbformat.read(tmp_path / "evil.ipynb", as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            names = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
            assert names <= {"ft", "Path", "store", "study", "answers", "FileNotFoundError"}
            bundle = cell.outputs[0].data if cell.outputs else {}
            tags = Tags()
            tags.feed(bundle.get("text/html", ""))
            assert tags.found <= {
                "p", "strong", "small", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "br",
            }  # fmt: skip
            assert "<img" not in bundle.get("image/svg+xml", "")
            page = bundle.get("text/markdown", "")
        else:
            page = cell.source
        for token in GFM.parse(page):
            assert token.type != "html_block"
            assert all(
                child.type != "image" and (child.type != "html_inline" or child.content == "<!-- -->")
                for child in token.children or ()
            )


def test_a_study_that_was_never_run_renders_too(fairtrial: Run, tmp_path: Path) -> None:
    """The report is there from the first day and says that nothing is."""
    written(tmp_path / "rate.yaml")
    done = fairtrial("report", "rate.yaml", "--notebook", "rate.ipynb", "--set", "epochs=2")
    assert done.exit_code == 0
    assert "no store at" in done.stderr
    assert not (tmp_path / "fairtrial.db").exists()
    page = (tmp_path / "rate.ipynb").read_text(encoding="utf-8")
    assert "Nothing has been trained yet" in page
    assert "Not trained yet" in page
    assert "study = ft.load('rate.yaml', sets=('epochs=2',))" in page


def test_a_store_that_went_missing_stops_the_notebook(fairtrial: Run, tmp_path: Path) -> None:
    """An empty store would make every answer "nothing trained", without a word."""
    fairtrial("run", "width", "--seeds", "1")
    found = ft.answers(ft.load("width"))
    opening = list(notebook_cells(found, folder=tmp_path, store=Path("fairtrial.db")))[1]
    (tmp_path / "fairtrial.db").rename(tmp_path / "gone.db")
    with pytest.raises(FileNotFoundError, match=r"no store fairtrial\.db"):
        notebook_json([opening], folder=tmp_path)


def test_the_output_of_a_cell_is_the_value_of_its_last_line(tmp_path: Path) -> None:
    """As in Jupyter; an assignment shows nothing, and cells share their names."""
    cells = [
        text("# Hello"),
        code("class A:", "    def _repr_mimebundle_(self): return {'text/plain': 'a\\nb'}"),
        code("A()"),
    ]
    notebook = nbformat.reads(notebook_json(cells, folder=tmp_path), as_version=4)
    nbformat.validate(notebook)
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2]
    assert notebook.cells[1].outputs == []
    assert notebook.cells[2].outputs[0].data == {"text/plain": "a\nb"}


def test_paths_are_seen_from_the_notebooks_folder(tmp_path: Path) -> None:
    """A project's folder is moved and shared whole."""
    (tmp_path / "reports").mkdir()
    assert relative(tmp_path / "x.db", tmp_path / "reports") == "../x.db"
    assert relative(tmp_path / "reports" / "x.db", tmp_path) == "reports/x.db"
    assert relative(Path("/elsewhere/x.db"), tmp_path) == "/elsewhere/x.db"


def test_what_a_notebook_could_not_load_again_is_refused(study: Study, store: Store, tmp_path: Path) -> None:
    """Better no notebook than one that stops at its first cell."""
    found = ft.answers(study, store=store.path)
    with pytest.raises(ft.FairtrialError, match="was written in Python"):
        write_notebook(found, tmp_path / "a.ipynb")
    loaded = replace(found, asked=replace(study, source="width"))
    with pytest.raises(ft.FairtrialError, match="its folder must exist"):
        write_notebook(loaded, tmp_path / "missing" / "a.ipynb")
    with pytest.raises(ft.FairtrialError, match="do not know their study"):
        write_notebook(replace(found, asked=None), tmp_path / "a.ipynb")
