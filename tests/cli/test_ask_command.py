"""`fairtrial ask` and `ft.ask`: from two values to an answer without a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import fairtrial as ft

Run = Callable[..., Result]


def test_ask_trains_both_values_and_answers_in_a_sentence(fairtrial: Run) -> None:
    """The shortest way from a question to an answer."""
    done = fairtrial("ask", "network.mlp.width", "50", "200", "--set", "seeds.max=4")
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert "width-200 width-200 against width-50 Validation accuracy rose from" in said
    assert "as a study file:" in done.stdout and "--save study.yaml" in done.stdout
    assert not list(Path().glob("*.yaml"))


def test_asking_again_trains_nothing_and_a_run_of_the_saved_file_neither(fairtrial: Run) -> None:
    """What was asked once is known; going on from the file must not begin anew."""
    words = ("ask", "network.mlp.width", "50", "200", "--set", "seeds.max=3")
    fairtrial(*words)
    done = fairtrial(*words, "--save", "mine.yaml")
    assert "0 trials trained" in done.stdout
    assert "fairtrial run mine.yaml --budget 5m" in done.stdout
    assert "0 trials trained" in fairtrial("run", "mine.yaml").stdout
    assert fairtrial("check", "mine.yaml").exit_code == 0


def test_ask_json_is_that_of_answers(fairtrial: Run) -> None:
    """One form for programs, wherever the answer comes from."""
    done = fairtrial(
        "ask", "optimizer.learning_rate", "0.001", "0.01", "--metric", "accuracy", "--metric", "loss",
        "--on", "test", "--set", "seeds.max=3", "--save", "mine.yaml", "--json",
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [(one["question"], one["metric"], one["on"]) for one in found["answers"]] == [
        ("learning_rate-0.01", "accuracy", "test"),
        ("learning_rate-0.01", "loss", "test"),
    ]
    assert found == json.loads(fairtrial("answers", "mine.yaml", "--json").stdout)


def test_save_never_overwrites_and_then_trains_nothing(fairtrial: Run) -> None:
    """A file of an afternoon's work must survive, and the mistake is known at once."""
    Path("mine.yaml").write_text("mine")
    done = fairtrial("ask", "epochs", "1", "2", "--save", "mine.yaml")
    assert (done.exit_code, Path("mine.yaml").read_text()) == (2, "mine")
    assert "left as it is" in done.stderr
    assert not Path("fairtrial.db").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("network.mlp.widht", "50", "200"), "did you mean 'width'?"),
        (("batch_size", "100", "ten"), "must be a whole number, got 'ten'"),
        (("epochs", "1"), "give at least two values"),
        (("epochs",), "VALUE"),
        (("epochs", "1", "2", "--budget", "5"), "5m"),
        (("epochs", "1", "2", "--metric", "f1"), "metric must be one of accuracy, loss, time"),
        (("epochs", "1", "2", "--base", "widht"), "did you mean 'width'?"),
        (("epochs", "1", "2", "--base", "course", "--from", "cnn1"), "cnn-1"),
        (("epochs", "1", "2", "--save", "no/such/folder.yaml"), "no/such/folder.yaml"),
    ],
)
def test_wrong_use_of_ask_exits_2_and_leaves_nothing_behind(
    fairtrial: Run, words: tuple[str, ...], says: str
) -> None:
    """No traceback, no store, no half-written file."""
    done = fairtrial("ask", *words)
    assert done.exit_code == 2, done.output
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.output
    assert (done.stdout, list(Path().iterdir())) == ("", [])


def test_help_and_the_first_words_begin_with_ask(fairtrial: Run) -> None:
    """The command that needs nothing else comes first."""
    shown = fairtrial("--help").stdout
    order = [shown.index(f"│ {name} ") for name in ("ask", "init", "check", "run")]
    assert order == sorted(order)
    assert all(
        shown.index(f"│ {name} ") > order[-1] for name in ("list", "status", "show", "answers", "compare")
    )
    first = fairtrial().stdout
    assert first.index("fairtrial ask") < first.index("fairtrial run")


def test_ask_in_python(fairtrial: Run, tmp_path: Path) -> None:
    """The same beside `load` and `run`, with Python's own values."""
    answers = ft.ask("network.mlp.width", 50, 200, sets=("seeds.max=3",), save=tmp_path / "mine.yaml")
    assert "Validation accuracy rose" in answers["width-200"].accuracy.sentence
    study = ft.load(tmp_path / "mine.yaml")
    assert ft.answers(study) == answers
    with pytest.raises(ft.StudyError, match="at least two values"):
        ft.ask("network.mlp.width", 50)
