"""Verdicts of answers: what stored outcomes settle, and what they never do."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fairtrial.analysis import Answer, answers
from fairtrial.analysis.alpha import alphas
from fairtrial.engine.precision import resolve
from fairtrial.stats.families import Family
from fairtrial.stats.levels import nominal_level
from fairtrial.stats.looks import replay
from fairtrial.store import Claim, Store
from fairtrial.study.schema import Arm, Question, Seeds, Study
from fairtrial.study.schema import Claim as SaidClaim
from fairtrial.study.studyfile import load
from fairtrial.study.training import EarlyStopping
from fairtrial.trial import Lost, Trial

Put = Callable[..., Any]
Pairs = Callable[..., None]
CLEAR = [0.0102, 0.0110, 0.0105, 0.0098, 0.0108, 0.0104]
NOTHING = [0.0002, -0.0003, 0.0001, 0.0003, -0.0002, 0.0, 0.0003, -0.0001, 0.0001, -0.0002, 0.0, 0.0001]


def kinds(answer: Answer) -> set[str]:
    return {caveat.kind for caveat in answer.caveats}


def asking(study: Study, **fields: Any) -> Study:
    return replace(study, questions=(study.questions[0].model_copy(update=fields),))


def claiming(study: Study, *claims: dict[str, Any]) -> Study:
    return asking(study, claims=tuple(SaidClaim.model_validate(one) for one in claims))


def test_a_clear_gain_is_an_increase_that_matters_in_a_sentence_to_read_aloud(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """The whole tool is there for this sentence; its interval is SciPy's at the question's share."""
    put_pairs(CLEAR)
    found = answers(study, store)["Q"].accuracy
    assert found.verdict == "increase that matters"
    # Two of the study's five verdicts are on validation images; they share 75 % of the 5 %.
    nominal = nominal_level(0.05 * 0.75 / 2, first=3, horizon=50)
    from scipy import stats

    expected = stats.ttest_1samp(CLEAR, 0).confidence_interval(1 - nominal)
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert found.sentence == (
        "Validation accuracy rose from 96.10 to 97.14 % (mean over the last epoch), by 1.04 pp "
        f"({100 * expected.low:.2f} to {100 * expected.high:.2f}, 6 seeds): an increase that matters (margin 0.1 pp)."
    )
    assert answers(study, store)["Q"].on("test").verdict == "undecided"


def test_a_loss_is_said_as_a_decrease_with_positive_sizes(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """ "Fell by 1.04 pp (-1.2 to -0.9)" read aloud is a rise."""
    put_pairs([-by for by in CLEAR])
    found = answers(study, store)["Q"].accuracy
    assert found.verdict == "decrease that matters"
    assert found.low is not None and found.high is not None and found.low < found.high < 0
    assert f"by 1.04 pp ({-100 * found.high:.2f} to {-100 * found.low:.2f}, 6 seeds)" in found.sentence
    assert found.sentence.endswith(": a decrease that matters (margin 0.1 pp).")


def test_no_difference_that_matters_is_an_answer(study: Study, store: Store, put_pairs: Pairs) -> None:
    """Half of all questions have this answer, and one run each can never give it."""
    put_pairs(NOTHING)
    found = answers(study, store)["Q"].accuracy
    assert (found.verdict, found.settled) == ("no difference that matters", True)
    assert ": no difference that matters (margin 0.1 pp)." in found.sentence
    assert "(a change of -" in found.sentence


def test_the_verdict_is_the_replay_of_the_looks_and_only_sharpens(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A verdict that came back weaker with more seeds would be worth nothing while it stands."""
    contrasts = [0.0021, 0.0017, 0.0020, 0.0018, 0.0022, 0.0019, 0.0020, 0.0018, 0.0021, -0.0300]
    seen: list[str] = []
    for seed, by in enumerate(contrasts, start=1):
        put_pairs([by], start=seed)
        seen.append(answers(study, store)["Q"].accuracy.verdict)
    said = list(dict.fromkeys(seen))
    assert said == ["undecided", "increase, size not settled", "increase that matters"]
    assert seen[-1] == "increase that matters"
    last = answers(study, store)["Q"].accuracy
    assert last.low is not None and last.low < 0
    assert "as settled by seed" in last.sentence
    looks = replay(contrasts, margin=0.001, alpha=0.05 * 0.75 / 2, floor=1 / 6000 / math.sqrt(6), horizon=50)
    assert seen[2:] == [look.standing.value for look in looks]


def test_an_undecided_answer_says_what_is_known_and_what_it_takes(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """ "Undecided" alone would leave the reader with nothing to do."""
    put_pairs([0.002, -0.001, 0.0025, 0.0008, 0.001, 0.0001])
    found = answers(study, store)["Q"].accuracy
    assert found.verdict == "undecided"
    assert found.low is not None and found.high is not None
    bound = math.ceil(1e4 * max(-found.low, found.high)) / 100
    assert f"any change is smaller than {bound:.2f} pp (margin 0.1 pp)" in found.sentence
    assert "likely to settle it" in found.sentence
    short = replace(study, seeds=Seeds(min=3, max=6))
    assert "the 6 seeds of this study are used up" in answers(short, store)["Q"].accuracy.sentence
    hopeless = replace(study, seeds=Seeds(min=3, max=7))
    assert (
        "the 7 seeds of this study are unlikely to settle it"
        in answers(hopeless, store)["Q"].accuracy.sentence
    )


def test_before_the_first_look_there_is_no_interval(study: Study, store: Store, put_pairs: Pairs) -> None:
    """Infinity is no JSON, and two seeds are no interval."""
    put_pairs(CLEAR[:2])
    found = answers(study, store)["Q"].accuracy
    assert (found.verdict, found.low, found.high) == ("undecided", None, None)
    assert "it takes at least 3 seeds" in found.sentence
    json.dumps(answers(study, store).as_dict(), allow_nan=False)


def test_identical_contrasts_never_give_a_verdict(study: Study, store: Store, put: Put) -> None:
    """No spread at all means seeds that change nothing, not certainty."""
    for seed in range(1, 7):
        put(study.arms["narrow"], seed, validation_accuracy_last_epoch=0.96)
        put(study.arms["wide"], seed, validation_accuracy_last_epoch=0.98)
    found = answers(study, store)["Q"].accuracy
    assert (found.verdict, found.low, found.high) == ("undecided", None, None)
    assert "identical contrasts" in kinds(found)
    assert "identical" in found.sentence
    json.dumps(answers(study, store).as_dict(), allow_nan=False)


def test_contrasts_closer_than_images_can_be_counted_are_credited_with_a_spread(
    study: Study, store: Store, put: Put
) -> None:
    """An accuracy on 6 000 images moves in steps; three that happen to agree are luck, not precision."""
    for seed in (1, 2, 3):
        by = 0.01 + seed * 1e-8
        put(study.arms["narrow"], seed, validation_accuracy_last_epoch=0.96, test_accuracy_last_epoch=0.96)
        put(
            study.arms["wide"],
            seed,
            validation_accuracy_last_epoch=0.96 + by,
            test_accuracy_last_epoch=0.96 + by,
        )
    from scipy import stats

    group = answers(study, store)["Q"]
    shares = alphas(study)
    for found, images, family in ((group.accuracy, 6_000, "validation"), (group.on("test"), 10_000, "test")):
        nominal = nominal_level(shares[Family(family)], first=3, horizon=50)
        half = stats.t.isf(nominal / 2, 2) / images / math.sqrt(6) / math.sqrt(3)
        assert found.low is not None and found.high is not None
        assert found.high - found.low == pytest.approx(2 * half, rel=1e-4)


def test_two_seeds_with_the_same_weights_never_give_a_verdict(study: Study, store: Store, put: Put) -> None:
    """A seed that is not wired to anything repeats one run, whatever its contrast."""
    for seed, by in enumerate(CLEAR, start=1):
        put(study.arms["narrow"], seed, validation_accuracy_last_epoch=0.96)
        digest = "a" * 64 if seed in (2, 4) else f"{seed}" * 64
        put(study.arms["wide"], seed, weights_sha256=digest, validation_accuracy_last_epoch=0.96 + by)
    found = answers(study, store)["Q"].accuracy
    assert found.verdict == "undecided"
    (caveat,) = [one for one in found.caveats if one.kind == "identical weights"]
    assert caveat.text.startswith("seeds 2, 4 of wide")


def test_a_diverged_seed_voids_a_verdict_however_clear(
    study: Study, store: Store, put: Put, put_pairs: Pairs
) -> None:
    """The mean over those that survived is not the mean."""
    put_pairs(CLEAR)
    put(study.arms["narrow"], 7)
    put(study.arms["wide"], 7, state="diverged")
    found = answers(study, store)["Q"].accuracy
    assert (found.verdict, found.settled, found.low) == ("unstable", False, None)
    assert "1 of 7 runs of wide diverged" in found.sentence


def test_a_failed_seed_makes_the_answer_unstable(
    study: Study, store: Store, put: Put, put_pairs: Pairs
) -> None:
    """A run that ends without an outcome is no gap to be stepped over in silence."""
    put_pairs(CLEAR)
    trial = Trial(arm=study.arms["wide"], seed=7, precision=resolve("auto"))
    claim = store.claim(trial)
    assert isinstance(claim, Claim)
    store.record_lost(claim, Lost(key=trial.key, state="failed", reason="out of memory"), trial=trial)
    put(study.arms["narrow"], 7)
    put(study.arms["narrow"], 8)
    found = answers(study, store)["Q"].accuracy
    assert found.verdict == "unstable"
    assert "1 of 7 runs of wide failed" in found.sentence


def test_a_diverged_run_counts_wherever_another_question_needed_it(
    study: Study, store: Store, put: Put, put_pairs: Pairs
) -> None:
    """Seven runs of the baseline, one of which diverged, have no mean, whatever seeds this question looked at."""
    put_pairs(CLEAR[:4])
    for seed in (5, 7):
        put(study.arms["narrow"], seed)
    put(study.arms["narrow"], 6, state="diverged")
    found = answers(study, store)["Q"].accuracy
    assert (found.verdict, found.low) == ("unstable", None)
    assert "1 of 7 runs of narrow diverged" in found.sentence
    assert "diverged" in kinds(found)
    short = replace(study, seeds=Seeds(min=3, max=5))
    assert answers(short, store)["Q"].accuracy.verdict == "increase that matters"


def test_a_diverged_seed_is_looked_at_whether_the_other_arm_was_trained_or_not(
    study: Study, store: Store, put: Put, put_pairs: Pairs
) -> None:
    """An interruption between the two runs of a seed must not take a look away."""
    put_pairs(CLEAR[:4])
    put(study.arms["wide"], 5, state="diverged")
    alone = answers(study, store)["Q"].accuracy
    put(study.arms["narrow"], 5)
    assert [look.n for look in alone.looks] == [3, 4, 5]
    assert alone.looks == answers(study, store)["Q"].accuracy.looks
    assert [look.verdict.value for look in alone.looks][-1] == "unstable"


def test_a_gap_of_both_arms_is_said_in_the_plural(study: Study, store: Store, put_pairs: Pairs) -> None:
    """Caveats are read aloud as well."""
    put_pairs(CLEAR[:3])
    put_pairs(CLEAR[4:], start=5)
    (caveat,) = [one for one in answers(study, store)["Q"].accuracy.caveats if one.kind == "missing seeds"]
    assert caveat.text.startswith("2 seeds beyond seed 4, which wide and narrow have no outcome for")


def test_no_end_of_an_interval_is_shown_as_a_zero_that_it_is_not(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """ "A change of -0.0000 to +0.0007" is neither here nor there."""
    put_pairs([0.0003, 0.00036, 0.0003, 0.00019], metric="validation_loss_last_epoch")
    found = answers(asking(study, metrics=("loss",), on=("validation",)), store)["Q"].loss
    assert found.low is not None and -0.00005 < found.low < 0
    assert f"(a change of {found.low:+.6f} to " in found.sentence


def test_an_interval_wider_than_all_accuracies_rules_nothing_out(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """ "Any change is smaller than 128 pp" sounds like something that was found out."""
    put_pairs([0.01, -0.4, 0.03])
    found = answers(study, store)["Q"].accuracy
    assert found.high is not None and found.high > 1
    assert "undecided; any change is possible (margin 0.1 pp)" in found.sentence


def test_every_answer_names_what_changes_along_with_the_factor(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A wider network is also a larger and a slower one."""
    put_pairs(CLEAR)
    for found in answers(study, store):
        assert found.as_dict()["implied"] == {
            "parameters": {"baseline": 42310, "variant": 199210},
            "multiply_adds": {"baseline": 42200, "variant": 198800},
        }
        assert found.implied_line == (
            "what differs brings with it: parameters 42,310 -> 199,210; multiply-adds per image 42,200 -> 198,800"
        )
        assert found.implied_line in found._repr_html_().replace("&gt;", ">")


def test_an_arm_that_stops_early_is_said_to(study: Study, store: Store, put: Put) -> None:
    """Its validation accuracy is that of the moment which validation chose."""
    narrow = study.arms["narrow"]
    stopping = narrow.settings.model_copy(update={"early_stopping": EarlyStopping(), "epochs": 20})
    arms = {**study.arms, "wide": replace(study.arms["wide"], settings=stopping)}
    stopped = replace(study, arms=arms)
    texts = [
        one.text for one in answers(stopped, store)["Q"].accuracy.caveats if one.kind == "early stopping"
    ]
    assert texts == [
        "wide stops early on validation_loss; its validation figures have chosen the moment they were taken"
    ]
    for seed, by in enumerate(CLEAR, start=1):
        put(narrow, seed, validation_accuracy_last_epoch=0.96)
        put(arms["wide"], seed, validation_accuracy_last_epoch=0.96 + by)
    group = answers(stopped, store)["Q"]
    assert (
        "early stopping: wide stops early on validation_loss, after 1 of 20 epochs; its validation figures have chosen the "
        "moment they were taken" in map(str, group.accuracy.caveats)
    )
    (on_test,) = [one.text for one in group.on("test").caveats if one.kind == "early stopping"]
    assert on_test == "wide stops early on validation_loss, after 1 of 20 epochs"
    assert "early stopping" in kinds(group.time)


def test_two_networks_of_other_layers_are_told_apart_in_a_line(store: Store) -> None:
    """The whole of both networks in a caveat is a screen nobody reads."""
    found = answers(load("course"), store)["CNN-3"].accuracy
    (caveat,) = [one for one in found.caveats if one.kind == "confounded"]
    assert caveat.text == (
        "the arms also differ in network.layers (5 conv, 3 pool, 1 flatten, 1 dense -> 5 conv, 2 pool, 1 flatten, 1 dense)"
    )


def test_seeds_beyond_the_horizon_are_not_used_and_it_is_said(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """The guarantee ends at the largest number of seeds fixed beforehand."""
    put_pairs([*CLEAR, -0.5, -0.5])
    short = replace(study, seeds=Seeds(min=3, max=6))
    found = answers(short, store)["Q"].accuracy
    assert (found.seeds, found.verdict) == (6, "increase that matters")
    (caveat,) = [one for one in found.caveats if one.kind == "beyond the horizon"]
    assert caveat.text.startswith("2 seeds beyond seed 6 not used")
    assert "missing seeds" not in kinds(found)


def test_for_loss_lower_is_better_and_the_margin_a_share_of_the_baseline(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """`not_worse` the wrong way round would pass every regression."""
    goal = asking(study, goal="not_worse")
    put_pairs([-0.30, -0.31, -0.32, -0.29, -0.30], metric="validation_loss_last_epoch")
    assert answers(study, store)["Q"].loss.verdict == "decrease that matters"
    found = answers(goal, store)["Q"].loss
    assert found.verdict == "not worse"
    assert found.margin == pytest.approx(0.02 * 0.961)
    assert "wide is not worse (margin 0.0192)" in found.sentence


def test_a_worse_loss_is_never_not_worse(study: Study, store: Store, put_pairs: Pairs) -> None:
    """The other half of the same sign."""
    put_pairs([0.30, 0.31, 0.32, 0.29, 0.30], metric="validation_loss_last_epoch")
    assert answers(asking(study, goal="not_worse"), store)["Q"].loss.verdict == "increase that matters"


def test_the_shares_count_every_declared_verdict_and_claim(study: Study) -> None:
    """Fewer than declared, and the promise for the whole report is broken."""
    assert alphas(study) == {
        Family.VALIDATION: pytest.approx(0.05 * 0.75 / 2),
        Family.TEST: pytest.approx(0.05 * 0.15 / 2),
        Family.TIME: pytest.approx(0.05 * 0.10),
    }
    claimed = claiming(study, {"says": "level", "level": 0.97}, {"says": "plateau"}, {"says": "increase"})
    assert alphas(claimed)[Family.VALIDATION] == pytest.approx(0.05 * 0.75 / 4)


def test_questions_nobody_trained_still_take_their_share(
    study: Study, store: Store, put_pairs: Pairs, make_arm: Callable[..., Arm]
) -> None:
    """Running one question at a time must not make each of them look surer than all together."""
    put_pairs(CLEAR)
    alone = answers(study, store)["Q"].accuracy
    others = tuple(Question(id=f"Q{place}", variant="other", baseline="narrow") for place in range(20))
    grown = replace(
        study,
        arms={**study.arms, "other": make_arm("other", width=77)},
        questions=(*study.questions, *others),
    )
    among = answers(grown, store)["Q"].accuracy
    assert (
        alone.low is not None and alone.high is not None and among.low is not None and among.high is not None
    )
    assert among.high - among.low > 1.3 * (alone.high - alone.low)


def test_lopsided_contrasts_add_what_holds_for_any_distribution(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """Where one seed in eight collapses, counting seeds says more than a mean."""
    put_pairs([-0.010, -0.012, -0.011, -0.009, -0.010, -0.011, -0.010, -0.600])
    found = answers(study, store)["Q"].accuracy
    assert "skewed contrasts" in kinds(found)
    assert found.sentence.endswith("seed by seed, wide was worse on 8 of 8 seeds.")


@pytest.mark.parametrize(
    ("contrasts", "says", "verdict"),
    [
        (CLEAR, "increase", "holds"),
        (CLEAR, "decrease", "contradicted"),
        (CLEAR, "no change", "contradicted"),
        (NOTHING, "increase", "contradicted"),
        (NOTHING, "no change", "holds"),
        (CLEAR[:2], "increase", "not settled"),
    ],
)
def test_a_claimed_direction_is_held_against_the_verdict(
    study: Study, store: Store, put_pairs: Pairs, contrasts: list[float], says: str, verdict: str
) -> None:
    """What the notebook's text said is judged by what was found, not by its tables."""
    put_pairs(contrasts)
    (claim,) = answers(claiming(study, {"says": says}), store)["Q"].accuracy.claims
    assert claim.verdict == verdict


@pytest.mark.parametrize(
    ("level", "spread", "verdict"),
    [(0.9714, 0.0004, "holds"), (0.998, 0.003, "contradicted"), (0.9714, 0.003, "not settled")],
)
def test_a_claimed_level_is_held_against_the_arms_own_interval(
    study: Study, store: Store, put: Put, level: float, spread: float, verdict: str
) -> None:
    """The notebook's best model was said to reach 99.8 %, once."""
    values = 0.9714 + spread * np.sin(np.arange(1, 9))
    for seed, value in enumerate(values.tolist(), start=1):
        put(study.arms["narrow"], seed)
        put(study.arms["wide"], seed, validation_accuracy_last_epoch=value)
    claimed = claiming(study, {"says": "level", "level": level})
    (claim,) = answers(claimed, store)["Q"].accuracy.claims
    assert claim.verdict == verdict


@pytest.mark.parametrize(("top", "verdict"), [(0.0, "holds"), (0.02, "contradicted"), (0.001, "not settled")])
def test_a_claimed_plateau_is_judged_over_all_arms_of_the_same_factor(
    study: Study, store: Store, put: Put, make_arm: Callable[..., Arm], top: float, verdict: str
) -> None:
    """ "Above 1000 almost the same" is about the widths above 1000, which another question trains."""
    arms = {
        **study.arms,
        "wider": make_arm("wider", width=1000),
        "batch": make_arm("batch", width=500, batch_size=7),
    }
    claimed = replace(claiming(study, {"says": "plateau"}), arms=arms)
    noise = 0.0003 * np.cos(np.arange(30) ** 2.0)
    for seed in range(1, 11):
        put(arms["narrow"], seed, validation_accuracy_last_epoch=0.960 + float(noise[seed]))
        put(arms["wide"], seed, validation_accuracy_last_epoch=0.970 + float(noise[seed + 9]))
        put(arms["wider"], seed, validation_accuracy_last_epoch=0.970 + top + float(noise[seed + 18]))
    (claim,) = answers(claimed, store)["Q"].accuracy.claims
    says = {
        "holds": "everything from 200 up is within 0.1 pp of 1000",
        "contradicted": "1000 differs from 200 by 0.1 pp or more",
        "not settled": "",
    }
    assert (claim.verdict, claim.because) == (verdict, says[verdict])


def test_levels_that_differ_by_exactly_the_same_contradict_no_plateau(
    study: Study, store: Store, put: Put, make_arm: Callable[..., Arm]
) -> None:
    """Identical contrasts never settle anything, here as little as in a verdict."""
    arms = {**study.arms, "wider": make_arm("wider", width=1000)}
    claimed = replace(claiming(study, {"says": "plateau"}), arms=arms)
    for seed in range(1, 6):
        for name, level in (("narrow", 0.95), ("wide", 0.96), ("wider", 0.98)):
            put(arms[name], seed, validation_accuracy_last_epoch=level + seed * 1e-4)
    (claim,) = answers(claimed, store)["Q"].accuracy.claims
    assert claim.verdict == "not settled"


def test_a_plateau_needs_an_arm_beyond_it(study: Study, store: Store, put_pairs: Pairs) -> None:
    """The largest width that was trained claims nothing about larger ones."""
    put_pairs(CLEAR)
    (claim,) = answers(claiming(study, {"says": "plateau"}), store)["Q"].accuracy.claims
    assert claim.as_dict()["verdict"] == "not settled"
    assert "no arm goes beyond network.mlp.width = 200" in claim.because


def test_the_courses_plateau_is_judged_over_the_widths_alone(store: Store, put: Put) -> None:
    """Depths, batches and the leak differ in something else, and belong to no curve of widths."""
    course = load("course")
    widths = ("width-50", "width-200", "width-1000", "width-2000", "width-4000")
    for seed in range(1, 8):
        for place, name in enumerate(widths):
            level = min(0.96 + 0.01 * place, 0.98) + 0.00002 * math.sin(seed * (place + 1))
            put(course.arms[name], seed, validation_accuracy_last_epoch=level)
    (claim,) = answers(course, store)["Q1-better"].accuracy.claims
    assert (claim.claim.says, claim.verdict) == ("plateau", "holds")
