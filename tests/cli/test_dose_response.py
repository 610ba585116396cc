"""What arms along one number say together: slope per doubling, where it stops, and what stands behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from fairtrial.analysis import Curve, answers
from fairtrial.stats.doseresponse import plateau, slope_contrasts
from fairtrial.stats.intervals import repeated_interval
from fairtrial.stats.levels import nominal_level
from fairtrial.store import Store
from fairtrial.study.schema import Arm, ArmSettings, Question, Study
from fairtrial.study.schema import Claim as SaidClaim
from fairtrial.study.studyfile import load, study_from_dict

Put = Callable[..., Any]
WIDTHS = (50, 100, 200, 400, 800)
MEANS = (0.950, 0.960, 0.970, 0.9702, 0.9701)


@pytest.fixture
def ordered(make_arm: Callable[..., Arm]) -> Study:
    """Five widths, each held against the narrowest; arms of another kind stand beside them."""
    arms = {f"w{width}": make_arm(f"w{width}", width=width) for width in reversed(WIDTHS)}
    arms["batch"] = make_arm("batch", width=200, batch_size=7)
    questions = tuple(
        Question(id=f"Q{width}", variant=f"w{width}", baseline="w50", factors=("network.mlp.width",))
        for width in WIDTHS[1:]
    )
    return Study(name="ordered", arms=arms, questions=questions)


def train(study: Study, put: Put, *, seeds: int = 10, means: tuple[float, ...] = MEANS) -> np.ndarray:
    """Values of shape (seeds, widths), as stored."""
    values = np.array(means) + np.random.default_rng(2).normal(0, 0.0002, (seeds, len(WIDTHS)))
    for seed, row in enumerate(values.tolist(), start=1):
        for width, one in zip(WIDTHS, row, strict=True):
            put(study.arms[f"w{width}"], seed, validation_accuracy_last_epoch=one)
    return values


def only(study: Study, store: Store) -> Curve:
    (curve,) = answers(study, store).curves
    return curve


def test_slope_and_plateau_are_those_of_the_stored_values(ordered: Study, store: Store, put: Put) -> None:
    """One statement over all levels, in their order whatever the file's, on the same seeds."""
    values = train(ordered, put)
    curve = only(ordered, store)
    slopes = slope_contrasts(values, WIDTHS)
    expected = repeated_interval(slopes, nominal=nominal_level(0.05, first=3, horizon=50))
    assert (curve.factor, curve.levels, curve.seeds) == ("network.mlp.width", WIDTHS, 10)
    assert curve.arms == ("w50", "w100", "w200", "w400", "w800")
    assert curve.slope == pytest.approx(slopes.mean())
    assert curve.slope_interval is not None
    assert (curve.slope_interval.low, curve.slope_interval.high) == (
        pytest.approx(expected.low),
        pytest.approx(expected.high),
    )
    assert curve.plateau_from == 200
    assert curve.sentence == (
        f"Validation accuracy (mean over the last epoch) rose by {100 * slopes.mean():.2f} pp per doubling on "
        f"average ({100 * expected.low:.2f} to {100 * expected.high:.2f}) from width 50 to 800 (5 arms, 10 seeds). "
        "Every width from 200 up is within 0.1 pp of 800."
    )


def test_without_a_claim_it_is_said_to_be_outside_the_guarantee(
    ordered: Study, store: Store, put: Put
) -> None:
    """All of the allowed error belongs to declared verdicts; nothing is left to promise more with."""
    train(ordered, put)
    curve = only(ordered, store)
    assert curve.plateau_guaranteed_by is None
    assert curve.guarantee == (
        "not part of the error guarantee: slope and plateau each stand at 95 % by themselves"
    )


def test_a_claimed_plateau_pays_for_the_statement_with_its_own_share(
    ordered: Study, store: Store, put: Put
) -> None:
    """It is the same statement, so it must agree with the claim and take no more than the claim's alpha."""
    values = train(ordered, put)
    claim = SaidClaim.model_validate({"says": "plateau"})
    asking = ordered.questions[1].model_copy(update={"claims": (claim,)})
    claimed = replace(ordered, questions=(ordered.questions[0], asking, *ordered.questions[2:]))
    found = answers(claimed, store)
    (curve,) = found.curves
    assert curve.plateau_guaranteed_by == "Q200"
    assert "through the claim of Q200" in curve.guarantee
    share = 0.05 * 0.75 / 5
    assert curve.plateau_from == plateau(values, WIDTHS, margin=0.001, alpha=share).start == 200
    assert found["Q200"].accuracy.claims[0].verdict == "holds"


def test_where_the_largest_stands_out_there_is_no_plateau(ordered: Study, store: Store, put: Put) -> None:
    """Still rising at the end is the other thing a reader wants to know."""
    train(ordered, put, means=(0.93, 0.94, 0.95, 0.96, 0.97))
    curve = only(ordered, store)
    assert curve.plateau_from is None
    assert curve.sentence.endswith("Not even width 400 is shown to be within 0.1 pp of 800.")


def test_a_slope_that_may_be_none_is_said_so_and_a_fall_falls(ordered: Study, store: Store, put: Put) -> None:
    """ "Rose by 0.00" read aloud is a rise."""
    train(ordered, put, means=(0.97,) * 5)
    flat = only(ordered, store)
    assert flat.slope_interval is not None and flat.slope_interval.low < 0 < flat.slope_interval.high
    assert "which may be none." in flat.sentence
    assert flat.sentence.endswith("Every width from 50 up is within 0.1 pp of 800.")


def test_falling_levels_fall(ordered: Study, store: Store, put: Put) -> None:
    """The sign is in the word, the sizes are positive."""
    train(ordered, put, means=(0.97, 0.96, 0.95, 0.94, 0.93))
    curve = only(ordered, store)
    assert curve.slope is not None and curve.slope < 0
    assert "fell by 1.0" in curve.sentence
    assert "(-" not in curve.sentence


def test_an_untrained_or_diverged_level_leaves_nothing_to_say(ordered: Study, store: Store, put: Put) -> None:
    """A line through the levels that happen to be trained would be another line every day."""
    train(ordered, put, seeds=4)
    missing = replace(
        ordered,
        arms={**ordered.arms, "w1600": replace(ordered.arms["w800"], name="w1600", settings=wide(1600))},
    )
    curve = only(missing, store)
    assert (curve.known, curve.slope, curve.plateau_from) == (False, None, None)
    assert "it takes at least 3 seeds of w1600" in curve.sentence
    for width in WIDTHS:
        put(ordered.arms[f"w{width}"], 5, state="diverged" if width == 100 else "finished")
    assert "runs of w100 diverged or failed" in only(ordered, store).sentence


def wide(width: int) -> ArmSettings:
    return ArmSettings.model_validate({"network": {"mlp": {"width": width}}})


def test_two_levels_are_a_question_and_no_line(study: Study, store: Store) -> None:
    """Its answer says all there is."""
    assert answers(study, store).curves == ()


def test_zero_is_left_out_and_named(store: Store, put: Put) -> None:
    """There is no doubling from zero; leaving it out in silence would misstate the line."""
    rates = (0.0, 0.1, 0.2, 0.4)
    layers = [["flatten", {"dropout": rate}, {"dense": 9}] for rate in rates]
    asked = study_from_dict(
        {
            "schema": "fairtrial/1",
            "name": "dropout",
            "arms": {
                f"d{rate}": {"network": {"layers": one}} for rate, one in zip(rates, layers, strict=True)
            },
            "questions": [{"id": "Q", "variant": "d0.4", "baseline": "d0.0"}],
        }
    )
    for seed in (1, 2, 3):
        for place, arm in enumerate(asked.arms.values()):
            put(arm, seed, validation_accuracy_last_epoch=0.9 + place / 100 + seed * place / 1e4)
    curve = only(asked, store)
    assert curve.levels == rates[1:]
    assert "without d0.0: from zero there is no doubling" in curve.sentence


def test_every_metric_asked_on_the_line_has_its_statement(ordered: Study, store: Store, put: Put) -> None:
    """A question on test accuracy and loss is not answered by validation accuracy."""
    train(ordered, put, seeds=3)
    first = ordered.questions[0].model_copy(update={"metrics": ("accuracy", "loss", "time"), "on": ("test",)})
    both = replace(ordered, questions=(first, *ordered.questions[1:]))
    found = [(curve.metric, curve.on) for curve in answers(both, store).curves]
    assert found == [("accuracy", "test"), ("loss", "test"), ("accuracy", "validation")]


def test_the_runners_look_draws_no_line(ordered: Study, store: Store, put: Put) -> None:
    """It steers nothing, and the runner looks after every trial."""
    train(ordered, put, seeds=3)
    assert answers(ordered, store, history=False).curves == ()


def test_the_course_has_its_three_lines(store: Store) -> None:
    """Widths, depths and batch sizes; rates too, if there are three."""
    found = {(curve.factor, len(curve.levels)) for curve in answers(load("course"), store).curves}
    assert {("network.mlp.width", 5), ("network.mlp.depth", 3), ("batch_size", 3)} <= found


def test_lines_are_in_every_form_of_the_answers(fairtrial: Callable[..., Result]) -> None:
    """The terminal, the JSON and the page say the same."""
    before = " ".join(fairtrial("answers", "width").stdout.split())
    assert before.count("Nothing to say yet from width 50 to 1000 (3 arms)") == 1
    fairtrial("run", "width", "--seeds", "3")
    plain = " ".join(fairtrial("answers", "width").stdout.split())
    assert "Over network.mlp.width Validation accuracy (mean over the last epoch)" in plain
    assert "the plateau is part of the error guarantee, through the claim of Q1-better" in plain
    assert "## Over network.mlp.width" in fairtrial("answers", "width", "--markdown").stdout
    (first, second) = json.loads(fairtrial("answers", "width", "--json").stdout)["dose_response"]
    assert [(one["arm"], one["level"]) for one in first["levels"]] == [
        ("width-50", 50),
        ("width-200", 200),
        ("width-1000", 1000),
    ]
    assert (first["plateau_in_guarantee"], second["plateau_in_guarantee"]) == (True, False)
    assert first["slope_in_guarantee"] is False
