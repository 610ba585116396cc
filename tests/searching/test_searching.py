"""Whole searches on a made-up objective and a real store: resumed, shared, cut short, confirmed elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fairtrial.analysis import answers
from fairtrial.analysis.confirming import with_confirmations
from fairtrial.analysis.points import Point, points
from fairtrial.analysis.replaying import replay_store, replay_studies
from fairtrial.analysis.searched import Searched, searched
from fairtrial.searching import SearchReport, search
from fairtrial.searching.simulation import SimulatedExecutor, simulate, study_of
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Study
from fairtrial.study.space import IntRange
from fairtrial.trial import Event, Idle, Lost, Outcome, Trial
from fairtrial.wire import Order, TimingOrder


def rising(width: int) -> float:
    return 0.9 + min(width, 1000) / 20_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.db") as opened:
        yield opened


def run(
    store: Store,
    *,
    study: Study | None = None,
    trials: int = 15,
    workers: int = 2,
    executor: SimulatedExecutor | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> tuple[SearchReport, SimulatedExecutor]:
    study = study or study_of(trials=trials)
    executor = executor or SimulatedExecutor(rising, universe=1, workers=workers)
    return search(study, study.search[0], store=store, executor=executor, on_event=on_event), executor


def found_in(store: Store, study: Study) -> Searched:
    return searched(study, study.search[0], store)


def widths(store: Store, study: Study) -> list[int | float]:
    return [point.values["network.mlp.width"] for point in points(study, study.search[0], store)]


def test_the_candidate_is_judged_on_seeds_and_images_it_was_not_chosen_on(store: Store) -> None:
    study = study_of(trials=15)
    report, executor = run(store, study=study)
    found = found_in(store, study)
    assert report.proposed == len(found.points) == 15
    assert found.candidate is not None and report.selected == found.candidate.number
    numbers = {(order.trial.arm.name, order.trial.number) for order in executor.orders}
    assert {number for name, number in numbers if name != "width-200"} <= {
        *range(1001, 1006),
        *range(3001, 3051),
    }
    answer = found.answer
    assert answer is not None and answer.on == "test"
    assert answer.verdict == "increase that matters"
    assert answer.variant == found.candidate.arm.name
    assert "is better than width-200" in found.sentence
    assert "best" not in found.sentence
    assert "optimistic by selection" in found.search_sentence
    assert replay_store(store).differences == ()


def test_only_the_contenders_have_more_than_one_seed(store: Store) -> None:
    study = study_of(trials=12)
    study = replace(study, search=(study.search[0].model_copy(update={"halving": False}),))
    run(store, study=study)
    seeds = sorted((point.seeds for point in found_in(store, study).points), reverse=True)
    assert seeds[:5] == [5, 5, 3, 2, 2]
    assert set(seeds[5:]) == {1}


def test_stopped_points_are_attempts_and_no_results(store: Store) -> None:
    study = study_of(trials=20)
    report, _ = run(store, study=study)
    found = found_in(store, study)
    stopped = [point for point in found.points if point.state == "stopped"]
    assert len(stopped) == report.stopped > 0
    for point in stopped:
        assert point.results == {} and point.scores is not None and 1 <= len(point.scores) < 4
        (attempt,) = store.attempts([Trial(arm=point.arm, seed=1, precision="float32").key]).values() or ((),)
        states = {one.state for one in attempt}
        assert states <= {"stopped"}
        assert point not in (*found.by_seconds, *found.by_parameters)
    assert all(point.state == "finished" for point in found.by_parameters)


def test_once_frozen_a_search_proposes_nothing_more(store: Store) -> None:
    study = study_of(trials=10)
    first, _ = run(store, study=study)
    again, executor = run(
        store, study=replace(study, search=(study.search[0].model_copy(update={"trials": 99}),))
    )
    assert again.selected == first.selected and again.proposed == 10
    assert [order for order in executor.orders if order.trial.arm.block == 1000] == []


def test_a_second_search_over_the_same_space_trains_only_its_confirmation(store: Store) -> None:
    """Each has its own seeds for the confirmation: the second does not judge on what the first has shown."""
    study = study_of(trials=12)
    run(store, study=study)
    other = replace(study, search=(study.search[0].model_copy(update={"id": "again", "budget": "2h"}),))
    report, executor = run(store, study=other)
    assert report.trained == 0 and report.proposed == 12
    assert {order.trial.number // 1000 for order in executor.orders} == {4}
    one, two = found_in(store, study), found_in(store, other)
    assert one.candidate is not None and two.candidate is not None
    assert one.candidate.values == two.candidate.values


class Killed(Exception):
    """Where a kill would strike."""


@pytest.mark.parametrize("after", [1, 7, 13, 22])
def test_a_search_that_was_killed_proposes_what_it_would_have_proposed(tmp_path: Path, after: int) -> None:
    study = study_of(trials=16)
    with Store.open(tmp_path / "whole.db") as store:
        run(store, study=study, workers=1)
        whole = widths(store, study)
        selected = found_in(store, study).candidate
    with Store.open(tmp_path / "killed.db") as store:
        ended = 0

        def strike(event: Event) -> None:
            nonlocal ended
            ended += isinstance(event, Outcome | Lost)
            if ended == after:
                raise Killed

        with pytest.raises(Killed):
            run(store, study=study, workers=1, on_event=strike)
        run(store, study=study, workers=1)
        assert widths(store, study) == whole
        again = found_in(store, study).candidate
        assert selected is not None and again is not None and again.number == selected.number


def test_two_workers_lose_no_trial_and_propose_no_point_twice(store: Store) -> None:
    study = study_of(trials=24)
    ended = 0

    def strike(event: Event) -> None:
        nonlocal ended
        ended += isinstance(event, Outcome | Lost)
        if ended == 9:
            raise Killed

    with pytest.raises(Killed):
        run(store, study=study, workers=2, on_event=strike)
    before = {point.number: point.results for point in points(study, study.search[0], store)}
    run(store, study=study, workers=2)
    after = points(study, study.search[0], store)
    assert len({point.values["network.mlp.width"] for point in after}) == len(after) == 24
    assert all(point.state != "open" for point in after)
    for point in after:
        assert before.get(point.number, {}).items() <= point.results.items()


def test_what_another_process_trains_is_waited_for(tmp_path: Path) -> None:
    """A point somebody else has claimed is neither trained twice nor forgotten."""
    study = study_of(trials=4)
    with Store.open(tmp_path / "s.db") as store, Store.open(tmp_path / "s.db") as other:
        held: list[Claim] = []

        def claim_the_next(event: Event) -> None:
            if isinstance(event, Outcome) and not held:
                arm = replace(study.arms["width-200"], block=1000)
                claim = other.claim(Trial(arm=arm, seed=2, precision="bfloat16"))
                if isinstance(claim, Claim):
                    held.append(claim)
            elif held and isinstance(event, Outcome):
                other.release(held.pop())

        began = time.monotonic()
        report, _ = run(store, study=study, on_event=claim_the_next)
        assert report.selected is not None
        assert time.monotonic() - began < 30


class Failing(SimulatedExecutor):
    """Diverges above 1000 units, and above 1500 runs out of memory."""

    def _trained(self, order: Order | TimingOrder) -> Iterator[Event]:
        assert isinstance(order, Order)
        mlp = order.trial.arm.settings.network.mlp
        assert mlp is not None
        if mlp.width > 1500:
            yield Lost(key=order.key, state="failed", reason="out of memory", retry=False)
        elif mlp.width > 1000:
            for event in super()._trained(order):
                if isinstance(event, Outcome):
                    yield replace(
                        event, state="diverged", metrics={}, predictions=None, reason="loss became nan"
                    )
                else:
                    yield event
        else:
            yield from super()._trained(order)


def test_what_diverges_or_fails_is_never_chosen(store: Store) -> None:
    study = study_of(trials=25)
    run(store, study=study, executor=Failing(rising, universe=3))
    found = found_in(store, study)
    states = {point.state for point in found.points}
    assert {"diverged", "finished"} <= states
    assert found.candidate is not None and found.candidate.values["network.mlp.width"] <= 1000


class Slow(SimulatedExecutor):
    """Networks of more than 300 units never end by themselves."""

    def _trained(self, order: Order | TimingOrder) -> Iterator[Event]:
        assert isinstance(order, Order)
        mlp = order.trial.arm.settings.network.mlp
        assert mlp is not None
        if mlp.width <= 300:
            yield from super()._trained(order)
            return
        while order in self._running:
            time.sleep(0.01)
            yield Idle()
        yield Lost(key=order.key, state="stopped", reason="stopped before its end")


def test_what_takes_too_long_is_stopped_and_never_chosen(store: Store) -> None:
    study = study_of(trials=10)
    study = replace(study, search=(study.search[0].model_copy(update={"longest": "0.05s"}),))
    run(store, study=study, executor=Slow(rising, universe=1, workers=1))
    found = found_in(store, study)
    slow = [point for point in found.points if point.values["network.mlp.width"] > 300]
    assert slow and all(point.state == "stopped" and point.scores == () for point in slow)
    assert found.candidate is not None and found.candidate.values["network.mlp.width"] <= 300


class Diverging(Failing):
    """Nothing but the baseline trains."""

    def _trained(self, order: Order | TimingOrder) -> Iterator[Event]:
        assert isinstance(order, Order)
        for event in SimulatedExecutor._trained(self, order):
            if isinstance(event, Outcome) and order.trial.arm.name != "width-200":
                yield replace(event, state="diverged", metrics={}, predictions=None, reason="loss became nan")
            else:
                yield event


def test_where_everything_diverges_nothing_is_chosen_and_that_is_said(store: Store) -> None:
    study = study_of(trials=4)
    study = replace(study, search=(study.search[0].model_copy(update={"halving": False}),))
    report, _ = run(store, study=study, executor=Diverging(rising, universe=1))
    assert (report.selected, report.ended_by) == (None, "nothing to choose")
    found = found_in(store, study)
    assert "4 proposals (4 diverged)" in found.search_sentence and found.cheapest == ()


def test_a_budget_that_ends_before_anything_has_finished_chooses_nothing(store: Store) -> None:
    study = study_of(trials=5)
    executor = SimulatedExecutor(rising, universe=1)
    report = search(study, study.search[0], store=store, executor=executor, budget_seconds=1e-9)
    assert report.selected is None and report.confirmed is None and report.ended_by == "budget"
    found = found_in(store, study)
    assert found.candidate is None and found.answer is None
    assert found.sentence == "No candidate has been chosen yet to be held against width-200."


def test_a_loss_is_searched_downwards(store: Store) -> None:
    study = study_of(trials=12)
    study = replace(study, search=(study.search[0].model_copy(update={"metric": "loss"}),))
    run(store, study=study)
    found = found_in(store, study)
    assert found.answer is not None and found.answer.metric == "loss"
    assert found.answer.verdict.startswith("decrease") and "is better than width-200" in found.sentence


def test_costs_are_answered_from_finished_points_alone(store: Store) -> None:
    """The front rises with cost and with accuracy; the smallest that will do lies within the margin of the best."""
    study = study_of(trials=25)
    run(store, study=study)
    found = found_in(store, study)
    front = found.by_parameters
    assert len(front) >= 2
    sizes = [point.parameters for point in front]
    results = [result for point in front if (result := point.results[1]) is not None]
    assert sizes == sorted(sizes) and results == sorted(results)
    finished = [one for one in found.points if one.state == "finished"]
    best = max(result for one in finished if (result := one.results[1]) is not None)
    (smallest, by_parameters, _) = found.cheapest
    assert smallest.cost == "network.mlp.width" and smallest.result >= best - study.margins.accuracy
    better = [one for one in finished if one.values["network.mlp.width"] < smallest.value]
    assert all((one.results[1] or 0) < best - study.margins.accuracy for one in better)
    assert by_parameters.number == smallest.number
    assert found.plateau is not None and found.plateau.start <= 2048


def test_answers_carry_the_search_and_its_points(store: Store) -> None:
    study = study_of(trials=8)
    run(store, study=study)
    body = answers(study, store).as_dict()["searches"][0]
    assert body["search"] == "S" and body["candidate"]["optimistic"] is True
    assert [one["number"] for one in body["points"]] == list(range(-1, 8))
    assert body["confirmation"]["on"] == "test"


def test_a_point_knows_its_state() -> None:
    made = Point(number=0, arm=study_of(trials=1).arms["width-200"], values={})
    assert made.state == "open"
    assert replace(made, because="out of memory").state == "failed"


@pytest.mark.slow
def test_best_of_search_is_a_fluke_and_the_confirmed_claim_is_not() -> None:
    """All widths alike: the best of twelve beats the baseline nearly always, and the confirmed claim is rare."""
    found = [simulate(lambda _: 0.98, universe=number, trials=12) for number in range(24)]
    assert sum(one.naive for one in found) >= 16
    assert sum(one.confirmed for one in found) <= 3


def test_a_replay_of_the_study_goes_through_its_confirmations_too(store: Store) -> None:
    study = study_of(trials=5)
    run(store, study=study)
    found = replay_studies(store, with_confirmations(study))
    assert found.looks > 0 and found.plans == 1 and found.differences == ()
    store._connection.execute("UPDATE looks SET estimate = estimate + 0.01")  # pyright: ignore[reportPrivateUsage]
    assert replay_studies(store, with_confirmations(study)).differences


def test_the_baseline_races_beside_the_contenders_with_one_worker_too(store: Store) -> None:
    """What the candidate seems to gain is a mean over as many seeds as it has."""
    study = study_of(trials=8)
    study = replace(study, search=(study.search[0].model_copy(update={"halving": False}),))
    run(store, study=study, workers=1)
    found = found_in(store, study)
    assert found.candidate is not None
    assert found.baseline.seeds == found.candidate.seeds == found.seeds == 5


def test_a_budget_that_ends_while_points_are_trained_is_no_lack_of_results(store: Store) -> None:
    """The same call goes on with them another time."""
    study = study_of(trials=3)
    slow = Slow(rising, universe=1)
    study = replace(study, search=(study.search[0].model_copy(update={"budget": "1s"}),))
    space = {"network.mlp.width": IntRange(low=400, high=2000)}
    only_slow = replace(study, search=(study.search[0].model_copy(update={"space": space}),))
    report = search(only_slow, only_slow.search[0], store=store, executor=slow)
    assert (report.selected, report.ended_by) == (None, "budget")


def test_a_further_confirmation_under_one_name_says_that_it_is(store: Store) -> None:
    study = study_of(trials=6)
    run(store, study=study)
    space = {"network.mlp.width": IntRange(low=16, high=2000, log=True)}
    other = replace(study, search=(study.search[0].model_copy(update={"space": space}),))
    run(store, study=other)
    first, second = found_in(store, study).answer, found_in(store, other).answer
    assert first is not None and second is not None
    assert "one candidate was confirmed under this name before" not in str(first.caveats)
    assert "one candidate was confirmed under this name before" in str(second.caveats)


def test_a_later_call_says_that_the_candidate_was_chosen_before(store: Store) -> None:
    study = study_of(trials=4)
    first, _ = run(store, study=study)
    again, _ = run(store, study=study)
    assert (first.frozen_before, again.frozen_before) == (False, True)
