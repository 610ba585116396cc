"""Comparisons in which more changes than the text speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairtrial.audit.contradictions import quoted
from fairtrial.audit.differences import Difference, differences
from fairtrial.audit.document import Place
from fairtrial.audit.experiment import Asked, Experiments, ModelSeen
from fairtrial.audit.finding import Finding

_SPOKEN = {
    "width": r"\bwid(?:th|er|e)|\bunits?\b|neurons?|nodes?\b|layers? size|size of (?:the )?(?:hidden )?layers?|hidden (?:layers? )?size|narrow|big(?:ger)?|larger|capacity",
    "depth": r"\bdeep|\bdepth|layers?\b(?! size)|shallow",
    "number of convolutions": r"\bdeep|\bdepth|layers?\b|conv",
    "filters": r"filters?|channels?|\bwid(?:th|er)",
    "kernel": r"kernels?|filter size|\b\d ?[x×] ?\d\b",
    "kind of network": r"\bcnn|conv|\bmlp|dense|fully",
    "activation": r"activation|sigmoid|tanh|relu|\belu|gelu|swish|silu",
    "dropout": r"drop[\s-]?out|regulari[sz]",
    "pooling": r"pool",
    "batch normalisation": r"normali[sz]",
    "initial weights": r"initiali[sz]",
    "optimiser": r"optimi[sz]er|\badam|\bsgd|rmsprop|momentum|adagrad",
    "learning rate": r"learn\w*[\s_-]*rate|\blr\b|step size",
    "batch size": r"batch",
    "epochs": r"epochs?|train(?:ed|ing)? (?:for )?longer|more training",
    "loss": r"\bloss function|cross[\s-]?entropy|\bmse\b",
    "early stopping": r"early[\s-]?stop|callback|patience",
}
# Who says that several things change at once asks for no single cause.
_DECLARED = re.compile(
    r"\b(?:combin\w*|all together|altogether|custom\w*|best (?:model|possible|setting|result)|final model|tun(?:e|ed|ing)|everything|"
    r"several changes|different (?:settings|hyperparameters|architectures?)|search|play around)\b",
    re.IGNORECASE,
)


def confounded(experiments: Experiments) -> tuple[Finding, ...]:
    """Pairs that a text compares while two or more settings differ, unless the text names all of them."""
    models = {model.name: model for model in experiments.models}
    found: list[Finding] = []
    for asked, variant, baseline in _compared(experiments, models):
        changed = differences(variant, baseline)
        text = " ".join([asked.text, *(statement.text for statement in asked.statements)])
        unnamed = [one for one in changed if not re.search(_SPOKEN[one.setting], text, re.IGNORECASE)]
        if len(changed) < 2 or not unnamed or _DECLARED.search(f"{asked.text} {variant.title}"):
            continue
        found.append(_confounded(asked, variant, baseline, changed, unnamed))
    return tuple(found)


def _confounded(
    asked: Asked,
    variant: ModelSeen,
    baseline: ModelSeen,
    changed: tuple[Difference, ...],
    unnamed: list[Difference],
) -> Finding:
    meant = [one.setting for one in changed if one not in unnamed]
    listed = ", ".join(one.sentence for one in changed)
    speaks = (
        f"The text speaks of the {' and the '.join(meant)} alone" if meant else "The text names none of them"
    )
    return Finding(
        kind="confounded",
        place=asked.place,
        said=quoted(asked.text),
        sentence=f"Between {variant.name} and {baseline.name} {_COUNTS.get(len(changed), len(changed))} settings change: {listed}. {speaks}.",
        matters="Whatever differs in the results may come from any of them, so the question is not answered.",
        advice=f"Train {variant.name} again with {_kept(unnamed if meant else list(changed[1:]))} as in {baseline.name}.",
        sure="certain" if asked.basis in ("named", "figures") else "likely",
        serious=True,
    )


_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}


def _kept(changed: list[Difference]) -> str:
    return " and ".join(
        f"{one.setting} {one.baseline}" if one.baseline[:1].isdigit() else one.setting for one in changed
    )


def epochs_with_batch_size(experiments: Experiments) -> tuple[Finding, ...]:
    """Pairs that differ in batch size alone and train for equally many epochs: one makes far fewer updates."""
    models = {model.name: model for model in experiments.models}
    asked_of = {
        (variant.name, baseline.name): asked for asked, variant, baseline in _compared(experiments, models)
    }
    found: list[Finding] = []
    seen: set[str] = set()
    pairs = [(models[one], models[other]) for one, other in asked_of]
    for variant, baseline in (*pairs, *_neighbours(experiments.models)):
        batches = [one.training.batch_size or 0 for one in (variant, baseline)]
        changed = differences(variant, baseline)
        if variant.name in seen or [one.setting for one in changed] != ["batch size"]:
            continue
        seen.add(variant.name)
        epochs = variant.training.epochs
        large, small = max(batches), min(batches)
        if epochs is None or epochs != baseline.training.epochs or large < 2 * small:
            continue
        asked = asked_of.get((variant.name, baseline.name))
        found.append(_updates(variant, asked.place if asked else variant.place, asked, large, small, epochs))
    return tuple(found)


def _updates(
    variant: ModelSeen, place: Place, asked: Asked | None, large: int, small: int, epochs: int
) -> Finding:
    ratio = large / small
    times = f"{ratio:.0f}" if ratio == int(ratio) else f"{ratio:.1f}"
    ended = "epoch" if epochs == 1 else "epochs"
    return Finding(
        kind="epochs-with-batch-size",
        place=place,
        said=quoted(asked.text if asked else variant.title),
        sentence=f"Batches of {large} and of {small} both train for {epochs} {ended}: the larger make {times} times fewer updates of the weights.",
        matters="What looks like an effect of the batch size may be one of training less.",
        advice="Compare at equally many updates too: more epochs for the larger batch; and with a learning rate that suits it.",
        sure="certain",
        serious=False,
    )


def _compared(
    experiments: Experiments, models: dict[str, ModelSeen]
) -> Iterator[tuple[Asked, ModelSeen, ModelSeen]]:
    for asked in experiments.asked:
        variant, baseline = models.get(asked.variant or ""), models.get(asked.baseline or "")
        if variant is not None and baseline is not None and variant is not baseline:
            yield asked, variant, baseline


def _neighbours(models: tuple[ModelSeen, ...]) -> Iterator[tuple[ModelSeen, ModelSeen]]:
    """Each model with the first before it that has its settings but for one."""
    trained = [model for model in models if model.trained]
    for position, model in enumerate(trained[:500]):
        for earlier in trained[max(0, position - 20) : position]:
            if len(differences(model, earlier)) == 1 and model.layers:
                yield model, earlier
                break
