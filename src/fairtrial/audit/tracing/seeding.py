"""Calls that fix the randomness."""

from __future__ import annotations

import ast

from fairtrial.audit.tracing.events import Seeded
from fairtrial.audit.tracing.request import Request
from fairtrial.audit.tracing.state import Trace

SEEDS = {
    "seed",
    "set_seed",
    "set_random_seed",
    "manual_seed",
    "manual_seed_all",
    "seed_everything",
    "default_rng",
    "RandomState",
    "PCG64",
    "PRNGKey",
}
KEYWORDS = {"random_state", "seed", "random_seed", "data_seed", "seed_value"}


def seeding(trace: Trace, request: Request) -> None:
    """Note a call that sets a seed, and the names it takes it from."""
    given = [name for name in KEYWORDS if request.seeded(name)]
    calls = (request.last in SEEDS and bool(request.every) and request.every[0].constant is not None) or (
        # A function of somebody else's that says in its name what it does.
        request.function.kind == "name" and "seed" in request.last.lower() and request.last not in SEEDS
    )
    passes = request.last in SEEDS and bool(request.every) and request.every[0].kind != "constant"
    if given or calls or passes:
        names = {node.id for node in ast.walk(request.node) if isinstance(node, ast.Name)}
        rounds = frozenset(value.ident for value in request.every if value.name == "round")
        trace.note(Seeded(request.line, trace.loops, frozenset(names), rounds))
