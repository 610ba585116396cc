"""docs/cli.md says what the commands are, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from fairtrial.cli.app import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = {
    heading.removeprefix("fairtrial").strip(): body
    for heading, body in re.findall(r"^## (fairtrial.*)\n((?:(?!^## ).*\n?)*)", PAGE, flags=re.MULTILINE)
}
COMMANDS = typer.main.get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    """A command nobody documents is not found; a section without one misleads."""
    assert set(SECTIONS) == {"", *COMMANDS}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_option_is_documented_and_none_is_invented(name: str) -> None:
    """The page is read instead of --help, so it must say the same."""
    within = getattr(COMMANDS[name], "commands", {}).values()
    options = {
        word
        for command in (COMMANDS[name], *within)
        for parameter in command.params
        for word in parameter.opts
        if word.startswith("-")
    }
    assert all(f"fairtrial {name} {one.name}" in SECTIONS[name] for one in within)
    documented = set(re.findall(r"(?<![\w-])--?[a-z]+(?:-[a-z]+)*\b", SECTIONS[name]))
    assert documented == options
