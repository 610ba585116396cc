"""Comparisons in which more changes than the text speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairtrial.audit.contradictions import called, quoted
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
        sentence=f"Between {called(variant)} and {called(baseline)} {_COUNTS.get(len(changed), len(changed))} settings change: {listed}. {speaks}.",
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
    """Models that differ in batch size alone and train for equally many epochs: some make far fewer updates.

    A finding for each pair that the text compares; else one for each series, as a loop over batch sizes makes it.
    """
    models = {model.name: model for model in experiments.models}
    found: list[Finding] = []
    told: set[str] = set()
    for asked, variant, baseline in _compared(experiments, models):
        if variant.name not in told and _batch_alone(variant, baseline):
            told.update((variant.name, baseline.name))
            found.append(_updates([variant, baseline], asked.place, asked.text))
    untold = (
        series for series in _series(experiments.models) if told.isdisjoint(model.name for model in series)
    )
    return (*found, *(_updates(series, series[1].place, series[1].title) for series in untold))


def _batch_alone(one: ModelSeen, other: ModelSeen) -> bool:
    """Whether the batch size is all that differs, by twice at least, and both epochs are known and equal."""
    epochs, batches = one.training.epochs, [model.training.batch_size or 0 for model in (one, other)]
    return (
        [change.setting for change in differences(one, other)] == ["batch size"]
        and epochs is not None
        and epochs == other.training.epochs
        and max(batches) >= 2 * min(batches) > 0
    )


def _series(models: tuple[ModelSeen, ...]) -> Iterator[list[ModelSeen]]:
    """Runs of models, one after the other, that differ from the first of them in batch size alone."""
    series: list[ModelSeen] = []
    for model in (one for one in models if one.trained and one.layers):
        if series and _batch_alone(model, series[0]):
            series.append(model)
            continue
        if len(series) > 1:
            yield series
        series = [model]
    if len(series) > 1:
        yield series


def _updates(series: list[ModelSeen], place: Place, said: str) -> Finding:
    batches = sorted(model.training.batch_size or 0 for model in series)
    epochs = series[0].training.epochs
    ratio = batches[-1] / batches[0]
    times = f"{ratio:.0f}" if ratio == int(ratio) else f"{ratio:.1f}"
    ended = "epoch" if epochs == 1 else "epochs"
    trained = f"Batches of {batches[-1]} and of {batches[0]} both train"
    if len(series) > 2:
        trained = f"Batches of {batches[0]} to {batches[-1]} all train"
    return Finding(
        kind="epochs-with-batch-size",
        place=place,
        said=quoted(said),
        sentence=f"{trained} for {epochs} {ended}: with the largest the weights are updated {times} times less often than with the smallest.",
        matters="What looks like an effect of the batch size may be one of training less.",
        advice="Compare at equally many updates too, with more epochs for the larger batch, and at a learning rate that suits it.",
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
