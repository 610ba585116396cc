"""A text as its numbered questions and headings divide it: what is asked, what is answered, which models stand there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairtrial.audit.experiment import ModelSeen
from fairtrial.audit.lines import Line, Order
from fairtrial.audit.sentences import Said, said_in

_ANSWERS = re.compile(
    r"\b(?:answers?|solution|observations?|results?|explanation|discussion of|comments?)\b", re.IGNORECASE
)
_CLOSES = re.compile(
    r"\b(?:conclusions?|summary|concluding|overall|takeaways?|discussion|references|final thoughts)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Block:
    """Questions that follow one another, and the answer to them."""

    questions: tuple[Line, ...]
    answers: tuple[Line, ...]
    said: tuple[tuple[Line, Said], ...]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in (*self.questions, *self.answers))


@dataclass(frozen=True)
class Section:
    """What stands under one number or heading."""

    number: int | None
    title: Line | None
    lines: tuple[Line, ...]
    start: Order
    end: Order
    models: tuple[ModelSeen, ...] = ()

    @property
    def closes(self) -> bool:
        """Whether it looks back on the whole: what it says is of no one model."""
        return self.title is not None and self.number is None and bool(_CLOSES.search(self.title.text))

    @property
    def asked(self) -> Line | None:
        """The question it is about: the listed one, else the first that ends in a question mark, else its title."""
        listed = next((line for line in self.lines if line.listed), None)
        return listed or next((line for line in self.lines if line.text.endswith("?")), None) or self.title


def sections_of(lines: Sequence[Line], models: Sequence[tuple[Order, ModelSeen]]) -> tuple[Section, ...]:
    """The sections of a text in order, each with the models that belong to it.

    Usually these are the models under its heading. Where a text answers right after each model and only then names
    the next question, a model that stands under an answered question belongs to what follows it.
    """
    found: list[tuple[int | None, Line | None, list[Line]]] = [(None, None, [])]
    for line in lines:
        if line.kind != "prose":
            continue
        if _begins(line, found[-1][0]):
            found.append((line.number, line, [line]))
        else:
            found[-1][2].append(line)
    starts = [(0, -1)] + [members[0].order for _, _, members in found[1:]]
    ends = [*starts[1:], (10**9, 0)]
    sections = [
        Section(
            number,
            title,
            tuple(members),
            start,
            end,
            tuple(model for order, model in models if start <= order < end),
        )
        for (number, title, members), start, end in zip(found, starts, ends, strict=True)
    ]
    orders = {model.name: order for order, model in models}
    for before, section in enumerate(sections[1:]):
        if section.models or section.closes or not _says(section):
            continue
        left = _left_over(sections[before], orders)
        sections[before] = replace(
            sections[before], models=tuple(model for model in sections[before].models if model not in left)
        )
        sections[before + 1] = replace(section, models=left)
    return tuple(sections)


def _begins(line: Line, number: int | None) -> bool:
    """Whether a line begins a section: another number, or a heading that is not over an answer."""
    if line.number is not None:
        return line.number != number
    return (0 < line.level < 7 and not _ANSWERS.search(line.text)) or (
        line.level == 7 and _CLOSES.search(line.text) is not None
    )


def blocks_of(section: Section) -> tuple[Block, ...]:
    """Its questions with the answers to each; what is said before the first question is a block of its own."""
    found: list[tuple[list[Line], list[Line]]] = [([], [])]
    for line in section.lines:
        asks = line.listed or line.text.endswith("?")
        if asks and found[-1][1]:
            found.append(([], []))
        if line is not section.title or asks:
            found[-1][0 if asks else 1].append(line)
    return tuple(
        Block(
            tuple(questions),
            tuple(answers),
            tuple((line, said) for line in answers for said in said_in(line.text)),
        )
        for questions, answers in found
        if questions or answers
    )


def _says(section: Section) -> bool:
    return any(said_in(line.text) for line in section.lines)


def _left_over(section: Section, orders: dict[str, Order]) -> tuple[ModelSeen, ...]:
    """Models after the last words of a section that has its answers already, or that is none but a beginning."""
    last = section.lines[-1].order if section.lines else section.start
    if section.number is not None and not _says(section):
        return ()
    return tuple(model for model in section.models if orders[model.name] > last)
