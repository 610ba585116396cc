"""The ledger of claims and --strict, through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from fairtrial.study.studyfile import load

Run = Callable[..., Result]
Put = Callable[..., Any]

STUDY = """\
schema: fairtrial/1
name: small
data: {{dataset: mnist, validation: 6000, split: fixed}}
base:
  network: {{mlp: {{width: 50, depth: 2, activation: relu}}}}
  optimizer: {{name: adam, learning_rate: 0.001}}
  batch_size: 100
  epochs: 5
arms:
  narrow: {{}}
  wide: {{network.mlp.width: 200}}
questions:
  - id: Q
    variant: wide
    baseline: narrow
    factors: [network.mlp.width]
    claims:
      - {{says: {says}, from: 0.97, to: 0.98, own_tables: {{says: increase, from: 0.96, to: 0.97}}}}
"""


@pytest.fixture
def trained(tmp_path: Path, put: Put, fairtrial: Run) -> Callable[..., Path]:
    """A study whose text says this, and whose wide network is better by a point on each of five seeds."""

    def write(says: str) -> Path:
        path = tmp_path / "small.yaml"
        path.write_text(STUDY.format(says=says), encoding="utf-8")
        arms = load(path).arms
        for seed in range(1, 6):
            put(arms["narrow"], seed, validation_accuracy_last_epoch=0.960 + seed * 1e-4)
            put(arms["wide"], seed, validation_accuracy_last_epoch=0.970 + seed**2 * 3e-5)
        return path

    return write


def test_strict_exits_0_when_all_is_settled_and_all_claims_hold(
    fairtrial: Run, trained: Callable[..., Path]
) -> None:
    """A check that can never pass is no check."""
    path = trained("increase")
    done = fairtrial("answers", str(path), "--store", "some.db", "--strict", "--json")
    assert done.exit_code == 0, done.output
    (answer,) = json.loads(done.stdout)["answers"]
    assert (answer["verdict"], answer["claims"][0]["verdict"]) == ("increase that matters", "holds")


def test_strict_exits_1_when_a_settled_claim_does_not_hold(
    fairtrial: Run, trained: Callable[..., Path]
) -> None:
    """All settled, and still somebody said something untrue."""
    path = trained("decrease")
    assert fairtrial("answers", str(path), "--store", "some.db").exit_code == 0
    done = fairtrial("answers", str(path), "--store", "some.db", "--strict", "--json")
    assert done.exit_code == 1
    (answer,) = json.loads(done.stdout)["answers"]
    assert (answer["verdict"], answer["claims"][0]["verdict"]) == ("increase that matters", "contradicted")


def test_the_ledger_holds_text_tables_and_truth_side_by_side(
    fairtrial: Run, trained: Callable[..., Path]
) -> None:
    """Which of text and tables is right is what the reader came for."""
    path = trained("decrease")
    said = "decrease, 0.97 to 0.98"
    shown = "increase, 0.96 to 0.97"
    found = "contradicted: increase that matters (margin 0.1 pp), 0.9603 to 0.9703"
    on_terminal = fairtrial("answers", str(path), "--store", "some.db").stdout
    assert f"  Q, accuracy on validation: {said} | {shown} | {found}" in on_terminal.splitlines()
    assert "1 of 1 statement of direction disagrees with their author's own tables." in on_terminal
    assert "Of 1 claim: 0 hold, 1 contradicted, 0 not settled." in on_terminal
    page = fairtrial("answers", str(path), "--store", "some.db", "--markdown").stdout
    assert f"| Q | accuracy on validation | {said} | {shown} | {found} |" in page.splitlines()


def test_the_courses_ledger_has_a_line_for_each_of_its_claims(fairtrial: Run) -> None:
    """Half of what the notebook's text says contradicts the notebook; counted, not quoted."""
    lines = fairtrial("answers", "course").stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("The claims:"))
    claims = sum(len(question.claims) for question in load("course").questions)
    assert claims == 25
    ledger = lines[start + 1 : start + 1 + claims]
    assert all(line.count(" | ") == 2 and line.startswith("  Q") for line in ledger)
    apart = [line for line in ledger if _apart(line)]
    assert len(apart) == 11
    assert lines[start + 1 + claims].startswith(f"{len(apart)} of 22 statements of direction disagree with")


def _apart(line: str) -> bool:
    said, shown, _ = line.split(": ", 1)[1].split(" | ")
    return shown != "-" and said.split(",")[0] != shown.split(",")[0]


def test_a_claim_that_the_question_does_not_ask_about_is_never_settled(
    fairtrial: Run, trained: Callable[..., Path]
) -> None:
    """Left out in silence it would pass for one that holds."""
    path = trained("increase")
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}      - {{metric: time, says: decrease}}\n", encoding="utf-8")
    done = fairtrial("answers", str(path), "--store", "some.db", "--strict")
    assert done.exit_code == 1
    assert (
        "  Q, time: decrease | - | not settled: question Q does not ask about time"
        in done.stdout.splitlines()
    )
    assert "Of 2 claims: 1 holds, 0 contradicted, 1 not settled." in done.stdout
    found = json.loads(fairtrial("answers", str(path), "--store", "some.db", "--json").stdout)
    (left,) = found["unjudged_claims"]
    assert (left["question"], left["says"], left["verdict"]) == ("Q", "decrease", "not settled")


def test_what_else_is_known_of_the_notebook_ends_the_courses_answers(fairtrial: Run) -> None:
    """Its text and tables come from two runs, and its validation images were trained on: claims are read with that."""
    facts = load("course").facts
    assert len(facts) >= 7 and facts == load("notebook").facts
    said = " ".join(fairtrial("answers", "course").stdout.split())
    assert said.endswith(" ".join(facts))
    page = fairtrial("answers", "course", "--markdown").stdout
    assert page.rstrip().splitlines()[-1].startswith("- Above width 1000 nothing was run")
    assert json.loads(fairtrial("answers", "course", "--json").stdout)["facts"] == list(facts)


def test_a_study_without_claims_has_no_ledger(fairtrial: Run, trained: Callable[..., Path]) -> None:
    """An empty table is a question nobody asked."""
    path = trained("increase")
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("    claims:")], encoding="utf-8")
    assert "The claims" not in fairtrial("answers", str(path), "--store", "some.db").stdout
    assert "The claims" not in fairtrial("answers", str(path), "--store", "some.db", "--markdown").stdout
