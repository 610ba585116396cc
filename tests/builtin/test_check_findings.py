"""What `check` finds: each kind on a study made for it, and nothing on a study without faults."""

from __future__ import annotations

from typing import Any

import pytest

from fairtrial.study.check import Finding, findings, verdicts
from fairtrial.study.layers import Conv, Dense, Flatten, Pool
from fairtrial.study.schema import (
    Arm,
    ArmSettings,
    Claim,
    DataSettings,
    NetworkSettings,
    Question,
    Seeds,
    Study,
)
from fairtrial.study.training import SGD, Adam, EarlyStopping


def study(*questions: Question, seeds: Any = None, **arms: dict[str, Any]) -> Study:
    built = {name: Arm(name=name, settings=ArmSettings(**settings)) for name, settings in arms.items()}
    return Study(name="any", arms=built, questions=questions, seeds=seeds or Seeds())


def ask(*factors: str, **fields: Any) -> Question:
    return Question(**{"id": "Q", "variant": "a", "baseline": "b", "factors": factors, **fields})


def of(kind: str, checked: Study) -> list[Finding]:
    return [finding for finding in findings(checked) if finding.kind == kind]


SLOWER = {"optimizer": Adam(learning_rate=0.0001)}


def test_a_fair_question_is_found_fault_with_in_nothing() -> None:
    """Findings that are always there are findings that nobody reads."""
    assert findings(study(ask("optimizer.learning_rate"), a=SLOWER, b={})) == ()


def test_a_confound_names_the_setting_and_both_values() -> None:
    """The notebook's Q8: the batch size changed with the learning rate."""
    checked = study(ask("optimizer.learning_rate"), a={**SLOWER, "batch_size": 1000}, b={})
    (finding,) = of("confounded", checked)
    assert finding.question == "Q"
    assert "batch_size (100 -> 1000)" in finding.message
    assert "optimizer.learning_rate alone" in finding.message


def test_a_question_that_declares_no_difference_is_told_of_each() -> None:
    """`factors: []` says that the arms ought to be the same."""
    (finding,) = of("confounded", study(ask(), a=SLOWER, b={}))
    assert "differ in optimizer.learning_rate" in finding.message
    assert finding.message.endswith("declares that nothing is meant to differ")


def test_layers_that_do_not_align_are_counted_by_kind() -> None:
    """Two whole lists of layers would fill the screen and hide the missing pooling."""
    deep = NetworkSettings(layers=(Conv(filters=2), Pool(), Flatten(), Dense(units=3)))
    flat = NetworkSettings(layers=(Conv(filters=2), Flatten(), Dense(units=3)))
    (finding,) = of("confounded", study(ask("epochs"), a={"network": deep}, b={"network": flat}))
    assert "1 conv, 1 flatten, 1 dense -> 1 conv, 1 pool, 1 flatten, 1 dense" in finding.message


def test_a_question_without_factors_is_told_what_it_asks_about() -> None:
    """One difference is taken as meant; with two the question is confounded."""
    question = Question(id="Q", variant="a", baseline="b")
    (finding,) = of("undeclared", study(question, a=SLOWER, b={}))
    assert "optimizer.learning_rate" in finding.message
    both = study(question, a={**SLOWER, "epochs": 7}, b={})
    assert of("undeclared", both) == []
    (finding,) = of("confounded", both)
    assert "optimizer.learning_rate" in finding.message
    assert "epochs" in finding.message


def test_a_declared_factor_that_is_the_same_in_both_arms_is_named() -> None:
    """It is a typing error, or the departure was forgotten."""
    (finding,) = of("unchanged", study(ask("optimizer.learning_rate", "epochs"), a=SLOWER, b={}))
    assert "epochs" in finding.message


def test_a_batch_size_at_fixed_epochs_changes_the_updates_too() -> None:
    """Whoever asks about the batch size asks about the number of updates as well, and should know."""
    (finding,) = of("implied", study(ask("batch_size"), a={"batch_size": 10_000}, b={}))
    assert "updates 2,700 -> 30 (the batch size changes at the same number of epochs)" in finding.message
    (finding,) = of("implied", study(ask("epochs"), a={"epochs": 10}, b={}))
    assert finding.message.endswith("updates 2,700 -> 5,400")


@pytest.mark.parametrize(
    ("claim", "advice"),
    [
        ({"metric": "time", "says": "increase"}, "metrics: time"),
        ({"metric": "loss", "says": "decrease"}, "metrics: loss"),
        ({"metric": "accuracy", "on": "test", "says": "level", "level": 0.9}, "on: test"),
    ],
)
def test_a_claim_without_a_verdict_to_judge_it_is_found(claim: dict[str, Any], advice: str) -> None:
    """It would stand in the report as not settled for ever."""
    (finding,) = of("unjudged", study(ask("epochs", claims=(Claim(**claim),)), a={"epochs": 7}, b={}))
    assert finding.question == "Q"
    assert f"`{advice}`" in finding.message


def test_a_claim_with_a_verdict_is_not_complained_of() -> None:
    """A claim about time is judged whatever images the accuracy is measured on."""
    claims = (
        Claim.model_validate({"metric": "time", "says": "increase"}),
        Claim.model_validate({"metric": "accuracy", "on": "test", "says": "decrease"}),
    )
    question = ask("epochs", metrics=("accuracy", "time"), on=("test",), claims=claims)
    assert of("unjudged", study(question, a={"epochs": 7}, b={})) == []


def test_the_same_arm_under_two_names_is_found() -> None:
    """It is trained once and shown twice; asking one about the other can only answer zero."""
    same = NetworkSettings(layers=(Flatten(), *[Dense(units=50, activation="relu")] * 2))
    checked = study(
        a={"network": same}, b={}, c={"optimizer": SGD(learning_rate=0.001)}, d={"optimizer": Adam()}
    )
    assert [(one.arm, "as arm a " in one.message) for one in of("duplicate", checked)] == [
        ("b", True),
        ("d", True),
    ]


def test_a_leak_is_named_for_each_arm_that_has_it() -> None:
    """Some arms leaking and some not is the worst case: they look comparable."""
    leaking = {"data": DataSettings(split="reshuffled")}
    (finding,) = of("leak", study(a=leaking, b={}))
    assert finding.arm == "a"
    assert "on purpose" in finding.message


def test_a_leak_of_many_arms_is_one_finding() -> None:
    """Twenty-one lines of the same words would hide everything else."""
    leaking = {"data": DataSettings(split="reshuffled")}
    (everywhere,) = of("leak", study(a=leaking, b=leaking))
    assert everywhere.message.startswith("all arms: ")
    assert everywhere.arm is None
    many = dict.fromkeys("abcd", leaking)
    (but_one,) = of("leak", study(**many, honest={}))
    assert but_one.message.startswith("all arms but honest: ")
    (listed,) = of("leak", study(**many, **{f"honest{number}": {} for number in range(4)}))
    assert listed.message.startswith("4 arms (a, b, c, d): ")


def test_bfloat16_is_fast_only_where_the_processor_has_it() -> None:
    """On another machine the same study takes many times as long."""
    (finding,) = of("precision", study(a={"precision": "bfloat16"}, b={"precision": "float32"}))
    assert finding.arm == "a"


def test_early_stopping_is_said_because_validation_then_steers() -> None:
    """A validation figure that chose its own moment is too good."""
    (finding,) = of("early_stopping", study(a={"early_stopping": EarlyStopping()}, b={}))
    assert finding.arm == "a"
    assert "validation_loss" in finding.message


def test_arms_that_nobody_asks_about_are_named() -> None:
    """`run` trains them too, which may be the larger part of its time."""
    (finding,) = of("unasked", study(ask("epochs"), a={"epochs": 7}, b={}, idle={"epochs": 9}))
    assert finding.arm == "idle"


def test_verdicts_are_counted_by_metric_and_place() -> None:
    """They share the error probability, so their number is part of the guarantee."""
    question = ask("epochs", metrics=("accuracy", "loss", "time"), on=("validation", "test"))
    checked = study(question, ask("epochs", id="R"), a={"epochs": 7}, b={})
    assert verdicts(checked) == 6
    (finding,) = of("horizon", checked)
    assert "6 verdicts (3 on validation, 2 on test, 1 on time)" in finding.message


def test_a_claimed_level_or_plateau_is_a_verdict_of_its_own() -> None:
    """Each is judged by one more interval that may miss; a claimed direction only reads the verdict."""
    claims = [
        {"says": "increase"},
        {"says": "level", "level": 0.98},
        {"says": "plateau"},
        {"says": "level", "level": 0.98, "on": "test"},
    ]
    question = ask("epochs", claims=[Claim.model_validate(one) for one in claims])
    assert verdicts(study(question, a={"epochs": 7}, b={})) == 3


def test_a_short_horizon_is_said() -> None:
    """At most three seeds settle hardly anything, and the least being the most allows one look."""
    messages = [
        one.message
        for one in of("horizon", study(ask("epochs"), a={"epochs": 7}, b={}, seeds=Seeds(min=3, max=3)))
    ]
    assert len(messages) == 2
    assert "at most 3 seeds" in messages[0]
    assert "exactly 3 seeds" in messages[1]
    assert of("horizon", study(a={}, seeds=Seeds(min=3, max=3))) == []
