"""The plan of a study: what is in it, what later changes cost, and what they are called."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fairtrial.analysis import Answer, answers
from fairtrial.analysis.plan import plan_from, plan_of
from fairtrial.analysis.register import arm_keys, register
from fairtrial.stats.families import Family, later
from fairtrial.store import Store
from fairtrial.study.check import verdicts_by_place
from fairtrial.study.schema import Arm, Margins, Published, Question, Seeds, Study
from fairtrial.study.schema import Claim as SaidClaim
from fairtrial.study.studyfile import builtin_names, load

Pairs = Callable[..., None]
MakeArm = Callable[..., Arm]
CLEAR = [0.0102, 0.0110, 0.0105, 0.0098, 0.0108, 0.0104]


def sha256(study: Study) -> str:
    return plan_of(study, arm_keys(study)).sha256


def asking(study: Study, *questions: dict[str, Any]) -> Study:
    """The study with its question asked as each of these says."""
    return replace(study, questions=tuple(study.questions[0].model_copy(update=one) for one in questions))


def claim(**fields: Any) -> SaidClaim:
    return SaidClaim.model_validate(fields)


def caveats(answer: Answer) -> str:
    return "; ".join(str(caveat) for caveat in answer.caveats)


@pytest.fixture
def narrow_study(study: Study) -> Study:
    """One question on validation accuracy alone: the test set's and the times' shares stay unspent."""
    return asking(study, {"metrics": ("accuracy",), "on": ("validation",)})


@pytest.mark.parametrize("name", builtin_names())
def test_a_plan_has_every_verdict_that_is_counted_and_comes_back_from_its_text(name: str) -> None:
    """A verdict outside of the plan would be one nobody promised anything about."""
    study = load(name)
    plan = plan_of(study, arm_keys(study))
    counted = dict.fromkeys(verdicts_by_place(study), 0)
    for planned in plan.verdicts:
        counted[planned.family.value] += 1
    assert counted == verdicts_by_place(study)
    assert plan_from(plan.text) == plan
    assert plan_from(plan.text).sha256 == plan.sha256


def test_a_plan_leaves_out_what_cannot_change_a_verdict(study: Study, make_arm: MakeArm) -> None:
    """Correcting a title must not look like moving the goalposts."""
    worded = claim(says="increase", text="it got better", to=0.95)
    levelled = claim(says="level", level=0.97, text="about 97")
    base = asking(study, {"claims": (worded, levelled), "id": "A"}, {"id": "B", "metrics": ("accuracy",)})
    same = [
        replace(base, title="Another title", source="elsewhere.yaml", name="another-name"),
        replace(base, questions=base.questions[::-1]),
        replace(base, arms=dict(reversed(base.arms.items()))),
        replace(base, arms={**base.arms, "unasked": make_arm("unasked", width=3)}),
        asking(
            base,
            {"id": "A2", "ask": "?", "note": "!", "on": ("test", "validation"), "factors": None,
             "claims": (levelled.model_copy(update={"text": None}), worded.model_copy(update={"to": 0.99}))},
            {"id": "B2", "claims": (), "metrics": ("accuracy",)},
        ),
        replace(
            base,
            arms={
                name: replace(arm, title="t", note="n", published=Published(test_accuracy=0.9))
                for name, arm in base.arms.items()
            },
        ),
    ]  # fmt: skip
    assert {sha256(one) for one in same} == {sha256(base)}
    other = [
        replace(base, margins=Margins(accuracy=0.002)),
        replace(base, margins=Margins(loss=0.03)),
        replace(base, seeds=Seeds(min=3, max=51)),
        replace(base, seeds=Seeds(min=4, max=50)),
        replace(base, confidence=0.9),
        asking(base, {"goal": "not_worse"}),
        asking(base, {"over": "end"}),
        asking(base, {"metrics": ("accuracy",)}),
        asking(base, {"on": ("test",)}),
        asking(base, {"claims": (levelled.model_copy(update={"level": 0.98}),)}),
        replace(base, arms={**base.arms, "wide": make_arm("wide", width=300)}),
    ]
    assert len({sha256(one) for one in [base, *other]}) == 1 + len(other)


def test_a_plan_knows_arms_by_what_they_compute_not_by_name(study: Study) -> None:
    """A better name for an arm is no other arm."""
    renamed = replace(
        asking(study, {"variant": "broad"}),
        arms={"broad": replace(study.arms["wide"], name="broad"), "narrow": study.arms["narrow"]},
    )
    assert sha256(renamed) == sha256(study)


def test_two_runs_that_register_at_once_register_one_plan(
    narrow_study: Study, store: Store, put_pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has read that there is none when the first writes it and begins to train: it has seen nothing all the same."""
    counted, others = store.seen, [narrow_study]

    def seen(*given: Any, **more: Any) -> dict[str, int]:
        while others:
            register(others.pop(), store)
            put_pairs(CLEAR[:3])
        return counted(*given, **more)

    monkeypatch.setattr(Store, "seen", lambda _, *given, **more: seen(*given, **more))
    register(narrow_study, store)
    (plan,) = store.plans()
    assert plan.seen == {}


def test_only_a_run_registers_and_the_same_plan_once(
    narrow_study: Study, store: Store, put_pairs: Pairs
) -> None:
    """Reading answers must leave no trace; running the same study again is no change of plan."""
    answers(narrow_study, store)
    assert store.plans() == []
    register(narrow_study, store)
    put_pairs(CLEAR)
    register(narrow_study, store)
    register(replace(narrow_study, title="Another title"), store)
    (plan,) = store.plans()
    assert (plan.study, plan.sha256, dict(plan.seen)) == (narrow_study.name, sha256(narrow_study), {})
    assert answers(narrow_study, store)["Q"].accuracy.caveats == ()


def test_a_changed_margin_is_caveated_with_the_trials_seen_by_then(
    narrow_study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A margin chosen to fit the result answers nothing; the reader must know, before and after the next run."""
    register(narrow_study, store)
    put_pairs(CLEAR[:4])
    changed = replace(narrow_study, margins=Margins(accuracy=0.02))
    text = "changed plan: the margin was changed after 8 trials were seen: it had been 0.1 pp"
    assert caveats(answers(changed, store)["Q"].accuracy) == text
    register(changed, store)
    put_pairs(CLEAR[4:], start=5)
    assert caveats(answers(changed, store)["Q"].accuracy) == text
    assert answers(narrow_study, store)["Q"].accuracy.caveats == ()
    register(narrow_study, store)
    assert answers(narrow_study, store)["Q"].accuracy.caveats == ()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"seeds": Seeds(min=3, max=60)}, "the horizon was changed after 12 trials were seen: it had been 50 seeds"),
        ({"seeds": Seeds(min=4, max=50)}, "first look was changed after 12 trials were seen: it had been 3 seeds"),
        ({"confidence": 0.9}, "the confidence was changed after 12 trials were seen: it had been 95 %"),
    ],
)  # fmt: skip
def test_every_changed_term_is_caveated(
    narrow_study: Study, store: Store, put_pairs: Pairs, change: dict[str, Any], text: str
) -> None:
    """The guarantee ends at the horizon fixed beforehand; whoever moves it afterwards has to say so."""
    register(narrow_study, store)
    put_pairs(CLEAR)
    assert text in caveats(answers(replace(narrow_study, **change), store)["Q"].accuracy)


def test_changes_before_any_trial_was_seen_are_free(
    narrow_study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A plan is a draft until somebody has seen something."""
    register(asking(narrow_study, {}, {"id": "R", "on": ("test",)}), store)
    changed = replace(narrow_study, margins=Margins(accuracy=0.02))
    register(changed, store)
    put_pairs(CLEAR)
    found = answers(changed, store)["Q"].accuracy
    assert found.caveats == ()
    assert found.terms.alpha == pytest.approx(0.05 * 0.75)


def test_questions_added_later_take_nothing_from_earlier_ones(
    narrow_study: Study, store: Store, put_pairs: Pairs, make_arm: MakeArm
) -> None:
    """Ever more questions must not make answers given already less sure, nor the whole report."""
    register(narrow_study, store)
    put_pairs(CLEAR)
    before = answers(narrow_study, store)["Q"].accuracy
    grown = replace(
        narrow_study,
        arms={**narrow_study.arms, "new": make_arm("new", width=77), "newer": make_arm("newer", width=78)},
        questions=(
            *narrow_study.questions,
            Question(id="fresh", variant="newer", baseline="new"),
            Question(id="half", variant="new", baseline="narrow"),
        ),
    )
    found = answers(grown, store)
    assert (found["Q"].accuracy.low, found["Q"].accuracy.high) == (before.low, before.high)
    # Half of the quarter that the test set and times left unspent, for two verdicts.
    assert [found[name].accuracy.terms.alpha for name in ("fresh", "half")] == [
        pytest.approx(0.05 / 8 / 2)
    ] * 2
    assert found["fresh"].accuracy.caveats == ()
    assert caveats(found["half"].accuracy) == (
        "changed plan: this question was added after 6 trials of its arms were seen"
    )
    register(grown, store)
    again = replace(
        grown, questions=(*grown.questions, Question(id="last", variant="newer", baseline="wide"))
    )
    assert answers(again, store)["last"].accuracy.terms.alpha == pytest.approx(0.05 / 16)
    assert answers(again, store)["half"].accuracy.terms.alpha == pytest.approx(0.05 / 16)
    dropped = replace(again, questions=again.questions[1:2])
    assert answers(dropped, store)["fresh"].accuracy.terms.alpha == pytest.approx(0.05 / 16)


def test_where_nothing_was_left_unspent_a_later_question_says_that_it_stands_outside(
    study: Study, store: Store, put_pairs: Pairs, make_arm: MakeArm
) -> None:
    """The one promise is either kept or not claimed."""
    register(study, store)
    put_pairs(CLEAR)
    grown = replace(
        study,
        arms={**study.arms, "new": make_arm("new", width=77)},
        questions=(*study.questions, Question(id="R", variant="new", baseline="narrow")),
    )
    found = answers(grown, store)["R"].accuracy
    assert found.terms.alpha == pytest.approx(0.025)
    assert "outside the promise: this question was added" in caveats(found)
    assert "97.5 %" in caveats(found)
    assert "outside" not in "".join(caveats(one) for one in answers(grown, store)["Q"])


def test_another_metric_on_the_same_arms_is_a_change_of_the_question(
    narrow_study: Study, store: Store, put_pairs: Pairs
) -> None:
    """Looking for the metric that gives the wished-for answer is the oldest trick there is."""
    register(narrow_study, store)
    put_pairs(CLEAR)
    for change in ({"metrics": ("loss",)}, {"on": ("test",)}, {"over": "end"}, {"goal": "not_worse"}):
        (found,) = answers(asking(narrow_study, change), store)["Q"]
        assert "was changed after 12 trials of its arms were seen" in caveats(found), change
        assert found.terms.alpha == pytest.approx(0.05 / 8)


def test_a_level_claimed_later_is_a_verdict_of_its_own(
    narrow_study: Study, store: Store, put_pairs: Pairs
) -> None:
    """Its interval is paid like any other; its question's verdict stays as it was."""
    register(narrow_study, store)
    put_pairs(CLEAR)
    claimed = asking(narrow_study, {"claims": (claim(says="level", level=0.971),)})
    found = answers(claimed, store)["Q"].accuracy
    assert found.terms.alpha == pytest.approx(0.05 * 0.75)
    assert "its claimed level was added after 12 trials of its arms were seen" in caveats(found)


def test_the_same_questions_under_another_name_say_what_had_been_seen(
    narrow_study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A copy of the file under a new name would otherwise be a way to a clean plan."""
    register(narrow_study, store)
    put_pairs(CLEAR)
    copy = replace(narrow_study, name="copy", margins=Margins(accuracy=0.02))
    register(copy, store)
    found = answers(copy, store)["Q"].accuracy
    assert caveats(found) == "late plan: planned after 12 trials of these arms were seen"
    assert found.terms.alpha == pytest.approx(0.05 * 0.75)
    assert answers(narrow_study, store)["Q"].accuracy.caveats == ()


def test_other_arms_under_the_same_name_are_another_study(
    narrow_study: Study, store: Store, put_pairs: Pairs, make_arm: MakeArm
) -> None:
    """A quick try with `--set epochs=1` must not cost the real study its shares, nor its answers a caveat."""
    quick = replace(
        narrow_study, arms={name: make_arm(name, width=width) for name, width in (("narrow", 7), ("wide", 9))}
    )
    register(quick, store)
    register(narrow_study, store)
    put_pairs(CLEAR)
    for one in (quick, narrow_study):
        found = answers(one, store)["Q"].accuracy
        assert (found.caveats, found.terms.alpha) == ((), pytest.approx(0.05 * 0.75))


def test_part_of_a_study_registers_all_of_it(study: Study, store: Store) -> None:
    """`--question` narrows the work and never the count of verdicts."""
    from fairtrial import runner

    class Nothing:
        free = 0

        def start(self, order: object) -> None:
            raise AssertionError

        def stop(self, key: str) -> None:
            raise AssertionError

        def events(self) -> Any:
            yield from ()

    two = replace(study, questions=(*study.questions, Question(id="R", variant="wide", baseline="narrow")))
    runner.run(two, store=store, executor=Nothing(), questions=["R"], seeds=1, budget_seconds=0)
    (plan,) = store.plans()
    assert plan.sha256 == sha256(two)


@pytest.mark.parametrize("used", [one for n in (1, 2, 3) for one in itertools.combinations(Family, n)])
def test_however_often_questions_are_added_the_promise_is_never_overspent(used: tuple[Family, ...]) -> None:
    """All of them inside, and everything together right with 95 %; or outside, and never below 90 %."""
    from fairtrial.stats.families import WEIGHTS

    given = [later(used, number=number, count=4, confidence=0.95) for number in range(1, 40)]
    spent = sum(4 * one.alpha for one in given)
    first = 0.05 * sum(WEIGHTS[family] for family in used)
    assert all(one.alpha > 0 for one in given)
    assert {one.inside for one in given} == {len(used) < 3}
    assert first + spent <= (0.05 if len(used) < 3 else 0.10) + 1e-12
