"""`fairtrial report`: what has been trained, written to files of many kinds. Only typer and the standard library here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fairtrial.analysis.values import Answers
    from fairtrial.study.schema import Study


def _file(name: str, help: str) -> Any:
    return typer.Option(f"--{name}", metavar="F", help=help)


Html = Annotated[
    Path | None, _file("html", "Write one page to look at, with all the evidence; it opens offline.")
]
Notebook = Annotated[Path | None, _file("notebook", "Write a Jupyter notebook with its outputs.")]
Markdown = Annotated[Path | None, _file("markdown", "Write Markdown, for a README or a pull request.")]
Latex = Annotated[Path | None, _file("latex", "Write LaTeX tables and a methods paragraph.")]
Figures = Annotated[
    Path | None, typer.Option("--figures", metavar="DIR", help="Write every figure as SVG and PDF.")
]
Csv = Annotated[
    Path | None, _file("csv", "Write the answers as CSV, and trials and history into files beside it.")
]
Json = Annotated[Path | None, _file("json", "Write everything as one JSON document.")]


def write_reports(study: Study, *, store: Path | None, wanted: dict[str, Path | None]) -> None:
    """Read the answers once and write each report that has a path; say on standard error what was written.

    Raises FairtrialError for a place that cannot be written to.
    """
    from fairtrial.api import answers, store_path
    from fairtrial.cli.console import note_missing_store

    chosen = {name: path for name, path in wanted.items() if path is not None}
    if not chosen:
        raise typer.BadParameter(f"say what to write: {', '.join(f'--{name}' for name in wanted)}")
    note_missing_store(store_path(store))
    found = answers(study, store=store)
    for name, path in chosen.items():
        _writer(name)(found, path)
        typer.echo(f"wrote {path}", err=True)


def _writer(name: str) -> Callable[[Answers, Path], Any]:
    """Imported when it is used: drawing takes a second to load."""
    match name:
        case "html":
            from fairtrial.api import write_page

            return write_page
        case "notebook":
            from fairtrial.report.notebook import write_notebook

            return write_notebook
        case "markdown":
            from fairtrial.report.markdown import write_markdown

            return write_markdown
        case "latex":
            from fairtrial.report.latex import write_latex

            return write_latex
        case "figures":
            from fairtrial.report.gallery import write_figures

            return write_figures
        case "csv":
            from fairtrial.report.exports import write_csv

            return write_csv
        case _:
            from fairtrial.report.exports import write_json

            return write_json
