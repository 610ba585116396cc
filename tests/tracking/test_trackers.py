"""What TensorBoard and MLflow themselves read back, and that neither stops or changes a training."""

from __future__ import annotations

import csv
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fairtrial as ft
from fairtrial.errors import FairtrialError
from fairtrial.tracking import live
from fairtrial.tracking.live import Tracked, reason
from fairtrial.tracking.opening import open_tracker
from fairtrial.tracking.runs import Run, at_the_end, of_epoch, without_password
from fairtrial.tracking.tensorboard import FILE, TensorBoard
from fairtrial.trial import EpochRecord, Lost, Outcome, Progress, Started, Trial

Command = Callable[..., Any]


def runs_below(folder: Path) -> set[str]:
    return {path.parent.relative_to(folder).as_posix() for path in folder.rglob(FILE)}


def read_back(folder: Path) -> Any:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return found


def points(found: Any, tag: str) -> list[tuple[int, float]]:
    return [(one.step, round(one.value, 6)) for one in found.Scalars(tag)]


def test_tensorboard_reads_what_a_run_told_it(fairtrial: Command, tiny: Path) -> None:
    """TensorBoard's own reader, on files written without it: folders for arms and seeds, figures at their epochs."""
    done = fairtrial("run", "tiny.yaml", "--seeds", "3", "--track", "tensorboard:tb")
    assert done.exit_code == 0, done.output
    arms = ("narrow", "wide%2F..%2Fer")
    assert runs_below(Path("tb")) == {f"tiny/{arm}/seed-{seed}" for arm in arms for seed in (1, 2, 3)}
    found = read_back(Path("tb/tiny/narrow/seed-2"))
    assert points(found, "validation_accuracy") == [(1, 0.96028)]
    assert points(found, "test_accuracy") == [(1, 0.95)]
    assert {"_hparams_/session_start_info", "_hparams_/session_end_info"} <= set(found.summary_metadata)


def test_hparams_have_settings_and_the_arm_as_group(fairtrial: Command, tiny: Path) -> None:
    """Seeds of one arm are one row there, with its settings by the names of the study file."""
    plugin = pytest.importorskip("tensorboard.plugins.hparams.plugin_data_pb2")
    fairtrial("run", "tiny.yaml", "--seeds", "3", "--track", "tensorboard:tb")
    found = read_back(Path("tb/tiny/wide%2F..%2Fer/seed-3"))

    def content(tag: str) -> Any:
        return plugin.HParamsPluginData.FromString(found.summary_metadata[tag].plugin_data.content)

    start = content("_hparams_/session_start_info").session_start_info
    assert start.group_name == "wide/../er"
    assert start.hparams["network.mlp.width"].number_value == 16
    assert start.hparams["optimizer.name"].string_value == "adam"
    assert start.hparams["seed"].number_value == 3
    assert content("_hparams_/session_end_info").session_end_info.status == 1


def test_exporting_what_was_tracked_doubles_nothing(fairtrial: Command, tiny: Path) -> None:
    """A curve drawn twice would look like two trainings."""
    fairtrial("run", "tiny.yaml", "--seeds", "3", "--track", "tensorboard:tb")
    before = {path: read_back(path.parent).Scalars("train_loss")[0].value for path in Path("tb").rglob(FILE)}
    for _ in range(2):
        done = fairtrial("export", "tiny.yaml", "--format", "tensorboard", "--out", "tb")
        assert done.exit_code == 0 and "of 6 trials" in done.output
    after = {path: read_back(path.parent) for path in Path("tb").rglob(FILE)}
    assert {path: [one.value for one in found.Scalars("train_loss")] for path, found in after.items()} == {
        path: [value] for path, value in before.items()
    }
    assert len([path for path in Path("tb").rglob("*") if path.is_file()]) == 6


def epoch(number: int, loss: float = 0.5) -> EpochRecord:
    return EpochRecord(number, 0.9, loss, 0.8, 0.6, 1.0, 0.1)


def outcome(trial: Trial, *records: EpochRecord, state: Any = "finished") -> Outcome:
    return Outcome(
        key=trial.key, state=state, epochs=len(records), metrics={"test_accuracy": 0.7}, seconds={"train": 2.0},
        history=records, provenance={}, reason="" if state == "finished" else "loss became nan",
    )  # fmt: skip


@pytest.fixture
def trial() -> Trial:
    arm = ft.Study(arms={"one": {}}, base={"epochs": 3}).arms["one"]
    return Trial(arm=arm, seed=1, precision="float32")


def test_a_trial_that_goes_on_from_a_checkpoint_ends_with_all_its_epochs(
    trial: Trial, tmp_path: Path
) -> None:
    """Told from epoch 2 on, it must not lack epoch 1 for ever, nor have epoch 2 twice."""
    tracker, run = TensorBoard(tmp_path), Run(study="s", trial=trial)
    tracker.take(run, Started(key=trial.key, worker=0))
    tracker.take(run, epoch(1))
    tracker.take(run, Lost(key=trial.key, state="failed", reason="killed"))
    tracker.take(run, Started(key=trial.key, worker=0))
    tracker.take(run, epoch(2))
    assert points(read_back(tmp_path / "s/one/seed-1"), "train_loss") == [(2, 0.5)]
    tracker.take(run, outcome(trial, epoch(1), epoch(2), epoch(3, float("inf"))))
    found = read_back(tmp_path / "s/one/seed-1")
    assert points(found, "train_loss") == [(1, 0.5), (2, 0.5), (3, float("inf"))]
    assert points(found, "test_accuracy") == [(3, 0.7)]


class Gone:
    """A tracker whose server went away after some news, or that never answers."""

    name = "gone:there"

    def __init__(self, after: int = 0, hangs: threading.Event | None = None) -> None:
        self.taken: Counter[str] = Counter()
        self._after = after
        self._hangs = hangs

    def take(self, run: Run, news: object) -> None:
        if self._hangs is not None:
            self._hangs.wait(20)
        if sum(self.taken.values()) >= self._after:
            raise ConnectionError("https://me:secret@there: went away\nin the midst")
        self.taken[type(news).__name__] += 1

    def has(self, run: Run) -> bool:
        return False

    def close(self) -> None:
        self.taken["closed"] += 1


def told(tracked: Tracked, trial: Trial) -> None:
    tracked.expect("s", [trial])
    tracked.take(Started(key=trial.key, worker=0))
    tracked.take(Progress(key=trial.key, record=epoch(1), epochs=1))
    tracked.take(outcome(trial, epoch(1)))


def test_a_tracker_that_fails_is_told_of_once_and_the_others_go_on(trial: Trial, tmp_path: Path) -> None:
    """Half a day of training is worth more than a curve."""
    said: list[str] = []
    gone, other = Gone(after=1), Gone(after=99)
    other.name = "other"
    tracked = Tracked([gone, other], said.append)
    told(tracked, trial)
    told(tracked, trial)
    tracked.close()
    assert other.taken == {"Started": 2, "EpochRecord": 2, "Outcome": 2, "closed": 1}
    assert said == [
        "note: gone:there is told no more of this run: https://***@there: went away in the midst; training goes on, and "
        "`fairtrial export` tells it what it lacks"
    ]


def test_a_tracker_that_hangs_holds_a_run_up_for_seconds_alone(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server behind a firewall may take minutes to refuse."""
    monkeypatch.setattr(live, "CLOSING_SECONDS", 0.2)
    monkeypatch.setattr(live, "PATIENCE", 0.2)
    said: list[str] = []
    hanging = threading.Event()
    tracked = Tracked([Gone(hangs=hanging)], said.append)
    began = time.monotonic()
    for _ in range(5):
        told(tracked, trial)
    tracked.close()
    assert time.monotonic() - began < 5
    assert len(said) == 1 and "it has not answered for 0 seconds" in said[0]
    hanging.set()


def test_a_run_with_a_broken_tracker_has_the_same_answers(fairtrial: Command, tiny: Path) -> None:
    """A file stands where the study's folder should be: the run says so once and answers all the same."""
    Path("tb").mkdir()
    Path("tb", "tiny").write_text("in the way", encoding="utf-8")
    broken = fairtrial(
        "run", "tiny.yaml", "--seeds", "3", "--track", "tensorboard:tb", "--store", "a.db", "--json"
    )
    plain = fairtrial("run", "tiny.yaml", "--seeds", "3", "--store", "b.db", "--json")
    assert broken.exit_code == plain.exit_code == 0
    assert broken.stdout == plain.stdout
    assert broken.stderr.count("note: tensorboard:tb is told no more of this run") == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("wandb:project", "cannot track to 'wandb:project': give it as mlflow:URI or tensorboard:DIR"),
        ("mlfow:x", "did you mean 'mlflow'?"),
        ("tensorboard", "cannot track to 'tensorboard' without a place"),
        ("mlflow:", "cannot track to 'mlflow:' without a place"),
        ("tensorboard:a\0b", "no place can have this name"),
    ],
)
def test_what_cannot_be_tracked_to_is_refused_before_anything_is_trained(
    fairtrial: Command, tiny: Path, wrong: str, said: str
) -> None:
    """A misspelt target found after the night would be a night without curves."""
    with pytest.raises(FairtrialError) as refused:
        open_tracker(wrong)
    assert said in str(refused.value)
    if "\0" not in wrong:
        done = fairtrial("run", "tiny.yaml", "--seeds", "3", "--track", wrong)
        assert done.exit_code == 2 and not Path("fairtrial.db").exists()
        with pytest.raises(FairtrialError):
            ft.run("tiny.yaml", seeds=3, track=wrong)


def test_the_same_tracker_twice_is_refused(fairtrial: Command, tiny: Path) -> None:
    """Two threads on one file would write into each other."""
    done = fairtrial("run", "tiny.yaml", "--track", "tensorboard:x", "--track", "tensorboard:x")
    assert done.exit_code == 2 and "asked for twice" in done.stderr


def test_no_password_is_printed() -> None:
    """Messages end up in logs."""
    assert without_password("http://me:pw@host:5000") == "http://***@host:5000"
    assert reason(OSError(28, "No space left on device", "x")) == "x: No space left on device"
    assert "pw" not in reason(RuntimeError("GET https://me:pw@host failed"))


def test_searches_are_tracked_with_their_confirmation(fairtrial: Command, tiny: Path) -> None:
    """Every point is a run of its own; the candidate's fresh seeds are those from 3001 on."""
    done = fairtrial(
        "search", "tiny.yaml", "--baseline", "narrow", "--space", "network.mlp.width={int: [8, 12]}", "--budget", "2s",
        "--trials", "2", "--track", "tensorboard:tb",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    seeds = {int(path.rpartition("-")[2]) for path in runs_below(Path("tb"))}
    assert 1001 in seeds and 3001 in seeds


def test_csv_and_parquet_hold_what_the_data_frames_hold(fairtrial: Command, tiny: Path) -> None:
    """One row for each trial, one for each epoch, the same columns and values in all three."""
    fairtrial("run", "tiny.yaml", "--seeds", "3")
    assert fairtrial("export", "tiny.yaml", "--format", "csv").exit_code == 0
    answers = ft.answers("tiny.yaml")
    with Path("tiny.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    frame = answers.trials()
    assert list(rows[0]) == list(frame.columns)
    assert [row["key"] for row in rows] == list(frame["key"])
    assert [float(row["test_loss"]) for row in rows] == list(frame["test_loss"])
    with Path("tiny-history.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(answers.history()) == 6
    parquet = pytest.importorskip("pyarrow.parquet")
    done = fairtrial("export", "tiny.yaml", "narrow", "--out", "few.parquet")
    assert done.exit_code == 0, done.output
    table = parquet.read_table("few.parquet")
    assert table.column_names == list(frame.columns)
    assert table["test_loss"].to_pylist() == list(frame["test_loss"])[:3]
    assert str(table.schema.field("reason").type) == "string"


def test_an_empty_store_exports_empty_tables(fairtrial: Command, tiny: Path) -> None:
    """Headers without rows are read by every program; types must not depend on there being a row."""
    pytest.importorskip("pyarrow")
    assert fairtrial("export", "tiny.yaml", "--format", "parquet").exit_code == 0
    done = fairtrial("export", "tiny.yaml", "--format", "csv", "--json")
    assert '"trials": 0' in done.stdout


def test_an_export_of_trials_takes_no_single_seed(fairtrial: Command, tiny: Path) -> None:
    """Options of models would otherwise be ignored without a word."""
    done = fairtrial("export", "tiny.yaml", "--format", "csv", "--seed", "2")
    assert done.exit_code == 2 and "--seed and --retrain choose one network" in done.stderr


def test_what_a_command_tells_at_the_end_alone_is_told_and_nothing_else(trial: Trial) -> None:
    """A curve of nothing but nan hides the one figure that there is."""
    nan = float("nan")
    history = tuple(EpochRecord(epoch, nan, 1 / epoch, nan, nan, nan, nan) for epoch in (1, 2))
    assert of_epoch(history[1]) == {"train_loss": 0.5}
    outcome = Outcome(
        key=trial.key, state="finished", epochs=2, metrics={"train_loss": 0.5, "validation_accuracy": 0.9},
        seconds={"train": 3.0}, provenance={}, history=history,
    )  # fmt: skip
    assert at_the_end(outcome) == {"validation_accuracy": 0.9, "train_seconds": 3.0}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("tensorboard:tiny.yaml", "tiny.yaml is a file; name a folder"),
        ("tensorboard:tiny.yaml/below", "tiny.yaml is a file; name a folder"),
        ("mlflow:tiny.yaml", "or a database, mlflow:sqlite:///tiny.yaml"),
        ("mlflow:ftp://me:pw@host", "begin with http, https, sqlite, .* got 'ftp'"),
        ("mlflow:sqlite://", "it names no place"),
    ],
)
def test_places_that_cannot_be_told_are_refused_at_once(
    tiny: Path, monkeypatch, wrong: str, said: str
) -> None:
    """What is known before the first trial is not found out after it."""
    pytest.importorskip("mlflow")
    monkeypatch.chdir(tiny.parent)
    with pytest.raises(FairtrialError, match=said) as refused:
        open_tracker(wrong)
    assert "pw@" not in str(refused.value)


def test_a_study_s_name_is_no_path_of_its_tables(fairtrial: Command, tiny: Path) -> None:
    tiny.write_text(tiny.read_text().replace("name: tiny", "name: a/b c"))
    done = fairtrial("export", "tiny.yaml", "--format", "csv")
    assert done.exit_code == 0 and Path("a-b-c.csv").exists() and Path("a-b-c-history.csv").exists(), (
        done.output
    )
