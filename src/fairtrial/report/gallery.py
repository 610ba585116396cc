"""Which figures a study has: for each question its intervals, contrasts, curves and doses; for searches; for all, a few."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt

from fairtrial.analysis.levels import Doses, doses
from fairtrial.analysis.markdown import escaped
from fairtrial.analysis.overview import title
from fairtrial.analysis.searched_text import begun
from fairtrial.analysis.values import Answer, Answers
from fairtrial.report import figure_rows as rows
from fairtrial.report import figures as charts
from fairtrial.report.drawing import Figure, pdf
from fairtrial.report.files import folder, write_bytes, write_text
from fairtrial.report.search_gallery import search_figures
from fairtrial.study.schema import Metric

METRICS: tuple[Metric, ...] = ("accuracy", "loss", "time")
MEASURED = {"accuracy": "accuracy, percent", "loss": "loss, nats", "time": "training time, seconds"}


def question_figures(answers: Answers, question: str) -> dict[str, Figure]:
    """The figures of one question by kind, always the same ones however much has been trained."""
    group = answers[question].answers
    asked = next(one for one in answers.declared.questions if one.id == question)
    variant, baseline = group[0].variant, group[0].baseline
    against = f"{variant} against {baseline}"
    found = [
        Figure(
            name="intervals",
            caption=f"{question}: {against}. Blue: the interval, at the question's share of the allowed error; the dot "
            "is the estimate; grey: changes smaller than the margin. Settled is what leaves zero, or stays in the grey.",
            draw=lambda: _intervals(group, named=False),
        ),
        Figure(
            name="contrasts",
            caption=f"{question}: {against}, seed by seed. Each dot is one seed's difference; the line their mean, the "
            "blue band its interval, the grey band what is within the margin.",
            draw=lambda: _contrasts(group),
        ),
        Figure(
            name="learning",
            caption=f"{question}: learning curves of {against}. Thin: each seed; thick: their mean; band: from the least "
            "to the largest. Dashed: training images while they are learnt from; solid: validation images.",
            draw=lambda: _learning(answers, [variant, baseline]),
        ),
    ]
    along = doses(asked, {one.arm.name: one for one in answers.arms})
    if along is not None and len(along.arms) > 2 and any(one.metric != "time" for one in group):
        found.append(
            Figure(
                name="dose-response",
                caption=f"{question}: all arms that differ in {along.path} alone. Each mark is one seed; the line joins "
                "the means. Nothing is said of values between.",
                draw=lambda: _doses(along, group),
            )
        )
    return {one.name: one for one in found}


def figures_of(answers: Answers, name: str) -> dict[str, Figure]:
    """The figures of a question or of a search by kind; of both where they share the name.

    Raises FairtrialError for a name that neither has.
    """
    searches = [found for found in answers.searches if found.search.id == name]
    if not searches or any(answer.question == name for answer in answers):
        found = question_figures(answers, name)
    else:
        found = {}
    for one in searches:
        judged = {} if one.confirmation is None else question_figures(one.confirmation, name)
        found |= search_figures(one, judged)
    return found


def study_figures(answers: Answers) -> dict[str, Figure]:
    """The figures of the whole study by kind."""
    found = [
        Figure(
            name="intervals",
            caption="Every question: the interval in blue, the estimate a dot, in grey what is smaller than the margin. "
            "The axis opens out from zero, and a bar that ends at the frame goes on beyond it.",
            draw=lambda: _intervals(answers.answers, named=True),
        ),
        Figure(
            name="frontier",
            caption="Each arm's validation accuracy (mean over the last epoch; bar: from the least to the largest seed; "
            "logarithmic in the error) against its training time and its parameters. Where names would collide only the better arm is named.",
            draw=lambda: _frontier(answers),
        ),
        Figure(
            name="learning",
            caption="Accuracy of every arm after each epoch: mean over seeds, and the band from the least to the "
            "largest. Dashed: training images while they are learnt from; solid: validation images.",
            draw=lambda: _all_learning(answers),
        ),
    ]
    return {one.name: one for one in found}


def _intervals(group: Sequence[Answer], *, named: bool) -> Any:
    parts: list[Any] = []
    labels: list[str] = []
    for metric in METRICS:
        some = [answer for answer in group if answer.metric == metric]
        if not some:
            continue
        if all(answer.estimate is None for answer in some):
            parts.append(charts.nothing(f"{metric}: no seed has finished in both arms of a question yet"))
        else:
            shown = [rows.interval_row(answer, named=named) for answer in some]
            labels += [str(row["label"]) for row in shown]
            reach = rows.reach(shown) if named else None
            parts.append(charts.intervals(shown, unit=rows.UNITS[metric], title=metric, reach=reach))
    if not parts:
        return charts.finish(charts.nothing("No question is asked"))
    return charts.finish(alt.vconcat(*parts), labels=labels)


def _contrasts(group: Sequence[Answer]) -> Any:
    parts = [
        charts.contrasts(
            measured,
            interval=rows.interval_row(answer, named=False),
            unit=rows.UNITS[answer.metric],
            title=answer.metric if answer.on is None else f"{answer.metric} on {answer.on}",
            sample=rows.sample(answer),
        )
        for answer in group
        if (measured := rows.contrast_rows(answer))
    ]
    return charts.finish(alt.concat(*parts, columns=2) if parts else charts.nothing(charts.NOTHING))


def _learning(answers: Answers, names: Sequence[str]) -> Any:
    measured = rows.learning_rows([one for one in answers.arms if one.arm.name in names])
    if not measured:
        return charts.finish(charts.nothing(charts.NOTHING))
    parts = [
        charts.learning(
            measured,
            rows.over_seeds(measured, metric),
            metric=metric,
            unit=MEASURED[metric],
            arms=names,
            legend=metric == "accuracy",
        )
        for metric in METRICS[:2]
    ]
    return charts.finish(alt.hconcat(*parts))


def _doses(along: Doses, group: Sequence[Answer]) -> Any:
    parts = [
        charts.dose_response(measured, factor=along.path, unit=MEASURED[metric])
        for metric in METRICS[:2]
        if (measured := rows.dose_rows(along, [one for one in group if one.metric == metric]))
    ]
    return charts.finish(
        alt.concat(*parts, columns=2).resolve_scale(color="independent", shape="independent")
        if parts
        else charts.nothing(charts.NOTHING)
    )


def _frontier(answers: Answers) -> Any:
    measured = rows.frontier_rows(answers.arms)
    if not measured:
        return charts.finish(charts.nothing(charts.NOTHING))
    costs = {
        "seconds": "training time of a trial, seconds (logarithmic)",
        "parameters": "parameters (logarithmic)",
    }
    parts = [
        charts.frontier(rows.named(known, field), field=field, title=title)
        for field, title in costs.items()
        if (known := [one for one in measured if one[field] is not None])
    ]
    return charts.finish(alt.hconcat(*parts))


def _all_learning(answers: Answers) -> Any:
    measured = rows.learning_rows(answers.arms)
    if not measured:
        return charts.finish(charts.nothing(charts.NOTHING))
    return charts.finish(charts.all_learning(rows.over_seeds(measured, "accuracy"), unit="accuracy, percent"))


def write_figures(answers: Answers, path: str | Path) -> Path:
    """Write every figure as SVG and as PDF into a folder, with a list of the captions.

    Those of the study carry the name of their kind, those of a question or a search its id before it. Raises
    FairtrialError where the folder cannot be written.
    """
    target = folder(path)
    named = dict(study_figures(answers))
    questions = (answer.question for answer in answers)
    for name in dict.fromkeys((*questions, *(found.search.id for found in begun(answers)))):
        named |= {f"{name}-{kind}": one for kind, one in figures_of(answers, name).items()}
    lines = [f"# {escaped(title(answers))}: figures", ""]
    for name, one in named.items():
        drawn = one.svg()
        write_text(target / f"{name}.svg", drawn)
        write_bytes(target / f"{name}.pdf", pdf(drawn))
        lines.append(f"- [{escaped(name)}]({name}.svg) ([PDF]({name}.pdf)): {escaped(one.caption)}")
    write_text(target / "README.md", "\n".join(lines) + "\n")
    return target
