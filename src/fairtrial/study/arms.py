"""The arms of a study: what each is once inheritance is resolved, checked setting by setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.document import About
from fairtrial.study.imagery import Known, placed
from fairtrial.study.layers import OUTPUT
from fairtrial.study.merge import ORIGIN, departed, expanded
from fairtrial.study.mistakes import mistakes_in
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.own_code import with_sources
from fairtrial.study.paths import setting_paths
from fairtrial.study.program import Program
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.shapes import layer_facts
from fairtrial.study.tree import Node, owned, plain, shortened

Model = TypeVar("Model", bound=BaseModel)
ABOUT = tuple(About.model_fields)
BASE = "base"


def arms_of(
    base: Sequence[Node],
    bodies: Mapping[str, Sequence[Node]],
    mistakes: list[Mistake],
    *,
    folder: Path | None = None,
) -> dict[str, Arm]:
    """Every arm that can be made of what was written, in the file's order.

    `base` and each of `bodies` are mappings of departures, each laid over the one before. What is
    wrong is added to `mistakes`, once for all arms that inherit it; arms with mistakes are left out. Paths of data
    and the user's own code are relative to `folder`, the current one unless given.
    """
    root = ORIGIN
    for body in base:
        root = departed(root, expanded(owned(body, BASE) if not body.owner else body, mistakes), mistakes)
    root = placed(root, folder)
    known: Known = {}
    _check_base(root, mistakes, known)
    arms: dict[str, Arm] = {}
    trees = _resolved(root, bodies, mistakes)
    for name in bodies:
        if name in trees and (arm := _arm(name, placed(trees[name], folder), bodies[name], mistakes, known)):
            wrong: list[Mistake] = []
            arms[name] = with_sources(arm, trees[name], (folder or Path()).absolute(), wrong)
            mistakes.extend(one for one in wrong if one not in mistakes)
    return arms


def owner(name: str) -> str:
    """How messages speak of an arm."""
    return f"arm {shortened(name)!r}"


def _check_base(root: Node, mistakes: list[Mistake], known: Known) -> None:
    """A mistake in the base counts even if every arm departs from it; what arms may add does not."""
    commanded = "command" in (root.entries or {})
    entries = {
        key: node
        for key, node in (root.entries or {}).items()
        if (key != "network" or node.entries != {}) and (commanded or key not in Program.model_fields)
    }
    found = _settings(replace(root, value=entries), {"known": known}, incomplete=True)
    mistakes.extend(found if not isinstance(found, ArmSettings) else ())


def _resolved(root: Node, bodies: Mapping[str, Sequence[Node]], mistakes: list[Mistake]) -> dict[str, Node]:
    """The settings of each arm as a tree, whatever chain of arms it starts from."""
    parents = {name: _parent(name, bodies, mistakes) for name in bodies}
    trees: dict[str, Node] = {}
    refused: set[str] = set()
    for name in bodies:
        chain: list[str] = []
        at: str | None = name
        while at is not None and at not in trees and at not in chain and at not in refused:
            chain.append(at)
            at = parents[at]
        if at in refused:
            refused.update(chain)
            continue
        if at in chain:
            cycle = chain[chain.index(at) :]
            mistakes.append(_cycle(cycle, bodies))
            refused.update(chain)
            continue
        tree = trees[at] if at is not None else root
        for one in reversed(chain):
            for body in bodies[one]:
                kept = {
                    k: n for k, n in (body.entries or {}).items() if k.split(".")[0] not in (*ABOUT, "from")
                }
                tree = departed(tree, expanded(replace(body, value=kept), mistakes), mistakes)
            trees[one] = tree
    return trees


def _from(bodies: Sequence[Node]) -> Node | None:
    return next(
        (body.entries["from"] for body in reversed(bodies) if body.entries and "from" in body.entries), None
    )


def _parent(name: str, bodies: Mapping[str, Sequence[Node]], mistakes: list[Mistake]) -> str | None:
    """The arm that this one starts from, None for the base (also where that is a mistake)."""
    node = _from(bodies[name])
    if node is None or node.value is None or node.value == BASE:
        return None
    parent = node.value if isinstance(node.value, str) else node.text
    if node.entries is None and node.items is None and parent in bodies:
        return parent
    if not parent:
        message = f"{owner(name)}: from must be the name of an arm, got {node.shown()}"
    else:
        hint = did_you_mean(parent, bodies) or f"; arms here: {shortened(', '.join(bodies))}"
        message = f"{owner(name)}: from names an unknown arm {shortened(parent)!r}{hint}"
    mistakes.append(Mistake(where=node.where, message=message))
    return None


def _cycle(cycle: Sequence[str], bodies: Mapping[str, Sequence[Node]]) -> Mistake:
    node = _from(bodies[cycle[0]])
    names = " -> ".join(map(shortened, (*cycle[:10], *(["..."] if len(cycle) > 10 else ()), cycle[0])))
    message = f"{owner(cycle[0])}: from leads back to the arm itself: {names}"
    return Mistake(where=node.where if node else "", message=message)


def _arm(name: str, tree: Node, bodies: Sequence[Node], mistakes: list[Mistake], known: Known) -> Arm | None:
    about = _about(name, bodies, mistakes)
    settings = _settings(tree, {"known": known})
    if not isinstance(settings, ArmSettings):
        mistakes.extend(settings)
        return None
    if about is None:
        return None
    arm = Arm(name=name, settings=settings, title=about.title, note=about.note, published=about.published)
    found = (*_names_given_twice(arm, tree), *_impossible_shapes(arm, tree))
    mistakes.extend(found)
    return None if found else arm


def _about(name: str, bodies: Sequence[Node], mistakes: list[Mistake]) -> About | None:
    node = Node(value={}, where="", owner=owner(name))
    for body in bodies:
        said = {k: n for k, n in (body.entries or {}).items() if k.split(".")[0] in ABOUT}
        node = departed(node, expanded(replace(body, value=said), mistakes), mistakes)
    found = _validated(About, node)
    if isinstance(found, About):
        return found
    mistakes.extend(found)
    return None


def _settings(
    tree: Node, context: dict[str, object], *, incomplete: bool = False
) -> ArmSettings | tuple[Mistake, ...]:
    return _validated(ArmSettings, tree, known=("from", *ABOUT), incomplete=incomplete, context=context)


def _validated(
    model: type[Model],
    node: Node,
    *,
    known: Sequence[str] = (),
    incomplete: bool = False,
    context: dict[str, object] | None = None,
) -> Model | tuple[Mistake, ...]:
    try:
        return model.model_validate(plain(node), context=context)
    except ValidationError as error:
        return tuple(
            mistakes_in(error, node, model, known=known, elsewhere=setting_paths(), incomplete=incomplete)
        )


def _names_given_twice(arm: Arm, tree: Node) -> Iterator[Mistake]:
    """Layers of one name would draw the same random stream."""
    names = [layer.name for layer in arm.network]
    taken = {OUTPUT: "the output layer"}
    own = [(layer.entries or {}).get("name") for layer in _layers(tree)]
    taken |= {
        str(name): f"layer {place}"
        for place, (name, node) in enumerate(zip(names, own, strict=False))
        if node is None or node.value is None
    }
    for place, node in enumerate(own):
        if node is None or node.value is None:
            continue
        name = str(node.value)
        if name in taken:
            subject = f"{node.owner}: " if node.owner else ""
            message = f"{subject}network.layers.{place}: the name {name!r} is taken by {taken[name]}; each layer needs its own"
            yield Mistake(where=node.where, message=message)
        taken.setdefault(name, f"layer {place}")


def _impossible_shapes(arm: Arm, tree: Node) -> Iterator[Mistake]:
    network, shape = arm.network, arm.settings.data.facts.input_shape
    try:
        layer_facts(network, input_shape=shape)
    except StudyError as error:
        layers = _layers(tree)
        place = next(n for n in range(len(network)) if not _possible(arm, n + 1))
        whole = (tree.entries or {}).get("network", tree)
        suspects = (layers[place], whole) if place < len(layers) else (whole,)
        node = _written_by(arm, suspects)
        subject = f"{node.owner}: " if node.owner else ""
        yield Mistake(where=node.where, message=f"{subject}network: {error}")


def _possible(arm: Arm, count: int) -> bool:
    try:
        layer_facts(arm.network[:count], input_shape=arm.settings.data.facts.input_shape)
    except StudyError:
        return False
    return True


def _written_by(arm: Arm, suspects: Sequence[Node]) -> Node:
    """The value this arm itself wrote in the first suspect that holds one, else the first suspect."""
    for suspect in suspects:
        for node in _all(suspect):
            if node.owner != BASE and (node.owner == owner(arm.name) or not node.owner):
                return node
    return suspects[0]


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in (node.entries or {}).values():
        yield from _all(child)
    for child in node.items or ():
        yield from _all(child)


def _layers(tree: Node) -> tuple[Node, ...]:
    network = (tree.entries or {}).get("network")
    layers = (network.entries or {}).get("layers") if network else None
    return (layers.items or ()) if layers else ()
