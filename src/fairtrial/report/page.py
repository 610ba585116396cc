"""The report as one HTML page that needs nothing else: no network, and without JavaScript no script."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from typing import Any

import fairtrial
from fairtrial.analysis.outstanding import outstanding
from fairtrial.analysis.searched_text import NO_EVIDENCE, begun, state_of_searches
from fairtrial.images.facts import MNIST
from fairtrial.report.arm_view import arm_view
from fairtrial.report.charts import Chart, Part
from fairtrial.report.combined_view import combined_view
from fairtrial.report.evidence import Evidence
from fairtrial.report.javascript import Bundle
from fairtrial.report.learning import MOST_EPOCHS, curves
from fairtrial.report.method import method
from fairtrial.report.question_view import question_view
from fairtrial.report.retuned_view import retuned_view
from fairtrial.report.search_view import search_view
from fairtrial.report.strip import reach
from fairtrial.report.study_view import study_view
from fairtrial.report.summary import headline, missing, own_promise, state_of_selections, tally
from fairtrial.report.templating import content_hash, environment, markup, source
from fairtrial.report.words import anchors
from fairtrial.study.schema import Study

_METRICS = ("accuracy", "loss", "time")


def page(evidence: Evidence, *, bundle: Bundle, made: datetime | None = None) -> str:
    """The whole page; `bundle` is the script its charts are drawn by."""
    study, answers = evidence.study, evidence.answers
    epochs = sum(len(trial.outcome.history) for arm in answers.arms for trial in arm.trials)
    learned = {
        name: found
        for name, arm in evidence.arms.items()
        if (found := curves(arm, each_seed=epochs <= MOST_EPOCHS)) is not None
    }
    verdicts = [
        *answers,
        *(found.answer for found in answers.searches if found.answer is not None),
        *(answer for found in answers.retuned for answer in found.answers),
        *(answer for found in answers.combined for answer in found.gain),
    ]
    reaches = {one: reach(answer for answer in verdicts if answer.metric == one) for one in _METRICS}
    lacks = outstanding(answers)
    arm_anchors = anchors("arm", list(evidence.arms))
    question_anchors = anchors("question", [question.id for question in study.questions])
    questions = [
        question_view(
            question,
            evidence,
            anchor=question_anchors[question.id],
            curves=learned,
            reach=reaches,
            lacks=lacks,
        )
        for question in study.questions
    ]
    arms = [
        arm_view(name, evidence, anchor=arm_anchors[name], curves=learned.get(name)) for name in evidence.arms
    ]
    search_anchors = anchors("search", [found.search.id for found in answers.searches])
    searches = [
        search_view(
            found,
            evidence,
            anchor=search_anchors[found.search.id],
            reach=reaches,
            each_seed=epochs <= MOST_EPOCHS,
        )
        for found in begun(answers)
    ]
    retuned_anchors = anchors("tuned", [found.question.id for found in answers.retuned])
    retuned = [
        retuned_view(
            found,
            evidence,
            anchor=retuned_anchors[found.question.id],
            reach=reaches,
            each_seed=epochs <= MOST_EPOCHS,
        )
        for found in answers.retuned
    ]
    combined_anchors = anchors("together", [found.question.id for found in answers.combined])
    combined = [
        combined_view(
            found,
            evidence,
            anchor=combined_anchors[found.question.id],
            reach=reaches,
            each_seed=epochs <= MOST_EPOCHS,
            questions=question_anchors,
        )
        for found in answers.combined
    ]
    whole = study_view(evidence)
    charts = Charts()
    body = environment().get_template("page.html").render(
        study=study,
        answers=answers,
        headline=headline(answers),
        tally=tally(answers),
        missing=(*missing(answers, lacks), *((evidence.otherwise.sentence,) if evidence.otherwise else ())),
        questions=questions,
        searches=searches,
        search_state=state_of_searches(answers) if questions else "",
        retuned=retuned,
        combined=combined,
        selection_state=state_of_selections(answers) if questions else "",
        own_promise=own_promise(study),
        arms=arms,
        arm_anchors=arm_anchors,
        whole=whole,
        each_seed=epochs <= MOST_EPOCHS,
        method=method(study),
        commands=commands(study),
        store=evidence.store,
        many=evidence.many,
        digits=any(arm.arm.settings.data.facts == MNIST for arm in evidence.arms.values()),
        version=fairtrial.__version__,
        made=(made or datetime.now().astimezone()).strftime("%Y-%m-%d"),
        no_evidence=NO_EVIDENCE,
        chart=charts.place,
    )  # fmt: skip
    return _assembled(study.title or study.name, body, charts, bundle.text())


def commands(study: Study) -> tuple[str, ...]:
    """What makes the page again; a study written in Python has no name that a command could take."""
    if not study.source:
        search = ("fairtrial.search(study)",) if study.search else ()
        run = "answers = fairtrial.run(study)"
        return (*search, run, 'fairtrial.write_report(answers, "report.html")')
    words = [study.source, *(word for one in study.sets for word in ("--set", one))]
    return (
        *(
            [shlex.join(["fairtrial", "run", *words])]
            if study.questions or study.retuned or not study.search
            else []
        ),
        *([shlex.join(["fairtrial", "search", *words])] if study.search else []),
        shlex.join(["fairtrial", "report", *words, "--html", "report.html"]),
    )


class Charts:
    """The charts of a page as they are placed: each specification and each table of data once."""

    def __init__(self) -> None:
        self._specs: dict[str, int] = {}
        self._tables: dict[int, int] = {}
        self._columns: list[Any] = []
        self._charts: list[Any] = []

    def place(self, chart: Chart) -> str:
        """The name under which the page's script finds this chart."""
        spec = json.dumps(chart.spec, separators=(",", ":"))
        number = self._specs.setdefault(spec, len(self._specs))
        data = {name: [self._part(part) for part in parts] for name, parts in chart.data.items()}
        self._charts.append({"spec": number, "data": data})
        return f"chart-{len(self._charts) - 1}"

    def _part(self, part: Part) -> dict[str, Any]:
        # The list keeps each table alive, so that no other can have its id.
        if id(part.columns) not in self._tables:
            self._tables[id(part.columns)] = len(self._columns)
            self._columns.append(part.columns)
        return {"table": self._tables[id(part.columns)], **({"shared": part.shared} if part.shared else {})}

    def as_json(self) -> str:
        specs = [json.loads(spec) for spec in self._specs]
        return script_json({"specs": specs, "tables": self._columns, "charts": self._charts})


def script_json(value: Any) -> str:
    """JSON that may stand in a script element: nothing in it can end the element or begin a comment.

    >>> script_json("</script><!--")
    '"\\\\u003c/script\\\\u003e\\\\u003c!--"'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _assembled(title: str, body: str, charts: Charts, bundle: str) -> str:
    """Head, style, body and scripts, with a policy that lets exactly these run and nothing be asked for."""
    style, script = (source(name) for name in ("page.css", "page.js"))
    bundle = bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    # A module of its own keeps the bundle's hundreds of names out of the page's.
    program = f"{bundle}\n{script}"
    policy = (
        f"default-src 'none'; script-src '{content_hash(program)}'; style-src '{content_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        environment()
        .get_template("shell.html")
        .render(
            title=title,
            policy=policy,
            style=markup(style),
            body=markup(body),
            charts=markup(charts.as_json()),
            program=markup(program),
        )
    )
