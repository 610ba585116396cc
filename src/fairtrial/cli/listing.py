"""`fairtrial list`: the studies that come with fairtrial."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from fairtrial.cli.console import emit_json, stdout
from fairtrial.study import studyfile


def print_builtins(*, as_json: bool) -> None:
    studies = [studyfile.load(name) for name in studyfile.builtin_names()]
    if as_json:
        emit_json(
            [
                {
                    "name": study.name,
                    "title": study.title,
                    "arms": list(study.arms),
                    "questions": [question.id for question in study.questions],
                    "searches": [search.id for search in study.search],
                }
                for study in studies
            ]
        )
        return
    table = Table(box=None, pad_edge=False)
    counts = ("arms", "questions", "searches")
    for head in ("study", *counts, "title"):
        table.add_column(head, justify="right" if head in counts else "left")
    for study in studies:
        numbers = (len(study.arms), len(study.questions), len(study.search))
        table.add_row(study.name, *map(str, numbers), Text(study.title))
    console = stdout()
    console.print(table)
    console.print(
        Text("\nlook at one: fairtrial check width      train one: fairtrial run width --budget 60s")
    )
