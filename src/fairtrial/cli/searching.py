"""`fairtrial search` at work: a line per trial on stderr, then what came of it on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import typer
from pydantic import ValidationError

from fairtrial.analysis import Searched
from fairtrial.analysis.gather import trials
from fairtrial.analysis.searched import searched
from fairtrial.api import store_path
from fairtrial.cli.console import emit_json, stdout
from fairtrial.cli.selections import render_search
from fairtrial.cli.tally import lost_line
from fairtrial.durations import duration, seconds_in
from fairtrial.errors import StudyError
from fairtrial.executors.choice import Place
from fairtrial.searching import search
from fairtrial.seeking import searches_of
from fairtrial.store import Store
from fairtrial.study.candidates import search_mistakes
from fairtrial.study.mistakes import mistakes_in
from fairtrial.study.schema import Study
from fairtrial.study.searches import Search
from fairtrial.study.tree import from_python, plain
from fairtrial.study.yamltree import from_yaml
from fairtrial.tracking.live import Tracked, tracked
from fairtrial.trial import Event, Lost, Outcome, Trial, Unsaved


def with_search(
    study: Study,
    space: Sequence[str],
    *,
    baseline: str,
    metric: str | None,
    sampler: str | None,
    budget: str | None,
    name: Sequence[str] | None,
) -> tuple[Study, str]:
    """The study with one more search, made of options, and what it is called. Raises StudyError with every mistake."""
    if name and len(name) > 1:
        raise StudyError("--space makes one search: give it one name with --search")
    called = name[0] if name else "search"
    if called in {one.id for one in study.search}:
        raise StudyError(f"study {study.name!r} has a search {called!r} already; name yours with --search")
    ranges = [_range(text) for text in space]
    for path in {path for path, _ in ranges if [one for one, _ in ranges].count(path) > 1}:
        raise StudyError(f"--space is given twice for {path}")
    given = {"metric": metric, "sampler": sampler, "budget": budget}
    body = {
        "id": called,
        "baseline": baseline,
        "space": dict(ranges),
        **{key: value for key, value in given.items() if value is not None},
    }
    taken = [one.id for one in (*study.questions, *study.retuned, *study.combined)]
    tree = from_python(body, where="")
    try:
        made = Search.model_validate(body)
    except ValidationError as error:
        raise StudyError(list(mistakes_in(error, tree, Search))) from None
    mistakes = list(
        search_mistakes([tree], [made], names=tuple(study.arms), arms=study.arms, questions=taken)
    )
    if mistakes:
        raise StudyError(mistakes)
    return replace(study, search=(*study.search, made)), called


def _range(text: str) -> tuple[str, object]:
    path, equals, value = text.partition("=")
    node = from_yaml(value, where=lambda _: f"--space {text}") if equals else None
    if node is None or not path.strip():
        raise StudyError(
            f"--space {text}: give it as PATH=RANGE, such as network.mlp.width={{int: [16, 2048]}}"
        )
    return path.strip(), plain(node)


def search_study(
    study: Study,
    *,
    only: Sequence[str] | None,
    budget: str | None,
    most: int | None,
    executor: Place,
    store: Path | None,
    as_json: bool,
    track: Sequence[str] = (),
) -> None:
    """Run the study's searches one after the other, and print what came of each."""
    wanted = searches_of(study, only)
    budget_seconds = None if budget is None else seconds_in(budget)
    path = store_path(store)
    found: list[Searched] = []
    ended: list[str] = []
    with (
        tracked(track, say=lambda line: typer.echo(line, err=True)) as trackers,
        Store.open(path) as opened,
        executor.ready() as working,
    ):
        for one in wanted:
            watch = _Watch(search=one, study=study.name, trackers=trackers)
            report = search(
                study,
                one,
                store=opened,
                executor=working,
                budget_seconds=budget_seconds,
                most=most,
                on_event=watch.take,
                on_begin=watch.begin,
                on_confirmation=watch.confirm,
            )
            found.append(searched(study, one, opened))
            if report.frozen_before:
                ended.append(
                    f"{one.id}: its candidate was chosen before, from {report.proposed} proposals; this call went on "
                    "with its confirmation alone"
                )
            if report.ended_by == "nothing to choose":
                ended.append(
                    f"{one.id}: none of its {report.proposed} proposals has a result to be chosen by"
                )
            elif report.selected is None:
                ended.append(
                    f"{one.id}: the budget ended before anything could be chosen; run it again to go on"
                )
            elif report.ended_by == "budget":
                ended.append(
                    f"{one.id}: the budget ended before its confirmation was settled; run it again to go on"
                )
    if as_json:
        emit_json({"study": study.name, "searches": [one.as_dict() for one in found]})
        return
    console = stdout()
    for one in found:
        render_search(one, console)
    for line in ended:
        typer.echo(line)
    typer.echo(f"everything is kept in {path.absolute()}")


@dataclass(slots=True, kw_only=True)
class _Watch:
    """Says what ended, a line each."""

    search: Search
    study: str
    trackers: Tracked
    begun: dict[str, tuple[Trial, str]] = field(default_factory=dict[str, tuple[Trial, str]])
    done: int = 0

    def begin(self, trial: Trial, about: str) -> None:
        self.begun[trial.key] = (trial, about)
        self.trackers.expect(self.study, [trial])

    def confirm(self, study: Study) -> None:
        self.trackers.expect_study(study)
        for arm in study.arms.values():
            self.begun |= {one.key: (one, "fresh") for one in trials(arm, range(1, study.seeds.max + 1))}
        variant = study.questions[0].variant
        typer.echo(f"confirming {variant} against {self.search.baseline} on fresh seeds", err=True)

    def take(self, event: Event) -> None:
        self.say(event)
        self.trackers.take(event)

    def say(self, event: Event) -> None:
        if not isinstance(event, Outcome | Lost | Unsaved):
            return
        trial, about = self.begun[event.key]
        what = f"{trial.arm.name} seed {trial.number} ({about})"
        if isinstance(event, Unsaved):
            typer.echo(f"{what}: {event}", err=True)
            return
        self.done += 1
        typer.echo(f"[{self.done}] {what}: {_came_to(event, self.search)}", err=True)


def _came_to(event: Outcome | Lost, search: Search) -> str:
    if isinstance(event, Lost):
        return lost_line(event)
    if event.state == "diverged":
        return f"diverged: {event.reason}"
    value = event.metrics.get(f"validation_{search.metric}_last_epoch")
    if value is None:
        return f"finished without a validation {search.metric}, {duration(event.seconds['fit'])}"
    shown = f"{100 * value:.2f} %" if search.metric == "accuracy" else f"{value:.4f}"
    return f"validation {search.metric} {shown}, {duration(event.seconds['fit'])}"
