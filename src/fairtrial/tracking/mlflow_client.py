"""Runs as MLflow keeps them: an experiment for each study, in it a run for each arm, below it one for each seed.

The only module that knows mlflow, which is optional: `fairtrial[mlflow]` brings its client alone, mlflow-skinny.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairtrial.errors import FairtrialError
from fairtrial.tracking.runs import EPOCH_FIGURES, News, Run, at_the_end, of_epoch, settings, without_password
from fairtrial.trial import EpochRecord, Lost, Outcome, Started

if TYPE_CHECKING:
    from mlflow.entities import Metric

KEY, ARM_KEY = "fairtrial.key", "fairtrial.arm_key"
"""The tags by which a run is found again: of a trial, and of an arm."""

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nobody but the tracker that was asked for hears of a run
    "MLFLOW_ALLOW_FILE_STORE": "true",  # a folder was named: MLflow advises against it, and still reads it
    # A server that is gone is to be noticed in seconds; MLflow's own patience is minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


@dataclass(slots=True, kw_only=True)
class _Known:
    """A run there is. `steps` are the epochs it has; None where that is to be asked first."""

    id: str
    over: bool
    steps: set[int] | None = field(default_factory=set[int])


class MLflow:
    """Tells an MLflow tracking store: a server, a database or a folder."""

    def __init__(self, uri: str) -> None:
        self.name = f"mlflow:{without_password(uri)}"
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise FairtrialError(
                f"tracking to {self.name} needs MLflow's client, which is not installed; install it with: "
                "python -m pip install mlflow-skinny"
            ) from None
        for talkative in ("mlflow", "alembic"):
            logging.getLogger(talkative).setLevel(logging.WARNING)
        self._uri = uri
        self._connect = MlflowClient
        self._client: MlflowClient | None = None
        self._experiments: dict[str, str] = {}
        self._runs: dict[tuple[str, str], _Known] = {}
        self._arms: dict[tuple[str, str], _Known] = {}

    def take(self, run: Run, news: News) -> None:
        match news:
            case Started():
                self._begun(run)
            case EpochRecord():
                known = self._begun(run)
                self._log(known, [news])
            case Outcome():
                self._end(run, news)
            case Lost():
                known = self._begun(run)
                if not known.over:
                    self._client_here.set_tag(known.id, "fairtrial.reason", news.reason[:5000])
                    ending = "KILLED" if news.state == "stopped" else "FAILED"
                    self._client_here.set_terminated(known.id, status=ending)
                    known.steps = None

    def has(self, run: Run) -> bool:
        self._experiment(run.study)
        known = self._runs.get((run.study, run.key))
        return known is not None and known.over

    def close(self) -> None:
        """Arms have ended; so has a trial that has not come to an end, which can be gone on with."""
        for known in [one for one in self._runs.values() if not one.over and one.steps is not None]:
            self._client_here.set_terminated(known.id, status="KILLED")
        for known in [one for one in self._arms.values() if not one.over]:
            self._client_here.set_terminated(known.id, status="FINISHED")

    @property
    def _client_here(self) -> Any:
        if self._client is None:
            self._client = self._connect(tracking_uri=self._uri)
        return self._client

    def _experiment(self, study: str) -> str:
        """The experiment of the study; when it is first asked for, what it holds is read."""
        if study not in self._experiments:
            found = self._client_here.get_experiment_by_name(study)
            experiment = found.experiment_id if found else self._client_here.create_experiment(study)
            for run in _all_runs(self._client_here, experiment):
                tags = run.data.tags
                if KEY in tags:
                    over = "fairtrial.state" in tags
                    known = _Known(id=run.info.run_id, over=over, steps=None)
                    self._runs[study, tags[KEY]] = known
                elif ARM_KEY in tags:
                    known = _Known(id=run.info.run_id, over=run.info.status == "FINISHED")
                    self._arms[study, tags[ARM_KEY]] = known
            self._experiments[study] = experiment
        return self._experiments[study]

    def _begun(self, run: Run, *, seconds: float = 0.0) -> _Known:
        """The run that is told of this trial: the one there is, or a new one that began `seconds` ago."""
        experiment = self._experiment(run.study)
        known = self._runs.get((run.study, run.key))
        if known is None:
            tags = {
                KEY: run.key,
                "fairtrial.arm": run.arm,
                "fairtrial.seed": str(run.seed),
                "mlflow.parentRunId": self._arm(run, experiment).id,
            }
            made = self._create(experiment, f"{run.arm} seed {run.seed}", tags, seconds)
            known = self._runs[run.study, run.key] = _Known(id=made, over=False)
            self._note_settings(made, settings(run))
        elif known.steps is None and not known.over:  # begun by an earlier call that did not get to its end
            known.steps = {
                metric.step
                for name in EPOCH_FIGURES  # a command may tell any of them, and leave out the others
                for metric in self._client_here.get_metric_history(known.id, name)
            }
            self._client_here.update_run(known.id, status="RUNNING")
        return known

    def _arm(self, run: Run, experiment: str) -> _Known:
        place = (run.study, run.trial.arm_key)
        if place not in self._arms:
            tags = {ARM_KEY: run.trial.arm_key, "fairtrial.arm": run.arm}
            if run.trial.arm.title:
                tags["mlflow.note.content"] = run.trial.arm.title
            made = self._create(experiment, run.arm, tags, 0.0)
            self._arms[place] = _Known(id=made, over=False)
            told = settings(run)
            self._note_settings(made, {name: told[name] for name in told if name != "seed"})
        return self._arms[place]

    def _create(self, experiment: str, name: str, tags: Mapping[str, str], seconds: float) -> str:
        began = int(1000 * (time.time() - seconds))
        run = self._client_here.create_run(experiment, start_time=began, run_name=name, tags=dict(tags))
        return run.info.run_id

    def _note_settings(self, run_id: str, told: Mapping[str, object]) -> None:
        from mlflow.entities import Param

        params = [Param(_name(name), str(value)[:500]) for name, value in told.items()]
        for some in _parts(params, 100):
            self._client_here.log_batch(run_id, params=some)

    def _log(self, known: _Known, records: Iterable[EpochRecord]) -> None:
        """The epochs that the run does not have yet."""
        if known.over or known.steps is None:
            return
        new = [record for record in records if record.epoch not in known.steps]
        metrics = [metric for record in new for metric in _metrics(of_epoch(record), record.epoch)]
        for some in _parts(metrics, 1000):
            self._client_here.log_batch(known.id, metrics=some)
        known.steps |= {record.epoch for record in new}

    def _end(self, run: Run, outcome: Outcome) -> None:
        known = self._begun(run, seconds=outcome.seconds.get("fit", 0.0))
        if known.over:
            return
        self._log(known, outcome.history)
        for some in _parts(_metrics(at_the_end(outcome), outcome.epochs), 1000):
            self._client_here.log_batch(known.id, metrics=some)
        if outcome.reason:
            self._client_here.set_tag(known.id, "fairtrial.reason", outcome.reason[:5000])
        finished = outcome.state == "finished"
        self._client_here.set_terminated(known.id, status="FINISHED" if finished else "FAILED")
        self._client_here.set_tag(known.id, "fairtrial.state", outcome.state)  # last: now it has everything
        known.over = True


def _all_runs(client: Any, experiment: str) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _metrics(figures: Mapping[str, float], step: int) -> list[Metric]:
    from mlflow.entities import Metric

    now = int(1000 * time.time())
    return [Metric(name, value, now, step) for name, value in figures.items()]


def _parts(values: list[Any], size: int) -> list[list[Any]]:
    """MLflow takes so many at once."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def _name(path: str) -> str:
    """A setting's path in the letters that MLflow allows; names of layers may have others."""
    return re.sub(r"[^\w\-. :/]", "_", path)[:250]
