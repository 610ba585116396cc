"""Real runs killed at random, and one fault after the other: `scripts/faults`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fairtrial.errors import FairtrialError
from fairtrial.report.marked import surroundings
from reliability import faults, places
from reliability.case import Found
from reliability.kills import Reference, Tally, kill_at_random, undisturbed
from reliability.kinds import KINDS
from reliability.page import measured_here, write
from reliability.small import TRIALS, hear_ctrl_c

BLOCK = "faults"

KEPT_EVERY = 40
"""Kills after which the state is written; fewer would leave one of the two studies side by side waiting."""


@dataclass(kw_only=True)
class State:
    """What was done so far, in this call and those before it with the same file."""

    seed: int
    tally: Tally = field(default_factory=Tally)
    found: dict[str, Found] = field(default_factory=dict)
    not_here: dict[str, str] = field(default_factory=dict)

    @property
    def complaints(self) -> list[str]:
        return [
            *self.tally.complaints,
            *(f"{name}: {one}" for name, found in self.found.items() for one in found.complaints),
        ]

    @classmethod
    def read(cls, path: Path | None, *, seed: int) -> State:
        if path is None or not path.exists():
            return cls(seed=seed)
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored["seed"] != seed:
            raise FairtrialError(
                f"{path} was begun with --seed {stored['seed']}, not {seed}: name another --state"
            )
        return cls(
            seed=seed,
            tally=Tally.of(stored["tally"]),
            found={name: Found(**one) for name, one in stored["found"].items()},
            not_here=stored["not_here"],
        )

    def keep(self, path: Path | None) -> None:
        if path is not None:
            body = {
                "seed": self.seed,
                "tally": self.tally.as_dict(),
                "found": {name: asdict(one) for name, one in self.found.items()},
                "not_here": self.not_here,
            }
            path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    add = parser.add_argument
    add("--kills", type=int, default=200, help="random kills in all")
    add("--seed", type=int, default=1, help="which random moments")
    add("--state", type=Path, help="go on from this file, and keep in it what was done")
    add(
        "--seconds",
        type=float,
        default=float("inf"),
        help="begin nothing more after so long; 0 to report only",
    )
    add("--write", type=Path, help=f"replace the {BLOCK} block of this file")
    options = parser.parse_args()
    hear_ctrl_c()
    try:
        state = State.read(options.state, seed=options.seed)
        if options.write:
            surroundings(options.write, BLOCK)
    except FairtrialError as error:
        sys.exit(str(error))
    until = time.monotonic() + options.seconds
    lacking = state.tally.total < options.kills or len(state.found) + len(state.not_here) < len(faults.FAULTS)
    if lacking and options.seconds > 0:
        with tempfile.TemporaryDirectory() as place:
            _go_on(state, Path(place), kills=options.kills, until=until, kept=options.state)
    lines = [
        *measured_here(f"scripts/faults --kills {options.kills} --seed {options.seed}"),
        "",
        *report(state),
    ]
    print("\n".join(lines))
    for complaint in state.complaints:
        print(f"WRONG: {complaint}", file=sys.stderr)
    if options.write:
        write(options.write, BLOCK, lines)
    return 1 if state.complaints else 0


def _go_on(state: State, place: Path, *, kills: int, until: float, kept: Path | None) -> None:
    places.mount_for_ourselves()
    whole = undisturbed(place / "undisturbed")
    for name in faults.FAULTS:
        if name not in state.found and name not in state.not_here and time.monotonic() < until:
            _one_fault(state, name, place / name, whole)
            state.keep(kept)
    while state.tally.total < kills and time.monotonic() < until:
        few = min(KEPT_EVERY, kills - state.tally.total)
        left = until - time.monotonic()
        kill_at_random(whole, state.tally, kills=few, seed=state.seed, say=_say, seconds=left)
        state.keep(kept)


def _one_fault(state: State, name: str, folder: Path, whole: Reference) -> None:
    try:
        state.found[name] = faults.befall(name, folder, whole)
        _say(f"{name}: {'; '.join(state.found[name].complaints) or 'whole'}")
    except places.NotHere as reason:
        state.not_here[name] = str(reason)
        _say(f"{name}: not possible here: {reason}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def report(state: State) -> Iterator[str]:
    """The block of docs/reliability.md."""
    tally = state.tally
    yield (
        f"{tally.total} kills at random moments in {tally.commands} runs of {tally.studies} studies of {TRIALS} trials: "
        f"{tally.finished} trials finished in the end, each the same to the bit as in a run that nobody disturbed."
    )
    yield ""
    yield "| killed | times | told | nothing to tell | what is said |"
    yield "|---|---|---|---|---|"
    for kind in KINDS:
        yield (
            f"| {kind.name} | {tally.kills[kind.name]} | {tally.told[kind.name]} | {tally.nothing_to_tell[kind.name]} | "
            f"{_cell(tally.sentences.get(kind.name, ''))} |"
        )
    yield ""
    yield (
        "Nothing to tell: the worker had no trial, or the command had not begun one. Besides, memory was taken from "
        f"{tally.unnoticed} workers that needed no more of it."
    )
    yield ""
    yield "| fault | how it was made here | trials that were done, and are kept | what is said |"
    yield "|---|---|---|---|"
    for name in faults.FAULTS:
        if name in state.found:
            one = state.found[name]
            yield f"| {one.fault} | {one.way} | {one.kept} of {one.finished} | {_cell(one.told)} |"
        else:
            why = f"not possible here: {state.not_here[name]}" if name in state.not_here else "not tried yet"
            yield f"| {name.replace('_', ' ')} | {why} | - | - |"
    yield ""
    lost = sum(one.finished - one.kept for one in state.found.values())
    counts = {
        "lost": lost + sum("lost:" in one for one in state.complaints),
        "trained twice": sum("twice:" in one for one in state.complaints),
        "different from an undisturbed run": sum(
            "different:" in one or "are not those of" in one for one in state.complaints
        ),
        "complaints of any kind": len(state.complaints),
    }
    yield "; ".join(f"{name}: {count}" for name, count in counts.items()).capitalize() + "."


def _cell(said: str) -> str:
    """A sentence as it was shown, without the names of this machine's folders."""
    shown = said.replace(sys.executable, "python").replace("|", "\\|")
    for word in said.split():
        if word.startswith("/") and "/" in word[1:]:
            shown = shown.replace(word.rstrip(":;,"), Path(word.rstrip(":;,")).name)
    return f"`{shown}`" if shown and not shown.startswith("(") else shown


if __name__ == "__main__":
    sys.exit(main())
