"""From the signature of a function to the options that users spell, and back to a call.

    def my_net(problem, norm, width: int = 64): ...

``options_of(my_net, ("problem", "norm"))`` is a frozen dataclass with the field ``width: int = 64``, which
:func:`bench.core.grammar.bind` fills from ``my-net(width=128)``; ``FromKeywords(my_net)(problem, norm, options)`` calls
the function with its fields.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union

from bench.core.errors import InputError
from bench.core.grammar import Call, bind
from bench.core.registry import resolve_target

Code = str | Callable[..., Any]
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def options_of(function: Callable[..., Any], given: Sequence[str] = (), reserved: Collection[str] = ()) -> type | None:
    """A frozen dataclass with a field for each parameter of ``function`` after the ``given`` ones; None without any.

    Args:
        function: a function, or a class that is called.
        given: what it is called with before its options, by the names that messages use; the function may use others.
        reserved: keyword parameters that FarField itself gives; they are no options.

    Raises:
        InputError: it takes fewer than it is given; an option has no default, or a type that cannot be spelled.
    """
    label = getattr(function, "__name__", "the builder")
    example = f"def build({', '.join([*given, 'width: int = 64'])})"
    parameters = list(inspect.signature(function).parameters.values())
    taken = [parameter for parameter in parameters[: len(given)] if parameter.kind in _POSITIONAL]
    if len(taken) < len(given):
        count = f"{len(taken)} argument{'s' * (len(taken) != 1)}"
        raise InputError(f"{label} takes {count} and is called with {', '.join(given)}", hint=example)
    open_ones = [parameter for parameter in parameters[len(given) :] if parameter.name not in reserved]
    fields = [_field(function, label, parameter) for parameter in open_ones]
    return dataclasses.make_dataclass(f"{label}_options", fields, frozen=True) if fields else None


def _field(function: Callable[..., Any], label: str, parameter: inspect.Parameter) -> tuple[str, Any, Any]:
    name, default = parameter.name, parameter.default
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        bare = parameter.replace(annotation=parameter.empty, default=parameter.empty)
        raise InputError(f"{label} takes {bare}", hint=f"name each option, as in {name}: int = 64")
    if default is parameter.empty:
        raise InputError(f"option {name!r} of {label} has no default", hint=f"{name}: int = 64")
    annotation = _annotation(function, label, parameter)
    if not can_be_spelled(annotation):
        what = f"option {name!r} of {label} needs an annotation that can be spelled"
        raise InputError(what, hint="int, float, bool, str, Literal[...], or one of them | None")
    return name, annotation, dataclasses.field(default=default)


def _annotation(function: Callable[..., Any], label: str, parameter: inspect.Parameter) -> Any:
    """The parameter's type; without an annotation, that of its default."""
    if parameter.annotation is parameter.empty:
        return type(parameter.default)
    # Only this one is evaluated: others may name what is imported for type checkers alone.
    alone = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return typing.get_type_hints(alone, globalns=_globals_of(function))[parameter.name]
    except (NameError, SyntaxError, TypeError) as error:
        what = f"the annotation of option {parameter.name!r} of {label} cannot be read: {error}"
        raise InputError(what, hint=f"{parameter.name}: int = 64") from None


def _globals_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The names that the annotations of ``function`` see."""
    code = inspect.unwrap(function)
    if hasattr(code, "__globals__"):
        return dict(code.__globals__)
    defined = code if isinstance(code, type) else type(code)
    return dict(vars(sys.modules.get(defined.__module__, types.ModuleType("")))) | vars(typing)


def can_be_spelled(annotation: Any) -> bool:
    """Whether :func:`bench.core.grammar.bind` can read a value of such a type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return all(value is None or isinstance(value, (str, int, float)) for value in arguments)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        return len(members) == 1 and can_be_spelled(members[0])
    return annotation in (bool, int, float, str)


def read_builder(
    code: Code, options: type | str | None, given: Sequence[str] = (), reserved: Collection[str] = ()
) -> tuple[Code, type | str | None]:
    """What a card holds of a registered builder: what is called as ``build(*given, options)``, and its options.

    Args:
        code: the builder, or ``"module:function"``, which is not looked at.
        options: dataclass of the options where the builder takes one object of it; None where it takes keywords.
        given, reserved: see :func:`options_of`.

    Raises:
        InputError: see :func:`options_of`.
    """
    if options is not None or isinstance(code, str):
        return code, options
    options = options_of(code, given, reserved)
    return (code if options is None else FromKeywords(code)), options


def first_line(code: Code) -> str:
    """Of the docstring; empty where there is none, or where the code is only named."""
    return "" if isinstance(code, str) else (inspect.getdoc(code) or "").partition("\n")[0]


@dataclass(frozen=True)
class FromKeywords:
    """Calls a function with the fields of an options object as keyword arguments."""

    function: Callable[..., Any]

    def __call__(self, *arguments: Any, **reserved: Any) -> Any:
        """``function(*given, **options)`` for ``(*given, options)``."""
        *given, options = arguments
        named = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
        return self.function(*given, **named, **reserved)


@dataclass(frozen=True)
class _NoOptions:
    pass


def bind_options(call: Call, options: str | type | None) -> Any:
    """What ``call`` spells, as an object of the class ``options`` (or ``"module:class"``); None where there is none.

    A class that reads the call itself does so in a class method ``from_call(call)``.

    Raises:
        InputError: an unknown option, a wrong type or value, or an option of something that takes none.
    """
    if options is None:
        bind(call, _NoOptions)
        return None
    kind = resolve_target(options)
    return kind.from_call(call) if hasattr(kind, "from_call") else bind(call, kind)


def call_build(build: Code, *given: Any, options: Any = None, **reserved: Any) -> Any:
    """``build(*given, options)``, or ``build(*given)`` where there are no options; a string is imported now.

    Args:
        build: the builder.
        given: what it is called with before its options.
        options: object of them.
        reserved: keyword parameters that are no options.
    """
    function = resolve_target(build)
    return function(*given, **reserved) if options is None else function(*given, options, **reserved)


def takes(build: Code, name: str) -> bool:
    """Whether a builder has a keyword parameter ``name``; a string is imported now."""
    function = resolve_target(build)
    if isinstance(function, FromKeywords):
        function = function.function
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
