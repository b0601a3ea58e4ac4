"""Options of a user's own builder: ``module(my_models.py:build, d=32)``, typed by its signature."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from architectures.families.user_module.loading import annotation_of, parameters_of
from bench.core.errors import InputError, suggest
from bench.core.grammar import Call, bind
from bench.core.signature import can_be_spelled

Own = tuple[tuple[str, Any], ...]
"""Options that differ from their defaults, in the order of the signature."""


def read_own(function: Callable[..., Any], texts: Mapping[str, str], where: str) -> Own:
    """The values of a builder's own options.

    A parameter's annotation says how its text is read; without one, the type of its default does; without either,
    ``none``, ``true``, ``false`` and numbers are what they look like, and all else is text.

    Raises:
        InputError: it has no such option, or the text is no such value.
    """
    parameters = {p.name: p for p in parameters_of(function)}
    named = [p.name for p in parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    values = {}
    for name, text in texts.items():
        if name in named:
            values[name] = _value(function, parameters[name], text, where)
        elif takes_any:
            values[name] = guess(text)
        else:
            label = getattr(function, "__name__", "the builder")
            others = [one for one in named if one not in ("problem", "norm")]
            hint = suggest(name, others) if others else f"{label} takes no options"
            raise InputError(f"unknown option {name!r} of {label}", where=where, hint=hint)
    order = [*(name for name in named if name in values), *sorted(name for name in values if name not in named)]
    return tuple((name, values[name]) for name in order if not _is_default(parameters.get(name), values[name]))


def _is_default(parameter: inspect.Parameter | None, value: Any) -> bool:
    return parameter is not None and type(parameter.default) is type(value) and bool(parameter.default == value)


def _value(function: Callable[..., Any], parameter: inspect.Parameter, text: str, where: str) -> Any:
    annotation, default = annotation_of(function, parameter), parameter.default
    if annotation is parameter.empty:
        value = guess(text)
        if isinstance(default, (bool, str)):
            return _bound(parameter.name, type(default), text, where)
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(default, (int, float)) and (isinstance(value, bool) or not isinstance(value, (int, float))):
            return _bound(parameter.name, type(default), text, where)  # which says that it is no number
        return value
    if not can_be_spelled(annotation):
        what = f"option {parameter.name!r} cannot be spelled: {annotation}"
        raise InputError(what, where=where, hint="annotate it as int, float, bool, str or Literal[...]")
    return _bound(parameter.name, annotation, text, where)


def _bound(name: str, annotation: Any, text: str, where: str) -> Any:
    one = dataclasses.make_dataclass("Option", [(name, annotation)], frozen=True)
    try:
        return getattr(bind(Call(where, (), {name: text}), one), name)
    except InputError as error:
        raise InputError(error.what, where=where, hint=error.hint) from None


def guess(text: str) -> Any:
    """The value that ``text`` looks like."""
    words = {"none": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
