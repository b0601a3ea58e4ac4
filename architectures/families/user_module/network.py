"""``module(my_models.py:build)``: a network that exists already, without a decorator or a change to its file."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from architectures.families.user_module.options import ModuleOptions, module_file
from bench.core.errors import InputError
from bench.core.plugins import load_plugin, read_plugin
from bench.core.problem import Problem

if TYPE_CHECKING:
    from torch import nn

    from architectures.norms.site import Norm


def build_module(problem: Problem, norm: Norm, options: ModuleOptions) -> nn.Module:
    """Call the function with what it takes of ``problem`` and ``norm``, by those names.

    A function that takes ``norm`` says itself where its network can be normalized. In the network of any other, the
    normalization layers that it brings are the sites (:mod:`architectures.norms.own`): ``own@all`` keeps them all.

    Raises:
        InputError: the function is not there, or needs an argument that nobody gives.
        Unsupported: the network normalizes by a layer that cannot be taken out.
    """
    function = find_function(options)
    given = _arguments(function, options, {"problem": problem, "norm": norm})
    network = function(**given)
    if "norm" in given or not _is_module(network):
        return network
    from architectures.norms.own import offer_norms

    return offer_norms(network, norm)


def find_function(options: ModuleOptions) -> Callable[..., Any]:
    """The function or class that ``options`` name.

    Raises:
        InputError: its file cannot be imported, or has nothing callable of that name.
    """
    where = f"module({options.target})"
    if options.is_file:
        module = load_plugin(read_plugin(options.place, where))
    else:
        module_file(options)
        module = importlib.import_module(options.place)
    found = getattr(module, options.attribute, None)
    if not callable(found):
        have = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        what = "nothing" if found is None else f"a {type(found).__name__}"
        hint = f"it has {', '.join(have[:8])}" if have else "name a function that gives a torch.nn.Module"
        raise InputError(f"{options.attribute!r} is {what} in {options.place}", where=where, hint=hint)
    return found


def _arguments(function: Callable[..., Any], options: ModuleOptions, known: dict[str, Any]) -> dict[str, Any]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return {}
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    unknown = [name for name in needed if name not in known]
    if unknown:
        raise InputError(
            f"{options.attribute} needs the argument {unknown[0]!r}",
            where=f"module({options.target})",
            hint=f"give {unknown[0]!r} a default; problem and norm are what it is called with",
        )
    names = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    return {name: value for name, value in known.items() if name in names}


def _is_module(thing: object) -> bool:
    from torch import nn

    return isinstance(thing, nn.Module)
