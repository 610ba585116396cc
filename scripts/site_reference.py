"""The generated pages of the reference: every option, every field of a study file, every public name of Python."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer.main

import fairtrial
from fairtrial.cli.app import app
from fairtrial.study.jsonschema import study_schema


def commands() -> str:
    """Every command with its arguments and options, as the program itself knows them."""
    lines = [
        "# Every option",
        "",
        "Made from the program itself; [Commands](cli.md) says what each does and why.",
        "",
    ]
    group: Any = typer.main.get_command(app)
    for name, command in _all(group):
        named = [one.metavar or one.name.upper() for one in command.params if not _is_option(one)]
        lines += [f"## fairtrial {name}", "", _flat(command.help or ""), ""]
        lines += [f"    fairtrial {name} {' '.join([*named, '[OPTIONS]'])}", ""]
        lines += ["| option | what it takes | what it does |", "| --- | --- | --- |"]
        for one in command.params:
            shown = ", ".join(
                f"`{word}`" for word in (*one.opts, *one.secondary_opts) if word.startswith("-")
            )
            lines.append(
                _row(shown or f"`{one.metavar or one.name.upper()}`", _takes(command, one), one.help or "")
            )
        lines.append("")
    return "\n".join(lines)


def _all(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its name, those of a group (`data list`) after the group's own."""
    for name, command in group.commands.items():
        yield before + name, command
        yield from _all(command, f"{before}{name} ") if hasattr(command, "commands") else ()


def _is_option(parameter: Any) -> bool:
    return any(word.startswith("-") for word in parameter.opts)


def _takes(command: Any, parameter: Any) -> str:
    """The words an option chooses from, or what stands for its value; nothing for a flag."""
    hints = get_type_hints(inspect.unwrap(command.callback)) if command.callback else {}
    hinted = hints.get(parameter.name)
    words = [
        value for one in (hinted, *get_args(hinted)) if get_origin(one) is Literal for value in get_args(one)
    ]
    if words:
        return " or ".join(f"`{word}`" for word in words)
    return f"`{parameter.metavar}`" if _is_option(parameter) and parameter.metavar else ""


def study_file() -> str:
    """The published schema of study files as tables."""
    schema = study_schema()
    lines = [
        "# Every field of a study file", "",
        "Made from the schema by which editors complete and check a study file; [The study file](study-file.md) explains it.", "",
    ]  # fmt: skip
    lines += ["## The file itself", "", *_fields(schema)]
    lines += [
        "## base",
        "",
        "The same fields are those of an arm, which departs from it.",
        "",
        *_fields(_mapping(schema["properties"]["base"])),
    ]
    for name, one in sorted(schema.get("$defs", {}).items()):
        lines += [f"## {name}", ""]
        if described := one.get("description"):
            lines += [_flat(described), ""]
        lines += _fields(_mapping(one)) if _mapping(one) else [f"{_type(one)}", ""]
    return "\n".join(lines)


def _mapping(schema: dict[str, Any]) -> dict[str, Any]:
    """The mapping with fields of its own that a value may be; empty if it may be none."""
    several = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return next((one for one in several if one.get("properties")), {})


def _fields(schema: dict[str, Any]) -> list[str]:
    lines = ["| field | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, one in schema.get("properties", {}).items():
        if "." in name:
            continue  # the short way to write what another field holds
        needed = "needed" if name in schema.get("required", ()) else ""
        default = f"`{one['default']}`" if "default" in one else needed
        lines.append(_row(f"`{name}`", _type(one), default, one.get("description", "")))
    return [*lines, ""]


def _type(schema: dict[str, Any]) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            words = dict.fromkeys(_type(one) for one in schema[several])
            return " or ".join(one for one in words if one != "null" or len(words) == 1)
    if "allOf" in schema:
        return " and ".join(dict.fromkeys(filter(None, (_type(one) for one in schema["allOf"]))))
    kind = schema.get("type", "")
    if kind == "array":
        inner = schema.get("items")
        return f"list of {_type(inner)}" if isinstance(inner, dict) and inner else "list"
    names = {
        "object": "mapping",
        "string": "text",
        "number": "number",
        "integer": "whole number",
        "boolean": "true or false",
    }
    text = " or ".join(names.get(one, str(one)) for one in (kind if isinstance(kind, list) else [kind]))
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return " ".join([text or "any value", *bounds])


def _anchor(name: str) -> str:
    return re.sub(r"[^\w\s-]", "", name).strip().lower().replace(" ", "-")


def python() -> str:
    """Every public name with its signature and what its docstring says."""
    lines = [
        "# Python", "",
        "Everything that `import fairtrial as ft` offers. Names not listed here may change at any time.", "",
    ]  # fmt: skip
    for name in (one for one in fairtrial.__all__ if one != "__version__"):
        value = getattr(fairtrial, name)
        lines += [f"## {name}", ""]
        lines += _class(name, value) if inspect.isclass(value) else _function(f"ft.{name}", value)
    return "\n".join(lines)


def _function(name: str, value: Any) -> list[str]:
    return ["```python", _signature(name, value), "```", "", *_doc(value)]


def _signature(name: str, value: Any) -> str:
    """As it is written in the source, one argument a line where it is long."""
    signature = inspect.signature(value)
    shown = [
        re.sub(r"<function <lambda>[^>]*>|<factory>", "...", str(one))
        for one in signature.parameters.values()
    ]
    kinds = [one.kind for one in signature.parameters.values()]
    keyword = inspect.Parameter.KEYWORD_ONLY
    if keyword in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        shown.insert(kinds.index(keyword), "*")
    shown = [
        one.replace("'", "") if ": '" in one and "=" not in one else one for one in shown if one != "self"
    ]
    returns = (
        ""
        if signature.return_annotation is signature.empty
        else f" -> {signature.return_annotation}".replace("'", "")
    )
    short = f"{name}({', '.join(shown)}){returns}"
    if len(short) <= 100:
        return short
    body = "".join(f"    {one},\n" for one in shown)
    return f"{name}(\n{body}){returns}"


def _class(name: str, value: type) -> list[str]:
    lines = _doc(value)
    if not issubclass(value, Exception):
        fields = getattr(value, "__dataclass_fields__", {})
        named = [f"`{one}`" for one, about in fields.items() if not one.startswith("_")]
        if named:
            lines += [f"Fields: {', '.join(named)}.", ""]
    for member, one in _members(value):
        if isinstance(one, property):
            lines += [f"**`.{member}`** {_flat(inspect.getdoc(one) or '')}", ""]
        else:
            lines += [f"**`.{member}`**", "", *_function(f"{name.lower()}.{member}", one)]
    return lines


def _members(value: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that somebody has described."""
    for member, one in vars(value).items():
        described = inspect.getdoc(one.fget if isinstance(one, property) else one)
        if (
            not member.startswith("_")
            and described
            and (isinstance(one, property) or inspect.isfunction(one))
        ):
            yield member, one


def _doc(value: Any) -> list[str]:
    """The docstring, its examples as code."""
    lines: list[str] = []
    example = False
    for line in (inspect.getdoc(value) or "").splitlines():
        begins = line.startswith(">>>")
        if begins and not example:
            lines += ["", "```pycon"]
            example = True
        elif example and not line.strip():
            lines.append("```")
            example = False
        lines.append(line)
    return [*lines, *(["```"] if example else []), ""]


def _flat(text: str) -> str:
    return " ".join(text.split())


def _row(*cells: str) -> str:
    return f"| {' | '.join(_flat(cell).replace('|', chr(92) + '|') for cell in cells)} |"
