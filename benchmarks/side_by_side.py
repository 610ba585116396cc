"""fairtrial and three peers on the rows of the course, in turn on one machine: `benchmarks/run`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from time import perf_counter

from benchmarks import ours, results
from benchmarks.commands import add_output, at_least_one, command, say
from benchmarks.contenders import OURS, PEERS, TITLES, in_turn, our_python, run_peer
from benchmarks.environments import default_cache, keras_python
from benchmarks.machine import measure_ceilings, this_run
from benchmarks.results import RowResult, Run
from benchmarks.rows import describe, our_precision, rows, work
from benchmarks.scaling import Measurement, of_peer, of_trials
from fairtrial.engine.precision import resolve
from fairtrial.executors.local import available_cores
from fairtrial.study.schema import Arm
from fairtrial.study.shapes import parameters


@dataclass(slots=True, kw_only=True)
class _Round:
    """One row's contenders, called one after the other; what each has been found to need stays known."""

    arm: Arm
    folder: Path
    mnist: Path
    keras: Path | None
    options: argparse.Namespace
    sampled: dict[str, bool] = field(default_factory=dict[str, bool])
    """By peer, from its first round on: whether its epochs take too long to be run whole."""
    versions: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def measure(self, name: str, number: int) -> Measurement:
        """Seconds of one contender in round `number`, counted from 0."""
        return self._ours(number) if name == OURS else self._peer(name)

    def _ours(self, number: int) -> Measurement:
        cores = len(available_cores())
        seeds = range(1 + number * cores, 1 + (number + 1) * cores)
        epochs = ours.epochs_to_run(self.arm, most=self.options.most_epochs)
        trials = ours.of_arm(self.arm, seeds, epochs=epochs)
        return of_trials(ours.at_once(trials), epochs=self.arm.settings.epochs)

    def _peer(self, name: str) -> Measurement:
        """Whole epochs, or steps once an epoch has been seen to take too long."""
        peer, asked = PEERS[name], self.options
        python = self.keras if peer.needs_keras else our_python()
        assert python is not None
        arguments: list[str | Path] = [describe(self.arm, self.folder), "--mnist", self.mnist]
        found = None
        if not self.sampled.get(name):
            limit = [] if name in self.sampled else ["--longest", str(asked.longest)]
            found = run_peer(peer, python, [*arguments, "--epochs", str(asked.most_epochs), *limit])
            self.sampled[name] = found["way"] == "too long"
        if found is None or self.sampled[name]:
            found = run_peer(peer, python, [*arguments, "--sampled-steps", str(asked.steps)])
        self.versions[name] = found["versions"]
        return of_peer(found, epochs=self.arm.settings.epochs, steps=self.arm.steps_per_epoch)


def measure_row(round_: _Round, contenders: Sequence[str], run: Run) -> RowResult:
    """All rounds of a row: as many as asked, else three, or one where the first took long."""
    arm, asked = round_.arm, round_.options
    found: dict[str, list[Measurement]] = {name: [] for name in contenders}
    began, number, repeats = perf_counter(), 0, asked.repeats or 1
    while number < repeats:
        for name in contenders:
            one = round_.measure(name, number)
            found[name].append(one)
            say(f"  {TITLES[name]}: {one.fit_seconds:.2f} s ({one.measured})")
        number += 1
        if not asked.repeats and number == 1 and perf_counter() - began < asked.short:
            repeats = 3
    return RowResult(
        run=run.date,
        parameters=parameters(arm),
        epochs=arm.settings.epochs,
        precision=our_precision(arm, resolve(arm.settings.precision)),
        work=work(arm),
        rounds={name: tuple(some) for name, some in found.items()},
        versions=round_.versions,
    )


def main() -> int:
    arms = rows()
    asked = _options(tuple(arms))
    stored = results.read(asked.output)
    names = [name for name in asked.row or arms if not (asked.missing and name in stored.rows)]
    if not names:
        say(f"{asked.output} has all of these rows")
        return 0
    contenders = in_turn(asked.peer or tuple(PEERS))
    needs_keras = any(PEERS[name].needs_keras for name in contenders if name in PEERS)
    keras = keras_python(given=asked.environment, cache=asked.cache) if needs_keras else None
    say("measuring what the machine can do at most")
    run = this_run(command("benchmarks/run", sys.argv[1:]), ceilings=measure_ceilings(keras))
    mnist = resources.files("fairtrial.data") / "mnist"
    with tempfile.TemporaryDirectory() as folder, resources.as_file(mnist) as images:
        for name in names:
            say(f"{name}:")
            round_ = _Round(arm=arms[name], folder=Path(folder), mnist=images, keras=keras, options=asked)
            row = measure_row(round_, contenders, run)
            stored = results.read(asked.output).with_row(name, row, run=run)
            results.write(stored, asked.output)
    say(f"written to {asked.output}; benchmarks/render makes the page of it")
    return 0


def _options(names: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    add = parser.add_argument
    add("--row", action="append", choices=names, help="measure this row only (repeatable)")
    add("--missing", action="store_true", help="leave out rows that the output has already")
    add("--peer", action="append", choices=tuple(PEERS), help="beside this peer only (repeatable)")
    add("--repeats", type=at_least_one, help="rounds; else 3, or 1 where the first took longer than --short")
    add("--short", type=float, default=240.0, help="seconds a first round may take to be repeated (240)")
    add(
        "--longest",
        type=float,
        default=60.0,
        help="seconds an epoch of a peer may take (60); else its steps are sampled",
    )
    add("--steps", type=at_least_one, default=300, help="steps to sample then (300)")
    add("--most-epochs", type=at_least_one, default=5, help="epochs to run of a row that has more (5)")
    add("--environment", type=Path, help="a virtual environment that holds what the Keras peers need")
    add("--cache", type=Path, default=default_cache(), help="folder to make that environment in")
    add_output(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
