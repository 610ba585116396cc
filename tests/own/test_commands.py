"""Command arms: what is run, what is read of it, what comes of it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fairtrial as ft
from fairtrial.commands.reading import Lines, result_of
from fairtrial.commands.running import CommandFailed, Runner
from fairtrial.commands.worker import train
from fairtrial.data.split import split
from fairtrial.engine.load import read
from fairtrial.errors import OwnCodeError, StudyError
from fairtrial.restoring import restored
from fairtrial.study import commands
from fairtrial.study.check import findings
from fairtrial.study.factors import confounds, differences, held_fixed
from fairtrial.study.schema import Arm, Study
from fairtrial.study.studyfile import load
from fairtrial.trial import ENGINE_VERSION, Event, Lost, Outcome, Progress, Trial, canonical
from fairtrial.wire import Hurdle, Order, decode_order, encode_order


def arm(command: str, **settings: Any) -> Arm:
    return ft.Study(arms={"own": {"command": command, **settings}}).arms["own"]


def trial(command: str, *, seed: int = 1, **settings: Any) -> Trial:
    return Trial(arm=arm(command, **settings), seed=seed, precision="float32")


@pytest.fixture
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(scratch=tmp_path_factory.mktemp("scratch"))


def outcome(runner: Runner, command: str, **settings: Any) -> Outcome:
    found = runner.run(trial(command, **settings))
    assert found is not None
    return found


def test_figures_epochs_and_seconds_are_read_from_what_a_command_prints(folder: Path, runner: Runner) -> None:
    """The last line of JSON counts; other lines are left alone, epochs are its history."""
    found = outcome(runner, "python own_train.py figures 0.9")
    assert found.state == "finished"
    assert found.metrics["validation_accuracy"] == pytest.approx(0.9, abs=0.01)
    assert found.metrics["validation_accuracy_last_epoch"] == found.metrics["validation_accuracy"]
    assert found.provenance["last_epoch"] == "the end alone"
    assert [record.epoch for record in found.history] == [1, 2]
    assert np.isnan(found.history[0].train_loss)
    assert 2 <= found.seconds["train"] < 2.1
    assert "train_accuracy" not in found.metrics


def test_a_file_of_results_goes_before_what_is_printed(folder: Path, runner: Runner) -> None:
    """Means over the last epoch come from the list that it gives."""
    found = outcome(runner, "python own_train.py file")
    assert found.metrics["test_accuracy"] == 0.5
    assert found.metrics["validation_accuracy_last_epoch"] == 0.5
    assert found.metrics["test_accuracy_last_epoch"] == 0.5
    assert "last_epoch" not in found.provenance
    assert found.seconds["train"] > 0


def test_a_value_never_becomes_two_words_and_no_shell_sees_it(folder: Path, runner: Runner) -> None:
    """Whatever a parameter holds arrives as it is."""
    command = "python own_train.py arguments {seed} {evil} {parameters.some} '{yes}'"
    values = {"evil": "a b; rm -rf $HOME", "some": [1, 2], "yes": True}
    with pytest.raises(OwnCodeError, match="without a result"):
        runner.run(trial(command, parameters=values))


@pytest.mark.parametrize(
    ("said", "needs", "piece"),
    [
        ("nothing", (), "ended without a result"),
        ("{broken", (), "is no JSON"),
        ('{"validation_accuracy": 97.2}', (), "share from 0 to 1, got 97.2; a percentage is divided by 100"),
        ('{"validation_accuracy": "0.9"}', (), "validation_accuracy must be a number"),
        ('{"validation_accuracy": true}', (), "validation_accuracy must be a number"),
        ('{"val_accuracy": 0.9}', (), "did you mean 'validation_accuracy'"),
        ('{"validation_accuracy": 0.9}', ("test_loss",), "lacks test_loss, which a question"),
        ('{"train_seconds": -1, "validation_loss": 1}', (), "number of seconds from 0"),
        ('{"last_epoch": {"validation_acuracy": [1]}}', (), "did you mean 'validation_accuracy'"),
        ('{"last_epoch": [1]}', (), "last_epoch must be an object of lists"),
        ('{"history": [{"epoch": 2}], "validation_loss": 1}', (), "epochs must be told in order from 1"),
        ('{"epoch": 3, "validation_loss": 1}', (), "epochs must be told in order from 1"),
        (f'{{"validation_loss": {10**400}}}', (), "too large"),
        ("{" * 100_000, (), "is no JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_with_what_to_do(said: str, needs: tuple[str, ...], piece: str) -> None:
    """The author of the program reads nothing else."""
    lines = Lines()
    lines.take(said)
    with pytest.raises(OwnCodeError) as error:
        result_of(lines, None, needs=needs)
    assert piece in str(error.value)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    "said", ['{"diverged": "the loss blew up"}', '{"validation_loss": NaN}', '{"validation_loss": Infinity}']
)
def test_a_training_that_diverged_is_an_outcome(said: str) -> None:
    """It is what the settings come to, and no failed attempt that might go better."""
    lines = Lines()
    lines.take(said)
    found = result_of(lines, None, needs=("test_accuracy",))
    assert found.diverged
    assert not found.metrics


def test_a_program_that_fails_is_an_attempt_with_its_last_words(folder: Path, runner: Runner) -> None:
    """Trying again may help, and whoever reads the message should not need to run it by hand."""
    with pytest.raises(CommandFailed, match=r"exit code 3; its last words: .*the reason stands here"):
        runner.run(trial("python own_train.py fails"))


def test_a_timeout_ends_the_program_with_what_it_has_started(folder: Path, runner: Runner) -> None:
    """A command that hangs must not hold a study, nor what it leaves behind the machine."""
    began = time.monotonic()
    script = "bash -c 'sleep 60 & echo $!; python own_train.py sleeps'"
    with pytest.raises(OwnCodeError, match=r"longer than its timeout of .*its last words: ") as error:
        runner.run(trial(script, timeout=1.0))
    assert time.monotonic() - began < 20
    started = [word for word in str(error.value).rpartition("words: ")[2].split(" | ") if word.isdecimal()]
    assert started
    while any(_runs(word) for word in started):
        assert time.monotonic() - began < 40
        time.sleep(0.1)


def _runs(process: str) -> bool:
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False


def test_a_program_that_is_not_there_is_said_at_once(folder: Path, runner: Runner) -> None:
    """The commonest mistake of all."""
    with pytest.raises(OwnCodeError, match=r"no program 'pyton'.*\{python\}"):
        runner.run(trial("pyton own_train.py"))


def test_a_file_that_changed_since_the_study_was_read_is_not_run(folder: Path, runner: Runner) -> None:
    """Its figures would be stored under the key of what it was."""
    ready = trial("python own_train.py figures 0.9")
    (folder / "own_train.py").write_text("print('{}')")
    with pytest.raises(OwnCodeError, match="no longer what it was"):
        runner.run(ready)


def test_the_key_knows_the_files_the_values_and_what_is_used(folder: Path) -> None:
    """Nothing that can change a figure, and nothing else."""

    def key(command: str = "python own_train.py figures {top}", **settings: Any) -> str:
        return trial(command, **{"parameters": {"top": 0.9}, **settings}).key

    first = key()
    assert key(timeout="5m") == first
    assert key(epochs=7) == first  # the command does not take it
    assert key(parameters={"top": 0.8}) != first
    assert key(parameters={"top": 0.9, "on": 1}) != key(parameters={"top": 0.9, "on": True})
    assert key(command="python own_train.py figures {top} {epochs}") != key(
        command="python own_train.py figures {top} {epochs}", epochs=7
    )
    assert key(files=["own_net.py"]) != first
    (folder / "own_train.py").write_text((folder / "own_train.py").read_text() + "\n")
    assert key() != first


def test_a_python_program_is_known_by_what_it_imports_from_beside_it(folder: Path) -> None:
    """A change in a helper is a change of the program."""
    (folder / "helper.py").write_text("import deeper\n")
    (folder / "deeper.py").write_text("value = 1\n")
    (folder / "main.py").write_text("def late():\n    from helper import deeper\n")
    first = trial("python main.py {seed}")
    assert first.arm.sources is not None
    assert [name for name, _ in first.arm.sources.files] == ["deeper.py", "helper.py", "main.py"]
    (folder / "deeper.py").write_text("value = 2\n")
    assert trial("python main.py {seed}").key != first.key


def test_an_order_and_a_store_bring_the_same_trial_back(folder: Path) -> None:
    """A worker and `rerun` know the trial by its key alone."""
    ready = trial(
        "python own_train.py figures {top} --lr {optimizer.learning_rate} {settings}",
        parameters={"top": 0.9, "deep": {"er": [1, "x"]}},
        optimizer={"name": "sgd", "momentum": 0.5, "learning_rate": {"cosine": {"initial": 0.1}}},
        cores="all",
    )
    sent = decode_order(encode_order(Order(trial=ready, needs=("test_loss",))))
    assert isinstance(sent, Order)
    assert (sent.trial.key, sent.needs) == (ready.key, ("test_loss",))
    again = restored(
        key=ready.key, name="own", settings=json.dumps(canonical(ready.arm)), precision="float32", number=1,
        engine_version=ENGINE_VERSION,
    )  # fmt: skip
    assert again.key == ready.key


@pytest.mark.parametrize("mlp", [{"width": 7, "depth": 3, "activation": "tanh"}, {"depth": 1}, {"depth": 0}])
def test_a_shorthand_that_a_command_asks_for_comes_back_from_a_store(
    folder: Path, mlp: dict[str, Any]
) -> None:
    """A store keeps layers; `rerun` needs the words."""
    asked = "{network.mlp.depth} " + ("{network.mlp.width} {network.mlp.activation}" if mlp["depth"] else "")
    ready = trial(f"python own_train.py {asked}", network={"mlp": mlp})
    again = restored(
        key=ready.key, name="own", settings=json.dumps(canonical(ready.arm)), precision="float32", number=1,
        engine_version=ENGINE_VERSION,
    )  # fmt: skip
    assert again.arm.settings.network == ready.arm.settings.network
    assert commands.filled(again.arm.settings, {}) == commands.filled(ready.arm.settings, {})


@pytest.mark.parametrize("name", ["width", "activation"])
def test_the_width_of_no_hidden_layer_is_a_mistake(folder: Path, name: str) -> None:
    """Two arms would differ by it that are one by their layers, and so by their key."""
    with pytest.raises(StudyError, match="depth is 0"):
        arm(f"python own_train.py {{network.mlp.{name}}}", network={"mlp": {"depth": 0}})


@pytest.mark.parametrize(
    ("given", "piece"),
    [
        ({"command": "python x.py {optimzer.learning_rate}"}, "did you mean 'optimizer.learning_rate'"),
        ({"command": "python x.py {early_stopping.patience}"}, "nothing that an arm has"),
        ({"command": "python 'x.py"}, "cannot be split into words"),
        ({"command": "  "}, "is empty"),
        ({"command": ""}, "must not be empty"),
        ({"command": "python x.py", "files": ["nowhere.csv"]}, "files: there is no file 'nowhere.csv'"),
        ({"command": "python x.py", "timeout": "soon"}, "is not a length of time"),
        ({"command": "python x.py", "parameters": {"a b": 1}}, "the name 'a b'"),
        ({"command": "python x.py", "parameters": {"a": float("nan")}}, "not finite"),
        ({"command": "python x.py", "parameters": [1]}, "must be a mapping"),
        ({"parameters": {"a": 1}}, "give the command as well"),
        ({"timeout": 3.0}, "give the command as well"),
    ],
)  # fmt: skip
def test_mistakes_in_a_command_are_mistakes_of_the_study(given: dict[str, Any], piece: str) -> None:
    """They are said before anything runs."""
    with pytest.raises(ft.StudyError) as error:
        ft.Study(arms={"own": given})
    assert piece in str(error.value)


def test_check_says_what_would_be_run_and_what_nobody_can_check(folder: Path) -> None:
    """Leaks in a program's own data are invisible from here, and that is said."""
    study = ft.Study(
        base={
            "command": "python own_train.py figures {top} | tee log",
            "parameters": {"top": 0.9},
            "epochs": 7,
        },
        arms={"a": {}, "b": {"parameters.top": 0.95}},
        questions=[{"id": "Q", "variant": "b", "baseline": "a", "factors": ["parameters.top"]}],
    )
    said = "\n".join(str(one) for one in findings(study))
    assert "python own_train.py figures 0.95" in said
    assert "leaks are not looked for" in said
    assert "takes no {seed}" in said
    assert "mentions no epochs" in said
    assert "no shell runs the command, so | is handed" in said
    assert "the content of own_train.py" in said


def test_factors_and_what_is_held_fixed_are_those_the_command_takes(folder: Path) -> None:
    """A setting that a program never sees can confound nothing, and is no part of what was held."""
    study = ft.Study(
        base={"command": "python own_train.py figures {top} {optimizer.learning_rate}", "parameters": {"top": 0.9, "x": {"y": 1}}},
        arms={"a": {}, "b": {"parameters.x.y": 2, "optimizer.learning_rate": 0.5}},
        questions=[{"id": "Q", "variant": "b", "baseline": "a", "factors": ["parameters.x"]}],
    )  # fmt: skip
    (question,) = study.questions
    variant, baseline = study.arms["b"], study.arms["a"]
    assert [one.path for one in differences(variant, baseline)] == [
        "parameters.x.y",
        "optimizer.learning_rate",
    ]
    assert [one.path for one in confounds(question, variant, baseline)] == ["optimizer.learning_rate"]
    assert [one.path for one in held_fixed(variant, baseline)] == ["command", "parameters.top"]
    with pytest.raises(ft.StudyError, match=r"parameters\.z"):
        ft.Study(
            base={"command": "python x.py", "parameters": {"x": 1}},
            arms={"a": {}, "b": {"parameters.x": 2}},
            questions=[{"id": "Q", "variant": "b", "baseline": "a", "factors": ["parameters.z"]}],
        )


def test_a_command_that_takes_the_data_gets_our_split_of_it(folder: Path, runner: Runner) -> None:
    """The same validation images and the same order as a trial of ours with that seed."""
    (folder / "reads.py").write_text(
        "import json, sys\nimport numpy as np\nwith np.load(sys.argv[1]) as data:\n"
        "    print(json.dumps({'validation_accuracy': 0.5, 'validation_loss': float(data['validation_labels'].sum()),"
        " 'train_loss': float(data['train_labels'][data['orders'][1][:50]].sum())}))\n"
        "settings = json.load(open(sys.argv[2]))\nassert settings['network'][-1]['units'] == 10, settings\n"
    )
    ready = trial(
        "python reads.py {data} {settings}", data={"train": 500, "validation": 200}, epochs=2, seed=3
    )
    assert ready.arm.has_data
    assert ready.arm.network
    found = runner.run(ready)
    assert found is not None
    from fairtrial.data.catalog import load as open_data

    labels = open_data("mnist").train_labels.astype(int)
    division = split(ready.arm.settings.data, seed=3)
    assert found.metrics["validation_loss"] == labels[division.validation].sum()
    assert found.metrics["train_loss"] == labels[division.epoch_order(2)[:50]].sum()


def test_a_hurdle_stops_a_command_that_tells_its_epochs(folder: Path, runner: Runner) -> None:
    """A search gives up hopeless programs as it gives up hopeless trials of ours."""
    told: list[Event] = []
    hurdle = Hurdle(epoch=1, metric="accuracy", bound=0.99)
    train(Order(trial=trial("python own_train.py figures 0.9"), hurdles=(hurdle,)), runner, told.append)
    assert isinstance(told[0], Progress)
    assert isinstance(told[-1], Lost)
    assert (told[-1].state, told[-1].retry) == ("stopped", False)


def test_what_a_command_works_counts_as_our_own_work(folder: Path, runner: Runner) -> None:
    """A pair must not be said to have run beside itself."""
    before = read()
    script = "sum(range(6 * 10**6))"
    (folder / "busy.py").write_text(f"{script}\nprint('{{\"validation_loss\": 1}}')\n")
    runner.run(trial("python busy.py"))
    assert read().own - before.own > 0.05


STUDY = """
schema: fairtrial/1
name: programs
base:
  command: python own_train.py figures {top} --seed {seed}
  parameters: {top: 0.9}
arms:
  plain: {}
  better: {parameters.top: 0.95}
questions:
  - {id: Q, variant: better, baseline: plain, factors: [parameters.top], metrics: [accuracy, time]}
seeds: {min: 3, max: 9}
"""


@pytest.mark.slow
def test_a_study_of_commands_is_answered_like_any_other(folder: Path) -> None:
    """Seeds, verdicts, pairs timed in turn, the report, the second run that trains nothing, and the trial run again."""
    (folder / "study.yaml").write_text(STUDY)
    answers = ft.run("study.yaml", seeds=4, workers=2)
    assert answers["Q"].accuracy.verdict == "increase that matters"
    assert answers["Q"].time.seeds == 4
    assert any(caveat.kind == "end alone" for caveat in answers["Q"].accuracy.caveats)
    assert "told no" not in str(answers["Q"].accuracy.caveats)
    for name in ("report.html", "report.md", "report.tex", "report.ipynb", "report.csv", "report.json"):
        assert ft.write_report(answers, name).stat().st_size > 500
    assert "python own_train.py figures 0.95 --seed {seed}" in Path("report.html").read_text()
    assert "python own_train.py figures 0.95" in str(ft.show("study.yaml", "better")).replace("\\", "")
    events: list[Event] = []
    again = ft.run("study.yaml", seeds=4, on_event=events.append)
    assert not any(isinstance(event, Outcome) for event in events)
    assert again.as_dict()["arms"] == answers.as_dict()["arms"]
    key = answers.arms[0].trials[0].key
    found = ft.rerun(key)
    # Its own clock differs; its figures are the same.
    assert found.equal, found.differences
    # No weights are looked for that a program keeps to itself.
    (weights,) = [one for one in ft.doctor(store="fairtrial.db").findings if one.name == "weights"]
    assert (weights.state, weights.text) == ("ok", "0 files, each the weights of its trial.")
    assert len(answers.history()) == 16


@pytest.mark.slow
def test_a_question_about_what_a_program_does_not_tell_fails_with_what_it_lacks(folder: Path) -> None:
    """The program's author reads which figure is missing, and for which question."""
    study = load(
        {**_sections(), "questions": [{"id": "Q", "variant": "better", "baseline": "plain", "on": ["test"]}]}
    )
    answers = ft.run(study, seeds=1, workers=1)
    assert answers["Q"].accuracy.verdict == "unstable"
    assert any("lacks test_accuracy_last_epoch" in str(one) for one in answers["Q"].accuracy.caveats)


def _sections() -> dict[str, Any]:
    return {
        "schema": "fairtrial/1",
        "name": "programs",
        "base": {"command": "python own_train.py figures {top} --seed {seed}", "parameters": {"top": 0.9}},
        "arms": {"plain": {}, "better": {"parameters.top": 0.95}},
    }


def test_an_environment_variable_may_name_the_interpreter(
    folder: Path, monkeypatch: pytest.MonkeyPatch, runner: Runner
) -> None:
    """Where it is, is no part of what is run: another machine has it elsewhere."""
    ready = trial("{env.OWN_PYTHON} own_train.py figures 0.9")
    monkeypatch.delenv("OWN_PYTHON", raising=False)
    with pytest.raises(OwnCodeError, match="OWN_PYTHON is not set"):
        runner.run(ready)
    assert list(commands.missing_variables(ready.arm.settings.command or "")) == ["OWN_PYTHON"]
    monkeypatch.setenv("OWN_PYTHON", "python")
    assert runner.run(ready) is not None


def test_the_same_program_in_another_folder_is_the_same_trial(folder: Path) -> None:
    """A study is handed on, and its store with it."""
    first = trial("python own_train.py figures 0.9")
    (folder / "copy").mkdir()
    (folder / "copy" / "own_train.py").write_bytes((folder / "own_train.py").read_bytes())
    os.chdir(folder / "copy")
    assert trial("python own_train.py figures 0.9").key == first.key


def test_arms_made_in_python_know_their_files_too(folder: Path) -> None:
    """An arm taken from one study and put into another is still run by the same files."""
    made = arm("python own_train.py figures 0.9")
    study = Study(arms={"own": replace(made, sources=None)}, seeds=ft.Study(arms={"x": {}}).seeds)
    assert study.arms["own"].sources == made.sources
