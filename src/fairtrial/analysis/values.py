"""What an analysis returns: frozen answers that carry what it takes to believe them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fairtrial.analysis.arm_trials import PHASES, ArmTrials, trial_dict
from fairtrial.analysis.caveat import Caveat, CaveatKind
from fairtrial.analysis.curve import Curve
from fairtrial.analysis.judged_claim import ClaimVerdict, JudgedClaim, unjudged
from fairtrial.analysis.question_answers import QuestionAnswers
from fairtrial.analysis.rendering import Rendered
from fairtrial.analysis.terms import Terms
from fairtrial.errors import FairtrialError
from fairtrial.stats.intervals import Interval
from fairtrial.stats.looks import Look
from fairtrial.stats.verdict import Verdict
from fairtrial.study.factors import Difference, Held
from fairtrial.study.schema import Metric, On, Study
from fairtrial.trial import ENGINE_VERSION

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingTypeStubs]  # optional: its stubs are not required

    from fairtrial.analysis.combined import Combined
    from fairtrial.analysis.retuned import Retuned
    from fairtrial.analysis.searched import Searched

__all__ = [
    "PHASES",
    "SETTLED",
    "Answer",
    "Answers",
    "ArmTrials",
    "Caveat",
    "CaveatKind",
    "ClaimVerdict",
    "JudgedClaim",
    "QuestionAnswers",
    "trial_dict",
]

SETTLED = frozenset(
    {
        "increase that matters",
        "increase, smaller than matters",
        "increase, size not settled",
        "decrease that matters",
        "decrease, smaller than matters",
        "decrease, size not settled",
        "no difference that matters",
        "not worse",
    }
)
"""The verdicts that answer a question; `undecided` and `unstable` do not."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer(Rendered):
    """One question on one metric: variant minus baseline over the seeds both have.

    Accuracies are in [0, 1] and contrasts differences; for `time` the means are geometric ones of the
    seconds of training, `estimate`, `low`, `high` are ratios (variant / baseline), and `seeds` counts the
    pairs timed; the fit seconds, with one validation after each epoch, are None for other metrics. `low` and `high` are None until there
    is an interval, `estimate` and the means None until there is a seed. `margin` is a difference
    for accuracy and loss (None until the baseline has three seeds) and a ratio minus one for time.
    `fresh_images` is the approximate interval had the test images been drawn anew, None for all but
    accuracy on the test set. `held_fixed` are the main settings the two arms share.
    `more_seeds` are likely to settle an undecided question; None where it is settled already, or no
    number within the horizon is likely to.
    """

    question: str
    metric: Metric
    on: On | None
    over: Literal["last_epoch", "end"] | None
    variant: str
    baseline: str
    verdict: str
    variant_mean: float | None
    baseline_mean: float | None
    estimate: float | None
    low: float | None
    high: float | None
    margin: float | None
    confidence: float
    seeds: int
    pairing_correlation: float | None
    caveats: tuple[Caveat, ...]
    sentence: str
    claims: tuple[JudgedClaim, ...]
    terms: Terms
    """What its looks hang on besides the trials."""
    looks: tuple[Look, ...]
    """Every look at it, in seed order and in the contrasts' unit; empty before the first."""
    variant_fit_seconds: float | None = None
    baseline_fit_seconds: float | None = None
    fresh_images: Interval | None = None
    held_fixed: tuple[Held, ...] = ()
    held_fixed_line: str = ""
    """The same in one line, with the reminder that other values might give another answer."""
    implied: tuple[Difference, ...] = ()
    """What differs because something else does: updates, parameters, multiply-adds per image."""
    implied_line: str = ""
    more_seeds: int | None = None
    contrasts: tuple[tuple[int, float], ...] = ()
    """Each seed (or pair timed) with its contrast: a difference, for time the logarithm of the ratio."""

    @property
    def settled(self) -> bool:
        return self.verdict in SETTLED

    def is_open(self, *, sharpen: bool = False) -> bool:
        """Whether more seeds or pairs may settle it; with `sharpen`, whether they may make it say more."""
        verdict = Verdict(self.verdict)
        return verdict.can_sharpen if sharpen else verdict is Verdict.UNDECIDED

    def as_dict(self) -> dict[str, Any]:
        """The answer as the JSON of `fairtrial answers --json` holds it."""
        return {
            "question": self.question,
            "metric": self.metric,
            "on": self.on,
            "over": self.over,
            "variant": self.variant,
            "baseline": self.baseline,
            "verdict": self.verdict,
            "variant_mean": self.variant_mean,
            "baseline_mean": self.baseline_mean,
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "margin": self.margin,
            "confidence": self.confidence,
            "seeds": self.seeds,
            "pairing_correlation": self.pairing_correlation,
            "variant_fit_seconds": self.variant_fit_seconds,
            "baseline_fit_seconds": self.baseline_fit_seconds,
            "caveats": [str(caveat) for caveat in self.caveats],
            "sentence": self.sentence,
            "claims": [claim.as_dict() for claim in self.claims],
            "fresh_images": None
            if self.fresh_images is None
            else {"low": self.fresh_images.low, "high": self.fresh_images.high, "approximate": True},
            "held_fixed": {held.path: held.value for held in self.held_fixed},
            "held_fixed_line": self.held_fixed_line,
            "implied": {one.path: {"baseline": one.baseline, "variant": one.variant} for one in self.implied},
            "implied_line": self.implied_line,
        }

    def _answers(self) -> tuple[Answer, ...]:
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answers(Rendered):
    """Every arm with its trials, and every question with its answers; indexed by question.

    `curves` hold what arms that differ along one number say together, `searches` what came of each search,
    `retuned` and `combined` of questions that are answered once others are.
    """

    study: str
    version: str
    arms: tuple[ArmTrials, ...]
    answers: tuple[Answer, ...]
    curves: tuple[Curve, ...] = ()
    searches: tuple[Searched, ...] = ()
    retuned: tuple[Retuned, ...] = ()
    combined: tuple[Combined, ...] = ()
    other_engines: Mapping[str, Mapping[int, int]] = field(default_factory=dict[str, Mapping[int, int]])
    """By arm and engine version, trials that other engine versions trained: stored, and not used."""
    asked: Study | None = field(default=None, compare=False)
    """The study itself, which a report shows beside its answers."""
    store: Path | None = field(default=None, compare=False)
    """Where the outcomes were read from."""

    @property
    def declared(self) -> Study:
        """The study as it was declared. Raises FairtrialError for answers that do not know it."""
        if self.asked is None:
            raise FairtrialError("these answers do not know their study; ask for them with fairtrial.answers")
        return self.asked

    @property
    def unjudged(self) -> Mapping[str, tuple[JudgedClaim, ...]]:
        """By question, the claims that no answer is about, since the question does not ask."""
        return {} if self.asked is None else unjudged((*self.asked.questions, *self.asked.retuned))

    @property
    def not_used(self) -> str:
        """Which stored trials are of another engine version and so not used, in words; empty where none are."""
        from fairtrial.analysis.engines import all_not_used

        return all_not_used(self.other_engines)

    @property
    def selected(self) -> tuple[Answer, ...]:
        """The answers on what searches, re-tunings and combinations selected, each with a promise of its own."""
        found = (*self.searches, *self.retuned, *self.combined)
        return tuple(answer for one in found for answer in one.answers)

    def __getitem__(self, question: str) -> QuestionAnswers:
        chosen = tuple(answer for answer in self.answers if answer.question == question)
        if not chosen:
            known = ", ".join(dict.fromkeys(answer.question for answer in self.answers)) or "none"
            raise FairtrialError(f"study {self.study!r} has no question {question!r}; its questions: {known}")
        return QuestionAnswers(question, chosen)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    def as_dict(self) -> dict[str, Any]:
        """Exactly the JSON of `fairtrial answers STUDY --json`."""
        return {
            "study": self.study,
            "version": self.version,
            "engine_version": ENGINE_VERSION,
            "other_engine_versions": {
                arm: {str(version): count for version, count in some.items()}
                for arm, some in self.other_engines.items()
            },
            "arms": [arm.as_dict() for arm in self.arms],
            "answers": [answer.as_dict() for answer in self.answers],
            "dose_response": [curve.as_dict() for curve in self.curves],
            "unjudged_claims": [
                {"question": question, "metric": one.claim.metric, "on": one.on, **one.as_dict()}
                for question, some in self.unjudged.items()
                for one in some
            ],
            "searches": [one.as_dict() for one in self.searches],
            "retuned": [one.as_dict() for one in self.retuned],
            "combined": [one.as_dict() for one in self.combined],
            "facts": [] if self.asked is None else list(self.asked.facts),
        }

    def trials(self) -> pandas.DataFrame:
        """One row per trial. Raises FairtrialError if pandas is not installed."""
        from fairtrial.analysis.frames import trials_frame

        return trials_frame(self)

    def history(self) -> pandas.DataFrame:
        """One row per epoch of each trial. Raises FairtrialError if pandas is not installed."""
        from fairtrial.analysis.frames import history_frame

        return history_frame(self)

    def _answers(self) -> tuple[Answer, ...]:
        return (*self.answers, *self.selected)

    def _repr_html_(self) -> str:
        from fairtrial.analysis.overview import overview_html

        return overview_html(self)

    def _repr_markdown_(self) -> str:
        from fairtrial.analysis.overview import overview_markdown

        return overview_markdown(self)
