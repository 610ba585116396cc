"""What MLflow's own client reads back from a folder, a database and a server."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import fairtrial as ft
from fairtrial.tracking.mlflow_client import MLflow
from fairtrial.tracking.runs import Run
from fairtrial.trial import EpochRecord, Lost, Outcome, Started, Trial

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    # Looked for and not imported: that takes seconds, of every process that collects tests.
    pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow-skinny"),
]
"""Slow: importing MLflow takes seconds. Its libraries warn of each other's futures."""

Command = Callable[..., Any]


def runs(uri: str, study: str = "tiny") -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(study)
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def history(uri: str, run: Any, name: str) -> list[tuple[int, float]]:
    from mlflow.tracking import MlflowClient

    found = MlflowClient(tracking_uri=uri).get_metric_history(run.info.run_id, name)
    return sorted((one.step, one.value) for one in found)


@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "mlruns"])
def test_seeds_are_children_of_their_arm_and_exports_double_nothing(
    fairtrial: Command, tiny: Path, uri: str
) -> None:
    """Two arms of three seeds: two parents, six children, however often they are told."""
    done = fairtrial("run", "tiny.yaml", "--seeds", "3", "--track", f"mlflow:{uri}")
    assert done.exit_code == 0 and "told no more" not in done.output, done.output
    done = fairtrial("export", "tiny.yaml", "--format", "mlflow", "--out", uri)
    assert "of 0 trials; 6 trials it had already" in done.output
    fairtrial("run", "tiny.yaml", "--seeds", "4")
    done = fairtrial("export", "tiny.yaml", "--format", "mlflow", "--out", uri)
    assert "of 2 trials; 6 trials it had already" in done.output
    found = runs(uri)
    parents = {run.info.run_id: run for run in found if "mlflow.parentRunId" not in run.data.tags}
    assert sorted(run.info.run_name for run in parents.values()) == ["narrow", "wide/../er"]
    children = [run for run in found if run.info.run_id not in parents]
    assert len(children) == 8
    for child in children:
        parent = parents[child.data.tags["mlflow.parentRunId"]]
        assert parent.info.run_name == child.data.tags["fairtrial.arm"]
        assert parent.data.params["network.mlp.width"] == child.data.params["network.mlp.width"]
    assert {run.info.status for run in found} == {"FINISHED"}
    (one,) = [run for run in children if run.info.run_name == "narrow seed 2"]
    assert history(uri, one, "validation_accuracy") == [(1, pytest.approx(0.96028))]
    assert one.data.metrics["test_accuracy"] == 0.95
    keys = {trial.key for arm in ft.answers("tiny.yaml").arms for trial in arm.trials}
    assert {run.data.tags["fairtrial.key"] for run in children} == keys


@pytest.fixture
def trial() -> Trial:
    arm = ft.Study(arms={"one": {}}, base={"epochs": 3}).arms["one"]
    return Trial(arm=arm, seed=1, precision="float32")


def epoch(number: int) -> EpochRecord:
    return EpochRecord(number, 0.9, 0.5, 0.8, 0.6, 1.0, 0.1)


def test_an_interrupted_trial_goes_on_as_the_same_run(trial: Trial, tmp_path: Path) -> None:
    """Killed after its second epoch, told on by another process: no epoch twice, none missing, and then its end."""
    uri = f"sqlite:///{tmp_path / 'm.db'}"
    run = Run(study="tiny", trial=trial)
    first = MLflow(uri)
    for news in (Started(key=trial.key, worker=0), epoch(1), epoch(2)):
        first.take(run, news)
    first.close()
    assert {one.info.status for one in runs(uri) if "fairtrial.key" in one.data.tags} == {"KILLED"}
    second = MLflow(uri)
    second.take(run, Started(key=trial.key, worker=0))
    second.take(run, Lost(key=trial.key, state="failed", reason="out of memory"))
    second.take(run, Started(key=trial.key, worker=0))
    second.take(run, epoch(2))
    end = Outcome(
        key=trial.key, state="diverged", epochs=3, metrics={}, seconds={"train": 3.0}, provenance={},
        history=(epoch(1), epoch(2), epoch(3)), reason="loss became nan",
    )  # fmt: skip
    second.take(run, end)
    second.close()
    (one,) = [one for one in runs(uri) if "fairtrial.key" in one.data.tags]
    assert history(uri, one, "validation_accuracy") == [(1, 0.8), (2, 0.8), (3, 0.8)]
    assert (one.info.status, one.data.tags["fairtrial.state"]) == ("FAILED", "diverged")
    assert one.data.tags["fairtrial.reason"] == "loss became nan"
    assert MLflow(uri).has(run)


def test_epochs_are_found_again_by_whatever_they_tell(trial: Trial, tmp_path: Path) -> None:
    """A command may tell its training loss alone; gone on with, none of its epochs is there twice."""
    uri = f"sqlite:///{tmp_path / 'm.db'}"
    run, nan = Run(study="tiny", trial=trial), float("nan")
    for _ in range(2):
        tracker = MLflow(uri)
        tracker.take(run, EpochRecord(1, nan, 0.5, nan, nan, nan, nan))
        tracker.close()
    (one,) = [one for one in runs(uri) if "fairtrial.key" in one.data.tags]
    assert history(uri, one, "train_loss") == [(1, 0.5)]
    assert set(one.data.metrics) == {"train_loss"}


class Recording(ThreadingHTTPServer):
    """As much of MLflow's REST interface as a client of ours calls, kept in memory, on this machine alone."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.runs: dict[str, dict[str, Any]] = {}
        self.called: list[str] = []
        self.experiment: str | None = None


class _Answers(BaseHTTPRequestHandler):
    server: Recording  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

    def _answer(self, given: dict[str, Any]) -> None:
        name = self.path.partition("?")[0].rpartition("/mlflow/")[2]
        self.server.called.append(name)
        runs = self.server.runs
        status, body = 200, {}
        match name:
            case "experiments/get-by-name":
                if self.server.experiment is None:
                    status, body = 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}
                else:
                    body = {"experiment": {"experiment_id": "1", "name": self.server.experiment}}
            case "experiments/create":
                self.server.experiment = given["name"]
                body = {"experiment_id": "1"}
            case "runs/create":
                info = {"run_id": f"{len(runs):032x}", "experiment_id": "1", "status": "RUNNING"}
                info["run_name"] = given["run_name"]
                runs[info["run_id"]] = {
                    "info": info,
                    "data": {"tags": given["tags"], "metrics": [], "params": []},
                }
                body = {"run": runs[info["run_id"]]}
            case "runs/log-batch":
                data = runs[given["run_id"]]["data"]
                for kind in ("metrics", "params", "tags"):
                    data[kind] += given.get(kind, [])
            case "runs/set-tag":
                runs[given["run_id"]]["data"]["tags"].append({"key": given["key"], "value": given["value"]})
            case "runs/update":
                runs[given["run_id"]]["info"]["status"] = given["status"]
                body = {"run_info": runs[given["run_id"]]["info"]}
            case "runs/get":
                body = {"run": runs[parse_qs(urlsplit(self.path).query)["run_id"][0]]}
            case "runs/search":
                body = {"runs": list(runs.values())}
            case _:
                status, body = 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": name}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Recording]:
    with Recording() as recording:
        threading.Thread(target=recording.serve_forever, daemon=True).start()
        yield recording
        with contextlib.suppress(OSError):
            recording.shutdown()


def test_a_server_is_told_over_http(fairtrial: Command, tiny: Path, server: Recording) -> None:
    """The client that talks to a folder talks to a server; what it asks for is in every version's REST interface."""
    uri = f"http://127.0.0.1:{server.server_port}"
    done = fairtrial("run", "tiny.yaml", "--seeds", "3", "--track", f"mlflow:{uri}")
    assert "told no more" not in done.output, done.output
    keys = [
        tag["value"]
        for run in server.runs.values()
        for tag in run["data"]["tags"]
        if tag["key"] == "fairtrial.key"
    ]
    assert len(keys) == len(set(keys)) == 6
    assert len(server.runs) == 8
    assert {run["info"]["status"] for run in server.runs.values()} == {"FINISHED"}
    done = fairtrial("export", "tiny.yaml", "--format", "mlflow", "--out", uri)
    assert "6 trials it had already" in done.output and len(server.runs) == 8


def test_a_server_that_is_gone_is_said_once_and_training_goes_on(fairtrial: Command, tiny: Path) -> None:
    """Nobody listens on this port."""
    done = fairtrial("run", "tiny.yaml", "--seeds", "3", "--track", "mlflow:http://me:secret@127.0.0.1:9")
    assert done.exit_code == 0
    assert done.output.count("is told no more of this run: nobody answers there") == 1
    assert "secret" not in done.output
    assert "6 trials trained" in done.output
    done = fairtrial("export", "tiny.yaml", "--format", "mlflow", "--out", "http://127.0.0.1:9")
    assert done.exit_code == 2 and "cannot be told of trials: nobody answers there" in done.output
