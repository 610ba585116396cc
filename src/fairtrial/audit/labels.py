"""A number and the words before it: `Test accuracy of the network on the 10000 test images: 97 %` is a 0.97."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from fairtrial.audit.words import On, part_of_data, vocabulary, words_of

Metric = Literal["accuracy", "loss", "time"]

NUMBER = re.compile(
    r"(?<![\w.])(?P<number>\d{0,12}\.\d{1,18}(?:[eE][-+]?\d{1,2})?|\d{1,12}(?:[eE]-\d{1,2})?)"
    r"(?:/(?P<of>\d{1,9}))?"
    r"(?P<unit>\s?%|\s?(?:percent|ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)\b)?(?![\w])"
)
_MINUTES = re.compile(
    r"(\d{1,6})\s*(?:m|mins?|minutes?)\s*(?:and\s*)?(\d{1,2}(?:\.\d{1,9})?)\s*(?:s|secs?|seconds?)\b"
)
_CLOCK = re.compile(r"(?<![\w:.])(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)(?![\w:])")
_SEPARATOR = re.compile(r"\s*(?P<mark>:|=|->|=>)\s*[\['\"(]*(?:(?:tensor|tf\.Tensor|np\.float\d+)\()?$")
_DELIMITER = re.compile(r"[,;|\t:=]|\s[-–—]+\s|[.!?]\s|->|=>")

# A label may go on after `accuracy` with these alone: `accuracy with dropout 0.5` is no accuracy of 0.5.
_AFTER = vocabulary(
    "a accuracy achieved after all an and average bayes boosting classifier cnn data dataset decision "
    "dnn elapsed examples final fit fitting for forest gaussian get got images in is it knn logistic "
    "mean min minutes mlp model naive net network nn of on our over percent points random regression "
    "s sample samples score sec seconds set split svm taken test the this to total train tree using "
    "validation value was"
)
_NO_RESULT = vocabulary(
    "auc balanced baseline best chance change changed decrease decreased delta desired deviation "
    "difference differences drop dropped epoch error eta expected factor gain goal highest improved "
    "improvement increase increased inference least left loading lowest margin max maximum minimum "
    "patience penalty per precision predict prediction previous previously recall regularization "
    "remaining required roc scale scaling std step target threshold top variance weight weights"
)
_TIMED = vocabulary("computation elapsed execution fit fitting run running taken total took train")
_LONGEST_LABEL = 160
_UNITS = {"m": 60, "h": 3600, "s": 1}


@dataclass(frozen=True)
class Printed:
    """A number as it was printed: percents as fractions, times in seconds; `on` is None where no word says it."""

    metric: Metric
    on: On | None
    value: float
    decimals: int


def printed_in(line: str, *, separated_only: bool = False) -> Iterator[Printed]:
    """The numbers of a line whose words say what they are, left to right.

    With `separated_only` a colon or an equals sign must stand between: in prose `accuracy 0.97` may be anything.

    >>> [(one.metric, one.on, one.value) for one in printed_in("Epoch 3: train loss 0.1, val acc 97.2%")]
    [('loss', 'train', 0.1), ('accuracy', 'validation', 0.972)]
    """
    if (clock := _clock(line)) is not None:
        yield clock
        return
    start, carried = 0, _heading(line)
    for number in NUMBER.finditer(line):
        before = line[max(start, number.start() - _LONGEST_LABEL) : number.start()]
        mark = _SEPARATOR.search(before)
        label = before[: mark.start()] if mark else before
        named = _DELIMITER.split(label)[-1]
        sure = mark is not None or (not separated_only and label[-1:].isspace())
        # `accuracy of model 1: 0.97`: the 1 belongs to the label of what follows.
        part_of_label = (
            number["of"] is None and number["unit"] is None and number["number"].isdigit() and not mark
        )
        found = _printed(named, number, separated=mark is not None) if sure and not part_of_label else None
        if found is None:
            start = start if part_of_label else number.end()
            continue
        start = number.end()
        if found.metric != "time":
            carried = found.on or carried
            found = Printed(found.metric, carried, found.value, found.decimals)
        yield found


def metric_of(text: str) -> tuple[Metric, On | None] | None:
    """What a label such as `Val. Acc` or `Taining Time` names; None where a number after it is no result."""
    words = words_of(text)
    places = [n for n, word in enumerate(words) if word in ("accuracy", "loss", "time", "took")]
    if not places or len(words) > 16 or not _NO_RESULT.isdisjoint(words):
        return None
    metric = words[places[-1]]
    if not _AFTER.issuperset(words[places[-1] + 1 :]):
        return None
    if metric in ("accuracy", "loss"):
        return ("accuracy" if metric == "accuracy" else "loss"), part_of_data(words)
    about_training = "test" not in words and "validation" not in words
    return ("time", "train") if about_training and (len(words) == 1 or not _TIMED.isdisjoint(words)) else None


def seconds(number: str, unit: str) -> Decimal:
    """A time in seconds; without a unit it is taken for seconds.

    >>> seconds("1.5", "min")
    Decimal('90.0')
    """
    unit = unit.strip().lower()
    if unit.startswith(("ms", "milli")):
        return Decimal(number) / 1000
    return Decimal(number) * _UNITS.get(unit[:1], 1)


def decimals(number: Decimal) -> int:
    """Digits after the point, as printed.

    >>> decimals(Decimal("0.970"))
    3
    """
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _printed(label: str, number: re.Match[str], *, separated: bool) -> Printed | None:
    named = metric_of(label)
    if named is None:
        return None
    metric, on = named
    value, unit, of = Decimal(number["number"]), (number["unit"] or "").strip(), number["of"]
    if metric == "time":
        taken = seconds(number["number"], unit)
        return (
            None
            if unit == "%" or of or not (unit or separated)
            else Printed("time", "train", float(taken), decimals(taken))
        )
    if metric == "loss":
        return None if unit or of else Printed("loss", on, float(value), decimals(value))
    if of is not None:
        right = value / Decimal(of) if int(of) else Decimal(2)
        return Printed("accuracy", on, float(right), len(of) - 1) if right <= 1 and int(of) >= 10 else None
    percent = unit in ("%", "percent") or (value > 1 and not unit)
    if (unit and not percent) or value > 100:
        return None
    share = value.scaleb(-2) if percent else value
    return Printed("accuracy", on, float(share), decimals(share)) if share <= 1 else None


def _clock(line: str) -> Printed | None:
    """`Training time: 0:01:23` and `Training complete in 1m 23s`, which have no single number."""
    if (found := _CLOCK.search(line)) is not None:
        hours, minutes, rest = found.groups()
    elif (found := _MINUTES.search(line)) is not None:
        hours, (minutes, rest) = "0", found.groups()
    else:
        return None
    words = words_of(line[: found.start()])
    named = metric_of(_DELIMITER.split(_SEPARATOR.sub("", line[: found.start()]))[-1])
    if (named is None or named[0] != "time") and not ({"train", "in"} <= set(words[-3:])):
        return None
    taken = Decimal(hours) * 3600 + Decimal(minutes) * 60 + Decimal(rest)
    return Printed("time", "train", float(taken), decimals(taken))


def _heading(line: str) -> On | None:
    """The part of the data that a line is about as a whole: `Test set: Average loss: 0.05, Accuracy: 98%`."""
    head, colon, rest = line.partition(":")
    words = words_of(head)
    return part_of_data(words) if colon and 1 <= len(words) <= 4 and ":" in rest else None
