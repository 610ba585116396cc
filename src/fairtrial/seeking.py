"""Searches, for programs: settings that do better than a baseline, one of them judged on fresh seeds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from fairtrial.analysis.searched import Searched, searched
from fairtrial.api import LOG, seconds_of, store_path, whole
from fairtrial.errors import StudyError
from fairtrial.store import Store
from fairtrial.study.schema import Study
from fairtrial.study.searches import Search
from fairtrial.study.studyfile import load
from fairtrial.trial import Event, Trial


def search(
    study: Study | str | Path,
    only: str | Collection[str] | None = None,
    *,
    budget: str | float | None = None,
    trials: int | None = None,
    workers: int | None = None,
    executor: str = "local",
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
    track: str | Sequence[str] = (),
    progress: bool | None = None,
    store: str | Path | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> tuple[Searched, ...]:
    """Search for settings that do better, freeze one candidate and judge it on fresh seeds.

    Every search that the study declares, or those called `only`; each with the budget and the largest number of
    proposals it declares unless given; `executor`, `track` and `progress` as for `run`. A further call goes on where this one ended. Raises
    FairtrialError for what it cannot do.
    """
    from fairtrial.executors.choice import Place
    from fairtrial.searching import search as search_one
    from fairtrial.tracking.live import tracked
    from fairtrial.watching import narrator

    study = load(study)
    wanted = searches_of(study, only)
    workers = None if workers is None else whole("workers", workers)
    most = None if trials is None else whole("trials", trials)
    budget_seconds = None if budget is None else seconds_of(budget)
    place = Place(name=executor, workers=workers, cpus=cpus_per_trial, gpus=gpus_per_trial)
    with (
        tracked([track] if isinstance(track, str) else track, say=LOG.warning) as trackers,
        Store.open(store_path(store)) as opened,
        place.ready() as working,
    ):
        told = narrator(progress)

        def begin(trial: Trial, _: str) -> None:
            trackers.expect(study.name, [trial])
            told.expect([trial])

        def confirm(judged: Study) -> None:
            trackers.expect_study(judged)
            told.expect_study(judged)

        def take(event: Event) -> None:
            on_event(event)
            trackers.take(event)
            told.take(event)

        for one in wanted:
            search_one(
                study,
                one,
                store=opened,
                executor=working,
                budget_seconds=budget_seconds,
                most=most,
                on_event=take,
                on_begin=begin,
                on_confirmation=confirm,
            )
        return tuple(searched(study, one, opened) for one in wanted)


def searches_of(study: Study, only: str | Collection[str] | None = None) -> tuple[Search, ...]:
    """The searches a study declares, or those called `only`. Raises StudyError for one that it does not declare."""
    named = [only] if isinstance(only, str) else list(only or ())
    known = {search.id: search for search in study.search}
    for name in named:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it declares none"
            raise StudyError(f"no search {name!r} in study {study.name!r}; {has}")
    if not known:
        raise StudyError(
            f"study {study.name!r} declares no search; add a `search:` section, or give --baseline and --space"
        )
    return tuple(known[name] for name in named) if named else study.search
