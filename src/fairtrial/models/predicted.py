"""What a model says of pictures, as values: each answer with how sure it is, what was done to the picture, what is doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairtrial.models.card import Card

Ranked = tuple[tuple[str, float], ...]
"""Classes with their probabilities, the likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """`ranked` is empty, and there is no answer, where nothing is drawn. `box` is (top, left, height, width) in pixels."""

    picture: str
    size: tuple[int, int]
    ranked: Ranked
    inverted: bool
    box: tuple[int, int, int, int] | None
    done: tuple[str, ...]
    warnings: tuple[str, ...]
    label: str | None = None
    """The class in whose folder it lay."""
    members: tuple[tuple[int, str, float], ...] = ()
    """Of an ensemble: each seed, its answer, and the probability it gives that."""
    seen: str | None = None
    """The file in which what the network saw was saved."""

    @property
    def answer(self) -> str | None:
        return self.ranked[0][0] if self.ranked else None

    @property
    def probability(self) -> float | None:
        return self.ranked[0][1] if self.ranked else None

    @property
    def right(self) -> bool | None:
        return None if self.label is None else self.answer == self.label

    @property
    def agreement(self) -> float | None:
        """The share of an ensemble's members that say the same as all together."""
        if not self.members:
            return None
        return sum(answer == self.answer for _, answer, _ in self.members) / len(self.members)

    def as_dict(self, *, top: int) -> dict[str, Any]:
        ranked = [{"answer": name, "probability": share} for name, share in self.ranked[:top]]
        return {
            "picture": self.picture,
            "answer": self.answer,
            "probability": self.probability,
            "runner_up": None if len(self.ranked) < 2 else dict(zip(("answer", "probability"), self.ranked[1], strict=True)),
            "top": ranked,
            "probabilities": dict(self.ranked),
            "size": list(self.size),
            "inverted": self.inverted,
            "box": None if self.box is None else dict(zip(("top", "left", "height", "width"), self.box, strict=True)),
            "done": list(self.done),
            "warnings": list(self.warnings),
            "label": self.label,
            "right": self.right,
            "members": [dict(zip(("seed", "answer", "probability"), one, strict=True)) for one in self.members],
            "agreement": self.agreement,
            "seen": self.seen,
            "error": None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A picture that is none, with the reason."""

    picture: str
    error: str

    def as_dict(self) -> dict[str, Any]:
        return {"picture": self.picture, "answer": None, "error": self.error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """All pictures in the order in which they were given; `skipped` are files of folders that are no pictures."""

    model: str
    card: Card
    preparation: str
    pictures: tuple[Prediction | Unread, ...]
    skipped: tuple[str, ...] = ()

    @property
    def read(self) -> list[Prediction]:
        return [one for one in self.pictures if isinstance(one, Prediction)]

    @property
    def unread(self) -> list[Unread]:
        return [one for one in self.pictures if isinstance(one, Unread)]

    @property
    def judged(self) -> tuple[int, int]:
        """How many answers are right, of how many pictures that lay in class folders and could be read."""
        known = [one.right for one in self.read if one.right is not None]
        return sum(known), len(known)

    def as_dict(self, *, top: int) -> dict[str, Any]:
        card = self.card
        right, of = self.judged
        return {
            "model": {
                "file": self.model,
                "study": card.study,
                "arm": card.arm,
                "seeds": list(card.seeds),
                "dataset": card.dataset,
                "classes": list(card.classes),
                "input_shape": list(card.input_shape),
                "preparation": self.preparation,
            },
            "pictures": [
                one.as_dict(top=top) if isinstance(one, Prediction) else one.as_dict()
                for one in self.pictures
            ],
            "skipped": list(self.skipped),
            "accuracy": {"right": right, "of": of, "share": right / of} if of else None,
        }
