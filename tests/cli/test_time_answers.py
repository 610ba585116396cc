"""Answers on training time: from pairs timed in turn on this machine, and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from fairtrial.analysis import Answer, answers
from fairtrial.engine.machine import machine
from fairtrial.stats.intervals import ratio_interval
from fairtrial.stats.levels import nominal_level
from fairtrial.store import Store
from fairtrial.study.schema import Arm, Claim, Question, Seeds, Study

# The worked example: five pairs, a ratio of 1.316812.
BASELINE = [10.1, 10.3, 9.9, 10.2, 10.0]
VARIANT = [13.2, 13.6, 13.0, 13.3, 13.4]
Times = Callable[..., None]
Put = Callable[..., Any]


def kinds(answer: Answer) -> set[str]:
    return {caveat.kind for caveat in answer.caveats}


def timed(study: Study, store: Store) -> Answer:
    return answers(study, store)["Q"].time


def claiming(study: Study, *claims: dict[str, Any]) -> Study:
    said = tuple(Claim.model_validate({"metric": "time", **claim}) for claim in claims)
    return replace(study, questions=(study.questions[0].model_copy(update={"claims": said}),))


def test_the_ratio_and_its_interval_are_those_of_the_log_ratios(
    study: Study, store: Store, put_times: Times
) -> None:
    """The worked example: 1.3168, 1.2836 to 1.3509 for one question of up to 30 pairs; here it shares alpha."""
    alone = ratio_interval(
        np.log(VARIANT) - np.log(BASELINE), nominal=nominal_level(0.05, first=3, horizon=30)
    )
    assert (alone.low, alone.high) == pytest.approx((1.283580, 1.350904), abs=1e-6)
    put_times(VARIANT, BASELINE)
    found = timed(study, store)
    assert found.estimate == pytest.approx(1.316812, abs=1e-6)
    every_look = ratio_interval(
        np.log(VARIANT) - np.log(BASELINE), nominal=nominal_level(0.05 * 0.10, first=3, horizon=50)
    )
    assert (found.low, found.high) == pytest.approx((every_look.low, every_look.high))
    assert found.variant_mean is not None and found.baseline_mean is not None
    assert found.variant_mean / found.baseline_mean == pytest.approx(found.estimate)
    assert (found.verdict, found.seeds, found.margin, found.on) == ("increase that matters", 5, 0.05, None)


def test_the_sentence_can_be_read_aloud(study: Study, store: Store, put_times: Times) -> None:
    """Both arms' seconds, the ratio with its interval, how it was timed, what it settles, and `fit`."""
    put_times(VARIANT, BASELINE)
    found = timed(study, store)
    assert found.sentence == (
        "Training took 13.3 s instead of 10.1 s: 1.32 times as long (1.25 to 1.39, 5 pairs, timed alone): "
        "an increase that matters (margin 5 %). With a validation after each epoch (`fit`), 14.6 s instead of "
        "11.1 s: 1.32 times as long."
    )
    assert found.caveats == ()
    assert (found.variant_fit_seconds, found.baseline_fit_seconds) == pytest.approx(
        (14.629, 11.109), abs=1e-3
    )


def test_exchanging_the_arms_mirrors_the_answer(study: Study, store: Store, put_times: Times) -> None:
    """Whichever arm began a pair, and whichever is called the variant, the clocks are the same."""
    put_times(VARIANT, BASELINE)
    question = study.questions[0].model_copy(update={"variant": "narrow", "baseline": "wide"})
    found, mirrored = timed(study, store), timed(replace(study, questions=(question,)), store)
    assert mirrored.verdict == "decrease that matters"
    assert None not in (found.estimate, found.low, found.high)
    assert (mirrored.estimate, mirrored.low, mirrored.high) == pytest.approx(
        tuple(1 / (one or 0) for one in (found.estimate, found.high, found.low))
    )


def test_equal_arms_end_without_a_difference_that_matters(
    study: Study, store: Store, put_times: Times
) -> None:
    """A verdict as any other: within 5 %, not merely "no evidence"."""
    put_times(
        [10.0, 10.1, 9.9, 10.0, 10.1, 9.95, 10.0, 10.05], [10.05, 10.0, 10.0, 9.95, 10.05, 10.0, 10.1, 10.0]
    )
    found = timed(study, store)
    assert found.verdict == "no difference that matters"
    assert "1.00 times as long" in found.sentence


def test_trials_clocks_are_never_used(study: Study, store: Store, put: Put) -> None:
    """They tell what else the machine was doing; an answer without pairs says how to get some."""
    for seed in range(1, 9):
        put(study.arms["narrow"], seed, train=1.0 + 0.01 * (seed % 3))
        put(study.arms["wide"], seed, train=9.0 + 0.1 * (seed % 2))
    found = timed(claiming(study, {"says": "increase"}), store)
    assert (found.verdict, found.seeds, found.estimate, found.variant_mean) == ("undecided", 0, None, None)
    assert "not timed yet on this machine" in found.sentence
    assert "`fairtrial run`" in found.sentence
    assert found.claims[0].verdict == "not settled"
    assert "not timed yet" in found.claims[0].because


def test_pairs_of_another_machine_are_left_out_and_said(study: Study, store: Store, put_times: Times) -> None:
    """Seconds of two machines compare the machines, not the arms."""
    put_times([50.0] * 4, [1.0] * 4, machine="elsewhere")
    put_times([50.0] * 2, [1.0] * 2, processor="another, after the machine was renewed")
    before = timed(study, store)
    assert (before.verdict, before.seeds) == ("undecided", 0)
    assert "6 pairs timed on another machine not used" in str(before.caveats[0])
    put_times(VARIANT, BASELINE)
    found = timed(study, store)
    assert (found.seeds, found.estimate) == (5, pytest.approx(1.316812, abs=1e-6))
    assert kinds(found) == {"another machine"}


def test_pairs_that_a_clusters_node_timed_count_where_this_machine_timed_none(
    study: Study, store: Store, put_times: Times
) -> None:
    """Who sends trials away has no clock of their own; the pairs of a second node are never mixed in."""
    node = {"executor": "ray", "node": "0123456789ab"}
    put_times(VARIANT[:4], BASELINE[:4], machine="node-1", processor="p", provenance=node)
    put_times([50.0] * 3, [1.0] * 3, machine="node-2", processor="p", provenance=node)
    found = timed(study, store)
    assert (found.seeds, found.verdict) == (4, "increase that matters")
    assert (found.terms.machine, found.terms.processor) == ("node-1", "p")
    assert "3 pairs timed on another machine not used" in str(found.caveats[0])
    put_times([1.0] * 3, [1.01] * 3)
    here = timed(study, store)
    assert (here.seeds, here.terms.machine) == (3, machine())


def test_pairs_beside_other_work_are_used_and_flagged(study: Study, store: Store, put_times: Times) -> None:
    """Leaving them out would be choosing after looking; not saying so would be worse."""
    put_times(VARIANT[:3], BASELINE[:3])
    put_times(VARIANT[3:], BASELINE[3:], other_load=1.93)
    found = timed(study, store)
    assert (found.seeds, found.verdict) == (5, "increase that matters")
    assert "5 pairs, 2 of them timed beside other work" in found.sentence
    (caveat,) = found.caveats
    assert caveat.kind == "shared machine"
    assert caveat.text.startswith("2 of 5 pairs timed while other work") and "1.9 cores" in caveat.text


@pytest.mark.parametrize(("load", "flagged"), [(0.5, False), (0.51, True)])
def test_half_a_core_is_where_other_work_begins_to_count(
    load: float, flagged: bool, study: Study, store: Store, put_times: Times
) -> None:
    """Every machine does something now and then."""
    put_times(VARIANT, BASELINE, other_load=load)
    assert ("shared machine" in kinds(timed(study, store))) is flagged


def test_a_system_that_tells_no_load_is_not_called_alone(
    study: Study, store: Store, put_times: Times
) -> None:
    """Not known is not the same as none."""
    put_times(VARIANT, BASELINE, other_load=None, load_average=None)
    found = timed(study, store)
    assert "timed alone" not in found.sentence
    assert kinds(found) == {"shared machine"}


def test_claims_on_time_are_judged_by_their_direction(study: Study, store: Store, put_times: Times) -> None:
    """The notebook's seconds were of another machine; that one arm takes longer may still be true here."""
    put_times(VARIANT, BASELINE)
    claims = ({"says": "increase", "from": 7.396, "to": 7.856}, {"says": "decrease"}, {"says": "no change"})
    found = timed(claiming(study, *claims, {"says": "level", "level": 7.0}), store)
    assert [claim.verdict for claim in found.claims] == [
        "holds",
        "contradicted",
        "contradicted",
        "not settled",
    ]
    assert "one machine's own" in found.claims[3].because


def test_pairs_beyond_the_horizon_are_not_looked_at(study: Study, store: Store, put_times: Times) -> None:
    """The guarantee ends there, for pairs as for seeds."""
    short = replace(study, seeds=Seeds(min=3, max=4))
    put_times([*VARIANT[:4], 1000.0], BASELINE)
    found = timed(short, store)
    assert found.seeds == 4
    assert found.estimate is not None and found.estimate < 1.4
    assert "beyond the horizon" in kinds(found)


def test_two_pairs_are_shown_and_settle_nothing(study: Study, store: Store, put_times: Times) -> None:
    """What is known so far, and how much is missing."""
    put_times(VARIANT[:2], BASELINE[:2])
    found = timed(study, store)
    assert (found.verdict, found.low, found.seeds) == ("undecided", None, 2)
    assert (
        "1.31 times as long (2 pairs, timed alone): undecided; it takes at least 3 pairs." in found.sentence
    )


def test_a_verdict_on_time_stays_when_a_later_pair_is_wild(
    study: Study, store: Store, put_times: Times
) -> None:
    """The machine was busy for a moment: what was settled before stays settled, and the interval says the rest."""
    put_times([*VARIANT, 90.0], [*BASELINE, 10.0])
    found = timed(study, store)
    assert found.verdict == "increase that matters"
    assert "as settled by pair" in found.sentence


def test_a_diverged_arm_makes_its_time_unstable_too(
    study: Study, store: Store, put: Put, put_times: Times
) -> None:
    """How long a training takes that ends in nothing answers no question."""
    put_times(VARIANT, BASELINE)
    for seed in (1, 2, 3):
        put(study.arms["narrow"], seed)
        put(study.arms["wide"], seed, state="diverged" if seed == 2 else "finished")
    found = timed(study, store)
    assert (found.verdict, found.low) == ("unstable", None)
    assert "1 of 3 runs of wide diverged" in found.sentence
    assert "diverged" in kinds(found)


def test_time_questions_are_not_held_up_by_missing_trials(
    study: Study, store: Store, put: Put, put_times: Times, make_arm: Callable[..., Arm]
) -> None:
    """Arms are timed, not trials; a confound is named all the same."""
    put(study.arms["narrow"], 1)
    other = replace(study, arms={**study.arms, "wide": make_arm("wide", width=200, batch_size=50)})
    question = Question(id="Q", variant="wide", baseline="narrow", factors=("batch_size",), metrics=("time",))
    other = replace(other, questions=(question,))
    put_times(VARIANT, BASELINE)
    assert timed(study, store).seeds == 5
    found = timed(other, store)
    assert found.seeds == 0
    assert {"confounded", "implied change"} <= kinds(found)


def test_a_run_times_what_it_is_asked_and_says_so(fairtrial: Callable[..., Result]) -> None:
    """One command ends with the answer on time, pair by pair on the way."""
    done = fairtrial("run", "width", "--seeds", "5")
    assert "timed width-200 and width-50 in turn, pair" in done.stderr
    assert (
        "15 trials and 10 pairs timed" in done.stdout or "15 trials trained and 10 pairs timed" in done.stdout
    )
    found = json.loads(fairtrial("answers", "width", "--json").stdout)["answers"]
    (one, _) = [answer for answer in found if answer["metric"] == "time"]
    assert (one["seeds"], one["on"], one["verdict"]) == (5, None, "increase that matters")
    assert one["estimate"] == pytest.approx(2.0, rel=0.05)
    assert one["variant_fit_seconds"] > one["variant_mean"] > one["baseline_mean"]
    assert one["claims"][0]["verdict"] == "holds"
    assert "holds: increase that matters (margin 5 %), 1.5" in fairtrial("answers", "width").stdout
