"""`status` names the registered plan and, asked to, goes through a store's looks again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

Fairtrial = Callable[..., Result]
WIDTH = ("width", "--set", "seeds.max=5")


def test_commands_that_only_read_register_no_plan(fairtrial: Fairtrial, tmp_path: Path) -> None:
    """Looking at a study must not fix it; only training does."""
    assert fairtrial("run", *WIDTH, "--seeds", "3").exit_code == 0
    for command in ("check", "answers", "status", "show"):
        assert fairtrial(command, "width", "--set", "margins.accuracy=1pp").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "fairtrial.db")) as connection:
        assert connection.execute("SELECT count(*) FROM plans").fetchone() == (1,)


def test_status_says_which_plan_is_registered(fairtrial: Fairtrial) -> None:
    """Whoever is about to change a study should see that there is something to change."""
    assert "No plan is registered yet" in fairtrial("status", *WIDTH).stdout
    assert json.loads(fairtrial("status", *WIDTH, "--json").stdout)["plan"] is None
    fairtrial("run", *WIDTH)
    plan = json.loads(fairtrial("status", *WIDTH, "--json").stdout)["plan"]
    assert f"Plan {plan['sha256'][:12]}, registered" in fairtrial("status", *WIDTH).stdout
    other = fairtrial("status", "width", "--set", "seeds.max=6").stdout
    assert "not the plan that was registered last" in " ".join(other.split())


def test_replay_passes_on_what_a_run_stored_and_exits_2_on_what_was_changed(
    fairtrial: Fairtrial, tmp_path: Path
) -> None:
    """A script that publishes answers can check them first."""
    fairtrial("run", *WIDTH)
    sound = fairtrial("status", *WIDTH, "--replay")
    assert (sound.exit_code, "every verdict comes out" in sound.stdout) == (0, True)
    found = json.loads(fairtrial("status", *WIDTH, "--replay", "--json").stdout)["replay"]
    assert found["looks"] > 0 and found["differences"] == []
    with closing(sqlite3.connect(tmp_path / "fairtrial.db", isolation_level=None)) as connection:
        connection.execute("UPDATE looks SET verdict = 'decrease that matters' WHERE n = 3")
    tampered = fairtrial("status", *WIDTH, "--replay")
    assert tampered.exit_code == 2
    assert "verdict is stored as decrease that matters" in tampered.stdout
    printed = fairtrial("status", *WIDTH, "--replay", "--json")
    assert printed.exit_code == 2
    assert len(json.loads(printed.stdout)["replay"]["differences"]) == found["verdicts"]
    assert fairtrial("status", *WIDTH).exit_code == 0


@pytest.mark.parametrize(
    "change",
    ["UPDATE plans SET plan = 'nonsense'", "UPDATE plans SET plan = '{}'", "UPDATE plans SET seen = '['"],
)
def test_a_plan_that_cannot_be_read_is_said_in_words(
    fairtrial: Fairtrial, tmp_path: Path, change: str
) -> None:
    """A traceback would look like a fault of the program."""
    fairtrial("run", *WIDTH)
    with closing(sqlite3.connect(tmp_path / "fairtrial.db", isolation_level=None)) as connection:
        connection.execute(change)
    done = fairtrial("answers", *WIDTH)
    assert done.exit_code == 2
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_margin_changed_after_the_run_is_said_on_the_terminal_and_in_json(fairtrial: Fairtrial) -> None:
    """The caveat must reach the reader, whichever way the answers are read."""
    fairtrial("run", *WIDTH)
    changed = (*WIDTH, "--set", "margins.accuracy=1pp")
    assert "the margin was changed after" in " ".join(fairtrial("answers", *changed).stdout.split())
    found = json.loads(fairtrial("run", *changed, "--json").stdout)["answers"]
    said = [caveat for answer in found if answer["metric"] == "accuracy" for caveat in answer["caveats"]]
    assert any(caveat.startswith("changed plan: the margin was changed after") for caveat in said)
