"""What a sentence says of a metric: `Train time significantly Increased from 9.193 to 449.6 seconds`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fairtrial.audit.clauses import Clause, Quoted, Sense, clauses_of
from fairtrial.audit.experiment import Says
from fairtrial.audit.labels import Metric
from fairtrial.audit.words import On, vocabulary

_PARTS = ("train", "validation", "test")
# What may stand between a metric and what is said of it.
_AROUND = vocabulary(
    "the a an its our my their this that of on in for with both overall final model models network networks algorithm set sets data dataset "
    "images score scores value values required total needed it took to cnn mlp train validation test also has have had is are was were been "
    "be being significantly slightly little bit then drastically dramatically greatly clearly only even further again still much very far "
    "way lot got gets get getting become becomes became really actually considerably substantially sharply strongly somewhat marginally "
    "just too here now all indeed rapidly quickly has's 's s time accuracy did does new"
)
_BEFORE_OBJECT = vocabulary(
    "the a an its our my their both overall final of in train validation test model model's 's and required total needed slightly"
)
_TRANSITIVE = vocabulary(
    "increased increases raised raises higher improved improves better worse worsened worsens reduced reduces decreased decreases lowered "
    "lowers lower longer shorter faster more less same similar slower"
)
_NOUNS = vocabulary("increase decrease drop improvement rise fall reduction same")
_NEGATIONS = vocabulary(
    "not no never n't didn't doesn't don't hasn't wasn't isn't without hardly barely neither nor nothing nobody"
)
_OTHER_TIMES = vocabulary(
    "same this each every first second last next one inference prediction predict real some any long step validation test"
)
_LEVELS = vocabulary(
    "of is was = : reached equals about around at only approximately roughly almost nearly the a model has achieved achieves score now final set data on test validation train got"
)
_AROUND_NUMBERS = vocabulary("about around roughly approximately nearly almost only just ~")
_COUNTED = vocabulary(
    "units unit neurons neuron nodes node layers layer epochs epoch hidden filters images samples batch batches"
)
_WHOSE = vocabulary("of with for using at")
_NAMED_THINGS = vocabulary(
    "model network cnn mlp units unit neurons nodes layers layer epochs dropout sigmoid tanh relu adam sgd rmsprop architecture filters"
)
_TRAINS = vocabulary("train trains took takes taking")
_BEYOND = vocabulary("keep continue continued beyond above further more larger bigger after past")
_CHECKPOINT = re.compile(r"\bsav(?:ing|ed)\b.{0,40}\b(?:model|weights|checkpoint|to)\b", re.IGNORECASE)
# The course of one training is no change from one model to another.
_OF_ONE_RUN = re.compile(
    r"(?:\b(?:over|during|throughout|across|after|until|each|every|per|through|by|with more|in)\s+(?:the\s+|its\s+|all\s+)?(?:\w+\s+)?(?:\d+\s+)?"
    r"|/\s?)(?:epochs?|training|time|iterations?)\b|\b\d+(?:st|nd|rd|th)\s+epoch|\b(?:training|epochs?|it)\s+(?:progress|go(?:es)?\s+on|proceed|advance|continue)"
    r"|\bcurves?\b|\bepoch\s+\d|\b(?:first|last|second|final)\s+epoch\b|\bepoch\s+by\s+epoch\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
    """What one sentence says of one metric, before anybody knows of which models."""

    metric: Metric
    on: On | None
    says: Says
    before: Quoted | None
    after: Quoted | None
    sentence: str


@dataclass(frozen=True)
class _Mention:
    """A metric named in a clause, with the words that belong to its name."""

    metric: Metric
    on: On | None
    first: int
    last: int


def said_in(text: str) -> tuple[Said, ...]:
    """The changes and levels that a line of prose states as measured; questions and suppositions state none.

    >>> [(one.on, one.says) for one in said_in("The val acc increased, and the test accuracy stayed almost the same.")]
    [('validation', 'increase'), ('test', 'no change')]
    """
    if _CHECKPOINT.search(text):
        return ()
    return tuple(said for clause in clauses_of(text) for said in _said(clause))


def _said(clause: Clause) -> Iterator[Said]:
    mentions = _mentions(clause)
    if not mentions and not any(
        word in ("longer", "shorter", "slower", "faster", "quicker") for word in clause.words
    ):
        return
    one_run = _OF_ONE_RUN.search(clause.sentence) is not None
    senses: list[tuple[int, Sense]] = [
        (index, sense) for index in range(len(clause.words)) if (sense := clause.sense(index))
    ]
    taken: set[_Mention] = set()
    about: dict[int, list[_Mention]] = {}
    # What stands before a verb is its subject; only what no verb has as its subject can be an object.
    for index, _ in senses:
        about[index] = [one for one in _subjects(clause, mentions, index) if one not in taken]
        taken.update(about[index])
    for index, _ in senses:
        if not about[index]:
            about[index] = [one for one in _objects(clause, mentions, index) if one not in taken]
            taken.update(about[index])
    for index, sense in senses:
        negated = not _NEGATIONS.isdisjoint(clause.words[max(0, index - 4) : index])
        end = min(
            (one.first for one in mentions if one.first > index and one not in about[index]),
            default=len(clause.words),
        )
        for one in about[index]:
            before, after = _figures(clause, max(index, one.last), end, one.metric)
            says = _says(sense, one.metric, before, after)
            if says is None or negated or one_run or _between_parts(clause, index):
                continue
            if not clause.supposed or (before and after):
                yield Said(one.metric, one.on, says, before, after, clause.sentence)
            elif says == "no change" and not _BEYOND.isdisjoint(clause.words):
                yield Said(one.metric, one.on, "plateau", None, None, clause.sentence)
        timed = not about[index] and sense in ("longer", "shorter") and _of_training(clause, index)
        if timed and not (clause.supposed or negated or one_run):
            before, after = _figures(clause, index, end, "time")
            longer: Says = "increase" if sense == "longer" else "decrease"
            yield Said("time", None, longer, before, after, clause.sentence)
    if not taken and not senses and not clause.supposed:
        yield from _levels(clause, mentions)


def _mentions(clause: Clause) -> list[_Mention]:
    words, found = clause.words, list[_Mention]()
    for index, word in enumerate(words):
        if word not in ("accuracy", "loss", "time"):
            continue
        first = index
        while first and words[first - 1] in ("set", "data", *_PARTS) and index - first < 2:
            first -= 1
        last = index
        # `accuracy on the test set`; the words are only skipped if they lead to a part of the data
        for ahead in range(index + 1, min(index + 4, len(words))):
            if words[ahead] in _PARTS and words[index + 1] in ("on", "of", "for", "in"):
                last = ahead
        parts = {words[n] for n in range(first, last + 1) if words[n] in _PARTS}
        part = parts.pop() if len(parts) == 1 else None
        if word == "time":
            if words[index - 1] in _OTHER_TIMES and index:
                continue
            found.append(_Mention("time", None, first, last))
        else:
            found.append(_Mention("accuracy" if word == "accuracy" else "loss", _part(part), first, last))
    return found


def _part(word: str | None) -> On | None:
    return word if word in ("train", "validation", "test") else None


def _subjects(clause: Clause, mentions: list[_Mention], index: int) -> list[_Mention]:
    """The metrics before a verb with nothing but auxiliaries between: `validation and test accuracy have increased`."""
    found: list[_Mention] = []
    right = index
    for one in reversed([one for one in mentions if one.last < index]):
        between = clause.words[one.last + 1 : right]
        joined = between and found and between[0] in ("and", "&")
        if not _leads_on(between[1:] if joined else between) or (found and not joined):
            break
        found.append(one)
        right = one.first
    return found[::-1]


def _leads_on(between: tuple[str, ...]) -> bool:
    """Whether words between a metric and a verb only say whose metric it is: `of the wider model`, `with 200 units`."""
    strange = [place for place, word in enumerate(between) if word not in _AROUND]
    if not strange:
        return True
    opens = next((place for place, word in enumerate(between) if word in _WHOSE), None)
    last = strange[-1]
    ends = max(last, *(place for place, word in enumerate(between) if word in _NAMED_THINGS), -1)
    named = between[ends] in _NAMED_THINGS or between[ends][:1].isdigit()
    return opens is not None and opens < strange[0] and ends - opens <= 6 and named


def _objects(clause: Clause, mentions: list[_Mention], index: int) -> list[_Mention]:
    """The metrics after a verb, an adjective or a noun: `improved the accuracy`, `a drop in accuracy`."""
    words = clause.words
    word, following = words[index], words[index + 1] if index + 1 < len(words) else ""
    participle = word.endswith("ing") and index > 0 and words[index - 1] in ("is", "was", "are", "were")
    noun = word in _NOUNS and following in ("in", "of")
    if not (noun or participle or word in _TRANSITIVE) or (index and words[index - 1] == "to"):
        return []
    found: list[_Mention] = []
    left = index + 1
    for one in (one for one in mentions if one.first > index):
        between = words[left : one.first]
        if not all(word in _BEFORE_OBJECT for word in between) or (found and "and" not in between):
            break
        if word in ("more", "less", "longer", "shorter", "slower", "faster") and one.metric != "time":
            break
        found.append(one)
        left = one.last + 1
    return found


def _between_parts(clause: Clause, index: int) -> bool:
    """Whether one part of the data is held against another: `train accuracy is higher than test accuracy`."""
    for than in range(index + 1, min(index + 4, len(clause.words))):
        if clause.words[than] == "than":
            return any(word in _PARTS for word in clause.words[than + 1 : than + 4])
    return False


def _of_training(clause: Clause, index: int) -> bool:
    """`training was faster`, `it took longer to train`: the time without its name."""
    if clause.words[index] in ("more", "less"):
        return False
    near = clause.words[max(0, index - 4) : index + 4]
    return not _TRAINS.isdisjoint(near)


def _says(sense: Sense, metric: Metric, before: Quoted | None, after: Quoted | None) -> Says | None:
    """The direction that a word gives to a metric: better is more accuracy, and less loss and time."""
    if sense == "moved":
        if before is None or after is None:
            return None
        return (
            "increase"
            if after.value > before.value
            else "decrease"
            if after.value < before.value
            else "no change"
        )
    if sense == "same":
        return "no change"
    if sense in ("longer", "shorter"):
        return None if metric != "time" else "increase" if sense == "longer" else "decrease"
    up = sense == "up" or sense == ("good" if metric == "accuracy" else "bad")
    return "increase" if up else "decrease"


def _figures(clause: Clause, start: int, end: int, metric: Metric) -> tuple[Quoted | None, Quoted | None]:
    """`from 0.97 to 0.98`, `to 0.98 from 0.97`, `(0.97 -> 0.98)`, or `to 0.98` alone."""
    words = clause.words[:end]
    numbers: dict[str, Quoted | None] = {"from": None, "to": None}
    for index in range(start + 1, len(words)):
        if words[index] in ("from", "to", "->", "→", "(", "into"):
            place = index + 1
            while place < len(words) and words[place] in _AROUND_NUMBERS:
                place += 1
            number = clause.number(place, metric)
            role = "from" if words[index] in ("from", "(") else "to"
            if number is not None and numbers[role] is None and not _counts(words, place):
                numbers[role] = number
            if words[index] in ("->", "→") and numbers["from"] is None:
                back = index - 1 if words[index - 1] not in ("%", "s", "seconds") else index - 2
                numbers["from"] = clause.number(back, metric)
    before, after = numbers["from"], numbers["to"]
    return (before, after) if after is not None else (None, None)


def _counts(words: tuple[str, ...], place: int) -> bool:
    """Whether the number counts something else: `from 50 to 200 units`."""
    return not _COUNTED.isdisjoint(words[place + 1 : place + 3])


def _levels(clause: Clause, mentions: list[_Mention]) -> Iterator[Said]:
    """`a validation accuracy of 0.998`, `Test Accuracy = 0.982`, `97.2% test accuracy`."""
    for one in mentions:
        place = one.last + 1
        while place < len(clause.words) and clause.words[place] in _LEVELS:
            place += 1
        number = clause.number(place, one.metric) if place > one.last + 1 else None
        back = one.first - 1
        while back > 0 and clause.words[back] in ("%", "percent", "of", "a", "the"):
            back -= 1
        if number is None and one.metric == "accuracy":
            number, place = clause.number(back, one.metric), back
        if number is not None and not _counts(clause.words, place):
            yield Said(one.metric, one.on, "level", None, number, clause.sentence)
