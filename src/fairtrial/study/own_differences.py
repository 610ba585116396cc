"""What differs between arms that are made of the user's own code: commands, parameters, factories, files."""

from __future__ import annotations

from collections.abc import Iterator

from fairtrial.study.difference import Difference, Held, value_apart
from fairtrial.study.factories import identity_of
from fairtrial.study.own import Own
from fairtrial.study.schema import Arm


def own_apart(path: str, variant: Own, baseline: Own) -> Iterator[Difference]:
    """Values of the user's own, by their dotted paths; one that an arm does not have is None there."""
    mine, yours = variant.flat(), baseline.flat()
    for name in dict.fromkeys((*mine, *yours)):
        ours, theirs = mine.get(name), yours.get(name)
        # 1 and true are equal in Python, and another value each to a program.
        if (type(ours), ours) != (type(theirs), theirs):
            yield Difference(path=f"{path}.{name}", variant=ours, baseline=theirs)


def program_apart(variant: Arm, baseline: Arm) -> Iterator[Difference]:
    """What commands differ in. Other files by themselves are a difference: the same command may run another program."""
    mine, yours = variant.settings, baseline.settings
    yield from value_apart("command", mine.command, yours.command)
    yield from own_apart("parameters", mine.parameters, yours.parameters)
    yield from value_apart("cores", mine.cores, yours.cores)
    if mine.command == yours.command and mine.command is not None:
        yield from files_apart("files", variant, baseline)


def files_apart(path: str, variant: Arm, baseline: Arm) -> Iterator[Difference]:
    """Files of two arms that are not the same files."""
    mine, yours = (dict(arm.sources.files) if arm.sources else {} for arm in (variant, baseline))
    if mine != yours:
        apart = {name for name in (*mine, *yours) if mine.get(name) != yours.get(name)}
        listed = [", ".join(sorted(apart & set(side))) or "none of these" for side in (mine, yours)]
        if listed[0] == listed[1]:
            listed = [f"{text}, as it is in each arm's folder" for text in listed]
        yield Difference(path=path, variant=listed[0], baseline=listed[1])


def factory_apart(variant: Arm, baseline: Arm) -> Iterator[Difference]:
    """Two networks of which one at least is the user's own code: by factory and arguments, or as a whole."""
    mine, yours = variant.settings.network, baseline.settings.network
    if mine.python is None or yours.python is None:
        yield Difference(
            path="network.python",
            variant=mine.python and identity_of(mine.python),
            baseline=yours.python and identity_of(yours.python),
        )
    else:
        yield from value_apart("network.python", identity_of(mine.python), identity_of(yours.python))
        if identity_of(mine.python) == identity_of(yours.python):
            yield from files_apart("network.python", variant, baseline)
    yield from own_apart("network.arguments", mine.arguments, yours.arguments)


def held_by_programs(variant: Arm, baseline: Arm, differing: list[str]) -> Iterator[Held]:
    """The command two arms share, and the values it is given."""
    if not (variant.is_command and baseline.is_command):
        return
    if "command" not in differing:
        yield Held(path="command", value=baseline.settings.command)
    shared = baseline.settings.parameters.flat()
    for name in variant.settings.parameters.flat():
        if name in shared and f"parameters.{name}" not in differing:
            yield Held(path=f"parameters.{name}", value=shared[name])


def held_of_factory(variant: Arm, baseline: Arm, differing: list[str]) -> Iterator[Held]:
    """What two networks of the user's own share."""
    own = baseline.settings.network
    if own.python is not None and "network.python" not in differing:
        yield Held(path="network.python", value=identity_of(own.python))
    theirs = variant.settings.network.arguments.flat()
    for name, value in own.arguments.flat().items():
        if name in theirs and f"network.arguments.{name}" not in differing:
            yield Held(path=f"network.arguments.{name}", value=value)
