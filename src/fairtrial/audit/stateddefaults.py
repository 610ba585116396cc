"""Defaults that a text states and the library does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fairtrial.audit.contradictions import quoted
from fairtrial.audit.defaults import LEARNING_RATES, NAMES, OLDER_LEARNING_RATES, OPTIMIZER_NAMES, SETTINGS
from fairtrial.audit.document import Document, Place
from fairtrial.audit.experiment import Experiments, Library
from fairtrial.audit.finding import Finding, Sure
from fairtrial.audit.lines import lines_of

_NAME = (
    r"(?P<what>learn\w*[\s_-]*rate|\blr|batch[\s_-]*size|momentum|drop[\s_-]?out(?:[\s_-]*rate)?|epochs)\b"
)
_NUMBER = r"(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?|\.\d+)(?![\w%]|\.\d)"
_OF = r"(?:\s+(?:of|for|in|with|the|a|an|used|by|value|optimi[sz]ers?|(?:keras|pytorch|tensorflow|adam|adamw|sgd|rmsprop|adagrad|nadam|adamax)(?:'?s)?)(?![\w'])){0,6}"
_IS = r"\s*(?:\b(?:is|was|are|being|equals|to|as|of)\b|[=:(])\s*(?:set to|equal to|=|:)?\s*"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bdefault(?:\s+value)?{_OF}\s+{_NAME}{_OF}{_IS}{_NUMBER}",
        rf"{_NAME}(?:'s)?{_OF}\s*[(,]?\s*(?:\b(?:is|has)\b\s*)?(?:by\s+)?(?:a\s+)?\bdefaults?(?:\s+value)?(?:{_IS}|\s+){_NUMBER}",
        rf"{_NUMBER}\s*(?:,|\(|which\s+is|is|as|being)?\s*(?:the\s+)?default(?:\s+value)?{_OF}\s+{_NAME}",
        rf"\bby\s+default\W+(?:\w+\s+){{0,3}}?{_NAME}{_OF}{_IS}{_NUMBER}",
    )
)
_COMMENT = re.compile(r"^[^#'\"]*#+(?P<text>.*)$")
_LIBRARIES: tuple[tuple[re.Pattern[str], Library], ...] = (
    (re.compile(r"\b(?:keras|tensorflow|tf)\b", re.IGNORECASE), "keras"),
    (re.compile(r"\b(?:py)?torch\b", re.IGNORECASE), "torch"),
    (re.compile(r"\b(?:sklearn|scikit)", re.IGNORECASE), "sklearn"),
)


@dataclass(frozen=True)
class _Stated:
    what: str
    value: float
    written: str
    text: str
    place: Place


def wrong_default(document: Document, experiments: Experiments) -> tuple[Finding, ...]:
    """Stated defaults that are not the library's; each once, however often it is said.

    A value that a model of the file is given is the author's own default, and no mistake.
    """
    found: dict[tuple[str, float], tuple[Finding, int]] = {}
    code = "\n".join(cell.source for cell in document.cells if cell.kind == "code")
    for stated in _stated(document):
        key = (stated.what, stated.value)
        if _given_in(code, stated):
            continue
        if key in found:
            found[key] = (found[key][0], found[key][1] + 1)
        elif (finding := _judged(stated, experiments)) is not None:
            found[key] = (finding, 1)
    return tuple(_said_again(finding, times) for finding, times in found.values())


def _said_again(finding: Finding, times: int) -> Finding:
    if times == 1:
        return finding
    often = "twice" if times == 2 else f"{times} times"
    return Finding(
        kind=finding.kind,
        place=finding.place,
        said=finding.said,
        sentence=f"{finding.sentence} It is said {often}.",
        matters=finding.matters,
        advice=finding.advice,
        sure=finding.sure,
        serious=finding.serious,
    )


def _stated(document: Document) -> Iterator[_Stated]:
    for text, place in _texts(document):
        if "efault" not in text:
            continue
        for pattern in _PATTERNS:
            if (matched := pattern.search(text[:2000])) is not None:
                yield _Stated(
                    _setting(matched["what"]), float(matched["number"]), matched["number"], text, place
                )
                break


def _texts(document: Document) -> Iterator[tuple[str, Place]]:
    """The lines of prose and the comments of code."""
    yield from ((line.text, line.place) for line in lines_of(document) if line.kind == "prose")
    for cell in document.cells:
        if cell.kind == "code" and "efault" in cell.source:
            for number, line in enumerate(cell.source.split("\n"), start=1):
                if (comment := _COMMENT.match(line)) is not None:
                    yield comment["text"].strip(), cell.place(number, document.kind)


def _given_in(code: str, stated: _Stated) -> bool:
    """Whether the code itself gives that value: `def update(learning_rate=0.01)`, `config.get("lr", 0.01)`."""
    name = {"learning_rate": r"(?:learning_?rate|\blr|\balpha|\beta)"}.get(stated.what, stated.what)
    value = re.escape(stated.written)
    return (
        re.search(rf"{name}\w{{0,20}}['\"]?\s{{0,3}}[=:,(]\s{{0,3}}{value}(?![\d.])", code, re.IGNORECASE)
        is not None
    )


def _setting(words: str) -> str:
    words = words.lower()
    for start, setting in (("l", "learning_rate"), ("b", "batch_size"), ("m", "momentum"), ("d", "dropout")):
        if words.startswith(start):
            return setting
    return "epochs"


def _judged(stated: _Stated, experiments: Experiments) -> Finding | None:
    library = _library(stated.text, experiments)
    if library is None or _own(stated, experiments):
        return None
    if stated.what == "learning_rate":
        optimizers = _optimizers(stated.text, library, experiments)
        rates = LEARNING_RATES.get(library, {})
        if not optimizers:
            return _for_unknown(stated, library, rates)
        older = OLDER_LEARNING_RATES.get(library, {})
        if any(stated.value in (rates[name], *older.get(name, ())) for name in optimizers):
            return None
        truth = " and ".join(f"{rates[name]:g} for {OPTIMIZER_NAMES[name]}" for name in optimizers)
        return _finding(stated, library, f"it is {truth}", "certain")
    known = SETTINGS.get(library, {}).get(stated.what)
    if known is None or stated.value in known:
        return None
    if library == "sklearn" and stated.what == "batch_size":
        return _finding(stated, library, "it is the smaller of 200 and the number of samples", "certain")
    return _finding(stated, library, f"it is {known[0]:g}", "certain")


def _for_unknown(stated: _Stated, library: Library, rates: dict[str, float]) -> Finding | None:
    """Where the file names no optimiser: the default that nearly all optimisers of the library share, if they do."""
    values = sorted(rates.values())
    usual = values[len(values) // 2] if values else None
    others = [name for name, rate in rates.items() if rate != usual]
    if usual is None or stated.value == usual or len(others) > 1:
        return None
    matching = [name for name in others if rates[name] == stated.value]
    truth = (
        f"it is {usual:g} for Adam and every other optimiser but {OPTIMIZER_NAMES[others[0]]}"
        if others
        else f"it is {usual:g}"
    )
    if matching:
        truth = (
            f"it is {usual:g} for Adam and nearly every other optimiser; {stated.written} is that of "
            f"{OPTIMIZER_NAMES[matching[0]]} alone, which the file does not name"
        )
    return _finding(stated, library, truth, "likely")


def _finding(stated: _Stated, library: Library, truth: str, sure: Sure) -> Finding:
    setting = stated.what.replace("_", " ")
    return Finding(
        kind="wrong-default",
        place=stated.place,
        said=quoted(stated.text),
        sentence=f"The default {setting} of {NAMES[library]} is not {stated.written}: {truth}.",
        matters="A comparison with the default is one with another setting than the text believes.",
        advice=f"Write the {setting} down in the program, and state that.",
        sure=sure,
        serious=True,
    )


def _library(text: str, experiments: Experiments) -> Library | None:
    named: list[Library] = [library for pattern, library in _LIBRARIES if pattern.search(text)]
    used: set[Library] = {model.library for model in experiments.models if model.library != "unknown"}
    if len(named) == 1:
        return named[0]
    return used.pop() if len(used) == 1 and not named else None


def _optimizers(text: str, library: Library, experiments: Experiments) -> list[str]:
    """The optimisers that the sentence names, else those that the file uses."""
    known = LEARNING_RATES.get(library, {})
    named = [name for name in known if re.search(rf"\b{name}\b", text, re.IGNORECASE)]
    used = {(model.training.optimizer or "").lower() for model in experiments.models}
    return named or [name for name in known if name in used]


def _own(stated: _Stated, experiments: Experiments) -> bool:
    for model in experiments.models:
        training = model.training
        if stated.what in ("learning_rate", "batch_size", "epochs") and stated.what not in getattr(
            training, "defaults", ()
        ):
            if getattr(training, stated.what) == stated.value:
                return True
        elif (
            stated.what in (training.other or {})
            and (training.other or {})[stated.what] == f"{stated.value:g}"
        ):
            return True
        if stated.what == "dropout" and any(
            layer.settings.get("rate") == stated.value for layer in model.layers
        ):
            return True
    return False
