"""Words as students write them: `Taining`, `validaton accurcy`, `val_acc`, and which part of the data they name."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

On = Literal["train", "validation", "test"]


def vocabulary(words: str) -> frozenset[str]:
    """A set of words, written as one text."""
    return frozenset(words.split())


_LONG = vocabulary(
    "training validation accuracy accuracies learning activation sigmoid seconds increased decreased increases "
    "decreases increasing decreasing dropout momentum optimizer"
)
_SAME = {
    "acc": "accuracy",
    "accuracies": "accuracy",
    "losses": "loss",
    "times": "time",
    "trn": "train",
    "trained": "train",
    "training": "train",
    "trainset": "train",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "validating": "validation",
    "dev": "validation",
    "testing": "test",
    "testset": "test",
    "tst": "test",
    "held": "test",
    "holdout": "test",
    "unseen": "test",
}
# Real words that are a letter away from one of the above.
_DIFFERENT = frozenset({"leaning", "yearning", "inactivation", "straining", "deceased", "momentums"})


def words_of(text: str) -> tuple[str, ...]:
    """The words of a label in lower case, each as it is spelled in full.

    >>> words_of("Validaton_Acc (%)")
    ('validation', 'accuracy')
    >>> words_of("Taining Time")
    ('train', 'time')
    """
    parts = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower())
    return tuple(meant(part) for part in parts)


@cache
def meant(word: str) -> str:
    """The word that was meant, in lower case: shortenings in full, long words with one slip repaired."""
    word = _SAME.get(word, word)
    if word not in _DIFFERENT and 6 <= len(word) <= 12:
        for known in _LONG:
            if _one_slip(word, known):
                return _SAME.get(known, known)
    return word


def _one_slip(word: str, known: str) -> bool:
    """Whether one letter is missing, doubled, changed or changed places with its neighbour."""
    if word == known or abs(len(word) - len(known)) > 1:
        return word == known
    start = next((n for n, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), None)
    if start is None:
        return True
    left, right = word[start:], known[start:]
    return (
        left[1:] == right[1:]
        or left[1:] == right
        or left == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )


def part_of_data(words: tuple[str, ...]) -> On | None:
    """Which images a label is about; None where it names none, or several.

    >>> part_of_data(words_of("accuracy on the test set"))
    'test'
    """
    found: set[On] = set()
    for word in words:
        if word in ("train", "validation", "test"):
            found.add(word)
    return found.pop() if len(found) == 1 else None
