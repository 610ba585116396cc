"""Each command in this process: what it prints, how it ends."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import Result

from fairtrial.engine.precision import resolve
from fairtrial.store import Claim, Store
from fairtrial.study import studyfile
from fairtrial.trial import Lost, Trial

Run = Callable[..., Result]


def test_fairtrial_alone_says_what_to_do_first(fairtrial: Run) -> None:
    """Somebody who has just installed it types its name and nothing else."""
    done = fairtrial()
    assert done.exit_code == 0
    assert "fairtrial run width --budget 60s" in done.stdout


def test_init_writes_a_study_that_loads_checks_and_runs(fairtrial: Run) -> None:
    """The first file a user sees must work before it is understood."""
    assert fairtrial("init", "new").exit_code == 0
    assert studyfile.load(Path("new/study.yaml")).questions[0].id == "faster"
    assert fairtrial("check", "new/study.yaml").exit_code == 0
    assert fairtrial("run", "new/study.yaml").exit_code == 0


def test_init_names_commands_that_can_be_pasted(fairtrial: Run) -> None:
    """A folder with a blank in its name is two words to a shell."""
    _, check, run = fairtrial("init", "new folder").stdout.splitlines()
    assert shlex.split(check)[-2:] == ["check", "new folder/study.yaml"]
    assert shlex.split(run)[-4:] == ["run", "new folder/study.yaml", "--budget", "60s"]


def test_init_never_overwrites(fairtrial: Run) -> None:
    """An afternoon's study file must survive a second init."""
    Path("study.yaml").write_text("mine")
    done = fairtrial("init")
    assert done.exit_code == 2
    assert "left as it is" in done.stderr
    assert Path("study.yaml").read_text() == "mine"


def test_list_names_every_builtin(fairtrial: Run) -> None:
    """What is not listed is not found."""
    names = [study["name"] for study in json.loads(fairtrial("list", "--json").stdout)]
    assert names == list(studyfile.builtin_names())
    plain = fairtrial("list").stdout
    assert all(name in plain for name in names)


def test_check_counts_what_is_known_and_what_is_new(fairtrial: Run) -> None:
    """The price is asked before it is paid, and nothing is paid twice."""
    before = json.loads(fairtrial("check", "width", "--json").stdout)
    assert [(arm["known"], arm["new"]) for arm in before["arms"]] == [(0, 3)] * 3
    assert before["guessed"] is True
    assert not Path("fairtrial.db").exists()
    fairtrial("run", "width", "--seeds", "1")
    after = json.loads(fairtrial("check", "width", "--json").stdout)
    assert [(arm["known"], arm["new"]) for arm in after["arms"]] == [(1, 2)] * 3


def test_check_shows_confounds_and_still_exits_0(fairtrial: Run) -> None:
    """A confound is to be known, not forbidden."""
    done = fairtrial("check", "course")
    assert done.exit_code == 0
    assert "confounded: question Q8" in " ".join(done.stdout.split())


def test_run_trains_the_least_number_of_seeds_and_answers(fairtrial: Run) -> None:
    """The main job: one command from nothing to printed answers."""
    done = fairtrial("run", "width", "--set", "seeds.max=3")
    assert done.exit_code == 0, done.output
    assert "Validation accuracy rose from" in " ".join(done.stdout.split())
    assert "9 trials trained" in done.stdout
    assert "fairtrial show width" in done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith("[")]
    assert len(lines) == 9
    assert lines[-1].startswith("[9] width-50 seed 3: validation accuracy 96.")


def test_run_again_trains_nothing(fairtrial: Run) -> None:
    """The same trial is never trained twice."""
    fairtrial("run", "width", "--seeds", "3")
    assert "0 trials trained" in fairtrial("run", "width", "--seeds", "3").stdout


def test_run_json_prints_json_alone_on_stdout(fairtrial: Run) -> None:
    """A program reads it through a pipe."""
    found = json.loads(fairtrial("run", "width", "--seeds", "2", "--json").stdout)
    assert found == json.loads(fairtrial("answers", "width", "--json").stdout)
    assert [len(arm["trials"]) for arm in found["arms"]] == [2, 2, 2]


def test_run_trains_only_the_arms_asked_for(fairtrial: Run) -> None:
    """A filter that lets more through spends somebody's evening."""
    fairtrial("run", "width", "--arm", "width-50")
    fairtrial("run", "width", "--question", "Q1-200", "--seeds", "1")
    found = json.loads(fairtrial("answers", "width", "--json").stdout)
    assert {arm["name"]: len(arm["trials"]) for arm in found["arms"]} == {
        "width-50": 3,
        "width-200": 1,
        "width-1000": 0,
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "nowhere.yaml"), "nowhere.yaml"),
        (("check", "widht"), "width"),
        (("run", "width", "--arm", "widht-50"), "width-50"),
        (("run", "width", "--question", "Q99"), "Q1-200"),
        (("run", "width", "--budget", "5"), "5m"),
        (("run", "width", "--budget", "5m", "--seeds", "3"), "not both"),
        (("run", "width", "--seeds", "0"), "--seeds"),
        (("run", "width", "-j", "0"), "-j"),
        (("run", "width", "--set", "epochs"), "epochs"),
        (("run", "width", "--set", "batch_size=-1"), "batch_size"),
        (("show", "width", "width-51"), "width-50"),
        (("show", "width", "--code", "--json"), "--json"),
        (("answers", "width", "--csv", "--json"), "give one of --csv and --json"),
        (("answers", "width", "--store", "no/such/folder/a.db"), "no/such/folder"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_use_exits_2_with_what_is_allowed_and_no_traceback(
    fairtrial: Run, words: tuple[str, ...], says: str
) -> None:
    """A traceback tells a student nothing."""
    done = fairtrial(*words)
    assert done.exit_code == 2, done.output
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
    assert done.stdout == ""


def test_strict_exits_1_only_when_asked_and_something_is_open(fairtrial: Run) -> None:
    """An undecided answer is an answer, unless a script says it needs more."""
    fairtrial("run", "width", "--seeds", "2")
    assert fairtrial("answers", "width").exit_code == 0
    done = fairtrial("answers", "width", "--strict", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["study"] == "width"


def test_answers_csv_has_a_line_per_answer(fairtrial: Run) -> None:
    """Spreadsheets are where many answers end up."""
    fairtrial("run", "width", "--seeds", "3")
    rows = list(csv.DictReader(fairtrial("answers", "width", "--csv").stdout.splitlines()))
    assert [(row["question"], row["metric"], row["on"]) for row in rows][:3] == [
        ("Q1-200", "accuracy", "validation"),
        ("Q1-200", "accuracy", "test"),
        ("Q1-200", "time", ""),
    ]
    assert float(rows[0]["estimate"]) == pytest.approx(0.0015)


def test_a_run_says_what_to_call_next(fairtrial: Run) -> None:
    """Printed figures are promised only where there are some."""
    said = fairtrial("run", "width", "--seeds", "3").stdout.splitlines()
    assert re.search(r"^the models, beside what was printed: +\S.*show width$", said[-3])
    assert re.search(r"^the page: +\S.*report width --html report.html$", said[-2])
    assert re.search(r"^more seeds: +\S.*run width --budget 5m$", said[-1])
    fairtrial("init")
    models, _, more = fairtrial("run", "study.yaml", "--seeds", "3").stdout.splitlines()[-3:]
    assert re.search(r"^the models:  \S.*show study.yaml$", models)
    assert models.index("show") - more.index("run") == 0


def test_the_line_of_hyperparameters_is_one_line(fairtrial: Run) -> None:
    """As in the notebook, and so that it can be searched for."""
    lines = fairtrial("show", "width").stdout.splitlines()
    common = "BUFFER SIZE = 10000, BATCH SIZE = 100, NUM_EPOCHS = 5, OPTIMIZER = Adam, LEARNING RATE = 0.001"
    assert lines.count(common) == 3
    moved = fairtrial("show", "width", "--set", "data.augment={shift: 2, rotate: 10}").stdout.splitlines()
    assert moved.count(f"{common}, AUGMENT = shift 2 rotate 10") == 3


def test_no_line_ends_with_blanks(fairtrial: Run) -> None:
    """What is kept in a file and compared later should differ by what it says."""
    fairtrial("run", "width", "--seeds", "3")
    for words in (
        ("check", "width"),
        ("answers", "width"),
        ("show", "width"),
        ("status", "width"),
        ("list",),
    ):
        lines = fairtrial(*words).stdout.splitlines()
        assert len(lines) > 3
        assert [line for line in lines if line != line.rstrip()] == [], words


def test_status_says_who_trains_what_since_when(fairtrial: Run) -> None:
    """So that one knows which process to wait for, or to end."""
    study = studyfile.load("width")
    first = Trial(arm=study.arms["width-50"], seed=1, precision=resolve("auto"))
    with Store.open("fairtrial.db", now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) as store:
        store.claim(first)
        said = " ".join(fairtrial("status", "width").stdout.split())
    assert f"width-50 seed 1: running since 2026-01-02 03:04 UTC in process {os.getpid()} on" in said


def test_status_waits_for_no_trial_that_was_given_up_until_another_run_trains_it(fairtrial: Run) -> None:
    """Counted as left it could be left for ever; a run asked for anew may find what failed it mended."""
    study = studyfile.load("width")
    lost = Trial(arm=study.arms["width-50"], seed=2, precision=resolve("auto"))
    for attempt, left in ((1, [1, 2, 3]), (2, [1, 2, 3]), (3, [1, 3])):
        with Store.open("fairtrial.db") as store:
            claim = store.claim(lost)
            assert isinstance(claim, Claim)
            store.record_lost(claim, Lost(key=lost.key, state="failed", reason="killed"), trial=lost)
        (narrow, *_) = json.loads(fairtrial("status", "width", "--json").stdout)["arms"]
        assert narrow["missing"] == left
        assert narrow["failed"] == [
            {"seed": 2, "attempts": attempt, "state": "failed", "reason": "killed", "given_up": attempt == 3}
        ]
    said = fairtrial("status", "width", "--seeds", "3").stdout
    assert "width-50 seed 2: failed (3 attempts, given up): killed" in said
    fairtrial("run", "width", "--seeds", "3")
    assert "Nothing left: every arm has 3 seeds." in fairtrial("status", "width").stdout


def test_status_counts_arm_by_arm(fairtrial: Run) -> None:
    """The question asked from another terminal while a long study trains."""
    fairtrial("run", "width", "--arm", "width-50")
    found = json.loads(fairtrial("status", "width", "--json").stdout)
    assert [(arm["finished"], arm["missing"]) for arm in found["arms"]] == [
        ([1, 2, 3], []),
        ([], [1, 2, 3]),
        ([], [1, 2, 3]),
    ]
    assert "6 trials left" in fairtrial("status", "width").stdout


def test_show_prints_the_notebooks_block_and_the_three_columns(fairtrial: Run) -> None:
    """What the notebook's reader read, for every model."""
    fairtrial("run", "width", "--seeds", "3")
    fairtrial("run", "width", "--set", "data.split=reshuffled", "--seeds", "1")
    shown = fairtrial("show", "width").stdout
    for text in (
        "Model: Q1: hidden layer size 50",
        "dense_2 (Dense)",
        "(None, 784)",
        "Total params: 42,310",
        "Non-trainable params: 0",
        "BUFFER SIZE = 10000, BATCH SIZE = 100, NUM_EPOCHS = 5",
        "Train Accuracy = 0.9700 ± 0.0000 (n = 3)",
        "Training time = 1.00 s",
        "printed, reproduced, done right",
    ):
        assert text in shown, text
    cells = json.loads(fairtrial("show", "width", "--json").stdout)["rows"][0]["cells"][2]
    assert (cells["published"], cells["reproduced"]["n"], cells["right"]["n"]) == (0.972, 1, 3)


def test_show_of_one_arm_shows_no_other(fairtrial: Run) -> None:
    """Fifteen models scroll away; one is looked at."""
    shown = fairtrial("show", "width", "width-200").stdout
    assert "199,210" in shown
    assert "42,310" not in shown


def test_show_code_prints_a_program_that_compiles(fairtrial: Run) -> None:
    """It is meant to be saved and run."""
    program = fairtrial("show", "width", "width-50", "--code").stdout
    compile(program, "shown.py", "exec")
    assert "keras" in program


def test_show_markdown_is_a_page(fairtrial: Run) -> None:
    """A page of the docs is made by it."""
    fairtrial("run", "width", "--seeds", "1")
    page = fairtrial("show", "width", "--markdown").stdout
    assert page.startswith("# How wide")
    assert "| `width-50` | Train Accuracy | 0.972 | - | 0.9700 (1) |" in page


def test_the_store_comes_from_the_option_or_the_environment(
    fairtrial: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results in the wrong file are results lost."""
    fairtrial("run", "width", "--seeds", "1", "--store", "here.db")
    assert Path("here.db").exists()
    assert not Path("fairtrial.db").exists()
    monkeypatch.setenv("FAIRTRIAL_STORE", "here.db")
    assert "0 trials trained" in fairtrial("run", "width", "--seeds", "1").stdout


def test_set_changes_the_study_and_so_the_trials(fairtrial: Run) -> None:
    """A setting that did not arrive would compare something else than was asked."""
    fairtrial("run", "width", "--seeds", "1")
    changed = json.loads(fairtrial("status", "width", "--set", "epochs=2", "--json").stdout)
    assert changed["arms"][0]["finished"] == []
