"""Prose as clauses of plain words: misspellings repaired, turns of speech that mean one thing put as one word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from fairtrial.audit.labels import Metric, decimals, seconds
from fairtrial.audit.words import meant, vocabulary, words_of

Sense = Literal["up", "down", "good", "bad", "longer", "shorter", "same", "moved"]

_TOKEN = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[A-Za-z]+\d\w*|[A-Za-z]+(?:['’][a-z]+)?|\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d*\.\d+|\d+|->|→|[^\s\w]"
)
_LONGEST = 6000
"""Characters of a paragraph that are read: some pages."""
_UNITS = vocabulary("% percent ms s sec secs second seconds m min mins minute minutes h hour hours")
_NEARLY = r"(?:(?:almost|nearly|about|roughly|approximately|pretty much|more or less|practically|basically|exactly|very|quite) )*"
_MEANT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\b(?:can|could|will|may|might)(?: also| clearly)? (?:see|notice|observe|say|conclude|be seen)\b", "see"),
        (r", (?:however|though|again|too|also|respectively) ,", "also"),
        (r"\b(?:went|goes|gone|going|go) (?:slightly |a bit |way |significantly )?(?:up|higher)\b", "rose"),
        (r"\b(?:went|goes|gone|going|go) (?:slightly |a bit |way |significantly )?(?:down|lower)\b", "fell"),
        (rf"\b(?:stay|stayed|stays|remain|remained|remains|kept|keeps|is|was|are|were)? ?{_NEARLY}(?:the same|identical|unchanged|constant)\b", "same"),
        (r"\b(?:(?:did|does|do|has|have|had) ?n[o'’]?t|(?:did|does|do|has|have|had) not|didn't|doesn't|hasn't|haven't) (?:really |significantly |noticeably )?changed?\b", "same"),
        (r"\b(?:no|hardly any|barely any|not a|not any) (?:(?:significant|real|big|noticeable|much|major|large) )?(?:change|difference)\b", "same"),
        (r"\bas (?:good|high|low|fast|slow) as\b", "same"),
        (r"\b(?:hardly|barely) chang(?:ed|es)\b", "same"),
    )
)  # fmt: skip
_SAID_BY: tuple[tuple[Sense, str], ...] = (
    ("up", "increase increased increases increasing rose rises rise risen grew grows grown climbed climbs jumped raised raises higher"),
    ("down", "decrease decreased decreases decreasing drop dropped drops dropping fell falls fall fallen declined declines reduced reduces reduction lowered lowers lower dipped diminished"),
    ("good", "improve improved improves improving improvement better"),
    ("bad", "worse worsened worsens deteriorated degraded degrades"),
    ("longer", "longer slower more"),
    ("shorter", "shorter faster quicker less"),
    ("same", "same similar"),
    ("moved", "went changed moved shifted changes goes"),
)  # fmt: skip
_SENSES: dict[str, Sense] = {word: sense for sense, words in _SAID_BY for word in words.split()}


@dataclass(frozen=True)
class Quoted:
    """A number of the text, as a fraction or in seconds, with as many digits after the point as it was given."""

    value: float
    decimals: int


@dataclass(frozen=True)
class Clause:
    """Words in lower case, spelled in full; `supposed` where it speaks of what would be, or asks."""

    words: tuple[str, ...]
    sentence: str
    supposed: bool

    def sense(self, index: int) -> Sense | None:
        return _SENSES.get(self.words[index])

    def number(self, index: int, metric: Metric) -> Quoted | None:
        """The number at `index`, if it can be one of this metric."""
        if not 0 <= index < len(self.words) or not _is_number(self.words[index]):
            return None
        value = Decimal(self.words[index].replace(",", ""))
        unit = (
            self.words[index + 1] if index + 1 < len(self.words) and self.words[index + 1] in _UNITS else ""
        )
        if metric == "time":
            taken = seconds(str(value), unit)
            return None if unit in ("%", "percent") else Quoted(float(taken), decimals(taken))
        if unit not in ("", "%", "percent") or (metric == "loss" and unit):
            return None
        if metric == "accuracy" and (unit or value > 1):
            value = value.scaleb(-2)
        return Quoted(float(value), decimals(value)) if metric == "loss" or value <= 1 else None


_SUPPOSING = vocabulary(
    "if would could might may should can will must want wanted try trying aim goal hope hoped suppose supposed expect expects hint theory "
    "usually generally typically normally tends tend likely probably always often whether won't wouldn't shouldn't can't cannot unless"
)
_DIVIDES = vocabulary(
    "but while whereas although though because since when however which so until unless if where as ,"
)


def clauses_of(text: str) -> tuple[Clause, ...]:
    """The clauses of a line of prose.

    >>> [" ".join(clause.words) for clause in clauses_of("The val acc went up from 0.97 to 0.98, but not the test acc.")]
    ['the validation accuracy rose from 0.97 to 0.98', 'not the test accuracy']
    """
    found: list[Clause] = []
    for sentence, end in _sentences(text[:_LONGEST]):
        words: list[str] = []
        supposing = end == "?"
        for word in (*_normal(sentence), ","):
            if word not in _DIVIDES or (word == "as" and words[-1:] == ["well"]):
                words.append(word)
                continue
            if words:
                supposed = supposing or not _SUPPOSING.isdisjoint(words)
                found.append(Clause(tuple(words), sentence.strip(), supposed))
            # `if one keeps increasing it, the accuracy rises` supposes to its end.
            supposing = supposing or word in ("if", "unless")
            words = []
    return tuple(found)


def _sentences(text: str) -> list[tuple[str, str]]:
    """Sentences with what ends each; the point of `0.97` and of `val. acc` ends none."""
    pieces = re.split(r"(?<!\bval)(?<!\bvs)(?<!\bacc)(?<!\be\.g)(?<!\bi\.e)([.!?;])(?=\s|$)", text)
    return [
        (piece, end) for piece, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True) if piece.strip()
    ]


def _normal(sentence: str) -> list[str]:
    # The points left are those of abbreviations.
    tokens = [token for token in _TOKEN.findall(sentence.replace("’", "'")) if token != "."]
    text = " ".join(_word(token) for token in tokens)
    for pattern, word in _MEANT:
        text = pattern.sub(f" {word} ", text)
    return text.split()


def _word(token: str) -> str:
    """A token as a word: `val_accuracy` says what it is, `model_2` and `dense1` are somebody's names."""
    if _is_number(token) or token.isalpha() or "'" in token:
        return token if _is_number(token) else meant(token.lower())
    if not token[0].isalpha():
        return token
    words = words_of(token)
    return " ".join(words) if {"accuracy", "loss"} & set(words) else "model"


def _is_number(token: str) -> bool:
    return token[:1].isdigit() or (token[:1] == "." and token[1:2].isdigit())
