"""What was the same on both sides of a question, and what changed along with what differs, in a line each."""

from __future__ import annotations

from collections.abc import Sequence

from fairtrial.study.check import in_words
from fairtrial.study.factors import Difference, Held, Setting

LEARNING_RATE = "optimizer.learning_rate"


def held_line(held: Sequence[Held], *, variant: str, tuned: Sequence[str] = ()) -> str:
    """The settings held fixed, and the reminder that the variant might do better with others.

    What both arms were `tuned` in was not held fixed, though they may have come to the same.

    >>> held_line([Held(path="optimizer.learning_rate", value=0.001), Held(path="epochs", value=5)], variant="wide")
    'held fixed: optimizer.learning_rate 0.001, epochs 5; a learning rate re-tuned for wide might change the answer'
    """
    held = [one for one in held if one.path not in tuned]
    listed = ", ".join(f"{one.path} {_shown(one.value)}" for one in held)
    # Where the rate itself is the question, it is the rest that was not tuned for it.
    what = "a learning rate" if any(one.path == LEARNING_RATE for one in held) else "other settings"
    return f"held fixed: {listed or 'nothing'}; {what} re-tuned for {variant} might change the answer"


def implied_line(changes: Sequence[Difference]) -> str:
    """What comes along with what differs; empty where nothing does.

    >>> implied_line([Difference(path="parameters", variant=199210, baseline=42310)])
    'what differs brings with it: parameters 42,310 -> 199,210'
    """
    return f"what differs brings with it: {in_words(changes)}" if changes else ""


def _shown(value: Setting) -> str:
    return f"({value})" if ", " in str(value) else str(value)
