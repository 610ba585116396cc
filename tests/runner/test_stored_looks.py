"""The looks a run stores: all of them, as soon as they are taken, and the same ones whatever interrupts it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_executor import FakeExecutor, arm, finished

from fairtrial import runner
from fairtrial.analysis import answers
from fairtrial.analysis.replaying import replay_store
from fairtrial.store import Store, StoredVerdict
from fairtrial.study.schema import Question, Seeds, Study
from fairtrial.trial import METRICS, Event, Outcome, Trial

GAINS = {"a": 0.0, "b": 0.0015, "c": 0.02, "d": 0.0001}
STUDY = Study(
    name="gains",
    arms={name: arm(name, width) for name, width in zip(GAINS, (10, 20, 30, 40), strict=True)},
    questions=(
        Question(id="faint", variant="b", baseline="a", metrics=("accuracy", "loss")),
        Question(id="clear", variant="c", baseline="a", on=("validation", "test")),
        Question(id="none", variant="d", baseline="a", goal="not_worse"),
    ),
    seeds=Seeds(min=3, max=12),
)


def outcome(trial: Trial) -> Outcome:
    """A draw of its own for each arm and seed, the same in every run."""
    drawn = (
        0.9
        + GAINS[trial.arm.name]
        + 0.0006 * np.random.default_rng([trial.seed, ord(trial.arm.name)]).normal(size=len(METRICS))
    )
    metrics = dict(zip(METRICS, drawn.tolist(), strict=True)) | {"validation_seen": 0.0}
    return replace(finished(trial), metrics=metrics)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a run that nothing interrupts."""
    path = tmp_path_factory.mktemp("whole") / "store.db"
    with Store.open(path) as store:
        runner.run(STUDY, store=store, executor=FakeExecutor(outcome))
    return path


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "copied.db"))


def standing(verdicts: list[StoredVerdict]) -> dict[tuple[str, str], list[str]]:
    return {(one.question, one.terms): [look.verdict for look in one.looks] for one in verdicts}


def test_every_look_of_every_verdict_is_stored_and_replays(store: Store) -> None:
    """What was said when is kept, and anybody can check that it follows from the trials."""
    runner.run(STUDY, store=store, executor=FakeExecutor(outcome))
    stored = store.verdicts()
    found = {answer.terms.text: answer for answer in answers(STUDY, store)}
    assert {one.terms for one in stored} == set(found)
    for one in stored:
        answer = found[one.terms]
        assert [look.n for look in one.looks] == list(range(3, answer.seeds + 1))
        assert [look.seeds for look in one.looks] == [
            tuple(range(1, n + 1)) for n in range(3, answer.seeds + 1)
        ]
        last = one.looks[-1]
        assert (last.verdict, last.low, last.high) == (answer.verdict, answer.low, answer.high)
        assert 0 < last.sign_level < last.equivalence_level < 2 * answer.terms.alpha
    assert {one.looks[-1].verdict for one in stored} > {"increase that matters", "not worse"}
    replayed = replay_store(store)
    assert replayed.differences == ()
    assert (replayed.plans, replayed.verdicts) == (1, 5)
    assert replayed.looks == sum(len(one.looks) for one in stored) > 15


def test_a_look_is_stored_before_the_next_seed_is_chosen(store: Store) -> None:
    """A verdict that made a run stop must be on record when it did, not when the run ended."""
    settled: dict[str, int] = {}

    def watch(event: Event) -> None:
        for one in store.verdicts():
            if one.looks[-1].verdict != "undecided":
                settled.setdefault(f"{one.question} {len(one.terms)}", one.looks[-1].n)

    runner.run(STUDY, store=store, executor=FakeExecutor(outcome, workers=1), on_event=watch)
    assert min(settled.values()) == 3
    with Store.open(store.path) as again:
        looks = sum(len(one.looks) for one in again.verdicts())
        runner.run(STUDY, store=again, executor=FakeExecutor(outcome))
        assert sum(len(one.looks) for one in again.verdicts()) == looks


def test_a_run_of_so_many_seeds_stores_its_looks_too(store: Store) -> None:
    """`--seeds N` gives verdicts like any other run."""
    runner.run(STUDY, store=store, executor=FakeExecutor(outcome), seeds=5)
    assert {tuple(look.n for look in one.looks) for one in store.verdicts()} == {(3, 4, 5)}
    assert replay_store(store).differences == ()


@pytest.mark.parametrize("seed", range(4))
def test_interruptions_and_the_order_of_endings_change_no_look(
    tmp_path: Path, copied: Path, seed: int
) -> None:
    """Stopping, resuming, or a faster core must not be a way to another answer."""
    with Store.open(copied) as undisturbed:
        expected = undisturbed.verdicts()
    rng = np.random.default_rng(seed)
    with Store.open(tmp_path / "broken.db") as broken:

        def interrupt(event: Event) -> None:
            if isinstance(event, Outcome) and rng.random() < 0.2:
                raise KeyboardInterrupt

        for _ in range(100):
            try:
                executor = FakeExecutor(outcome, turn=lambda running: int(rng.integers(running)), workers=3)
                runner.run(STUDY, store=broken, executor=executor, on_event=interrupt)
                break
            except KeyboardInterrupt:
                pass
        assert broken.verdicts() == expected
        assert len(broken.plans()) == 1


def test_verdicts_only_sharpen_along_the_stored_looks(store: Store) -> None:
    """A verdict that was given stays given, or says more."""
    runner.run(STUDY, store=store, executor=FakeExecutor(outcome), seeds=12)
    for said in standing(store.verdicts()).values():
        words = list(dict.fromkeys(said))
        assert "undecided" not in words[1:]
        assert len({word.split(",")[0].split()[0] for word in words[1:]} - {"no"}) <= 1


def test_a_diverged_run_is_looked_at_and_replays(store: Store) -> None:
    """What was seen before it stays on record; from then on the comparison is void."""

    def ending(trial: Trial) -> Event:
        if (trial.arm.name, trial.seed) == ("c", 4):
            return replace(outcome(trial), state="diverged", metrics={}, reason="loss became nan")
        return outcome(trial)

    runner.run(STUDY, store=store, executor=FakeExecutor(ending), seeds=5)
    looks = next(one.looks for one in store.verdicts() if one.question == "clear" and "test" not in one.terms)
    assert [look.verdict for look in looks] == ["increase that matters", "unstable", "unstable"]
    assert answers(STUDY, store)["clear"].accuracy.verdict == "unstable"
    assert replay_store(store).differences == ()


def test_a_later_plan_has_looks_of_its_own_and_both_replay(store: Store) -> None:
    """Old verdicts are checked on old terms, though the study file has long moved on."""
    runner.run(STUDY, store=store, executor=FakeExecutor(outcome))
    grown = replace(
        STUDY,
        questions=(*STUDY.questions[1:], Question(id="late", variant="d", baseline="b")),
        margins=STUDY.margins.model_copy(update={"accuracy": 0.005}),
    )
    runner.run(grown, store=store, executor=FakeExecutor(outcome))
    replayed = replay_store(store)
    assert replayed.differences == ()
    assert (replayed.plans, replayed.verdicts) == (2, 5 + 4)


TAMPERINGS = {
    "a trial": ("UPDATE trials SET validation_accuracy_last_epoch = validation_accuracy_last_epoch + 0.001 "
                "WHERE seed = 2 AND arm_key = (SELECT min(arm_key) FROM arms)", "is stored as"),
    "a trial that is gone": ("DELETE FROM trials WHERE seed = 1", "what it looked at is not in the store"),
    "a verdict": ("UPDATE looks SET verdict = 'decrease that matters' WHERE n = 3", "verdict is stored as decrease"),
    "a look by itself": ("UPDATE looks SET alone = 'not worse' WHERE n = 3 AND alone <> 'not worse'", "alone is stored"),
    "an interval": ("UPDATE looks SET low = low * 1.001 WHERE low IS NOT NULL", "low is stored as"),
    "a level": ("UPDATE looks SET sign_level = 0.05", "sign_level is stored as 0.05"),
    "the seeds": ("UPDATE looks SET seeds = '[1, 2, 4]' WHERE n = 3", "seeds is stored as"),
    "the margin": ("UPDATE looks SET margin = 0.01", "margin is stored as 0.01"),
    "the terms": ("UPDATE verdicts SET terms = replace(terms, 'not_worse', 'change')", "terms were changed"),
    "the plan": ("UPDATE plans SET plan = replace(plan, '\"margin\":0.001', '\"margin\":0.002')", "was changed after"),
    "a look that is gone": ("DELETE FROM looks WHERE n = 3", "no look is stored at 3 seeds"),
    "all plans gone": ("DELETE FROM plans", "no stored plan has the terms"),
    "whose plan it is": ("UPDATE plans SET study = 'another'", "no stored plan has the terms"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_tampered_store_is_found_out(copied: Path, what: str) -> None:
    """A check that could not fail would be worth nothing."""
    change, said = TAMPERINGS[what]
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        assert connection.execute(change).rowcount > 0
    with Store.open(copied) as store:
        differences = replay_store(store).differences
    assert any(said in difference for difference in differences), differences


def test_terms_forged_along_with_their_digest_follow_from_no_plan(copied: Path) -> None:
    """A wider alpha, with looks that fit it, was promised by nobody."""
    import json

    from fairtrial.analysis.terms import sha256

    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        (digest, terms) = connection.execute("SELECT sha256, terms FROM verdicts LIMIT 1").fetchone()
        forged: dict[str, Any] = json.loads(terms) | {"alpha": 0.05}
        text = json.dumps(forged, sort_keys=True, separators=(",", ":"))
        connection.execute(
            "UPDATE verdicts SET terms = ?, sha256 = ? WHERE sha256 = ?", (text, sha256(text), digest)
        )
        connection.execute("UPDATE looks SET terms_sha256 = ? WHERE terms_sha256 = ?", (sha256(text), digest))
    with Store.open(copied) as store:
        differences = replay_store(store).differences
    assert any("no stored plan has the terms" in difference for difference in differences)
