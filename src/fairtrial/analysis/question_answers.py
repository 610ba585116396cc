"""All answers to one question: `answers["Q1"].accuracy`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairtrial.analysis.rendering import Rendered
from fairtrial.errors import FairtrialError
from fairtrial.study.schema import Metric, On

if TYPE_CHECKING:
    from fairtrial.analysis.values import Answer


@dataclass(frozen=True, slots=True, repr=False)
class QuestionAnswers(Rendered):
    """All answers to one question: `.accuracy`, `.loss` and `.time`, on validation where asked."""

    question: str
    answers: tuple[Answer, ...]

    def on(self, on: On, metric: Metric = "accuracy") -> Answer:
        """The answer on that set of images.

        Raises FairtrialError if the question does not ask for it.
        """
        for answer in self.answers:
            if (answer.metric, answer.on) == (metric, on):
                return answer
        raise self._not_asked(f"{metric} on {on}")

    @property
    def accuracy(self) -> Answer:
        return self._first("accuracy")

    @property
    def loss(self) -> Answer:
        return self._first("loss")

    @property
    def time(self) -> Answer:
        return self._first("time")

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.answers)

    def _first(self, metric: Metric) -> Answer:
        asked = [answer for answer in self.answers if answer.metric == metric]
        if not asked:
            raise self._not_asked(metric)
        return next((answer for answer in asked if answer.on == "validation"), asked[0])

    def _not_asked(self, what: str) -> FairtrialError:
        asked = ", ".join(_asked(answer) for answer in self.answers)
        return FairtrialError(f"question {self.question!r} does not ask about {what}; it asks about: {asked}")

    def _answers(self) -> tuple[Answer, ...]:
        return self.answers


def _asked(answer: Answer) -> str:
    return answer.metric if answer.on is None else f"{answer.metric} on {answer.on}"
