"""What a text says is held against the figures printed of the two models it speaks of, and of no others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from made_exports import accuracies, audit_of, audit_of_notebook, shown

import fairtrial as ft
from fairtrial.audit.auditing import audit_file
from fairtrial.audit.finding import Finding
from fairtrial.audit.result import Audit

NUMBER = r"(\d+(?:\.\d+)?)"
Contradiction = tuple[str, float, float, str, float, float]
"""Metric, figures of the text, and what the tables show with their figures."""


def contradictions(audit: Audit) -> set[Contradiction]:
    """The contradictions found, from their sentences alone."""
    found: set[Contradiction] = set()
    for finding in audit.of("contradicted"):
        told = re.match(
            rf"The text says ([\w ]+?) (?:in|de)creased \({NUMBER} to {NUMBER}(?: s)?\); the tables beside it show "
            rf"(?:an? (\w+) \({NUMBER} to {NUMBER}(?: s)?\)|{NUMBER} for both)\.",
            finding.sentence,
        )
        assert told is not None, finding.sentence
        metric, start, end, direction, before, after, both = told.groups()
        found.add(
            (
                metric.replace("training time", "time"),
                float(start),
                float(end),
                direction or "no change",
                float(before or both),
                float(after or both),
            )
        )
    assert len(found) == len(audit.of("contradicted"))
    return found


def against(*parts: str) -> list[Finding]:
    """All that is found in a text, but that every model in it was trained once."""
    return [finding for finding in audit_of(*parts).findings if finding.kind != "one-run"]


def test_the_notebook_as_handed_in_contradicts_itself_eleven_times(handed_in: Path) -> None:
    """Known since this project began: 11 of its 22 statements of direction, these and no others."""
    known = json.loads((handed_in / "course.json").read_text(encoding="utf-8"))["contradicted_by_own_tables"]
    expected: set[Contradiction] = set()
    for line in known:
        told = re.match(
            rf"\S+ ([\w ]+): text \w+ \({NUMBER} to {NUMBER}\), tables ([\w ]+) \({NUMBER} to {NUMBER}\)$",
            line,
        )
        assert told is not None
        metric, start, end, direction, before, after = told.groups()
        expected.add((metric, float(start), float(end), direction, float(before), float(after)))
    assert len(expected) == 11
    audit = audit_file(handed_in / "course-notebook.txt")
    assert contradictions(audit) == expected
    directions = [
        one
        for asked in audit.experiments.asked
        for one in asked.statements
        if one.says in ("increase", "decrease") and one.before is not None
    ]
    assert len(directions) == 22


def test_every_question_of_that_notebook_is_about_the_models_it_was_about(handed_in: Path) -> None:
    """Told by hand once, and here from the text alone."""
    rows = json.loads((handed_in / "course.json").read_text(encoding="utf-8"))
    printed = {row["id"]: row["notebook_model"] for row in rows["rows"]}
    expected = [
        (printed[question["variant"]], printed[question["baseline"]])
        for question in rows["questions"]
        if not question["id"].startswith("CNN")
    ]
    audit = audit_file(handed_in / "course-notebook.txt")
    assert [(asked.variant, asked.baseline) for asked in audit.experiments.asked] == expected


def rebuilt() -> tuple[list[str], set[Contradiction]]:
    """The course's figures and claims, as its built-in study has them, as an exported notebook; and what it contradicts."""
    study = ft.load("course")
    parts: list[str] = []
    expected: set[Contradiction] = set()
    seen: list[str] = []
    questions = [one for one in study.questions if any(claim.own_tables for claim in one.claims)]
    for number, question in enumerate(questions, start=1):
        parts.append(f"Q{number}: of the course")
        for name in (question.baseline, question.variant):
            arm = study.arms[name]
            mlp, published = arm.settings.network.mlp, arm.published
            assert mlp is not None and published is not None
            if name in seen:
                continue
            figures = accuracies(
                f"{published.validation_accuracy:.3f}",
                f"{published.test_accuracy:.3f}",
                time=f"{published.train_seconds:.3f}",
            )
            rate = arm.settings.optimizer.learning_rate
            title = f"learning rate {rate}" if rate != 0.001 else f"{mlp.activation} of width {mlp.width}"
            widths = [mlp.width] * mlp.depth
            parts.append(
                shown(
                    len(seen),
                    widths,
                    figures=figures,
                    title=title,
                    batch=arm.settings.batch_size,
                    first_layer=0,
                )
            )
            seen.append(name)
        asked = f"{number}. Try {study.arms[question.variant].title}. Does it make a difference?"
        parts.append(asked)
        for claim in question.claims:
            on = f"{claim.on} " if claim.metric != "time" else "Train "
            assert claim.from_ is not None and claim.own_tables is not None
            parts.append(f"{on}{claim.metric} {claim.says}d from {claim.from_:.3f} to {claim.to:.3f}")
            tables = claim.own_tables
            if tables.says != claim.says:
                metric = claim.metric if claim.metric == "time" else f"{claim.on} {claim.metric}"
                assert claim.to is not None and tables.from_ is not None and tables.to is not None
                expected.add((metric, claim.from_, claim.to, tables.says, tables.from_, tables.to))
    return parts, expected


def test_a_notebook_rebuilt_from_its_figures_has_the_same_contradictions() -> None:
    """Other words, other headings, other numbers of layers: what contradicts what stays."""
    parts, expected = rebuilt()
    assert len(expected) == 11
    assert contradictions(audit_of(*parts)) == expected


def test_a_text_that_agrees_with_its_tables_is_left_alone() -> None:
    """A false alarm costs more trust than a fault that is missed."""
    assert not against(
        shown(0, [50], figures=accuracies("0.950", "0.940", time="7.0")),
        shown(1, [200], figures=accuracies("0.970", "0.935", time="8.0")),
        "1. Try 200 units. What happens?",
        "The validation accuracy increased from 0.950 to 0.970, the test accuracy dropped from 94% to 93.5%.",
        "Training took longer.",
    )


WIDER = shown(0, [50], figures=accuracies("0.950")), shown(1, [200], figures=accuracies("0.940"))


@pytest.mark.parametrize(
    "answer",
    [
        "The validation accuracy increased to 94.5%.",
        "validation accuracy got better",
        "We see an improvement in validation accuracy.",
        "The wider model has a higher validation accuracy than the first model.",
        "Val. acc. went up from 95% to 96%.",
        "validaton accurcy is slightly higher",
    ],
)
def test_a_contradiction_is_found_in_many_wordings(answer: str) -> None:
    """The tables show a decrease from 0.950 to 0.940, whatever the words."""
    (finding,) = audit_of(*WIDER, "1. Try 200 units. What happens?", answer).of("contradicted")
    assert "show a decrease (0.950 to 0.940)" in finding.sentence
    assert finding.serious and finding.place.line > 20


@pytest.mark.parametrize(
    "answer",
    [
        "The validation accuracy decreased from 0.950 to 0.940.",
        "The validation accuracy is almost the same.",
        "The validation accuracy would increase with more epochs.",
        "The training accuracy increased.",
        "Test accuracy increased from 0.91 to 0.92.",
        "With 50 units the validation accuracy is higher than with 200.",
        "The validation accuracy with 50 units and with 200 units increased during training.",
        "The validation loss increased.",
        "Is the validation accuracy higher?",
    ],
)
def test_what_the_tables_do_not_contradict_is_no_contradiction(answer: str) -> None:
    """Agreement, other metrics, other parts of the data, suppositions, and the same pair the other way round."""
    assert not audit_of(*WIDER, "1. Try 200 units. What happens?", answer).of("contradicted")


def test_without_figures_every_model_it_may_mean_must_oppose_the_text() -> None:
    """`The accuracy is better` may be said against the first model or the second."""
    models = [
        shown(number, [units], figures=accuracies(accuracy))
        for number, (units, accuracy) in enumerate([(50, "0.950"), (200, "0.960"), (400, "0.955")])
    ]
    asked = "1. Try 400 units.", "The validation accuracy is better."
    assert not audit_of(*models, *asked).of("contradicted")
    models[0] = shown(0, [50], figures=accuracies("0.970"))
    (finding,) = audit_of(*models, *asked).of("contradicted")
    assert finding.sure == "likely"


def test_figures_lead_to_the_model_they_were_given_for() -> None:
    """The third model is held against the first: the text starts from what it said of that one."""
    audit = audit_of(
        shown(0, [50], figures=accuracies("0.900")),
        "Q1: width",
        shown(1, [200], figures=accuracies("0.950")),
        "Validation accuracy increased from 0.905 to 0.955.",
        "Q2: batch",
        shown(2, [200], batch=10, figures=accuracies("0.970")),
        "Validation accuracy increased from 0.955 to 0.975.",
        "Q3: activation",
        shown(3, [200], title="use sigmoid", figures=accuracies("0.960")),
        "Validation accuracy decreased from 0.955 to 0.945.",
    )
    assert [(one.variant, one.baseline, one.basis) for one in audit.experiments.asked] == [
        ("sequential_1", "sequential", "previous"),
        ("sequential_2", "sequential_1", "figures"),
        ("sequential_3", "sequential_1", "figures"),
    ]
    (finding,) = audit.of("contradicted")
    assert "an increase (0.950 to 0.960)" in finding.sentence and finding.sure == "certain"


def test_a_sentence_that_contradicts_its_own_figures_needs_no_table() -> None:
    """`increased from 0.98 to 0.97`."""
    (finding,) = audit_of("Q1: batch", *WIDER, "The accuracy increased from 0.98 to 0.97.").of("contradicted")
    assert "its own figures are a decrease (0.98 to 0.97)" in finding.sentence


def test_equal_figures_contradict_a_change_but_not_a_slip_of_rounding() -> None:
    """0.975 and 0.975 are no decrease; 0.975 said of 0.9753 is none of our business."""
    equal = shown(0, [50], figures=accuracies("0.975")), shown(1, [200], figures=accuracies("0.975"))
    (finding,) = audit_of(*equal, "1. Try 200 units.", "Validation accuracy decreased.").of("contradicted")
    assert "show 0.975 for both" in finding.sentence
    assert not against(*equal, "1. Try 200 units.", "Validation accuracy did not change.")


def test_a_conclusion_at_the_end_is_of_no_one_model() -> None:
    """`Overall the accuracy decreased with depth` under a heading of its own speaks of all of them."""
    assert not audit_of(*WIDER, "# Conclusion", "The validation accuracy increased with the width.").of(
        "contradicted"
    )


def test_questions_before_the_model_are_answered_after_it() -> None:
    """In a notebook the question is a Markdown cell, then comes the code, then the answer."""
    audit = audit_of_notebook(
        ("code", "model.summary()"),
        ("output", shown(0, [50], figures=accuracies("0.950"))),
        ("prose", "### 1. Try 200 units. How does the accuracy change?"),
        ("code", "model.summary()"),
        ("output", shown(1, [200], figures=accuracies("0.940"))),
        ("prose", "The validation accuracy increased."),
    )
    (finding,) = audit.of("contradicted")
    assert (finding.place.cell, finding.place.line) == (4, 1)


def test_text_and_output_of_different_runs_are_one_finding() -> None:
    """Each figure alone would be a finding, and twenty of them would bury the rest."""
    answers = [
        "The validation accuracy decreased from 0.951 to 0.942.",
        "The validation accuracy decreased from 0.952 to 0.943.",
    ]
    (finding,) = against(*WIDER, "1. Try 200 units. What happens?", *answers)
    assert finding.kind == "not-shown" and not finding.serious
    assert finding.sentence.startswith(
        "Of 4 figures in the text the output shows 4 for no model (0.951, 0.942, 0.952, 0.943"
    )
    (slip,) = against(*WIDER, "1. Try 200 units. What happens?", answers[0])
    assert slip.sentence == (
        "The text gives 0.951 where the output shows 0.950 for sequential and 0.942 where the output shows 0.940 for "
        "sequential_1, as validation accuracy."
    )
    assert slip.kind == "contradicted" and not slip.serious


def test_how_one_model_learnt_is_no_comparison_with_another() -> None:
    """Both figures are of its own epochs, whatever the model before it ended with."""
    epochs = "\n".join(
        f"Epoch {epoch}/3\n540/540 - 5s - loss: 0.2 - accuracy: 0.9 - val_loss: 0.2 - val_accuracy: {value}"
        for epoch, value in enumerate(("0.9011", "0.9205", "0.9304"), start=1)
    )
    models = shown(0, [50], figures=accuracies("0.950")), shown(1, [200], figures={}), epochs
    assert not against(*models, "1. Try 200 units.", "The validation accuracy increased from 0.901 to 0.930.")
    (finding,) = against(*models, "1. Try 200 units.", "The validation accuracy increased.")
    assert "show a decrease (0.950 to 0.9304)" in finding.sentence
