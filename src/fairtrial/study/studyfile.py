"""A study file as a `Study`: read, `--set` applied, inheritance resolved, every mistake named with its line."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from fairtrial.bounded import read_bounded
from fairtrial.errors import Mistake, StudyError
from fairtrial.study.arms import arms_of, owner
from fairtrial.study.candidates import search_mistakes
from fairtrial.study.combining import combining_mistakes
from fairtrial.study.document import Document
from fairtrial.study.mistakes import mistakes_in, ordered
from fairtrial.study.nearest import did_you_mean
from fairtrial.study.overrides import Overrides, overlaid, overrides
from fairtrial.study.questions import complete, misreferences
from fairtrial.study.schema import SCHEMA, Study
from fairtrial.study.tree import Node, from_python, owned, plain, shortened
from fairtrial.study.tuning import tuning_mistakes
from fairtrial.study.yamltree import from_yaml

LARGEST_FILE_BYTES = 256_000
BUILTIN = resources.files("fairtrial.study") / "builtin"
SECTIONS = ("data", "base", "questions", "search", "seeds", "margins", "title", "facts")
"""Parts of a file that may be left empty (`questions:`), as if they were not there."""


def builtin_names() -> tuple[str, ...]:
    """Names of the studies that ship with fairtrial."""
    return tuple(sorted(file.name[:-5] for file in BUILTIN.iterdir() if file.name.endswith(".yaml")))


def load(source: str | Path | Study | Mapping[str, object], *, sets: Sequence[str] = ()) -> Study:
    """The study in the file `source`, or the built-in one of that name, with `sets` applied.

    A text that is the name of a built-in study means that study; write `./course` for a file of
    such a name. Each of `sets` is `PATH=VALUE`; what it sets in the base does not override an
    arm's own departure of the same path. Raises StudyError with all mistakes, each with its line.
    A study is itself, and a mapping what a file of it would be, so that what is written in Python goes
    wherever a name goes.
    """
    if isinstance(source, Mapping):
        return study_from_dict(source, sets=sets)
    if isinstance(source, Study):
        if sets:
            raise StudyError("a study that is made already takes no `sets`; give them where it is made")
        return source
    name, root = _parsed(source)
    return _study(root, sets, source=_printable(source), name=Path(name).stem, folder=_folder(source))


def load_base(source: str | Path, *, sets: Sequence[str] = ()) -> Study:
    """What the arms of that study start from: a study of the one arm `plain`, and no questions."""
    name, root = _parsed(source)
    entries = {
        key: node for key, node in (root.entries or {}).items() if key not in ("arms", "questions", "search")
    }
    plain_arm = replace(root, value={"plain": replace(root, value={})})
    root = replace(root, value={**entries, "arms": plain_arm}) if root.entries is not None else root
    return _study(root, sets, source=_printable(source), name=Path(name).stem, folder=_folder(source))


def study_from_tree(root: Node, *, name: str) -> Study:
    """A study from values that know where they were written; `name` unless it has one of its own."""
    return _study(root, (), source="", name=name)


def study_from_dict(mapping: Mapping[str, object], *, sets: Sequence[str] = ()) -> Study:
    """A study from the same mapping that a file would hold; mistakes name the path within it.

    >>> study_from_dict({"schema": "fairtrial/1", "name": "one", "arms": {"plain": {}}}).arms["plain"].network[0].kind
    'flatten'
    """
    return _study(from_python(mapping, where=""), sets, source="", name="study")


def _parsed(source: str | Path) -> tuple[str, Node]:
    """The name to say in messages, and the file's values."""
    name, text = _read(source)
    root = from_yaml(text, where=lambda line: f"{name}:{line}")
    if root is None:
        raise _refused(f"{name}:1", f"the file is empty; a study begins with `schema: {SCHEMA}`")
    return name, root


def _read(source: str | Path) -> tuple[str, str]:
    """The name to say in messages, and the text."""
    name = _printable(source)
    if not name.strip():
        raise StudyError(f"no study is named; give a study file or one of {', '.join(builtin_names())}")
    if isinstance(source, str) and source in builtin_names():
        return f"{source}.yaml", (BUILTIN / f"{source}.yaml").read_text(encoding="utf-8")
    try:
        content = read_bounded(source, largest=LARGEST_FILE_BYTES)
    except FileNotFoundError:
        names = builtin_names()
        hint = did_you_mean(Path(name).stem, names)
        message = (
            f"there is no such file and no built-in study of that name{hint}; built in are {', '.join(names)}"
        )
        raise _refused(name, message) from None
    except IsADirectoryError:
        raise _refused(name, "is a folder; name the study file in it") from None
    except OSError as error:
        hint = "; is it a study file?" if error.errno == errno.EFBIG else ""
        raise _refused(name, f"cannot be read: {error.strerror}{hint}") from None
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise _refused(f"{name}:{line}", "is a binary file; a study is text (YAML, in UTF-8)")
    try:
        return name, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text (byte 0x{content[error.start]:02x}); save it as UTF-8"
        raise _refused(f"{name}:{line}", message) from None


def _study(root: Node, sets: Sequence[str], *, source: str, name: str, folder: Path | None = None) -> Study:
    if root.entries is None:
        message = f"a study is a mapping that begins with `schema: {SCHEMA}`, got {root.shown()}"
        raise _refused(root.where, message)
    mistakes: list[Mistake] = []
    entries = {
        key: node for key, node in root.entries.items() if key not in SECTIONS or node.value is not None
    }
    bodies = _bodies(entries.get("arms"), root, mistakes)
    questions = _questions(entries.get("questions"))
    identifiers = [str((one.entries or {})["id"].value) for one in questions if "id" in (one.entries or {})]
    given = overrides(sets, arms=tuple(bodies), questions=identifiers, mistakes=mistakes)
    questions = _with_questions_set(questions, given, mistakes)
    base = [
        *([replace(entries["data"], value={"data": entries["data"]})] if "data" in entries else []),
        *([_mapping("base", entries["base"], mistakes)] if "base" in entries else []),
    ]
    arms = arms_of(
        [*(owned(body, "base") for body in base), *given.base],
        {arm: (body, *given.arms.get(arm, ())) for arm, body in bodies.items()},
        mistakes,
        folder=folder,
    )
    mistakes.extend(misreferences(questions, names=tuple(bodies), arms=arms))
    if "questions" in entries and entries["questions"].items is not None:
        entries["questions"] = replace(entries["questions"], value=questions)
    document = _document(replace(root, value=entries), given, name, mistakes)
    if document is not None:
        mistakes.extend(
            search_mistakes(
                _listed(entries.get("search")),
                document.search,
                names=tuple(bodies),
                arms=arms,
                questions=identifiers,
            )
        )
        mistakes.extend(tuning_mistakes(questions, document.questions, arms=arms))
        mistakes.extend(combining_mistakes(questions, document.questions, arms=arms))
    if mistakes or document is None:
        raise StudyError(ordered(mistakes))
    return Study(
        name=document.name,
        title=document.title,
        arms=arms,
        questions=document.questions,
        seeds=document.seeds,
        confidence=document.confidence,
        margins=document.margins,
        search=document.search,
        facts=document.facts,
        source=source,
        sets=tuple(sets),
    )


def _bodies(arms: Node | None, root: Node, mistakes: list[Mistake]) -> dict[str, Node]:
    """What each arm writes of itself; an arm without a body departs in nothing."""
    if arms is None or arms.value is None or arms.entries == {}:
        message = "arms is missing: a study needs at least one arm, such as `arms: {plain: {}}`"
        mistakes.append(Mistake(where=arms.where if arms else root.where, message=message))
        return {}
    if arms.entries is None:
        message = f"arms must be a mapping from each arm's name to its departures, got {arms.shown()}"
        mistakes.append(Mistake(where=arms.where, message=message))
        return {}
    bodies: dict[str, Node] = {}
    for name, node in arms.entries.items():
        if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > 80:
            message = f"an arm's name must be one line of 1 to 80 characters, got {shortened(repr(name))}"
            mistakes.append(Mistake(where=node.where, message=message))
        elif name == "base":
            message = "arm 'base': the name is taken by the base every arm starts from; choose another"
            mistakes.append(Mistake(where=node.where, message=message))
        bodies[name] = _mapping(owner(name), owned(node, owner(name)), mistakes)
    return bodies


def _mapping(subject: str, node: Node, mistakes: list[Mistake]) -> Node:
    """`node` if it is a mapping; nothing counts as an empty one."""
    if node.entries is None and node.value is not None:
        message = f"{subject} must be a mapping of settings, such as {{epochs: 5}}, got {node.shown()}"
        mistakes.append(Mistake(where=node.where, message=message))
    return node if node.entries is not None else replace(node, value={})


def _listed(node: Node | None) -> tuple[Node, ...]:
    """The searches of a file; one may stand without a list around it."""
    return () if node is None else node.items if node.items is not None else (node,)


def _questions(node: Node | None) -> tuple[Node, ...]:
    return tuple(complete(question) for question in (node.items or ()) if node) if node else ()


def _with_questions_set(
    questions: tuple[Node, ...], given: Overrides, mistakes: list[Mistake]
) -> tuple[Node, ...]:
    return tuple(
        complete(overlaid(one, given.questions.get(str((one.entries or {})["id"].value), ()), mistakes))
        if "id" in (one.entries or {})
        else one
        for one in questions
    )


def _document(root: Node, given: Overrides, name: str, mistakes: list[Mistake]) -> Document | None:
    """Everything but the arms; what is wrong with it is added to `mistakes`."""
    root = overlaid(root, given.head, mistakes)
    entries = dict(root.entries or {})
    version = entries.get("schema")
    if version is None:
        message = f"schema is missing; a study begins with `schema: {SCHEMA}`"
        mistakes.append(Mistake(where=root.where, message=message))
    elif version.value != SCHEMA:
        mistakes.append(Mistake(where=version.where, message=_another_schema(version)))
    entries["schema"] = replace(version or root, value=SCHEMA)
    entries.setdefault("name", replace(root, value=name))
    tree = replace(root, value=entries)
    heads = {key: node for key, node in entries.items() if key not in ("data", "base", "arms")}
    try:
        return Document.model_validate(plain(replace(root, value=heads)))
    except ValidationError as error:
        mistakes.extend(mistakes_in(error, tree, Document))
        return None


def _another_schema(given: Node) -> str:
    """What to do about a file of another schema: a newer one needs a newer program, any other a correction."""
    text = given.value if isinstance(given.value, str) else ""
    family, _, number = SCHEMA.partition("/")
    asked, _, newer = text.partition("/")
    said = f"schema must be {SCHEMA}, got {given.shown()}"
    if asked == family and newer.isdecimal() and int(newer[:9]) > int(number):
        return f"{said}: a file for a newer fairtrial; upgrade fairtrial, this version reads {SCHEMA} and no other"
    return f"{said}; this version of fairtrial reads no other{did_you_mean(text, [SCHEMA])}"


def _folder(source: str | Path) -> Path | None:
    """What paths in the file are relative to: the folder it lies in. A built-in study has none."""
    return None if isinstance(source, str) and source in builtin_names() else Path(source).parent


def _printable(source: str | Path) -> str:
    """File names may hold bytes that no terminal takes."""
    return str(source).encode("utf-8", "backslashreplace").decode()


def _refused(where: str, message: str) -> StudyError:
    return StudyError([Mistake(where=where, message=message)])
