"""The price list of `check`: seeds and time for each margin, and what the figures rest on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from fairtrial.analysis.cost import GUESSED_MOVED_IMAGE_SECONDS, Cost, costs
from fairtrial.analysis.gather import gather
from fairtrial.analysis.prices import ASSUMED_ERROR, MULTIPLES, Prices, prices, total
from fairtrial.engine.machine import machine
from fairtrial.stats.forecast import price_list
from fairtrial.store import Store
from fairtrial.study.schema import Arm, ArmSettings, Question, Study

Put = Callable[..., Any]
Pairs = Callable[..., None]
VALIDATION_ALPHA = 0.05 * 0.75 / 2
COSTS = {"narrow": Cost(seconds=2.0, basis="measured"), "wide": Cost(seconds=6.0, basis="measured")}


def listed(study: Study, store: Store, *, workers: int = 2) -> dict[tuple[str, str], Prices]:
    arms = gather(list(study.arms.values()), store)
    return {(one.metric, one.on): one for one in prices(study, arms, COSTS, workers=workers)}


def test_before_any_run_the_price_follows_from_an_error_that_is_named(study: Study, store: Store) -> None:
    """A figure from a formula must not pass for one from measurement."""
    found = listed(study, store)[("accuracy", "validation")]
    spread = math.sqrt(2 * ASSUMED_ERROR / (2 * 6000))
    assert (found.basis, found.spread, found.seeds) == ("planned", pytest.approx(spread), 0)
    assert [(one.arm, one.error, one.seeds) for one in found.errors] == [
        ("wide", 0.02, 0),
        ("narrow", 0.02, 0),
    ]
    on_test = listed(study, store)[("accuracy", "test")]
    assert on_test.spread == pytest.approx(math.sqrt(2 * ASSUMED_ERROR / (2 * 10_000)))


def test_seeds_are_those_of_the_verdicts_own_share_of_the_error(study: Study, store: Store) -> None:
    """A price at 95 % for one question alone would be too low for each of five."""
    found = listed(study, store)[("accuracy", "validation")]
    assert found.spread is not None
    expected = price_list([0.001, 0.003, 0.01], sd=found.spread, alpha=VALIDATION_ALPHA, first=3, horizon=50)
    assert [(one.margin, one.seeds, one.within_horizon) for one in found.margins] == [
        (one.margin, one.seeds, one.within_horizon) for one in expected
    ]
    assert [one.margin for one in found.margins] == pytest.approx([0.001 * one for one in MULTIPLES])


def test_time_is_that_of_both_arms_on_all_workers(study: Study, store: Store) -> None:
    """Eight seconds a seed; beside each other the longer arm decides, and many workers train the first seeds at once."""
    one, two, many = (
        listed(study, store, workers=n)[("accuracy", "validation")].margins for n in (1, 2, 1000)
    )
    assert [price.seconds for price in one] == [8.0 * (price.seeds or 0) for price in one]
    assert [price.seconds for price in two] == [12.0 + 6.0 * max(0, (price.seeds or 0) - 3) for price in two]
    assert [price.seconds for price in many] == [6.0 + 6.0 * max(0, (price.seeds or 0) - 3) for price in many]


def test_trials_of_a_cluster_tell_what_a_trial_takes_where_this_machine_trained_none(
    study: Study, store: Store, put: Put
) -> None:
    """Who plans a study for a cluster has its nodes' seconds, and no guess."""
    put(study.arms["narrow"], 1, train=5.0, node="0123456789ab")
    found = costs(gather(list(study.arms.values()), store))
    assert (found["narrow"].basis, found["wide"].basis) == ("cluster", "scaled")
    put(study.arms["wide"], 1, train=50.0, machine=machine())
    found = costs(gather(list(study.arms.values()), store))
    assert (found["narrow"].basis, found["wide"].basis) == ("scaled", "measured")


def test_one_run_of_an_arm_replaces_its_assumed_error(study: Study, store: Store, put: Put) -> None:
    """10 % error spreads more than the 2 % that were assumed."""
    put(study.arms["wide"], 1, validation_accuracy_last_epoch=0.90)
    found = listed(study, store)[("accuracy", "validation")]
    assert [(one.arm, one.error, one.seeds) for one in found.errors] == [
        ("wide", pytest.approx(0.10), 1),
        ("narrow", 0.02, 0),
    ]
    assert found.spread == pytest.approx(math.sqrt(0.12 / 12_000))


def test_three_seeds_of_both_arms_replace_the_formula(study: Study, store: Store, put_pairs: Pairs) -> None:
    """What was measured here is worth more than what a paper expects."""
    contrasts = [0.0100, 0.0131, 0.0087]
    put_pairs(contrasts)
    found = listed(study, store)[("accuracy", "validation")]
    assert (found.basis, found.seeds, found.errors) == ("measured", 3, ())
    assert found.spread == pytest.approx(np.std(contrasts, ddof=1))


def test_contrasts_that_are_all_the_same_are_no_measured_spread(study: Study, store: Store, put: Put) -> None:
    """A spread of zero would promise an answer after three seeds."""
    for seed in (1, 2, 3):
        put(study.arms["narrow"], seed)
        put(study.arms["wide"], seed)
    assert listed(study, store)[("accuracy", "validation")].basis == "planned"


def test_a_loss_has_no_price_until_it_is_measured(study: Study, store: Store, put_pairs: Pairs) -> None:
    """There is no formula for it, and its margin is a share of a loss nobody knows yet."""
    before = listed(study, store)[("loss", "validation")]
    assert (before.basis, before.spread, before.margins) == ("unknown", None, ())
    put_pairs([0.010, 0.013, 0.008], metric="validation_loss_last_epoch")
    after = listed(study, store)[("loss", "validation")]
    assert (after.basis, after.margins[0].margin) == ("measured", pytest.approx(0.02 * 0.961))


def test_no_price_is_asked_for_time(study: Study, store: Store) -> None:
    """Ordinary trials settle nothing about it, however many."""
    assert {metric for metric, _ in listed(study, store)} == {"accuracy", "loss"}


def test_an_arm_that_two_questions_share_is_paid_once(
    study: Study, store: Store, make_arm: Callable[..., Arm]
) -> None:
    """The baseline of ten questions is trained once, not ten times."""
    questions = tuple(Question(id=name, variant=name, baseline="narrow") for name in ("wide", "other"))
    both = replace(study, arms={**study.arms, "other": make_arm("other", width=77)}, questions=questions)
    costs = {**COSTS, "other": Cost(seconds=10.0, basis="measured")}
    lists = prices(both, gather(list(both.arms.values()), store), costs, workers=1)
    (dearest, *_) = total(both, lists, costs, workers=1)
    seeds = lists[0].margins[0].seeds
    assert seeds is not None
    assert (dearest.seeds, dearest.seconds) == (seeds, pytest.approx(18.0 * seeds))


def test_check_prints_the_list_with_its_basis(fairtrial: Callable[..., Result]) -> None:
    """What it costs is said before it is spent, and whether it is a guess."""
    shown = " ".join(fairtrial("check", "width").stdout.split())
    assert "Q1-200, accuracy on validation: 0.1 pp: about 62 seeds, " in shown
    assert ", beyond the 50 of this study; 0.3 pp: about 11 seeds, " in shown
    assert "(planned: spread 0.18 pp, from an error of 2 % [assumed])" in shown
    assert "all of these on accuracy together: 0.1 pp: about 62 seeds" in shown
    fairtrial("run", "width", "--seeds", "3", "--set", "seeds.max=3")
    assert "[measured, width-50]" in " ".join(fairtrial("check", "width").stdout.split())


def test_check_json_holds_the_list(fairtrial: Callable[..., Result]) -> None:
    """A program that plans an evening reads it there."""
    found = json.loads(fairtrial("check", "width", "-j", "1", "--json").stdout)
    assert [(one["question"], one["on"], one["basis"]) for one in found["prices"]] == [
        (question, on, "planned") for question in ("Q1-200", "Q1-better") for on in ("validation", "test")
    ]
    first = found["prices"][0]["margins"][0]
    assert (first["margin"], first["seeds"], first["within_horizon"]) == (0.001, 62, False)
    assert first["seconds"] > 0
    assert len(found["price_of_all"]) == len(MULTIPLES)


def test_a_guess_counts_the_moving_of_images(store: Store) -> None:
    """Where the network is small it is most of an epoch; it grows with images and epochs and with nothing else."""
    arms = [
        Arm(
            name=f"{epochs} {augment}",
            settings=ArmSettings.model_validate({"epochs": epochs, "data": {"augment": augment}}),
        )
        for epochs in (2, 4)
        for augment in ("none", {"rotate": 10})
    ]
    found = [cost.seconds for cost in costs(gather(arms, store)).values()]
    moving = found[1] - found[0]
    assert moving == pytest.approx(2 * 54_000 * GUESSED_MOVED_IMAGE_SECONDS)
    assert found[3] - found[2] == pytest.approx(2 * moving)


def test_a_guess_counts_the_evaluations(store: Store) -> None:
    """Trained on 500 images, a network is judged by two hundred times as many: that is where the time goes."""
    network = {"layers": [{"conv": {"filters": 32, "kernel": 5}}, "flatten"]}
    arms = [
        Arm(
            name=str(train),
            settings=ArmSettings.model_validate({"network": network, "epochs": 1, "data": {"train": train}}),
        )
        for train in (500, 54_000)
    ]
    few, many = costs(gather(arms, store)).values()
    assert (few.basis, many.basis) == ("guess", "guess")
    assert 0.3 < few.seconds / many.seconds < 0.6
