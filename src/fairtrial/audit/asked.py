"""The questions of a text with what it answers, and the two models that each is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairtrial.audit.clauses import Quoted
from fairtrial.audit.differences import differences
from fairtrial.audit.document import Document
from fairtrial.audit.experiment import Asked, Basis, ModelSeen, Statement
from fairtrial.audit.figures import figures_in, final_figures
from fairtrial.audit.lines import Line, Order, lines_of, order_of
from fairtrial.audit.mentions import Named, named_in
from fairtrial.audit.sections import Block, Section, blocks_of, sections_of
from fairtrial.audit.sentences import Said

_NUMBER_OF_LIST = re.compile(r"^\W*\d{1,2}\s*[.)]\s+")
_FINAL = re.compile(r"\b(?:final|best|chosen|winning)\b", re.IGNORECASE)


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
    for section in sections_of(lines_of(document), ordered):
        groups = _groups(section, ordered)
        for group in groups:
            found.append(_asked(group, section, [model for _, model in ordered], found))
        if groups and section.models:
            repeated = tuple(
                _statement(line, said, section.models[-1], None) for line, said in _finals(document, section)
            )
            found[-1] = replace(found[-1], statements=(*found[-1].statements, *repeated))
    return tuple(found)


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
    return earlier, [model for model in earlier if model.name in own]


def _asked(group: _Group, section: Section, models: list[ModelSeen], before: list[Asked]) -> Asked:
    variant = group.variant
    baseline, basis = (None, "") if variant is None else _baseline(group, models, before)
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


def _baseline(group: _Group, models: list[ModelSeen], before: list[Asked]) -> tuple[ModelSeen | None, Basis]:
    variant = group.variant
    assert variant is not None
    earlier = models[: models.index(variant)]
    if group.named.baseline is not None and group.named.baseline is not variant:
        return group.named.baseline, "named"
    said = [one for _, one, _ in group.said]
    if (found := _by_figures(said, variant, earlier, before)) is not None:
        return found, "figures"
    if not earlier:
        return None, ""
    # Of those that differ least the latest: a text goes on from where it is.
    return min(reversed(earlier), key=lambda model: len(differences(variant, model))), "previous"


def _by_figures(
    said: list[Said], variant: ModelSeen, earlier: list[ModelSeen], before: list[Asked]
) -> ModelSeen | None:
    """The model for which the text itself gave the figures it starts from, or for which all of them were printed."""
    by_name = {model.name: model for model in earlier}
    votes: Counter[str] = Counter()
    for one in said:
        given = {
            statement.variant
            for asked in before
            for statement in asked.statements
            if one.before is not None
            and (statement.metric, statement.on, statement.after) == (one.metric, one.on, one.before.value)
        }
        votes.update(name for name in given if name in by_name)
    most = votes.most_common(2)
    if most and (len(most) == 1 or most[0][1] > most[1][1]):
        return by_name[most[0][0]]
    starts = [one for one in said if one.before is not None]
    fitting = [model for model in earlier if starts and all(_fits(one, model) for one in starts)]
    same_run = any(_fits(replace(one, before=one.after), variant) for one in starts)
    return fitting[0] if len(fitting) == 1 and same_run else None


def _fits(said: Said, model: ModelSeen) -> bool:
    """Whether the figure that a statement starts from was printed for a model, rounded as the text has it."""
    printed = final_figures(model, said.metric, said.on)
    return said.before is not None and any(
        round(figure.value, said.before.decimals) == said.before.value for figure in printed
    )


def _finals(document: Document, section: Section) -> list[tuple[Line, Said]]:
    """Figures that a text repeats under `Final Model` or the like, where an export tells prose from output by shape."""
    if document.kind not in ("text", "html"):
        return []
    shown = {figure.place for model in section.models for figure in model.figures}
    lines = [line for line in lines_of(document) if section.start <= line.order < section.end]
    found: list[tuple[Line, Said]] = []
    for index, cell in enumerate(document.cells):
        above = [line for line in lines if line.order[0] < index]
        if (
            cell.kind != "output"
            or not above
            or not _FINAL.search(above[-1].text)
            or above[-1].kind != "prose"
        ):
            continue
        for figure in figures_in(cell, document.kind):
            line = next((line for line in lines if line.place == figure.place), None)
            if line is not None and figure.place not in shown and figure.epoch is None:
                value = Quoted(figure.value, figure.decimals)
                found.append((line, Said(figure.metric, figure.on, "level", None, value, line.text)))
    return found


def _id(section: Section, title: str, before: list[Asked]) -> str:
    """`Q4` for the fourth numbered question, words of its title for another; unique."""
    words = "-".join(re.findall(r"[A-Za-z0-9]+", title.lower())[:5])
    name = f"Q{section.number}" if section.number is not None else words or "question"
    taken = {asked.id for asked in before}
    return next(one for one in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)
