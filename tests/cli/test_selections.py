"""Re-tuning and combining on the command line and in Python: what is printed, in every form."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

import fairtrial as ft
from fairtrial.executors import local
from fairtrial.trial import METRICS, EpochRecord, Event, Outcome, Started, Trial
from fairtrial.wire import Order, TimingOrder

STUDY = """\
schema: fairtrial/1
name: parts
base: {epochs: 1}
arms:
  plain: {}
  wide: {network.mlp.width: 200}
  deep: {network.mlp.depth: 4}
  fast: {optimizer.learning_rate: 0.01}
questions:
- {id: W, variant: wide, baseline: plain, factors: [network.mlp.width]}
- {id: D, variant: deep, baseline: plain, factors: [network.mlp.depth]}
- {id: F, variant: fast, baseline: plain, factors: [optimizer.learning_rate]}
- id: W-tuned
  variant: wide
  baseline: plain
  factors: [network.mlp.width]
  retune: {optimizer.learning_rate: [0.0003, 0.001]}
- {id: All, ask: What do they come to together?, combine: [W, D, F]}
seeds: {min: 3, max: 12}
"""


class Executor:
    """Wide and deep are better by one point each, together by a point and a half; a rate of 0.01 is worse."""

    def __init__(self, *, workers: int | None = None) -> None:
        self.workers = 2
        self.ready: list[Event] = []

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def free(self) -> int:
        return self.workers - sum(isinstance(event, Outcome) for event in self.ready)

    def start(self, order: Order | TimingOrder) -> None:
        assert isinstance(order, Order)
        self.ready += [Started(key=order.key, worker=0), _outcome(order.trial)]

    def stop(self, key: str) -> None:
        raise AssertionError("nothing runs long enough to be stopped")

    def events(self) -> Iterator[Event]:
        while self.ready:
            yield self.ready.pop(0)


def _outcome(trial: Trial) -> Outcome:
    mlp, rate = trial.arm.settings.network.mlp, trial.arm.settings.optimizer.learning_rate
    assert mlp is not None and isinstance(rate, float)
    wide, deep = mlp.width == 200, mlp.depth == 4
    true = (
        0.9 + 0.01 * (wide + deep) - 0.005 * (wide and deep) - 0.02 * (rate == 0.01) - 0.03 * (rate == 0.0003)
    )
    rng = np.random.default_rng([trial.number, *trial.arm_key.encode()])
    values = {name: true + 0.0005 * float(rng.normal()) for name in METRICS}
    record = EpochRecord(
        epoch=1, train_accuracy=0.9, train_loss=0.1, validation_accuracy=0.9, validation_loss=0.1,
        train_seconds=0.1, validation_seconds=0.1,
    )  # fmt: skip
    return Outcome(
        key=trial.key, state="finished", epochs=1, metrics={**values, "validation_seen": 0.0},
        seconds=dict.fromkeys(("setup", "train", "validation", "last_epoch", "test", "fit"), 0.1),
        history=(record,), provenance={"torch": "none"}, weights_sha256=trial.key,
    )  # fmt: skip


@pytest.fixture
def command(
    fairtrial: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Result]:
    monkeypatch.setattr(local, "LocalExecutor", Executor)
    monkeypatch.setenv("COLUMNS", "2000")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return fairtrial


def test_run_answers_them_after_the_ordinary_questions(command: Callable[..., Result]) -> None:
    done = command("run", "study.yaml")
    assert done.exit_code == 0, done.output
    page = done.stdout
    assert page.index("W  wide against plain") < page.index("W-tuned  wide against plain, each tuned anew")
    assert "wide at optimizer.learning_rate 0.001, plain at optimizer.learning_rate 0.001" in page
    assert "All  What do they come to together?" in page
    assert "left out: F (decrease that matters)" in page
    assert "What W adds to the others:" in page
    assert "the whole is less than the sum of its parts by 0." in page
    assert "not part of the error guarantee" in page
    assert "parts: W-tuned, tuning" in done.stderr and "parts: All" in done.stderr
    assert (
        command("answers", "study.yaml").stdout
        == page.partition("trials trained")[0].rpartition("\n")[0] + "\n"
    )


def test_a_question_named_alone_is_answered_alone(command: Callable[..., Result]) -> None:
    done = command("run", "study.yaml", "--question", "All", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [part["question"] for part in told["combined"][0]["parts"]] == ["W", "D"]
    assert told["combined"][0]["interaction"]["verdict"] == "decrease that matters"
    assert told["retuned"][0]["answers"] == []
    assert "W-tuned" not in done.stderr
    done = command("run", "study.yaml", "--question", "X")
    assert done.exit_code == 2 and "it has W, D, F, W-tuned, All" in done.output


def test_every_form_has_them(command: Callable[..., Result]) -> None:
    command("run", "study.yaml")
    rows = list(csv.DictReader(io.StringIO(command("answers", "study.yaml", "--csv").stdout)))
    assert [row["question"] for row in rows] == [
        "W", "D", "F", "W-tuned", "All", "All", "All-adding-W", "All-adding-D",
    ]  # fmt: skip
    page = command("answers", "study.yaml", "--markdown").stdout
    assert "## W-tuned: wide against plain, each tuned anew" in page
    assert "## All: W, D, F together" in page
    assert "- What D adds to the others: Test accuracy rose" in page


def test_strict_minds_them(command: Callable[..., Result], tmp_path: Path) -> None:
    """A question that is not compared yet is not settled."""
    command("run", "study.yaml", "--question", "W", "--question", "D", "--question", "F")
    assert command("answers", "study.yaml", "--strict").exit_code == 1
    command("run", "study.yaml")
    assert command("answers", "study.yaml", "--strict").exit_code == 0


def test_check_counts_what_they_cost(command: Callable[..., Result]) -> None:
    page = command("check", "study.yaml").stdout
    assert (
        "W-tuned: 2 settings of each arm on 3 seeds, then 3 seeds or more of the two that are chosen" in page
    )
    assert "at most 18 new trials" in page
    assert "All: up to 3 improvements together, without each of them and each alone" in page
    assert "at most 24 new trials" in page
    command("run", "study.yaml")
    told = json.loads(command("check", "study.yaml", "--json").stdout)
    assert [(one["question"], one["new"], one["at_most"]) for one in told["further"]] == [
        ("W-tuned", 0, False),
        ("All", 0, False),
    ]


def test_in_python_it_is_the_same(command: Callable[..., Result], tmp_path: Path) -> None:
    """`ft.run` and the command share their work and their answers."""
    found = ft.run("study.yaml", store="mine.db")
    assert found.retuned[0].settled and found.combined[0].settled
    told = json.loads(command("run", "study.yaml", "--store", "mine.db", "--json").stdout)
    assert told["combined"] == [one.as_dict() for one in found.combined]
    again = json.loads(command("run", "study.yaml", "--store", "other.db", "--json").stdout)
    assert again["combined"][0]["answers"] == told["combined"][0]["answers"]
    assert "All" in found._repr_markdown_() and "puts W" in found._repr_html_()
