"""What a model is held against: as the text names it, as its figures lead to it, or by its settings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fairtrial.audit.differences import differences
from fairtrial.audit.experiment import Basis, ModelSeen, Statement
from fairtrial.audit.figures import final_figures
from fairtrial.audit.sentences import Said

MOST_EARLIER = 60
"""Models before one that it may be held against: nobody compares with what stands further up than these."""


@dataclass(frozen=True)
class Given:
    """The figures that a text has given so far, each with the models it gave them for."""

    _models: dict[object, set[str]] = field(default_factory=lambda: defaultdict(set))

    def remember(self, statements: Iterable[Statement]) -> None:
        for one in statements:
            if one.after is not None and one.variant is not None:
                self._models[(one.metric, one.on, one.after)].add(one.variant)

    def models(self, said: Said) -> set[str]:
        """The models for which the text gave the figure that a statement starts from."""
        if said.before is None:
            return set()
        return self._models.get((said.metric, said.on, said.before.value), set())


def baseline_of(
    variant: ModelSeen, models: list[ModelSeen], named: ModelSeen | None, said: list[Said], given: Given
) -> tuple[ModelSeen | None, Basis]:
    """The model that statements about `variant` hold it against, and what tells so."""
    place = models.index(variant)
    earlier = models[max(0, place - MOST_EARLIER) : place]
    if named is not None and named is not variant:
        return named, "named"
    if (found := _by_figures(said, variant, earlier, given)) is not None:
        return found, "figures"
    if not earlier:
        return None, ""
    # Of those that differ least the latest: a text goes on from where it is.
    return min(reversed(earlier), key=lambda model: len(differences(variant, model))), "previous"


def _by_figures(
    said: list[Said], variant: ModelSeen, earlier: list[ModelSeen], given: Given
) -> ModelSeen | None:
    """The model for which the text itself gave the figures it starts from, or for which all of them were printed."""
    by_name = {model.name: model for model in earlier}
    votes: Counter[str] = Counter()
    for one in said:
        votes.update(name for name in given.models(one) if name in by_name)
    most = votes.most_common(2)
    if most and (len(most) == 1 or most[0][1] > most[1][1]):
        return by_name[most[0][0]]
    starts = [one for one in said if one.before is not None]
    fitting = [model for model in earlier if starts and all(_fits(one, model) for one in starts)]
    same_run = any(_fits(replace(one, before=one.after), variant) for one in starts)
    return fitting[0] if len(fitting) == 1 and same_run else None


def _fits(said: Said, model: ModelSeen) -> bool:
    """Whether the figure that a statement starts from was printed for a model, rounded as the text has it."""
    printed = final_figures(model, said.metric, said.on)
    return said.before is not None and any(
        round(figure.value, said.before.decimals) == said.before.value for figure in printed
    )
