"""The questions of a text as a study asks them, with its claims, and beside each what its own tables show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fairtrial.audit.arms import Translated
from fairtrial.audit.document import Document, Place
from fairtrial.audit.experiment import Asked, Experiments, Statement
from fairtrial.audit.wording import clean, comment, identifier, where
from fairtrial.study.factors import differences
from fairtrial.study.spelling import flow

Arms = Mapping[str, Translated]
Left = list[tuple[Place, str]]
METRICS = ("accuracy", "loss", "time")
PARTS = ("validation", "test")


def questions(experiments: Experiments, arms: Arms, document: Document, left: Left) -> Iterator[str]:
    """The lines of the questions; what a study cannot ask is added to `left`, each in a sentence."""
    taken: set[str] = set()
    blocks: list[list[str]] = []
    for asked in experiments.asked:
        for variant, baseline, statements in _pairs(asked, arms, left):
            name = identifier(asked.id, taken)
            blocks.append(
                list(_question(name, asked, arms[variant], arms[baseline], statements, document, left))
            )
    if not blocks:
        yield comment("The text compares no two of these models; a question would be written as:")
        names = list(arms)
        if len(names) > 1:
            yield comment(
                f"questions: [{{variant: {flow(arms[names[1]].name)}, baseline: {flow(arms[names[0]].name)}}}]"
            )
        return
    yield comment(
        "Claims are what the text says; own_tables is what the figures printed for the same models show."
    )
    yield "questions:"
    for block in blocks:
        yield from block


def _pairs(asked: Asked, arms: Arms, left: Left) -> Iterator[tuple[str, str, tuple[Statement, ...]]]:
    """The pairs of arms that a question of the text is about, each with what is said of it."""
    said: dict[tuple[str, str], list[Statement]] = {}
    if asked.variant in arms and asked.baseline in arms and asked.variant != asked.baseline:
        said[str(asked.variant), str(asked.baseline)] = []
    for statement in asked.statements:
        variant = statement.variant or asked.variant
        baseline = statement.baseline or (asked.baseline if variant == asked.variant else None)
        if variant not in arms or baseline not in arms or variant == baseline:
            left.append(
                (statement.place, f"which two models this is about is not clear: {statement.text[:200]}")
            )
        else:
            said.setdefault((str(variant), str(baseline)), []).append(statement)
    if not said and not asked.statements:
        left.append((asked.place, f"which two models this asks about is not clear: {asked.text[:200]}"))
    for (variant, baseline), statements in said.items():
        yield variant, baseline, tuple(statements)


def _question(
    name: str,
    asked: Asked,
    variant: Translated,
    baseline: Translated,
    statements: tuple[Statement, ...],
    document: Document,
    left: Left,
) -> Iterator[str]:
    claims = [
        (statement, claim)
        for statement in statements
        if (claim := _claim(statement, variant, baseline, left)) is not None
    ]
    metrics = [one for one in METRICS if any(claim["metric"] == one for _, claim in claims)] or ["accuracy"]
    if "time" not in metrics and "time" in asked.text.lower().split():
        metrics.append("time")
    parts = [one for one in PARTS if any(claim.get("on") == one for _, claim in claims)] or ["validation"]
    yield comment(f"{where(asked.place, document)}{_how(asked)}", "  ")
    changed = differences(variant.arm, baseline.arm) if variant.arm and baseline.arm else ()
    if len(changed) > 1:
        yield comment(f"more than one setting differs: {'; '.join(map(str, changed))}"[:1000], "  ")
    yield f"  - id: {flow(name)}"
    yield f"    ask: {flow(clean(asked.text))}"
    yield f"    variant: {flow(clean(variant.name))}"
    yield f"    baseline: {flow(clean(baseline.name))}"
    if len(changed) == 1:
        yield f"    factors: {flow([changed[0].path])}"
    yield f"    metrics: {flow(metrics)}"
    yield f"    on: {flow(parts)}"
    if claims:
        yield "    claims:"
        for statement, claim in claims:
            if statement.on is None and statement.metric != "time":
                yield comment("assumed: on validation; the text does not say on which images", "      ")
            yield f"      - {flow(claim)}"


def _how(asked: Asked) -> str:
    return {
        "named": "",
        "figures": "; the baseline is the model for which the text gave the figures that it starts from",
        "previous": "; the baseline is assumed: the model shown before that differs least",
    }.get(asked.basis, "")


def _claim(
    statement: Statement, variant: Translated, baseline: Translated, left: Left
) -> dict[str, Any] | None:
    """A statement as a claim of a study file; None where a study judges no such thing, which is then said."""
    figures = [one for one in (statement.before, statement.after) if one is not None]
    if statement.on == "train":
        left.append(
            (statement.place, f"a study judges no accuracy or loss of training: {statement.text[:200]}")
        )
        return None
    if statement.metric == "accuracy" and any(not 0 <= one <= 1 for one in figures):
        left.append((statement.place, f"an accuracy outside 0 to 1: {statement.text[:200]}"))
        return None
    claim: dict[str, Any] = {"metric": statement.metric}
    if statement.metric != "time":
        claim["on"] = statement.on or "validation"
    claim["says"] = statement.says
    if statement.says == "level":
        if statement.after is None:
            left.append((statement.place, f"a level without a number: {statement.text[:200]}"))
            return None
        return claim | {"level": statement.after}
    if statement.says == "plateau":
        return claim | {"text": clean(statement.text)[:500]}
    claim |= {
        key: value
        for key, value in (("from", statement.before), ("to", statement.after))
        if value is not None
    }
    own = _own_tables(claim, variant, baseline)
    return claim | ({"own_tables": own} if own else {})


def _own_tables(claim: Mapping[str, Any], variant: Translated, baseline: Translated) -> dict[str, Any] | None:
    key = "train_seconds" if claim["metric"] == "time" else f"{claim['on']}_{claim['metric']}"
    before, after = dict(baseline.published).get(key), dict(variant.published).get(key)
    if before is None or after is None:
        return None
    says = "increase" if after > before else "decrease" if after < before else "no change"
    return {"from": before, "to": after, "says": says}
