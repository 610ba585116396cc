"""A study file out of what was seen: an arm for each model, a question for each comparison, the rest as comments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from fairtrial.audit.arms import Translated, Untranslated, Usual, translated
from fairtrial.audit.document import Document, Place
from fairtrial.audit.experiment import Experiments, ModelSeen
from fairtrial.audit.questions import questions
from fairtrial.audit.wording import clean, comment, where
from fairtrial.errors import AuditError
from fairtrial.study.spelling import flow

MOST_ARMS = 100
MOST_COMMENTS = 100
SHARED_BY = 3
"""So many arms with one assumption, and it is said once."""


def study_text(experiments: Experiments, document: Document) -> str:
    """A commented study file that would settle the questions of a document; it loads as it is.

    Whatever the file does not show and a study must have is written down with a comment that it is assumed. Raises
    AuditError where no model of the document can be an arm.
    """
    usual = Usual.of(experiments.models)
    arms: list[Translated] = []
    left: list[tuple[Place, str]] = []
    for model in experiments.models:
        try:
            if len(arms) == MOST_ARMS:
                raise Untranslated(f"a study of more than {MOST_ARMS} arms would be too many")
            arms.append(translated(model, usual))
        except Untranslated as why:
            left.append((model.place, f"the model {model.name} is no arm here: {why}"))
    if not arms:
        reasons = "; ".join(sentence for _, sentence in left[:3]) or "no network was found in it"
        raise AuditError(
            f"{document.path}: there is no study to write: {reasons}. A study takes networks of dense and convolutional"
            " layers with ten outputs, whose sizes stand in the file"
        )
    lines = [
        *_opening(document, len(arms)),
        *_data(experiments, document),
        "",
        *_base_and_arms(arms, document),
        "",
        *questions(experiments, {arm.model.name: arm for arm in arms}, document, left),
        *_closing(experiments, document, left),
    ]
    return "\n".join([*lines, ""])


def _opening(document: Document, count: int) -> Iterator[str]:
    path = PurePath(document.path).name
    name = re.sub(r"[^\w.-]+", "-", PurePath(document.path).stem).strip("-.")[:80] or "audited"
    yield comment(
        f"What {path} asks, as a study: its models, its questions, and what it says the answers are."
    )
    yield comment(
        "It was read and not run. Lines marked `assumed` say what the file does not show: check them first."
    )
    yield "schema: fairtrial/1"
    yield f"name: {flow(clean(name))}"
    yield f"title: {flow(clean(f'{path}: its {count} models and its questions, over as many seeds as they need'))}"
    yield ""


def _data(experiments: Experiments, document: Document) -> Iterator[str]:
    names = [re.sub(r"[:/].*|_784$", "", name.lower()) for name in experiments.datasets]
    prose = " ".join(cell.source for cell in document.cells if cell.kind == "prose")[:1_000_000]
    spoken = re.search(r"(?<!fashion[ _-])\bmnist\b", prose, re.IGNORECASE)
    shares = [_share(model) for model in experiments.models]
    counted = Counter(share for share in shares if share is not None).most_common(1)
    validation = counted[0][0] if counted else 6000
    if "mnist" not in names and not (spoken and not names):
        loaded = (
            f"The file loads {', '.join(experiments.datasets)}"
            if names
            else "The file does not show its data"
        )
        yield comment(f"{loaded}; a study knows MNIST alone, so the answers will be about MNIST.")
    elif "mnist" not in names:
        yield comment("assumed: MNIST, of which the text speaks; no code shows what is loaded.")
    if not counted:
        yield comment("assumed: 6000 images for validation; the file shows no number.")
    yield comment(
        "`split: reshuffled` would divide as a tf.data shuffle before take and skip does, which leaks."
    )
    yield f"data: {flow({'dataset': 'mnist', 'validation': validation, 'split': 'fixed'})}"


def _share(model: ModelSeen) -> int | None:
    """Images that a `validation_split` takes of MNIST's 60 000."""
    try:
        share = float(model.training.validation or "")
    except ValueError:
        return None
    return round(60_000 * share) if 0 < share < 1 else None


def _base_and_arms(arms: Sequence[Translated], document: Document) -> Iterator[str]:
    base = _base(arms)
    counts = Counter(sentence for arm in arms for sentence in arm.assumed)
    shared = [sentence for sentence, count in counts.items() if count >= min(SHARED_BY, len(arms))]
    yield "base:"
    for sentence in shared:
        of = "all arms" if counts[sentence] == len(arms) else f"{counts[sentence]} of {len(arms)} arms"
        kind, _, what = sentence.partition(": ")
        yield comment(f"{kind} in {of}: {what}", "  ")
    yield from (f"  {name}: {flow(value)}" for name, value in base.items())
    yield ""
    yield "arms:"
    for arm in arms:
        yield comment(f"{where(arm.model.place, document)}: {'; '.join(arm.notes)}", "  ")
        for sentence in arm.assumed:
            if sentence not in shared:
                yield comment(sentence, "  ")
        yield f"  {flow(clean(arm.name))}:"
        for name, value in _departures(arm.settings, base).items():
            layers = value.get("layers") if name == "network" else None
            if layers is not None:
                yield from (
                    "    network:",
                    "      layers:",
                    *(f"        - {flow(layer)}" for layer in layers),
                )
            else:
                yield f"    {name}: {flow(value)}"
        yield f"    title: {flow(clean(arm.model.title)[:1000])}"
        if arm.published:
            yield f"    published: {flow(dict(arm.published))}"


def _base(arms: Sequence[Translated]) -> dict[str, Any]:
    """The commonest value of each setting, a network of the short form before one of layers."""
    base: dict[str, Any] = {}
    for name in ("network", "optimizer", "batch_size", "epochs"):
        values = [arm.settings[name] for arm in arms]
        if name == "network":
            values = [value for value in values if "mlp" in value] or values
        counted = Counter(flow(value) for value in values)
        commonest = counted.most_common(1)[0][0]
        base[name] = next(value for value in values if flow(value) == commonest)
    return base


def _departures(settings: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What of an arm is not as in the base, by dotted paths where that says less."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        usual = base.get(name)
        if value == usual:
            continue
        if name == "network" and usual and "mlp" in value and "mlp" in usual:
            found |= _dotted("network.mlp", value["mlp"], usual["mlp"])
        elif name == "optimizer" and usual and value["name"] == usual["name"] and set(usual) <= set(value):
            found |= _dotted("optimizer", value, usual)
        else:
            found[name] = value
    return found


def _dotted(path: str, value: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{path}.{key}": one for key, one in value.items() if usual.get(key) != one}


def _closing(
    experiments: Experiments, document: Document, left: Sequence[tuple[Place, str]]
) -> Iterator[str]:
    yield ""
    yield comment(
        "Every arm at least min times, no question more than max; the margins are the smallest change that matters."
    )
    yield "seeds: {min: 3, max: 50}"
    yield "margins: {accuracy: 0.1pp, loss: 2%, time: 5%}"
    untold = [*left, *experiments.not_understood]
    if untold or document.unread:
        yield ""
        yield comment("Not translated:")
        yield from (
            comment(f"{where(place, document)}: {sentence}") for place, sentence in untold[:MOST_COMMENTS]
        )
        if len(untold) > MOST_COMMENTS:
            yield comment(f"and {len(untold) - MOST_COMMENTS} more")
        yield from (comment(sentence[:300]) for sentence in document.unread)
