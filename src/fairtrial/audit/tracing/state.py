"""The state of a walk through a program: what its names stand for, and what has been met."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from fairtrial.audit.tracing.events import Carried, Cut, Event, Log, Loop
from fairtrial.audit.tracing.values import UNKNOWN, Part, Rows, Shuffle, Value, part_in

MOST_STEPS = 60_000
"""Expressions looked at in one file; a program that needs more is followed no further."""
MOST_EVENTS = 2_000
MOST_ROWS = 1_000
DEEPEST = 60
DEEPEST_CALL = 6


class Enough(Exception):
    """The program is longer than it is worth following; what was met so far stands."""


@dataclass
class Scope:
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    shared: set[str] = field(default_factory=set[str])
    """Names declared global or nonlocal."""
    outer: Scope | None = None

    def find(self, name: str) -> Value | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None


@dataclass
class Trace:
    run: Callable[[Trace, Sequence[ast.stmt]], None]
    evaluate: Callable[[Trace, ast.expr | None], Value]
    log: Log = field(default_factory=Log)
    scope: Scope = field(default_factory=Scope)
    loops: tuple[int, ...] = ()
    calls: tuple[ast.AST, ...] = ()
    returned: list[Value] = field(default_factory=list[Value])
    attributes: dict[tuple[int, str], Value] = field(default_factory=dict[tuple[int, str], Value])
    """What objects hold, by their identity."""
    lessons: dict[int, Value] = field(default_factory=dict[int, Value])
    """What a fitted object learnt, by its identity."""
    entered: set[ast.AST] = field(default_factory=set[ast.AST])
    """The functions that were called."""
    plotting: int = 0
    depth: int = 0
    _steps: int = 0
    _last: int = 0
    _known: dict[object, int] = field(default_factory=dict[object, int])

    def step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise Enough

    def identity(self) -> int:
        self._last += 1
        return self._last

    def note(self, event: Event) -> None:
        if len(self.log.events) >= MOST_EVENTS:
            raise Enough
        self.log.events.append(event)

    def made(self, name: str, line: int, *, items: Sequence[Value] = ()) -> Value:
        """A new object of a class called `name`."""
        return Value(
            "object", name=name, ident=self.identity(), line=line, created=self.loops, items=tuple(items)
        )

    def loop(self, loop: Loop) -> None:
        self.log.loops[loop.ident] = loop

    # Sets of rows

    def rows(self, key: object, part: Part = "unknown", *, official: bool = False) -> frozenset[int]:
        """The set of rows that `key` stands for, always the same one."""
        ident = self._known.get(key)
        if ident is None:
            if len(self.log.rows) >= MOST_ROWS:
                raise Enough
            ident = self._known[key] = self.identity()
            self.log.rows[ident] = Rows(part, official)
        return frozenset((ident,))

    def source(self, key: object, part: Part = "unknown", *, official: bool = False) -> Value:
        return Value("data", rows=self.rows(key, part, official=official))

    def piece(self, whole: Value, key: object, *, order: tuple[int, int] = (0, 0), side: str = "") -> Value:
        """Some of the rows of `whole`; the same `key` gives the same rows."""
        parents = whole.rows or self.rows(("nameless", key))
        full = ("piece", parents, key)
        new = full not in self._known
        (ident,) = self.rows(full, "piece")
        if new:
            above = parents.union(*(self.log.rows[parent].within for parent in parents))
            self.log.rows[ident] = Rows(
                "piece", within=above, parent=min(parents), drawn_from=order[0], side=side
            )
        self.carry(frozenset((ident,)), whole)
        return replace(whole, kind="data", rows=frozenset((ident,)), items=(), keys=())

    def joined(self, parts: Sequence[Value], key: object) -> frozenset[int]:
        """The rows of all `parts` together, each of which lies within them."""
        every = frozenset[int]().union(*(part.rows for part in parts))
        if len(every) < 2:
            return every
        (ident,) = self.rows(("joined", every, key))
        for row in every:
            self.log.rows[row].within |= {ident}
        return frozenset((ident,))

    def carry(self, rows: frozenset[int], value: Value) -> None:
        for lesson in value.lessons:
            self.note(Carried(rows, lesson))

    def cut(self, value: Value, how: str, line: int, key: object) -> Value:
        piece = self.piece(value, (how, key))
        if value.rows:
            (ident,) = piece.rows
            self.note(Cut(line, how, value.rows, ident, value.shuffles))
        return piece

    # Names

    def lookup(self, name: str) -> Value:
        known = self.scope.find(name)
        if known is not None:
            return known
        part = part_in(name)
        if part and (name[0].islower() or name[0] in "XY") and name not in dir(builtins):
            # Loaded where we cannot see it: its name is all there is to go by.
            return self.source(("named", part), part)
        return Value("name", name=name)

    def bind(self, name: str, value: Value) -> None:
        scope = self.scope
        if name in scope.shared:
            while scope.outer is not None:
                scope = scope.outer
        scope.names[name] = self.named(name, value)

    def replace_name(self, name: str, value: Value) -> None:
        """The name's value after it was changed in place, wherever it was bound."""
        scope: Scope | None = self.scope
        while scope is not None:
            if name in scope.names:
                scope.names[name] = value
                return
            scope = scope.outer
        self.scope.names[name] = value

    def named(self, name: str, value: Value) -> Value:
        """The value under that name, which may say what part of the data it is."""
        part = part_in(name)
        if part is None:
            return value
        if value.kind == "unknown" and not value.rows and value.model == 0:
            return replace(value, kind="data", rows=self.rows(("named", part), part))
        if value.kind in ("data", "unknown"):
            for row in value.rows:
                rows = self.log.rows[row]
                if rows.part in ("piece", "held out") or (rows.part == "unknown" and not rows.within):
                    rows.part = part
        return value

    def shuffled(self, value: Value, line: int, *, fixed: bool) -> Value:
        return replace(value, shuffles=value.shuffles | {Shuffle(line, fixed)})

    def attribute(self, value: Value, name: str) -> Value:
        return self.attributes.get((value.ident, name), UNKNOWN) if value.ident else UNKNOWN

    def method(self, base: Value, name: str) -> Value | None:
        """The function of the file that is called as `base.name()`, if the file defines the object's class."""
        held = self.attributes.get((base.ident, name)) if base.ident else None
        if held is not None and held.kind in ("function", "object", "class"):
            return held
        if base.kind == "object" and isinstance(base.node, ast.ClassDef):
            for statement in base.node.body:
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name:
                    return Value("function", node=statement, items=(base,))
        return None
