"""Finds the function that ``module(my_models.py:build)`` names, and what it is called with. Loads no torch itself."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.core.errors import InputError
from bench.core.plugins import by_itself, hash_module, load_plugin, read_plugin

WRITE = "module(my_models.py:build) or module(package.models:build)"
_OURS = {"problem": "Problem", "norm": "Norm"}


def is_file(place: str) -> bool:
    """Whether the place is a file's path, not a module's name."""
    return place.endswith(".py")


def hash_place(place: str, where: str) -> str:
    """SHA-256 of a file or module and of every file of the user's that it imports, found without importing it.

    Raises:
        InputError: there is no such file or module, or it is no Python source.
    """
    if is_file(place):
        return read_plugin(place, where).sha256
    return hash_module(_module_file(place, where), place)


def find_function(place: str, attribute: str, where: str) -> Callable[..., Any]:
    """The function or class ``attribute`` of a file or module.

    Raises:
        InputError: it cannot be imported, or has nothing callable of that name.
    """
    if is_file(place):
        module = load_plugin(read_plugin(place, where))
    else:
        _module_file(place, where)
        with by_itself():
            module = importlib.import_module(place)
    found = getattr(module, attribute, None)
    if not callable(found):
        have = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        what = "nothing" if found is None else f"a {type(found).__name__}"
        hint = f"it has {', '.join(have[:8])}" if have else "name a function that gives a torch.nn.Module"
        raise InputError(f"{attribute!r} is {what} in {place}", where=where, hint=hint)
    return typing.cast(Callable[..., Any], found)


def _module_file(place: str, where: str) -> Path:
    try:
        spec = importlib.util.find_spec(place)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise InputError(f"there is no Python module {place!r}", where=where, hint=f"write {WRITE}")
    return Path(spec.origin)


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its parameters; none where Python cannot tell."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def is_ours(parameter: inspect.Parameter) -> bool:
    """Whether ``problem`` or ``norm`` means ours: it must be given, or is annotated so.

    A parameter of that name with a default is an option of the network's own: ``norm="batch"``.
    """
    name = _OURS.get(parameter.name)
    if name is None:
        return False
    annotation = parameter.annotation
    spelled = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    words = str(spelled).replace("|", " ").replace("[", " ").replace("]", " ").replace(".", " ").split()
    return parameter.default is parameter.empty or name in words


def arguments(
    function: Callable[..., Any], known: Mapping[str, Any], own: Mapping[str, Any], where: str
) -> tuple[list[Any], dict[str, Any]]:
    """What ``function`` is called with: of ``known`` what it asks for, and its ``own`` options.

    Raises:
        InputError: it needs an argument that nobody gives.
    """
    parameters = parameters_of(function)
    given = {p.name: known[p.name] for p in parameters if p.name in known and is_ours(p)} | dict(own)
    positional = []
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.name not in given and parameter.default is parameter.empty:
            raise InputError(
                f"{getattr(function, '__name__', 'it')} needs the argument {parameter.name!r}",
                where=where,
                hint=f"write {where[:-1]}, {parameter.name}=...), or give it a default",
            )
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.name in given:
            positional.append(given.pop(parameter.name))
    return positional, given


def annotation_of(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The type of a parameter, evaluated by itself; ``inspect.Parameter.empty`` where it has none that can be read."""
    if not isinstance(parameter.annotation, str):
        return parameter.annotation
    code = inspect.unwrap(function)
    names = getattr(code, "__globals__", None) or vars(sys.modules.get(code.__module__, sys))
    try:
        return eval(parameter.annotation, {**vars(typing), **names})
    except Exception:
        return parameter.empty
