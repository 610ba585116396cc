"""A study file's text as a tree of values with their lines.

Read as YAML 1.2 (core schema) from the parser's events, so that every key has its line, a key
given twice is noticed, and nothing a file holds can run, recurse or explode.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, cast

from fairtrial.errors import Mistake, StudyError
from fairtrial.study.tree import DEEPEST, Node

MOST_VALUES = 100_000
CORE_TAG = "tag:yaml.org,2002:"
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
SURROGATE = re.compile("[\ud800-\udfff]")
INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def from_yaml(text: str, *, where: Callable[[int], str]) -> Node | None:
    """The one document in `text`, or None if it holds none; `where` names a line (from 1).

    Raises StudyError for text that is not YAML, for keys given twice (all of them at once), and
    for whatever YAML allows but a study has no use for: tags, recursion, several documents.
    """
    from ruamel.yaml import YAML

    mistakes: list[Mistake] = []
    builder = _Builder(where=where, mistakes=mistakes)
    _refuse_deep_brackets(text, where)
    try:
        for event in cast("Any", YAML(typ="safe", pure=True)).parse(text):
            builder.take(event)
    except StudyError:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever the library stumbles over, the file is at fault
        raise StudyError([_syntax(fault, text, where)]) from None
    if mistakes:
        raise StudyError(mistakes)
    return builder.root


def scalar(text: str) -> object:
    """A plain scalar by the core schema of YAML 1.2: `1e-3` is a number, `yes` and `1_000` are text.

    >>> scalar("1e-3"), scalar("0x10"), scalar("on"), scalar("true"), scalar("~")
    (0.001, 16, 'on', True, None)
    """
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if re.fullmatch(r"0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}", text):
        return int(text, 0)
    if NUMBER.fullmatch(text):
        return float(text)
    if INFINITY.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return math.nan if text in (".nan", ".NaN", ".NAN") else text


@dataclass(slots=True, kw_only=True)
class _Open:
    """A mapping or list whose end has not been read; `key` awaits its value."""

    start: Any
    line: int
    entries: dict[str, Node] | None
    items: list[Node] = field(default_factory=list[Node])
    key: Node | None = None
    size: int = 1


@dataclass(slots=True, kw_only=True)
class _Builder:
    """Puts nodes together from parser events; a stack instead of recursion, so depth is bounded."""

    where: Callable[[int], str]
    mistakes: list[Mistake]
    root: Node | None = None
    documents: int = 0
    stack: list[_Open] = field(default_factory=list[_Open])
    anchors: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match type(event).__name__:
            case "DocumentStartEvent":
                self.documents += 1
                if self.documents > 1:
                    self._refuse(line, "a second document begins here (---); a study is one document")
            case "ScalarEvent":
                self._close(
                    event, Node(value=self._scalar(event, line), where=self.where(line), text=event.value)
                )
            case "AliasEvent":
                self._put(self._aliased(event.anchor, line))
            case "MappingStartEvent":
                self._open(event, line, {})
            case "SequenceStartEvent":
                self._open(event, line, None)
            case "MappingEndEvent" | "SequenceEndEvent":
                opened = self.stack.pop()
                value = tuple(opened.items) if opened.entries is None else opened.entries
                node = Node(value=value, where=self.where(opened.line), size=opened.size)
                self._close(opened.start, node)
            case _:
                pass

    def _open(self, event: Any, line: int, entries: dict[str, Node] | None) -> None:
        kind = "seq" if entries is None else "map"
        if event.tag not in (None, "!", CORE_TAG + kind):
            self._refuse(line, f"the tag {event.tag} means nothing in a study")
        if len(self.stack) >= DEEPEST:
            self._refuse(line, f"nested more than {DEEPEST} levels deep")
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(start=event, line=line, entries=entries))

    def _close(self, start: Any, node: Node) -> None:
        if start.anchor:
            self.anchors[start.anchor] = node
        self._put(node)

    def _put(self, node: Node) -> None:
        """Give a finished value to the mapping or list it stands in."""
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.size += node.size
        if parent.size > MOST_VALUES:
            raise StudyError([Mistake(where=node.where, message=f"holds more than {MOST_VALUES} values")])
        if parent.entries is None:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._key(node)
        else:
            key, parent.key = parent.key, None
            self._enter(parent.entries, key, replace(node, where=key.where))

    def _key(self, node: Node) -> Node:
        if node.entries is not None or node.items is not None:
            self.mistakes.append(Mistake(where=node.where, message=f"a key must be text, got {node.shown()}"))
            return replace(node, value=None, text="?")
        return node

    def _enter(self, entries: dict[str, Node], key: Node, node: Node) -> None:
        name = key.text
        if name == "<<" and key.value == "<<":
            message = "merge keys (<<) are not YAML 1.2; an arm can start from another with `from: NAME`"
            self.mistakes.append(Mistake(where=key.where, message=message))
        elif name in entries:
            message = f"{name!r} is given twice in one mapping, first at {entries[name].where}"
            self.mistakes.append(Mistake(where=key.where, message=message))
        else:
            entries[name] = node

    def _aliased(self, anchor: str, line: int) -> Node:
        if anchor not in self.anchors:
            self._refuse(line, f"*{anchor} refers to an anchor that does not exist (&{anchor})")
        node = self.anchors[anchor]
        if node is None:
            self._refuse(line, f"*{anchor} refers to the value it stands in")
        return node

    def _scalar(self, event: Any, line: int) -> object:
        tag = event.tag
        if SURROGATE.search(event.value):
            self._refuse(line, "holds half of a surrogate pair (\\ud800 to \\udfff), which is no character")
        if tag is None:
            return scalar(event.value) if event.implicit[0] else event.value
        if tag not in ("!", CORE_TAG + "str"):
            self._refuse(line, f"the tag {tag} means nothing in a study; write the value without it")
        return event.value

    def _refuse(self, line: int, message: str) -> NoReturn:
        raise StudyError([*self.mistakes, Mistake(where=self.where(line), message=message)])


def _refuse_deep_brackets(text: str, where: Callable[[int], str]) -> None:
    """Nested brackets take the scanner quadratic time, so they are counted before it sees them."""
    depth = 0
    for found in re.finditer(r"[\[{\]}]", text):
        depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
        if depth > 2 * DEEPEST:
            line = text.count("\n", 0, found.start()) + 1
            message = f"brackets are nested more than {2 * DEEPEST} levels deep"
            raise StudyError([Mistake(where=where(line), message=message)])


def _syntax(fault: Exception, text: str, where: Callable[[int], str]) -> Mistake:
    """What the YAML library found wrong, as one line."""
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    position = getattr(fault, "position", None)
    line = 1
    if mark is not None:
        line = mark.line + 1
    elif isinstance(position, int):
        line = text.count("\n", 0, position) + 1
    problem = getattr(fault, "problem", None) or getattr(fault, "reason", None) or "it cannot be read"
    context, begun = getattr(fault, "context", None), getattr(fault, "context_mark", None)
    if context and begun is not None and begun.line + 1 != line:
        problem = f"{problem} ({context} that begins in line {begun.line + 1})"
    elif context:
        problem = f"{problem} ({context})"
    character = getattr(fault, "character", None)
    if isinstance(character, int):
        problem = f"character U+{character:04X}: {problem}"
    return Mistake(where=where(line), message=f"not valid YAML: {' '.join(str(problem).split())}")
