"""What real trainings say of the verdicts: an arm is not told apart from itself, and two that differ are.

Trials of one arm in blocks of a few seeds, numbered anew from 1, are runs of "two" arms between which
there is nothing to find; whatever is found is false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairtrial.analysis.markdown import escaped
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.values import Answer, ArmTrials
from fairtrial.errors import FairtrialError
from fairtrial.stats.verdict import Verdict
from fairtrial.study.schema import On

Compare = Callable[[Path, Path], str]
"""The verdict of `fairtrial compare` on two files."""

BLOCK = 5
ALLOWED = 0.1
"""Share of repetitions that may find a direction: twice in twenty, where 5 % was promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sameness:
    """One arm against itself: a verdict for each pair of blocks."""

    arm: str
    on: On
    verdicts: tuple[Verdict, ...]

    @property
    def directions(self) -> int:
        return sum(bool(verdict.direction) for verdict in self.verdicts)

    @property
    def right(self) -> bool:
        return self.directions <= ALLOWED * len(self.verdicts)


def same_arm(arm: ArmTrials, *, on: On, repetitions: int, compare: Compare, folder: Path) -> Sameness:
    """Blocks of five seeds of the arm, two and two, held against each other through their files in `folder`.

    Seeds 1 to 10 make the first pair, 11 to 20 the second. Raises FairtrialError where a seed is missing.
    """
    finished = {trial.seed: trial.outcome for trial in arm.trials if trial.outcome.state == "finished"}
    wanted = range(1, 2 * BLOCK * repetitions + 1)
    if missing := [seed for seed in wanted if seed not in finished]:
        raise FairtrialError(
            f"{arm.arm.name} has no finished trial of {count_of(len(missing), 'seed')} of 1 to {len(wanted)}, the "
            f"first being seed {missing[0]}"
        )
    values = [finished[seed].metrics[f"{on}_accuracy_last_epoch"] for seed in wanted]
    verdicts: list[Verdict] = []
    for start in range(0, len(values), 2 * BLOCK):
        files = folder / "A.csv", folder / "B.csv"
        for file, first in zip(files, (start, start + BLOCK), strict=True):
            file.write_text(_block(values[first : first + BLOCK]), encoding="utf-8")
        verdicts.append(Verdict(compare(*files)))
    return Sameness(arm=arm.arm.name, on=on, verdicts=tuple(verdicts))


def _block(values: Sequence[float]) -> str:
    rows = [f"{seed},{value!r}\n" for seed, value in enumerate(values, start=1)]
    return "".join(["seed,accuracy\n", *rows])


def settled_at(answer: Answer, verdict: Verdict) -> int | None:
    """The number of seeds at which this verdict first stood; None if it never did."""
    return next((look.n for look in answer.looks if look.standing is verdict), None)


def sameness_table(found: Sequence[Sameness], answer: Answer, *, within: int) -> Iterator[str]:
    """What was asked of the verdicts and what came of it, as a table in Markdown."""
    yield "| real trainings | expected | found |"
    yield "|---|---|---|"
    for one in found:
        count = len(one.verdicts)
        yield (
            f"| {escaped(one.arm)} against itself, {one.on} accuracy: {count} times {BLOCK} seeds against {BLOCK} others, "
            f"numbered alike | an increase or decrease at most {int(ALLOWED * count)} times | {one.directions} |"
        )
    wanted = Verdict.INCREASE_MATTERS
    at = settled_at(answer, wanted)
    when = "not yet" if at is None else f"at {count_of(at, 'seed')}"
    yield (
        f"| {escaped(answer.variant)} against {escaped(answer.baseline)}, {answer.on} {answer.metric} | {wanted.value} within "
        f"{count_of(within, 'seed')} | {when}: {escaped(answer.sentence)} |"
    )
