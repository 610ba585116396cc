"""How the answers were made, as a paragraph for a paper: in Markdown and in LaTeX from the same words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fairtrial.analysis.alpha import alphas
from fairtrial.analysis.markdown import escaped
from fairtrial.analysis.searched_text import every_trial
from fairtrial.analysis.sentences import amount, count_of
from fairtrial.analysis.values import Answers
from fairtrial.report.latex_text import latex
from fairtrial.stats.families import WEIGHTS, Family
from fairtrial.stats.levels import nominal_level
from fairtrial.study.check import verdicts_by_place
from fairtrial.study.schema import DataSettings, Study
from fairtrial.study.searches import Search
from fairtrial.trial import CONFIRMATION, ENGINE_VERSION, SEARCH

REFERENCES = (
    "C. Jennison and B. W. Turnbull (1991). Exact calculations for sequential t, chi-squared and F tests. "
    "Biometrika 78(1), 133-141.",
    "C. Jennison and B. W. Turnbull (1993). Sequential equivalence testing and repeated confidence intervals, "
    "with applications to normal and binary responses. Biometrics 49(1), 31-43.",
    "C. Jennison and B. W. Turnbull (2000). Group Sequential Methods with Applications to Clinical Trials. "
    "Chapman & Hall/CRC, chapter 9.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """How a kind of document writes text and the three symbols of the paragraph."""

    text: Callable[[str], str]
    alpha: str
    level: str
    count: str


MARKDOWN = Markup(text=escaped, alpha="α", level=r"p\*", count="*K*")
LATEX = Markup(text=latex, alpha=r"$\alpha$", level="$p^{*}$", count="$K$")
ALPHA, LEVEL, COUNT = "\ue000", "\ue001", "\ue002"
"""Stand for the symbols until the text around them is escaped; nobody's text has these characters."""


def method(answers: Answers, markup: Markup) -> str:
    """The methods paragraph: data, seeds, looks, intervals, error, margins, versions."""
    words = markup.text(" ".join(_sentences(answers)))
    symbols = {ALPHA: markup.alpha, LEVEL: markup.level, COUNT: markup.count}
    return "".join(symbols.get(character, character) for character in words)


def _sentences(answers: Answers) -> Iterator[str]:
    study = answers.declared
    moved = any(arm.settings.data.augment.moves for arm in study.arms.values())
    trained = sum(len(arm.trials) for arm in answers.arms)
    done = f"{count_of(trained, 'trial')} so far" if trained else "none so far"
    yield (
        f"The study {_PRIVATE.sub('?', study.name)} trains {count_of(len(study.arms), 'arm')} (configurations) from "
        f"scratch, each on seeds 1, 2, … ({done}). A seed fixes the split, the initial weights, the order of images"
        f"{', how each is moved in each epoch,' if moved else ''} and dropout, each a random stream of its own. The arms of a question are compared on the same seeds: a contrast "
        "is variant minus baseline, for times the logarithm of their ratio."
    )
    kinds = Counter(_data(arm.settings.data) if arm.has_data else _OWN_DATA for arm in study.arms.values())
    for data, count in kinds.items():
        yield f"{data} ({count_of(count, 'arm')})." if len(kinds) > 1 else f"{data}."
    overs = {question.over for question in study.questions} | (
        {"last_epoch"} if answers.searches else set[str]()
    )
    if "last_epoch" in overs:
        yield (
            "Accuracies and losses are means over evaluations at 10 (test set: 5) equally spaced moments of the last "
            "epoch."
        )
    if "end" in overs:
        yield "Where a question says so, accuracies and losses are those at the very end of training."
    if any("time" in question.metrics for question in study.questions):
        yield (
            "Training times are compared on pairs of arms timed in turn on one machine, apart from the trials; a pair counts "
            "as a seed."
        )
    yield from _searches(answers)
    if study.questions or answers.searches:
        yield from _inference(study)
    else:
        yield "It asks no questions, so nothing was inferred."
        return
    yield f"Software: {'; '.join(_PRIVATE.sub('?', one) for one in software(answers))}."


def _inference(study: Study) -> Iterator[str]:
    """How a question is answered, the confirmation of a search included."""
    seeds = study.seeds
    yield (
        f"Each question was looked at after every seed from number {seeds.min} to at most number {seeds.max} (the "
        "horizon, declared before training). Intervals are repeated confidence "
        f"intervals: Student's t at the per-look level {LEVEL} at which the probability that the interval of any look "
        f"misses the true mean contrast equals the verdict's share of {ALPHA}, computed exactly (Jennison and Turnbull "
        "1991; 2000, chapter 9)."
    )
    if study.questions:
        yield _error(study)
    if study.search or any(question.goal == "change" for question in study.questions):
        yield (
            "No difference that matters was declared where the interval at twice the verdict's share lay within "
            "the margin (Jennison and Turnbull 1993)."
        )
    if any(question.goal == "not_worse" for question in study.questions):
        yield (
            "Where the goal is that the variant is not worse, that was declared where the same interval's unfavourable "
            "end lay within the margin."
        )
    margins = study.margins
    yield (
        f"Margins, declared beforehand: {amount(margins.accuracy, 'accuracy')} of accuracy; {100 * margins.loss:g} % of "
        f"the baseline's mean loss over its first three seeds; {amount(margins.time, 'time')} of training time."
    )


def _searches(answers: Answers) -> Iterator[str]:
    """How each search went, and what its confirmation is worth."""
    for found in answers.searches:
        search = found.search
        name = _PRIVATE.sub("?", search.id)
        yield (
            f"The search {name} tried {count_of(len(found.points), 'proposal')} ({SAMPLERS[search.sampler]}; {_halving(search)}), "
            f"each judged on validation images and search seeds from {SEARCH + 1} on alone."
        )
    if answers.searches:
        yield (
            "The leader over up to five search seeds was frozen as the one candidate and then compared with its baseline on "
            f"the test images as one question, on seeds from {CONFIRMATION + 1} on that neither was trained on before, with an "
            f"error of {1 - answers.declared.confidence:.4g} of its own; what the search itself saw is optimistic by selection "
            "and no evidence."
        )


def _halving(search: Search) -> str:
    if not search.halving:
        return "none was stopped early"
    return (
        f"asynchronous successive halving: stopped after 1, {search.halving}, {search.halving**2}, ... epochs unless among the "
        f"best 1/{search.halving} so far"
    )


SAMPLERS = {"tpe": "Optuna's TPE sampler", "random": "drawn at random", "grid": "a grid"}


_PRIVATE = re.compile(f"[{ALPHA}-{COUNT}]")


_OWN_DATA = "Data: those that the command of an arm uses, of which this program knows nothing"


def _data(data: DataSettings) -> str:
    facts = data.facts
    how = (
        "drawn once per seed and never trained on"
        if data.split == "fixed"
        else f"drawn anew in each epoch through a shuffle buffer of {data.buffer_size}, so that most are trained on as well"
    )
    moved = f" (each {data.augment.in_words}, at random and anew in each epoch)" if data.augment.moves else ""
    return (
        f"Data: {facts.name}, {data.train_count} training images{moved}, {data.validation} validation images {how}, "
        f"{facts.test_images} test images that steered nothing"
    )


def _error(study: Study) -> str:
    """Alpha, K, and each family's share and per-look level."""
    counts = verdicts_by_place(study)
    seeds = study.seeds
    parts = [
        f"{counts[family.value]} on {_ABOUT[family]} at {share:.4g} each (per look {LEVEL} = "
        f"{nominal_level(share, first=seeds.min, horizon=seeds.max):.3g})"
        for family, share in alphas(study).items()
    ]
    weights = ", ".join(f"{100 * WEIGHTS[family]:g} % to {_ABOUT[family]}" for family in Family)
    return (
        f"The error {ALPHA} = {1 - study.confidence:.4g} of the whole study was split beforehand ({weights}), and within "
        f"each equally over all declared verdicts (Bonferroni), {COUNT} = {sum(counts.values())} in all: "
        f"{'; '.join(parts)}."
    )


_ABOUT = {Family.VALIDATION: "validation metrics", Family.TEST: "the test set", Family.TIME: "time"}


def software(answers: Answers) -> tuple[str, ...]:
    """Versions and processors of the trials, each once; of this program alone where there are none."""
    this = f"fairtrial {answers.version}, engine version {ENGINE_VERSION}"
    facts = [trial.outcome.provenance for trial in every_trial(answers)]
    named = (
        f"{_trainer(one)}, {one.get('processor') or 'unknown processor'}, one thread a trial" for one in facts
    )
    return (this, *dict.fromkeys(named))


def _trainer(provenance: Mapping[str, str]) -> str:
    """What trained: torch, or a command with whatever it runs on."""
    return "a command" if "command" in provenance else f"torch {provenance.get('torch', 'unknown')}"
