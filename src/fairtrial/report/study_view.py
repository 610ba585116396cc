"""The study as a whole as the page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fairtrial.analysis.ledger import Ledger, ledger
from fairtrial.analysis.searched_text import every_trial
from fairtrial.analysis.values import ArmTrials
from fairtrial.report.charts import Chart
from fairtrial.report.curve_charts import curve_chart
from fairtrial.report.evidence import Evidence
from fairtrial.report.models_chart import Model, models_charts
from fairtrial.report.spread import metric_spread, seconds_spread
from fairtrial.report.words import Badge, claim_badge
from fairtrial.study.schema import On

_MOST_CURVES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyView:
    """`provenance` is a list of facts, each with all its values; `fates` goes with the ledger's entries."""

    models: tuple[Chart, ...]
    curves: tuple[Chart, ...]
    left_out: int
    ledger: Ledger
    fates: tuple[Badge, ...]
    provenance: tuple[tuple[str, str], ...]


def study_view(evidence: Evidence) -> StudyView:
    on = asked_on(evidence)
    drawn = (curve_chart(curve, evidence.arms) for curve in evidence.answers.curves)
    claims = ledger(evidence.answers)
    charts = tuple(chart for chart in drawn if chart is not None)
    return StudyView(
        models=models_charts(_models(evidence, on), accuracy=on),
        curves=charts[:_MOST_CURVES],
        left_out=max(len(charts) - _MOST_CURVES, 0),
        ledger=claims,
        fates=tuple(claim_badge(entry.verdict) for entry in claims.entries),
        provenance=tuple(_provenance(evidence)),
    )


def asked_on(evidence: Evidence) -> On:
    """The images most questions are about; validation where there are none."""
    asked = [question.on[0] for question in evidence.study.questions]
    return "test" if asked.count("test") > asked.count("validation") else "validation"


def _models(evidence: Evidence, on: On) -> list[Model]:
    models: list[Model] = []
    for name, arm in evidence.arms.items():
        accuracy = metric_spread(arm.trials, f"{on}_accuracy_last_epoch")
        seconds = seconds_spread(arm.trials, "train", clock=evidence.clock)
        if accuracy is not None and seconds is not None:
            sd = None if accuracy.sd is None else 100 * accuracy.sd
            models.append(
                Model(
                    arm=name,
                    title=arm.arm.title or name,
                    accuracy=type(accuracy)(mean=100 * accuracy.mean, sd=sd, n=accuracy.n),
                    seconds=seconds.mean,
                    parameters=arm.parameters,
                    leaked=on == "validation" and _leaked(arm),
                )
            )
    return models


def _leaked(arm: ArmTrials) -> bool:
    return any(trial.outcome.metrics.get("validation_seen", 0.0) > 0 for trial in arm.trials)


_FACTS = (
    ("processor", "Processor"),
    ("instructions", "Instructions"),
    ("system", "System"),
    ("threads", "Threads per trial"),
    ("python", "Python"),
    ("torch", "torch"),
    ("numpy", "numpy"),
    ("fairtrial", "fairtrial"),
    ("commit", "Commit"),
    ("engine", "Engine version"),
)


def _provenance(evidence: Evidence) -> Iterator[tuple[str, str]]:
    of_arms = sum(len(arm.trials) for arm in evidence.answers.arms)
    trials = every_trial(evidence.answers)
    yield "Trials", f"{of_arms}, of {sum(bool(arm.trials) for arm in evidence.answers.arms)} arms"
    own = {trial.key for arm in evidence.answers.arms for trial in arm.trials}
    if len(trials) > len(own):
        yield "Trials of searches", f"{len(trials) - len(own)}, their confirmations included"
    for data in {arm.arm.settings.data.facts for arm in evidence.arms.values() if arm.arm.has_data}:
        yield "Data", f"{data.name}, fingerprint {data.fingerprint}"
        for note in data.notes:
            yield "Data, as it was made", note
    if trials:
        yield "Precision", ", ".join(sorted({trial.precision for trial in trials}))
    machines = {trial.outcome.provenance.get("machine", "unknown") for trial in trials}
    if machines:
        yield "Machines", str(len(machines))
    for name, label in _FACTS:
        values = dict.fromkeys(value for trial in trials if (value := trial.outcome.provenance.get(name)))
        if values:
            yield label, ", ".join(values)
    yield "Store", evidence.store
