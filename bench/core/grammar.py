"""One spelling for everything that takes options: ``name``, ``name(key=value, key=value)``.

    >>> call = parse_call("mlp(width=256, activation=gelu)")
    >>> call.name, dict(call.options)
    ('mlp', {'width': '256', 'activation': 'gelu'})

Values may be quoted and may hold parentheses (``head="mlp(width=128, depth=2)"``). :func:`bind` turns the text of
the options into a frozen dataclass, :func:`spell` writes the canonical form that records carry: options in
the order of the fields, those at their default left out.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union

from bench.core.errors import InputError, suggest

Options = TypeVar("Options")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:*?\-]*\Z")
_KEY = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)")
_BARE = re.compile(r"[A-Za-z0-9_./+\-:]+\Z")
_MOST_CHARACTERS = 2000


@dataclass(frozen=True)
class Call:
    """A parsed ``name(positional, key=value)``; values are still text."""

    name: str
    positional: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


def parse_call(text: str, what: str = "name") -> Call:
    """Parse ``text``.

    Raises:
        InputError: when it is empty, too long, badly nested or repeats a key.
    """
    source = text.strip()
    if not source:
        raise InputError(f"empty {what}", hint=f"name the {what}")
    if len(source) > _MOST_CHARACTERS:
        raise InputError(f"{what} of {len(source)} characters", hint=f"at most {_MOST_CHARACTERS}")
    head, bracket, rest = source.partition("(")
    name = head.strip()
    if not _NAME.match(name):
        raise InputError(f"{name!r} is no {what}", where=source, hint="letters, digits and - _ . / only")
    if not bracket:
        return Call(name)
    if not rest.endswith(")"):
        raise InputError(
            "the closing parenthesis is missing or not at the end", where=source, hint=f"{name}(key=value)"
        )
    return _arguments(name, rest[:-1], source)


def _arguments(name: str, body: str, source: str) -> Call:
    positional: list[str] = []
    options: dict[str, str] = {}
    for piece in split_outside(body, ",", source) if body.strip() else ():
        match = _KEY.match(piece)
        value = _unquote(piece[match.end() :] if match else piece)
        if not value:
            raise InputError(f"an option of {name} has no value", where=source, hint=f"{name}(key=value)")
        if match is None:
            if options:
                raise InputError(f"{value!r} stands after named options", where=source, hint="write key=value")
            positional.append(value)
        elif match.group(1) in options:
            raise InputError(f"option {match.group(1)!r} is given twice", where=source, hint="give it once")
        else:
            options[match.group(1)] = value
    return Call(name, tuple(positional), options)


def split_outside(text: str, separator: str, source: str | None = None) -> list[str]:
    """Split ``text`` at each ``separator`` that stands outside parentheses and quotes."""
    pieces, depth, quote, start = [], 0, "", 0
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                break
        elif character == separator and depth == 0:
            pieces.append(text[start:place])
            start = place + 1
    if depth or quote:
        raise InputError("unbalanced parentheses or quotes", where=source or text, hint="close what is open")
    return [*pieces, text[start:]]


def _unquote(text: str) -> str:
    value = text.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def bind(call: Call, options_type: type[Options]) -> Options:
    """Build ``options_type`` (a frozen dataclass) from the text of the options.

    Field annotations decide the conversion: ``int``, ``float``, ``bool``, ``str``, ``Literal[...]`` and
    ``X | None`` (spelled ``none``). Positional values fill the fields in order. A ``ValueError`` from the
    dataclass's own ``__post_init__`` is passed on as the reason.

    Raises:
        InputError: unknown option (nearest names offered), wrong type, missing value, broken invariant.
    """
    fields = {f.name: f for f in dataclasses.fields(options_type) if f.init}  # type: ignore[arg-type]
    hints = typing.get_type_hints(options_type)
    given = _named(call, tuple(fields))
    where = call.name
    for key in given:
        if key not in fields:
            hint = suggest(key, fields) if fields else f"{call.name} takes no options"
            raise InputError(f"unknown option {key!r} of {call.name}", hint=hint)
    values = {key: _convert(text, hints[key], f"{where}({key}={text})") for key, text in given.items()}
    missing = [name for name, f in fields.items() if name not in values and _required(f)]
    if missing:
        raise InputError(f"{where} needs the option {missing[0]!r}", hint=f"{where}({missing[0]}=...)")
    try:
        return options_type(**values)
    except ValueError as error:
        raise InputError(str(error), where=where) from None


def _named(call: Call, names: tuple[str, ...]) -> dict[str, str]:
    if len(call.positional) > len(names):
        extra = call.positional[len(names)]
        hint = f"its options are {', '.join(names)}" if names else f"{call.name} takes no options"
        raise InputError(f"{call.name} does not take the value {extra!r}", hint=hint)
    given = dict(zip(names, call.positional, strict=False))
    for key, text in call.options.items():
        if key in given:
            raise InputError(f"option {key!r} of {call.name} is given twice", hint="give it once")
        given[key] = text
    return given


def _required(f: dataclasses.Field[Any]) -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


def _convert(text: str, annotation: Any, where: str) -> Any:
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _convert_union(text, annotation, where)
    if origin is Literal:
        for allowed in typing.get_args(annotation):
            if text == spell_value(allowed):
                return allowed
        choices = [spell_value(a) for a in typing.get_args(annotation)]
        raise InputError(f"{text!r} is not allowed", where=where, hint=suggest(text, choices))
    if annotation is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise InputError(f"{text!r} is not a truth value", where=where, hint="true or false")
    if annotation in (int, float):
        return _number(text, annotation, where)
    if annotation is str:
        return text
    raise TypeError(f"options cannot have the type {annotation!r}")


def _convert_union(text: str, annotation: Any, where: str) -> Any:
    members = [a for a in typing.get_args(annotation) if a is not type(None)]
    if len(members) < len(typing.get_args(annotation)) and text.lower() == "none":
        return None
    if len(members) != 1:
        raise TypeError(f"options cannot have the type {annotation!r}")
    return _convert(text, members[0], where)


def _number(text: str, kind: type[int] | type[float], where: str) -> int | float:
    try:
        value = kind(text)
    except ValueError:
        noun = "a whole number" if kind is int else "a number"
        raise InputError(f"{text!r} is not {noun}", where=where, hint=f"give {noun}") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise InputError(f"{text!r} is not finite", where=where, hint="give a finite number")
    return value


def spell(name: str, options: object | None = None) -> str:
    """The canonical spelling: ``name`` or ``name(key=value, ...)`` with the options that differ from their default.

    Options that know better which these are say so in a method ``changed()``; an empty key is a positional value.
    """
    if options is None:
        return name
    pairs = options.changed() if hasattr(options, "changed") else _changed(options)
    body = ", ".join(f"{key}={_quote(spell_value(value))}".removeprefix("=") for key, value in pairs)
    return f"{name}({body})" if body else name


def _changed(options: object) -> Iterator[tuple[str, Any]]:
    for f in dataclasses.fields(options):  # type: ignore[arg-type]
        value = getattr(options, f.name)
        default = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
        if f.init and (type(value) is not type(default) or value != default):
            yield f.name, value


def spell_value(value: object) -> str:
    """The text that :func:`bind` reads back as ``value``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _quote(text: str) -> str:
    if _BARE.match(text):
        return text
    return f'"{text}"' if '"' not in text else f"'{text}'"


OWN_DATA = "own-data"
"""The task that is made from a user's own table; its options are the table's path and the rest."""


def is_own(task: str) -> bool:
    """Whether ``task``, in canonical spelling, is a user's own table."""
    return task.startswith(f"{OWN_DATA}(")


@lru_cache(maxsize=4096)
def title_of(task: str) -> str:
    """What tables and pictures call ``task``: the name that a user gave to a table, else its spelling.

    >>> title_of("own-data(path=cars.csv, target=price, far_by=age, name=cars)")
    'cars'
    """
    if not is_own(task):
        return task
    try:
        return parse_call(task, "task").options.get("name", task)
    except InputError:
        return task
