"""`fairtrial check`: what to know before training, and what it would cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairtrial.analysis import answers
from fairtrial.analysis.cost import Cost, costs
from fairtrial.analysis.further import FurtherCost, further_costs
from fairtrial.analysis.gather import gather
from fairtrial.analysis.prices import MarginPrice, Prices, prices, total
from fairtrial.analysis.progress import progress
from fairtrial.api import open_to_read, store_path
from fairtrial.cli.console import emit_json, stdout
from fairtrial.cli.pricing import HEAD, listed, price_line
from fairtrial.data.heldout import image_findings
from fairtrial.durations import duration
from fairtrial.errors import Mistake, StudyError
from fairtrial.executors.local import available_cores
from fairtrial.executors.probing import Probed, probe
from fairtrial.study.check import Finding, findings
from fairtrial.study.schema import Arm, Study
from fairtrial.study.searches import Search
from fairtrial.study.shapes import multiply_adds, parameters
from fairtrial.study.space import parameters as named
from fairtrial.study.space import spoken

WEAKENING = ("confounded", "leak", "unjudged", "unchanged", "early_stopping", "command", "own data")

BASIS = {
    "measured": "measured here",
    "cluster": "measured on the cluster",
    "scaled": "from other arms measured",
    "guess": "a guess",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCheck:
    """One arm: its size, its trials known and new, and what one new trial takes."""

    arm: str
    parameters: int | None
    """None where a command trains it; multiply-adds are not known of any network of the user's own."""
    multiply_adds: int | None
    known: int
    new: int
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCheck:
    """One search: what it may change, and how long it may take on whatever machine."""

    search: str
    sentence: str
    parameters: tuple[str, ...]
    budget_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCheck:
    """Everything `check` says of a study without mistakes. `seconds` is all new trials on all workers.

    `prices` holds a list for each verdict on accuracy or loss, `price_of_all` what all questions about
    accuracy cost together; `horizon` is the largest number of seeds the study allows. `further` are the questions
    that rest on others, which are no part of `seconds`.
    """

    study: str
    title: str
    findings: tuple[Finding, ...]
    arms: tuple[ArmCheck, ...]
    seeds: int
    workers: int
    seconds: float
    guessed: bool
    horizon: int
    prices: tuple[Prices, ...]
    price_of_all: tuple[MarginPrice, ...]
    further: tuple[FurtherCost, ...]
    searches: tuple[SearchCheck, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_study(study: Study, *, store: Path | None, workers: int | None) -> StudyCheck:
    """Raises StudyError if a network is impossible or cannot be built, DataError if the test images are not held out."""
    built = build_own(study)
    found = (*findings(study), *image_findings(study))
    used = workers or len(available_cores())
    with open_to_read(store_path(store)) as opened:
        standing = progress(study, opened, workers=used)
        arms = gather(list(study.arms.values()), opened)
        further: tuple[FurtherCost, ...] = ()
        if study.retuned or study.combined:
            further = further_costs(study, opened, answers(study, opened, history=False), workers=used)
    cost = costs(arms)
    lists = prices(study, arms, cost, workers=used)
    return StudyCheck(
        study=study.name,
        title=study.title,
        findings=found,
        arms=tuple(
            ArmCheck(
                arm=row.arm,
                parameters=_parameters(study.arms[row.arm], built),
                multiply_adds=multiply_adds(study.arms[row.arm])
                if study.arms[row.arm].is_described
                else None,
                known=row.done,
                new=len(row.missing) + len(row.running),
                cost=row.cost,
            )
            for row in standing.arms
        ),
        seeds=study.seeds.min,
        workers=standing.workers,
        seconds=standing.seconds_left,
        guessed=standing.guessed,
        horizon=study.seeds.max,
        prices=lists,
        price_of_all=total(study, lists, cost, workers=used),
        further=further,
        searches=tuple(map(_search, study.search)),
    )


def build_own(study: Study) -> dict[str, int]:
    """How many weights each network of the user's own has, by arm: each is built once, and nothing is trained.

    Raises StudyError with the mistake of each that cannot be built.
    """
    counts: dict[str, int] = {}
    mistakes: list[Mistake] = []
    known: dict[object, Probed] = {}
    for name, arm in study.arms.items():
        if not arm.is_module:
            continue
        what = (arm.settings.network, arm.sources, arm.settings.data.facts)
        found = known[what] if what in known else known.setdefault(what, probe(arm))
        if found.mistake:
            mistakes.append(
                Mistake(where=study.source, message=f"arm {name!r}: network.python: {found.mistake}")
            )
        elif found.parameters is not None:
            counts[name] = found.parameters
    if mistakes:
        raise StudyError(mistakes)
    return counts


def _parameters(arm: Arm, built: dict[str, int]) -> int | None:
    return parameters(arm) if arm.is_described else built.get(arm.name)


def _search(search: Search) -> SearchCheck:
    names = tuple(dict.fromkeys(spoken(name) for name, _ in named(search.space)))
    return SearchCheck(
        search=search.id,
        sentence=f"{search.id}: `fairtrial search` looks for better than {search.baseline} over {', '.join(names)}; "
        f"{search.budget} with its confirmation",
        parameters=names,
        budget_seconds=search.budget_seconds,
    )


def print_check(checked: StudyCheck, *, as_json: bool) -> None:
    if as_json:
        emit_json(checked.as_dict())
        return
    console = stdout()
    console.print(Text(f"{checked.study}: no mistakes", style="bold"))
    if checked.title:
        console.print(Text(checked.title))
    console.print()
    # What weakens an answer before what merely comes with the question.
    for finding in sorted(checked.findings, key=lambda finding: finding.kind not in WEAKENING):
        style = "yellow" if finding.kind in WEAKENING else ""
        console.print(
            Padding(Text(f"{finding.kind}: {finding.message}", style=style), (0, 0, 0, 2), expand=False)
        )
    if checked.findings:
        console.print()
    console.print(_table(checked))
    console.print()
    console.print(Text(cost_sentence(checked)))
    for one in (*checked.further, *checked.searches):
        console.print(Padding(Text(one.sentence), (0, 0, 0, 2), expand=False))
    _print_prices(checked, console)


def _print_prices(checked: StudyCheck, console: Console) -> None:
    if not checked.prices:
        return
    console.print()
    console.print(Text(HEAD))
    for one in checked.prices:
        console.print(Padding(Text(price_line(one, horizon=checked.horizon)), (0, 0, 0, 2), expand=False))
    if len({one.question for one in checked.prices}) > 1 and checked.price_of_all:
        together = listed(checked.price_of_all, "accuracy", horizon=checked.horizon)
        console.print(
            Padding(Text(f"all of these on accuracy together: {together}"), (0, 0, 0, 2), expand=False)
        )


def cost_sentence(checked: StudyCheck) -> str:
    """What training to the least number of seeds takes, and how well that is known."""
    new = sum(arm.new for arm in checked.arms)
    if not new:
        return f"All arms have their first {checked.seeds} seeds already: nothing new to train."
    workers = "1 worker" if checked.workers == 1 else f"{checked.workers} workers"
    how = "; a guess for this machine, nothing of this study was timed on it yet" if checked.guessed else ""
    return (
        f"{checked.seeds} seeds of every arm need {new} new trials: about {duration(checked.seconds)} "
        f"on {workers}{how}."
    )


def _table(checked: StudyCheck) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("arm", overflow="fold")
    for head in ("parameters", "multiply-adds", "known", "new", "s / trial"):
        table.add_column(head, justify="right")
    table.add_column("", style="dim")
    for arm in checked.arms:
        table.add_row(
            arm.arm,
            "–" if arm.parameters is None else f"{arm.parameters:,}",
            "–" if arm.multiply_adds is None else f"{arm.multiply_adds:,}",
            str(arm.known),
            str(arm.new),
            f"{arm.cost.seconds:.1f}",
            BASIS[arm.cost.basis],
        )
    return table
