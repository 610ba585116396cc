"""The second interval of a test answer, from stored predictions, and what an answer holds fixed."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from fairtrial.analysis import Answer, answers
from fairtrial.data import catalog
from fairtrial.stats.intervals import fresh_images_interval, resolution_floor
from fairtrial.stats.levels import nominal_level
from fairtrial.store import Store
from fairtrial.study.schema import ArmSettings, Question, Study
from fairtrial.trial import Predictions

Put = Callable[..., Any]
IMAGES, EVALUATIONS, SEEDS = 10_000, 5, 6
RIGHT_AT_THE_END = {"narrow": 0.90, "wide": 0.95}


def predictions(rng: np.random.Generator, chance: np.ndarray, name: str) -> Predictions:
    """Right with each image's own chance at each evaluation; at the very end with another chance."""
    labels = catalog.load("mnist").test_labels
    wrong = rng.random(IMAGES) > RIGHT_AT_THE_END[name]
    return Predictions(
        classes=((labels + wrong) % 10).astype(np.uint8),
        probabilities=np.full(IMAGES, 0.5, np.float32),
        right=rng.binomial(EVALUATIONS, chance).astype(np.uint8),
        evaluations=EVALUATIONS,
    )


@pytest.fixture
def trained(study: Study, put: Put) -> dict[str, list[Predictions]]:
    """Six seeds of both arms; what the store says of the test set is what its predictions say."""
    rng = np.random.default_rng(5)
    taste = np.clip(rng.normal(0.96, 0.1, IMAGES), 0, 1)
    said: dict[str, list[Predictions]] = {"narrow": [], "wide": []}
    labels = catalog.load("mnist").test_labels
    for seed in range(1, SEEDS + 1):
        for name, chance in (("narrow", taste), ("wide", np.clip(taste + rng.normal(0.01, 0.1), 0, 1))):
            found = predictions(rng, chance, name)
            said[name].append(found)
            put(
                study.arms[name],
                seed,
                predictions=found,
                test_accuracy=float((found.classes == labels).mean()),
                test_accuracy_last_epoch=float(found.right.mean()) / EVALUATIONS,
            )
    return said


def on_test(study: Study, store: Store, **fields: Any) -> Answer:
    question = study.questions[0].model_copy(update=fields)
    return answers(replace(study, questions=(question,)), store)["Q"].on("test")


def test_the_interval_is_that_of_the_stored_predictions_at_the_answers_own_level(
    study: Study, store: Store, trained: dict[str, list[Predictions]]
) -> None:
    """The stored counts, read by image and seed: nothing is estimated that was measured."""
    wide, narrow = (
        np.stack([one.right for one in trained[name]]) / EVALUATIONS for name in ("wide", "narrow")
    )
    nominal = nominal_level(0.05 * 0.15 / 2, first=3, horizon=50)
    expected = fresh_images_interval(wide - narrow, nominal=nominal, floor=resolution_floor(IMAGES))
    found = on_test(study, store)
    assert found.fresh_images is not None and found.low is not None and found.high is not None
    assert (found.fresh_images.low, found.fresh_images.high) == pytest.approx(
        (expected.low, expected.high), abs=1e-7
    )
    assert found.fresh_images.low < found.low and found.fresh_images.high > found.high
    centre = (found.fresh_images.low + found.fresh_images.high) / 2
    assert centre == pytest.approx(found.estimate, abs=1e-7)


def test_the_sentence_ends_with_it_and_calls_it_approximate(
    study: Study, store: Store, trained: dict[str, list[Predictions]]
) -> None:
    """It must not be read for the interval that the verdict rests on."""
    found = on_test(study, store)
    assert found.fresh_images is not None
    said = re.search(r"; on fresh images: (-?[\d.]+) to (-?[\d.]+) pp, approximate\.", found.sentence)
    assert said is not None
    assert [float(end) for end in said.groups()] == pytest.approx(
        [100 * found.fresh_images.low, 100 * found.fresh_images.high], abs=0.006
    )
    shown = found.as_dict()["fresh_images"]
    assert shown == {
        "low": found.fresh_images.low,
        "high": found.fresh_images.high,
        "approximate": True,
    }


def test_at_the_end_of_training_the_last_predictions_count(
    study: Study, store: Store, trained: dict[str, list[Predictions]]
) -> None:
    """`over: end` is another figure, and so is its interval."""
    found = on_test(study, store, over="end")
    assert found.estimate == pytest.approx(0.05, abs=0.01)
    assert found.fresh_images is not None
    centre = (found.fresh_images.low + found.fresh_images.high) / 2
    assert centre == pytest.approx(found.estimate, abs=1e-7)


def test_only_accuracy_on_the_test_set_has_one(
    study: Study, store: Store, trained: dict[str, list[Predictions]]
) -> None:
    """Validation images differ from seed to seed already; of losses only the mean is stored."""
    found = {(one.metric, one.on): one.fresh_images is not None for one in answers(study, store)}
    assert {asked for asked, has in found.items() if has} == {("accuracy", "test")}
    assert "fresh images" not in answers(study, store)["Q"].accuracy.sentence


def test_the_runners_look_reads_no_predictions(
    study: Study, store: Store, trained: dict[str, list[Predictions]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks after every trial; ten thousand images a trial would cost more than small trials do."""
    monkeypatch.delattr(Store, "predictions")
    assert answers(study, store, history=False)["Q"].on("test").fresh_images is None


def test_without_predictions_of_every_seed_there_is_none(
    study: Study, store: Store, trained: dict[str, list[Predictions]], put: Put
) -> None:
    """Leaving out the seed that lacks them would be an interval of another contrast."""
    for name in ("narrow", "wide"):
        put(study.arms[name], SEEDS + 1, test_accuracy_last_epoch=0.9601)
    found = on_test(study, store)
    assert (found.seeds, found.fresh_images) == (SEEDS + 1, None)
    assert found.low is not None


def test_a_diverged_run_leaves_no_interval_for_fresh_images(
    study: Study, store: Store, trained: dict[str, list[Predictions]], put: Put
) -> None:
    """An unstable comparison has no mean to put an interval around."""
    put(study.arms["narrow"], SEEDS + 1)
    put(study.arms["wide"], SEEDS + 1, state="diverged")
    found = on_test(study, store)
    assert (found.verdict, found.fresh_images) == ("unstable", None)


def test_every_answer_lists_what_was_held_fixed_with_the_reminder(study: Study, store: Store) -> None:
    """ "Wider is better" at a learning rate that suits the narrow one is half an answer."""
    for found in answers(study, store):
        assert found.held_fixed_line == (
            "held fixed: network.mlp.depth 2, network.mlp.activation relu, optimizer adam, "
            "optimizer.learning_rate 0.001, batch_size 100, epochs 5, data (mnist, fixed split), precision auto; "
            "a learning rate re-tuned for wide might change the answer"
        )
        shown = json.loads(json.dumps(found.as_dict()))["held_fixed"]
        assert (shown["batch_size"], shown["optimizer.learning_rate"]) == (100, 0.001)
        assert "network.mlp.width" not in shown


def test_a_notebook_shows_the_line_too(study: Study, store: Store) -> None:
    """Most answers in Python are read there."""
    assert "<small>held fixed: network.mlp.depth 2" in answers(study, store)["Q"].accuracy._repr_html_()


def test_where_the_learning_rate_is_the_question_the_rest_might_be_retuned(
    study: Study, store: Store
) -> None:
    """Reminding of a re-tuned learning rate would make no sense there."""
    settings = ArmSettings.model_validate({"optimizer": {"name": "adam", "learning_rate": 0.01}})
    arms = {**study.arms, "fast": replace(study.arms["narrow"], name="fast", settings=settings)}
    question = Question(id="R", variant="fast", baseline="narrow")
    (found,) = answers(replace(study, arms=arms, questions=(question,)), store)
    assert found.held_fixed_line.startswith("held fixed: network mlp of 2 x 50 relu, optimizer adam, batch")
    assert found.held_fixed_line.endswith("; other settings re-tuned for fast might change the answer")


def test_answers_print_the_line_once_for_each_question_in_every_form(
    fairtrial: Callable[..., Result],
) -> None:
    """A student reads the terminal, a colleague the table, a program the JSON."""
    fairtrial("run", "width", "--seeds", "3")
    plain = " ".join(fairtrial("answers", "width").stdout.split())
    assert plain.count("held fixed: network.mlp.depth 2") == 2
    assert "a learning rate re-tuned for width-1000 might change the answer" in plain
    markdown = fairtrial("answers", "width", "--markdown").stdout
    assert markdown.count("held fixed: network.mlp.depth 2") == 2
    rows = list(csv.DictReader(io.StringIO(fairtrial("answers", "width", "--csv").stdout)))
    assert rows[0]["held_fixed"].startswith("held fixed: ")
    assert {row["fresh_images_low"] for row in rows} == {""}
