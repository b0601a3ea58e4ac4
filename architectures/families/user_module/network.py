"""``module(my_models.py:build)``: a network that exists already, without a decorator or a change to its file."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from architectures.card import ArchitectureCard
from architectures.norms.placements import ANY
from bench.core.errors import InputError
from bench.core.plugins import load_plugin, read_plugin
from bench.core.problem import INPUT_KINDS, Problem

if TYPE_CHECKING:
    from torch import nn

    from architectures.norms.site import Norm

_WRITE = "module(my_models.py:build) or module(package.models:build)"


@dataclass(frozen=True)
class ModuleOptions:
    """Where the network comes from.

    Args:
        target: ``file.py:name`` or ``package.module:name`` of a function or class that gives a ``torch.nn.Module``.
    """

    target: str

    def __post_init__(self) -> None:
        place, _, name = self.target.rpartition(":")
        if not place or not name.isidentifier():
            raise ValueError(f"{self.target!r} does not name a function in a file; write {_WRITE}")

    @property
    def place(self) -> str:
        """The file or module."""
        return self.target.rpartition(":")[0]

    @property
    def attribute(self) -> str:
        """The name in it."""
        return self.target.rpartition(":")[2]

    @property
    def is_file(self) -> bool:
        """Whether the place is a file's path, not a module's name."""
        return self.place.endswith(".py")

    def source(self) -> str:
        """SHA-256 of the file; a module's file is found without importing it.

        Raises:
            InputError: there is no such file or module, or it is no Python source.
        """
        if self.is_file:
            return read_plugin(self.place, where=f"module({self.target})").sha256
        return hashlib.sha256(_module_file(self).read_bytes()).hexdigest()


def _module_file(options: ModuleOptions) -> Path:
    try:
        spec = importlib.util.find_spec(options.place)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        where = f"module({options.target})"
        raise InputError(f"there is no Python module {options.place!r}", where=where, hint=f"write {_WRITE}")
    return Path(spec.origin)


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
        _module_file(options)
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


CARD = ArchitectureCard(
    name="module",
    version="1",
    summary="a network that exists already, as module(my_models.py:build); its own norm layers are the sites",
    family="module",
    inputs=INPUT_KINDS,
    build="architectures.families.user_module.network:build_module",
    options=ModuleOptions,
    role="network",
    deterministic=False,
    citation="its author's",
    placements=ANY,
    source_hash="module",  # from outside; the options add the hash of the file
)
