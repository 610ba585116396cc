"""The questions of a text with what it answers, and the two models that each is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairtrial.audit.baselines import MOST_EARLIER, Given, baseline_of
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Asked, ModelSeen, Statement
from fairtrial.audit.finals import finals_in
from fairtrial.audit.lines import Line, Order, lines_of, order_of
from fairtrial.audit.mentions import Named, named_in
from fairtrial.audit.sections import Block, Section, blocks_of, sections_of
from fairtrial.audit.sentences import Said

_NUMBER_OF_LIST = re.compile(r"^\W*\d{1,2}\s*[.)]\s+")


@dataclass(frozen=True)
class _Group:
    """What a section says of one model, block by block."""

    text: Line
    named: Named
    variant: ModelSeen | None
    said: tuple[tuple[Line, Said, Named], ...]


def asked_in(document: Document, models: Sequence[ModelSeen]) -> tuple[Asked, ...]:
    """The questions of a document's text and its statements, with variant and baseline where they can be told.

    The variant is the model shown last before the statement, in the same section, unless the text names another. The
    baseline is the one the text names; else the one for which it gave, further up, the figures it now starts from; else
    the earlier model whose settings differ least, the latest of several.
    """
    ordered = [(order_of(document, model.place), model) for model in models]
    ordered.sort(key=lambda pair: pair[0])
    found: list[Asked] = []
    lines = lines_of(document)
    repeated_figures = finals_in(document, lines, models)
    given = Given()
    for whole in sections_of(lines, ordered):
        finals = [(line, said) for line, said in repeated_figures if whole.start <= line.order < whole.end]
        section = _until(finals, whole, ordered)
        groups = _groups(section, ordered)
        for group in groups:
            found.append(_asked(group, section, [model for _, model in ordered], given, found))
            given.remember(found[-1].statements)
        if groups and section.models:
            repeated = tuple(_statement(line, said, section.models[-1], None) for line, said in finals)
            found[-1] = replace(found[-1], statements=(*found[-1].statements, *repeated))
    return tuple(found)


def _until(
    finals: list[tuple[Line, Said]], section: Section, ordered: Sequence[tuple[Order, ModelSeen]]
) -> Section:
    """The section without the models shown after its final figures: these are of what stands above them."""
    if not finals:
        return section
    later = {model.name for order, model in ordered if order > finals[0][0].order}
    return replace(section, models=tuple(model for model in section.models if model.name not in later))


def _groups(section: Section, ordered: Sequence[tuple[Order, ModelSeen]]) -> list[_Group]:
    """One group for each model that the section says something of; where it only asks, one for the whole."""
    groups: list[_Group] = []
    silent: list[_Group] = []
    current: ModelSeen | None = None
    for block in blocks_of(section):
        earlier, candidates = _shown(block, section, ordered)
        text = "\n".join(_NUMBER_OF_LIST.sub("", line) for line in block.text.split("\n"))
        named = named_in(text, candidates, earlier)
        if named.variant or named.several:
            current = named.variant
        elif current is None and candidates:
            current = candidates[-1]
        said = tuple((line, one, named_in(one.sentence, candidates, earlier)) for line, one in block.said)
        asks = block.questions[0] if block.questions else block.answers[0]
        if groups and current is groups[-1].variant:
            last = groups[-1]
            merged = Named(last.named.variant, last.named.baseline or named.baseline)
            groups[-1] = replace(last, named=merged, said=(*last.said, *said))
        elif said:
            groups.append(_Group(asks if groups else section.asked or asks, named, current, said))
        elif block.questions and current is not None:
            silent.append(_Group(asks, named, current, ()))
    if not groups and section.models and (silent or section.number is not None):
        title = section.asked
        return silent[:1] or ([_Group(title, Named(), section.models[-1], ())] if title else [])
    return groups


def _shown(
    block: Block, section: Section, ordered: Sequence[tuple[Order, ModelSeen]]
) -> tuple[list[ModelSeen], list[ModelSeen]]:
    """The models shown before a block, and those of its section among them (all of them where it only asks)."""
    last = (block.answers or block.questions)[-1].order
    own = {model.name for model in section.models}
    if not block.said:
        last = (10**9, 0)
    earlier = [model for order, model in ordered if order < last]
    if len(earlier) > MOST_EARLIER:
        # `the first model` is always near.
        earlier = [earlier[0], *earlier[1 - MOST_EARLIER :]]
    return earlier, [model for model in earlier if model.name in own]


def _asked(
    group: _Group, section: Section, models: list[ModelSeen], given: Given, before: list[Asked]
) -> Asked:
    variant = group.variant
    baseline, basis = None, ""
    if variant is not None:
        said = [one for _, one, _ in group.said]
        baseline, basis = baseline_of(variant, models, group.named.baseline, said, given)
    statements: list[Statement] = []
    for line, said, named in group.said:
        own_variant = named.variant or (None if named.several else variant)
        own_baseline = named.baseline if named.baseline is not own_variant else None
        own_baseline = own_baseline or (baseline if own_variant is variant else None)
        statements.append(_statement(line, said, own_variant, own_baseline))
    title = _NUMBER_OF_LIST.sub("", group.text.text)
    return Asked(
        id=_id(section, title, before),
        text=title,
        variant=variant.name if variant else None,
        baseline=baseline.name if baseline else None,
        place=group.text.place,
        statements=tuple(statements),
        basis=basis,
    )


def _statement(line: Line, said: Said, variant: ModelSeen | None, baseline: ModelSeen | None) -> Statement:
    return Statement(
        metric=said.metric,
        on=said.on,
        says=said.says,
        before=said.before.value if said.before else None,
        after=said.after.value if said.after else None,
        variant=variant.name if variant else None,
        baseline=baseline.name if baseline and said.says != "level" else None,
        text=said.sentence,
        place=line.place,
    )


def _id(section: Section, title: str, before: list[Asked]) -> str:
    """`Q4` for the fourth numbered question, words of its title for another; unique."""
    words = "-".join(re.findall(r"[A-Za-z0-9]+", title.lower())[:5])
    name = f"Q{section.number}" if section.number is not None else words or "question"
    taken = {asked.id for asked in before}
    return next(one for one in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)
