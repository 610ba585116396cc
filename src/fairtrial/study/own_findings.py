"""What to know of arms that are made of the user's own code: what would be run, and what of it nobody can check."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.study import commands
from fairtrial.study.finding import Finding
from fairtrial.study.schema import Arm, ArmSettings, Study

MOST_FILES = 8
"""Files named in one message."""


def own_findings(study: Study) -> Iterator[Finding]:
    """Arm by arm."""
    for arm in study.arms.values():
        if arm.is_command:
            yield from _of_command(arm)
        elif arm.is_module:
            yield Finding(
                kind="own code",
                arm=arm.name,
                message=f"arm {arm.name}: its network is built by {arm.settings.network.python}; its trials are known by "
                f"{_files(arm)}, and by nothing else that it may read",
            )


def _of_command(arm: Arm) -> Iterator[Finding]:
    settings, command = arm.settings, arm.settings.command or ""
    names = commands.placeholders(command)
    folder = arm.sources.folder if arm.sources else "."
    yield Finding(
        kind="own code",
        arm=arm.name,
        message=f"arm {arm.name} runs in {folder}: {commands.shown(settings)}; its trials are known by the command and "
        f"{_files(arm)}, and by nothing else that it may read",
    )
    if not arm.has_data:
        yield Finding(
            kind="own data",
            arm=arm.name,
            message=f"arm {arm.name}: the command takes no {{data}}, so nobody here knows which images it trains and "
            "validates on, and whether they are the same: leaks are not looked for",
        )
    if "seed" not in names:
        yield _warned(
            arm, "the command takes no {seed}: unless it reads FAIRTRIAL_SEED, all its seeds are one run"
        )
    if words := commands.shell_words(command):
        yield _warned(
            arm,
            f"no shell runs the command, so {' '.join(dict.fromkeys(words))} is handed to the program as it is; "
            "for a shell write `bash -c '...'`",
        )
    for variable in commands.missing_variables(command):
        yield _warned(arm, f"the command needs the environment variable {variable}, which is not set here")
    if unused := _unused(arm):
        yield _warned(
            arm,
            f"the command mentions no {', '.join(unused)}, so what the study sets there changes nothing; it may take "
            "{settings}, a file of all settings",
        )
    if arm.has_data and settings.data.augment.moves:
        yield _warned(
            arm, "a command gets its images unmoved: data.augment is for it to do, or not done at all"
        )


def _warned(arm: Arm, message: str) -> Finding:
    return Finding(kind="command", arm=arm.name, message=f"arm {arm.name}: {message}")


def _unused(arm: Arm) -> tuple[str, ...]:
    """Groups of settings that are set other than they are by default, and that the command does not take."""
    defaults = ArmSettings()
    uses = arm.uses or frozenset[str]()
    return tuple(
        group
        for group in commands.GROUPS
        if group not in uses and getattr(arm.settings, group) != getattr(defaults, group)
    )


def _files(arm: Arm) -> str:
    names = [name for name, _ in arm.sources.files] if arm.sources else []
    if not names:
        return "no file (none that it names is there; list those that count under `files`)"
    more = f" and {len(names) - MOST_FILES} more" if len(names) > MOST_FILES else ""
    return f"the content of {', '.join(names[:MOST_FILES])}{more}"
