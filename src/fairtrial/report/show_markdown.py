"""The models of a study and the three-column table as Markdown, for a page in the docs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairtrial.analysis.markdown import code, escaped
from fairtrial.analysis.values import ArmTrials
from fairtrial.durations import duration
from fairtrial.report.blocks import Block
from fairtrial.report.reproduction import LABELS, SECONDS, Cells, Row
from fairtrial.report.spread import Spread


def markdown(
    title: str, blocks: Sequence[Block], rows: Sequence[Row], *, made: str, machines: Sequence[str]
) -> str:
    """A whole page. `made` says with what and when, `machines` where the trials were trained."""
    return (
        "\n".join(
            [
                *_head(title, made, machines),
                *models_markdown(blocks, heading="## "),
                *three_columns(rows, heading="## "),
            ]
        ).rstrip()
        + "\n"
    )


def machines(arms: Sequence[ArmTrials]) -> tuple[str, ...]:
    """The processors and versions of torch that trained these arms, each once."""
    facts = [trial.outcome.provenance for arm in arms for trial in arm.trials]
    named = (f"{one.get('processor', 'unknown processor')}, torch {one.get('torch', '?')}" for one in facts)
    return tuple(dict.fromkeys(named))


def _head(title: str, made: str, machines: Sequence[str]) -> Iterator[str]:
    yield f"# {escaped(title)}"
    yield ""
    yield f"{made} Trained on: {escaped('; '.join(machines) or 'nothing yet')}."
    yield ""
    yield "Figures are means over seeds ± their standard deviation, with the number of seeds in brackets."
    yield ""


def _heading(text: str, mark: str) -> str:
    """`mark` is `## ` for a heading, `**` for a line that shows itself within another's page."""
    return f"{mark}{text}{mark if mark == '**' else ''}"


def models_markdown(blocks: Sequence[Block], *, heading: str) -> Iterator[str]:
    for one in blocks:
        yield _heading(escaped(one.title), heading)
        yield ""
        if one.note:
            yield escaped(one.note)
            yield ""
        yield f"{code(one.name)}: {escaped(one.hyperparameters)}"
        yield ""
        if one.made_by:
            yield escaped(one.made_by)
            yield ""
        if one.layers:
            yield from _table(
                ("Layer (type)", "Output Shape", "Param #"),
                [(layer.layer, layer.output_shape, str(layer.parameters)) for layer in one.layers],
            )
        yield f"{'. '.join(one.counts)}."
        yield ""
        yield from _figures(one)


def _figures(one: Block) -> Iterator[str]:
    if one.diverged:
        yield f"{one.diverged} of {one.diverged + one.finished} trials diverged."
        yield ""
    if not one.finished:
        if not one.diverged:
            yield "Not trained yet."
            yield ""
        return
    yield from _table(
        ("", "at the end", "mean over the last epoch"),
        [(figure.label, _text(figure.end), _text(figure.last_epoch)) for figure in one.figures],
    )
    yield times(one)
    yield ""


def times(one: Block) -> str:
    """Training time per trial in words; empty for an arm without finished trials."""
    if not one.finished:
        return ""
    if one.train_seconds is None or one.fit_seconds is None:
        return "Training time: these trials are of another machine than those whose times are shown."
    share = one.last_epoch_share or 0.0
    others = one.finished - one.train_seconds.n
    of = (
        f" (those of {one.train_seconds.n} of {one.finished} trials: times are of one machine)"
        if others
        else ""
    )
    return (
        f"Training time = {duration(one.train_seconds.mean)} per trial{of}, {duration(one.fit_seconds.mean)} with the "
        f"validation of each epoch; {100 * share:.1f} % of a trial's time went into the evaluations during its "
        "last epoch."
    )


def three_columns(rows: Sequence[Row], *, heading: str) -> Iterator[str]:
    if not rows:
        return
    yield _heading("Printed, reproduced, done right", heading)
    yield ""
    yield "Printed: what the notebook shows. Reproduced: its protocol, which trains on most of its validation images."
    yield "Done right: validation images drawn once and never trained on. The printed times are of another machine."
    yield ""
    yield from _table(
        ("arm", "figure", "printed", "reproduced", "done right"),
        [
            (code(row.arm) if number == 0 else "", LABELS[cells.metric], *three(cells))
            for row in rows
            for number, cells in enumerate(row.cells)
        ],
    )
    for row in rows:
        for count, protocol in ((row.reproduced_diverged, "reproduced"), (row.right_diverged, "done right")):
            if count:
                yield f"{code(row.arm)}, {protocol}: {count} further trials diverged."
                yield ""


def three(cells: Cells) -> tuple[str, str, str]:
    """The three columns of one figure as text; a dash where there is nothing."""
    digits = 2 if cells.metric == SECONDS else 4
    return _printed(cells), _text(cells.reproduced, digits), _text(cells.right, digits)


def _printed(cells: Cells) -> str:
    """As it was printed: 0.970 is three digits, and 0.97 would not line up with them."""
    if cells.published is None:
        return "-"
    shortest = f"{cells.published:g}"
    return shortest if cells.metric == SECONDS else max(shortest, f"{cells.published:.3f}", key=len)


def _text(value: Spread | None, digits: int = 4) -> str:
    if value is None:
        return "-"
    around = "" if value.sd is None else f" ± {value.sd:.{digits}f}"
    return f"{value.mean:.{digits}f}{around} ({value.n})"


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in body:
        yield f"| {' | '.join(row)} |"
    yield ""
