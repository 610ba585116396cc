"""Which trial next: seed by seed, nothing twice, retries, budgets; on a fake executor and a real store."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_executor import FakeExecutor, arm, finished, measuring, noise

from fairtrial import due, runner
from fairtrial.analysis import answers
from fairtrial.dispatch import Dispatch
from fairtrial.errors import DataError, StudyError
from fairtrial.images import shipped
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Margins, Question, Seeds, Study
from fairtrial.trial import ATTEMPTS, Event, Lost, Outcome, Trial, Unsaved

STUDY = Study(
    name="study",
    arms={"narrow": arm("narrow", 10), "wide": arm("wide", 20), "twin": arm("twin", 20)},
    questions=(Question(id="Q", variant="wide", baseline="narrow"),),
    seeds=Seeds(min=3, max=3),
)
GROWING = replace(STUDY, seeds=Seeds(min=3, max=12))


def pairs(executor: FakeExecutor) -> list[tuple[str, int]]:
    return [(order.trial.arm.name, order.trial.seed) for order in executor.trials]


def test_every_arm_gets_the_studys_minimum_seed_by_seed_and_twins_are_trained_once(store: Store) -> None:
    """All arms with seed 1 before any with seed 2: an interrupted run has compared what it has."""
    executor = FakeExecutor()
    report = runner.run(STUDY, store=store, executor=executor)
    assert pairs(executor) == [(name, seed) for seed in (1, 2, 3) for name in ("wide", "narrow")]
    assert (report.trained, report.remaining, report.ended_by) == (6, 0, "done")


def test_a_second_run_trains_only_what_is_new(store: Store) -> None:
    """Asking for two more seeds of a finished study costs two seeds."""
    runner.run(STUDY, store=store, executor=FakeExecutor())
    again, grown = FakeExecutor(), FakeExecutor()
    assert runner.run(STUDY, store=store, executor=again).trained == 0
    runner.run(STUDY, store=store, executor=grown, seeds=5)
    assert {seed for _, seed in pairs(grown)} == {4, 5}


def test_filters_train_the_named_arms_and_what_the_named_questions_need(store: Store) -> None:
    """`--arm` and `--question` narrow the work; an unknown name is a mistake that lists the known."""
    executor = FakeExecutor()
    runner.run(STUDY, store=store, executor=executor, arms=["narrow"], seeds=1)
    assert pairs(executor) == [("narrow", 1)]
    assert due.selected(STUDY, questions=["Q"]) == ("narrow", "wide")
    with pytest.raises(StudyError, match="narrow, wide, twin"):
        due.selected(STUDY, arms=["wise"])
    with pytest.raises(StudyError, match="has Q"):
        due.selected(STUDY, questions=["P"])


def test_a_failing_trial_is_tried_three_times_then_left_until_another_run_is_asked_for(store: Store) -> None:
    """A crash may be chance; three are a finding, and the study goes on without it. But disks are given room again."""

    def fails_for_wide(trial: Trial) -> Event:
        if trial.arm.name == "wide":
            return Lost(key=trial.key, state="failed", reason="struck by lightning")
        return finished(trial)

    executor = FakeExecutor(fails_for_wide)
    report = runner.run(STUDY, store=store, executor=executor, seeds=1)
    assert pairs(executor).count(("wide", 1)) == ATTEMPTS
    assert list(report.failed.values()) == ["struck by lightning"]
    assert report.trained == 1
    told: list[Event] = []
    again = FakeExecutor(fails_for_wide)
    runner.run(STUDY, store=store, executor=again, seeds=1, on_event=told.append)
    assert pairs(again) == [("wide", 1)], "once more, not three times"
    assert [event.retry for event in told if isinstance(event, Lost)] == [False], "nobody is told it goes on"
    later = FakeExecutor()
    report = runner.run(STUDY, store=store, executor=later, seeds=1)
    assert pairs(later) == [("wide", 1)]
    assert (report.trained, report.failed) == (1, {})


def test_a_failure_that_cannot_mend_is_not_repeated_in_the_same_run(store: Store) -> None:
    """A batch too large for the machine will be too large again."""

    def too_large(trial: Trial) -> Event:
        return Lost(key=trial.key, state="failed", reason="out of memory", retry=False)

    executor = FakeExecutor(too_large)
    runner.run(STUDY, store=store, executor=executor, arms=["wide"], seeds=1)
    assert len(executor.orders) == 1


def test_a_budget_adds_seeds_until_it_is_over_but_completes_the_minimum_first(store: Store) -> None:
    """Three seeds are the least an answer can be made of; what is left of the budget buys more."""
    rich, poor = FakeExecutor(seconds=0.02), FakeExecutor(seconds=0.15)
    study = replace(STUDY, seeds=Seeds(min=3, max=100))
    report = runner.run(study, store=store, executor=rich, budget_seconds=1.0)
    assert report.ended_by == "budget"
    assert 3 < max(seed for _, seed in pairs(rich)) < 100
    other = Study(name="other", arms={"a": arm("a", 30), "b": arm("b", 40)})
    runner.run(other, store=store, executor=poor, budget_seconds=0.3)
    assert pairs(poor) == [(name, seed) for seed in (1, 2, 3) for name in ("b", "a")]


def test_a_trial_that_overruns_the_budget_is_stopped_and_can_be_resumed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some end there is for anything; a stopped trial is no failure."""
    monkeypatch.setattr(runner, "SHORTEST_MINIMUM", 0.3)
    endless = FakeExecutor(seconds=60)
    began = time.monotonic()
    report = runner.run(STUDY, store=store, executor=endless, budget_seconds=0.2)
    assert time.monotonic() - began < 30, "it waited for a trial of a minute"
    assert len(endless.stopped) == 2 and report.trained == 0 and not report.failed
    after = FakeExecutor()
    assert runner.run(STUDY, store=store, executor=after).trained == 6


def test_what_another_process_trains_is_waited_for_not_trained_again(store: Store) -> None:
    """Two runs on one store share the work; neither repeats the other's."""
    first = due.trials(STUDY, ["narrow"], 1)[0]
    with Store.open(store.path) as other:
        claim = other.claim(first)
        assert isinstance(claim, Claim)
        executor = FakeExecutor()
        waits = 0

        def hand_over(event: Event) -> None:
            nonlocal waits
            if isinstance(event, Outcome):
                waits += 1
                if waits == 1:
                    other.record(claim, finished(first), trial=first, weights=False)

        report = runner.run(STUDY, store=store, executor=executor, seeds=1, on_event=hand_over)
    assert pairs(executor) == [("wide", 1)]
    assert report.remaining == 0


def test_weights_are_kept_for_the_first_three_seeds_unless_asked_otherwise(store: Store) -> None:
    """Weights are large; three networks per arm are enough to look at."""
    executor = FakeExecutor()
    runner.run(STUDY, store=store, executor=executor, seeds=4, arms=["wide"])
    assert [bool(order.weights) for order in executor.trials] == [True, True, True, False]
    for choice, kept in (("all", True), ("none", False)):
        executor = FakeExecutor()
        study = Study(name="x", arms={"a": arm("a", 50 + len(choice))})
        runner.run(study, store=store, executor=executor, seeds=4, weights=choice)  # pyright: ignore[reportArgumentType]
        assert {bool(order.weights) for order in executor.trials} == {kept}


def test_an_interrupted_run_gives_back_what_it_had_claimed(store: Store) -> None:
    """After Ctrl-C nobody has to wait for a trial that nobody trains."""

    def interrupt(event: Event) -> None:
        if isinstance(event, Outcome):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(STUDY, store=store, executor=FakeExecutor(), on_event=interrupt)
    keys = [trial.key for trial in due.trials(STUDY, list(STUDY.arms), 3)]
    assert store.holders(keys) == {}
    assert len(store.known(keys)) == 1


def test_a_checkpoint_is_kept_until_its_outcome_is_stored(store: Store) -> None:
    """Deleted by whoever trained, it would be missing if the power went before the outcome was safe."""
    trial = due.trials(STUDY, ["narrow"], 1)[0]
    kept = store.checkpoint_path(trial.key)
    kept.parent.mkdir()
    kept.write_bytes(b"state")

    def fails(trial: Trial) -> Event:
        return Lost(key=trial.key, state="failed", reason="power cut")

    runner.run(STUDY, store=store, executor=FakeExecutor(fails), arms=["narrow"], seeds=1)
    assert kept.exists()
    again = Study(name="again", arms={"wide": STUDY.arms["wide"]})
    other = store.checkpoint_path(due.trials(again, ["wide"], 1)[0].key)
    other.write_bytes(b"state")
    runner.run(again, store=store, executor=FakeExecutor(), seeds=1)
    assert not other.exists()


def test_a_settled_question_gets_no_more_seeds_and_an_open_one_gets_them_up_to_the_horizon(
    store: Store, tmp_path: Path
) -> None:
    """As many seeds as the answer needs: three or four for a large effect, all there are for a faint one."""
    clear = FakeExecutor(
        measuring(lambda trial: 0.9 + 0.05 * (trial.arm.name == "wide") + noise(trial, 0.001))
    )
    report = runner.run(GROWING, store=store, executor=clear)
    assert report.ended_by == "done"
    assert max(seed for _, seed in pairs(clear)) <= 5
    with Store.open(tmp_path / "faint.db") as other:
        faint = FakeExecutor(
            measuring(lambda trial: 0.9 + 0.002 * (trial.arm.name == "wide") + noise(trial, 0.02))
        )
        report = runner.run(GROWING, store=other, executor=faint)
    assert report.ended_by == "done"
    assert sorted(seed for name, seed in pairs(faint) if name == "wide") == list(range(1, 13))


def test_the_next_seed_goes_to_the_open_question_that_costs_least(store: Store) -> None:
    """Cheap answers first: whoever stops early has most of them."""
    arms = {name: arm(name, width) for name, width in (("a", 10), ("b", 20), ("big", 400), ("huge", 900))}
    study = Study(
        name="two",
        arms=arms,
        questions=(
            Question(id="dear", variant="huge", baseline="big"),
            Question(id="cheap", variant="b", baseline="a"),
        ),
        seeds=Seeds(min=3, max=6),
    )
    executor = FakeExecutor(measuring(lambda trial: 0.9 + noise(trial, 0.02)), workers=1)
    runner.run(study, store=store, executor=executor)
    after = [name for name, seed in pairs(executor) if seed > 3]
    assert after[:6] == ["b", "a"] * 3 or after[:6] == ["a", "b"] * 3
    assert set(after[6:]) == {"big", "huge"}


def test_a_settled_question_goes_on_only_to_sharpen(store: Store, tmp_path: Path) -> None:
    """ "An increase, size not settled" is an answer, and some want to know the size."""

    def executor() -> FakeExecutor:
        better = {"narrow": 0.0, "wide": 0.0022}
        return FakeExecutor(
            measuring(lambda trial: 0.9 + better.get(trial.arm.name, 0) + noise(trial, 0.0002))
        )

    study = replace(GROWING, margins=Margins(accuracy=0.0012))
    runner.run(study, store=store, executor=executor())
    first = answers(study, store)["Q"].accuracy
    assert first.verdict == "increase, size not settled" and first.seeds < 12
    report = runner.run(study, store=store, executor=executor(), sharpen=True)
    sharp = answers(study, store)["Q"].accuracy
    assert report.ended_by == "done"
    assert sharp.verdict == "increase that matters" and first.seeds < sharp.seeds < 12
    assert runner.run(study, store=store, executor=executor(), sharpen=True).trained == 0
    assert sharp.looks[: len(first.looks)] == first.looks


def test_an_interrupted_study_goes_on_to_the_same_seeds_and_verdicts(store: Store, tmp_path: Path) -> None:
    """Stopping and resuming must not be a way to another answer."""

    def ending(trial: Trial) -> Outcome:
        return measuring(lambda trial: 0.9 + 0.02 * (trial.arm.name == "wide") + noise(trial, 0.01))(trial)

    whole = runner.run(GROWING, store=store, executor=FakeExecutor(ending, workers=1))
    count = 0

    def interrupt(event: Event) -> None:
        nonlocal count
        if isinstance(event, Outcome):
            count += 1
            if count % 4 == 0:
                raise KeyboardInterrupt

    with Store.open(tmp_path / "interrupted.db") as other:
        for _ in range(20):
            try:
                runner.run(GROWING, store=other, executor=FakeExecutor(ending, workers=1), on_event=interrupt)
                break
            except KeyboardInterrupt:
                pass
        assert count == whole.trained
        mine, theirs = (answers(GROWING, one).as_dict()["answers"] for one in (other, store))
    assert mine == theirs


def test_filters_do_not_make_other_questions_train(store: Store) -> None:
    """`--question` narrows the work, whatever else is open."""
    study = replace(
        GROWING, questions=(*GROWING.questions, Question(id="P", variant="other", baseline="narrow"))
    )
    study = replace(study, arms={**study.arms, "other": arm("other", 70)})
    executor = FakeExecutor(measuring(lambda trial: 0.9 + noise(trial, 0.02)))
    runner.run(study, store=store, executor=executor, questions=["Q"])
    assert {name for name, _ in pairs(executor)} == {"narrow", "wide"}


def test_a_damaged_data_set_ends_the_run_before_any_trial(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted as failures of the trials it would have cost each its three attempts, and no later run would try them."""
    published = resources.files("fairtrial.data") / "mnist"
    damaged = tmp_path / "data" / "mnist"
    damaged.mkdir(parents=True)
    for file in published.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes()[:1000])
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shipped, "resources", SimpleNamespace(files=lambda _: tmp_path, as_file=nullcontext))
    executor = FakeExecutor()
    with pytest.raises(DataError, match=r"mnist/train-images.*it was cut short"):
        runner.run(STUDY, store=store, executor=executor)
    assert executor.orders == []
    assert store.plans() == []
    monkeypatch.undo()
    assert runner.run(STUDY, store=store, executor=executor).trained == 6


def test_a_trial_whose_weights_could_not_be_saved_is_recorded_without_them(store: Store) -> None:
    """The store must not name a file that is not there."""
    (first, second) = due.trials(STUDY, ["wide"], 2)
    dispatch = Dispatch(store=store, executor=FakeExecutor(), weights="all")
    for trial in (first, second):
        dispatch.start(trial)
    assert dispatch.take(Unsaved(key=first.key, what="weights", reason="No space left on device")) is None
    dispatch.take(Unsaved(key=second.key, what="checkpoint", reason="No space left on device"))
    for trial in (first, second):
        assert dispatch.take(finished(trial)) is not None
    with closing(sqlite3.connect(store.path)) as connection:
        rows = dict(connection.execute("SELECT key, weights_saved FROM trials"))
    assert rows == {first.key: 0, second.key: 1}
