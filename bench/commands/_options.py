"""Turns options classes into flags: a command with a parameter of such a class gets a flag for each of its fields."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

Answer = TypeVar("Answer")
Given = dict[str, Any]
"""Values of flags that were given, by field name."""

Plugins = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file that registers tasks or architectures. Repeatable.")
]
OwnTables = Annotated[
    bool, typer.Option("--own-tables", help="Take your own tables (--data) into totals beside other tasks.")
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        help="published, or a file or folder of entries: how many cells agree with those, and which do not.",
    ),
]
_ENTRY = re.compile(r"(\w+): (.*)")


@dataclass(frozen=True)
class Fields:
    """Annotates a parameter that gets what was given (:data:`Given`) of a dataclass's fields, all of them optional.

    Args:
        of: the dataclass; a field's help is its metadata's, else what the docstring says under ``Args``.
        flags: of the fields that are not spelled like their name.
        when: what the help of every other flag begins with.
        without: fields that have no flag here.
    """

    of: type
    flags: Mapping[str, str] = field(default_factory=dict)
    when: str = ""
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Flag:
    """One field as typer wants it."""

    name: str
    annotation: Any
    default: Any
    option: Any

    def parameter(self) -> inspect.Parameter:
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=self.default,
            annotation=Annotated[self.annotation, self.option],
        )


def with_options(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """``command`` as typer reads it: flags in place of its options classes, which are made from them when it is called.

    A parameter of a frozen dataclass of :func:`bench.plan.options.setting` fields gets an instance, checked by the
    class; one annotated with :class:`Fields` gets a dictionary.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    makers: dict[str, tuple[list[_Flag], Callable[[Given], Any]]] = {}
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        fields = next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Fields)), None)
        if fields is not None:
            makers[parameter.name] = (_optional_flags(fields), dict)
        elif dataclasses.is_dataclass(hint):
            kind = typing.cast(type, hint)
            makers[parameter.name] = (_flags(kind), functools.partial(_make, kind))
        else:
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        parameters += [flag.parameter() for flag in makers[parameter.name][0]]

    @functools.wraps(command)
    def called(**given: Any) -> Answer:
        for name, (flags, make) in makers.items():
            values = {flag.name: given.pop(flag.name) for flag in flags}
            given[name] = make({key: value for key, value in values.items() if value not in (None, [])})
        return command(**given)

    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def keywords(*options: Any) -> Given:
    """The fields of options objects, as keywords of ``bench.run``."""
    return {f.name: getattr(part, f.name) for part in options for f in dataclasses.fields(part)}


def _make(kind: Callable[..., Any], given: Given) -> Any:
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def _flags(kind: type) -> list[_Flag]:
    hints = typing.get_type_hints(kind)
    flags = []
    for f in dataclasses.fields(kind):
        annotation, several, shown = _read(hints[f.name])
        text = f.metadata["help"] + " Repeatable." * several
        otherwise = f.metadata["otherwise"]
        text += f" [default: {otherwise}]" if otherwise else ""
        option = typer.Option(
            f.metadata["flag"], help=text, metavar=shown, show_default=f.default not in (None, (), False)
        )
        flags.append(_Flag(f.name, annotation, None if several else f.default, option))
    return flags


def _optional_flags(fields: Fields) -> list[_Flag]:
    hints, told = typing.get_type_hints(fields.of), _documented(fields.of)
    flags = []
    for f in dataclasses.fields(fields.of):
        if f.name in fields.without:
            continue
        annotation, several, shown = _read(hints[f.name])
        flag = fields.flags.get(f.name)
        said = str(f.metadata.get("help") or told.get(f.name, ""))
        text = _sentence(said) if flag else fields.when + _sentence(said, capital=False)
        text += " Repeatable." * several
        if f.default not in (None, dataclasses.MISSING, (), "", False):
            text += f" [default: {str(f.default).lower() if f.default is True else f.default}]"
        spelled = flag or "--" + f.name.replace("_", "-")
        if _bare(annotation) is bool and f.default is not False:
            spelled += f"/--no-{f.name.replace('_', '-')}"
        flags.append(
            _Flag(f.name, annotation | None, None, typer.Option(spelled, help=text, metavar=shown, show_default=False))
        )
    return flags


def _read(hint: Any) -> tuple[Any, bool, str | None]:
    """The type that typer converts to; whether the flag may be repeated (a tuple of any length); its value in help."""
    if typing.get_origin(hint) is not tuple:
        return hint, False, None
    (item, _) = typing.get_args(hint)
    return list[item] | None, True, f"<{item.__name__.lower()}>"  # type: ignore[valid-type]


def _bare(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return next(a for a in typing.get_args(annotation) if a is not type(None))
    return annotation


def _documented(kind: type) -> dict[str, str]:
    """What the docstring of ``kind`` says under ``Args``, by field, on one line."""
    found: dict[str, str] = {}
    inside, name = False, ""
    for line in (inspect.getdoc(kind) or "").splitlines():
        if not line.startswith(" "):
            inside = line == "Args:" if line else inside
            continue
        entry = _ENTRY.match(line.strip()) if len(line) - len(line.lstrip()) == 4 else None
        if inside and entry:
            name = entry[1]
            found[name] = entry[2]
        elif inside and name:
            found[name] += " " + line.strip()
    return {name: text.replace("``", "") for name, text in found.items()}


def _sentence(text: str, capital: bool = True) -> str:
    begun = text[:1].upper() if capital else text[:1].lower()
    return begun + text[1:] + "." * (not text.endswith((".", "…")))


def load_plugins(files: Sequence[Path] | None) -> None:
    """Import the plug-in files that a user named."""
    from bench.core.plugins import load_plugin

    for file in files or ():
        load_plugin(file)
