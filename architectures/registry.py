"""The registry of architectures, and how a function becomes one. Nothing here imports torch."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import re
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from architectures.card import Architecture, ArchitectureCard
from architectures.norms.placements import ANY, Placements
from bench.core.errors import InputError
from bench.core.grammar import bind, parse_call
from bench.core.plugins import loaded_hash
from bench.core.problem import INPUT_KINDS, InputKind
from bench.core.registry import Family, Registry, resolve_target

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*\Z")
Builder = TypeVar("Builder", bound=Callable[..., Any])


def _builtin() -> Iterable[ArchitectureCard]:
    from architectures.catalogue import CARDS

    return CARDS


def _timm_names() -> Iterable[str]:
    from architectures.families.timm.card import names

    return names()


def _timm_card(name: str) -> ArchitectureCard | None:
    from architectures.families.timm.card import card

    return card(name)


def _module_card(name: str) -> ArchitectureCard:
    from architectures.families.user_module.network import CARD

    return CARD


_FAMILIES = {
    "timm/": Family("any image model of timm; list them with 'timm/*resnet*'", _timm_names, _timm_card),
    "module": Family("a network of yours: module(my_models.py:build)", lambda: ["module"], _module_card),
}

registry: Registry[ArchitectureCard] = Registry("architecture", "farfield.architectures", _builtin, families=_FAMILIES)


def get_card(name: str) -> ArchitectureCard:
    """The card registered as ``name``.

    Raises:
        UnknownName: there is none; the nearest names are offered.
    """
    return registry.get(name)


def resolve(spelling: str) -> Architecture:
    """The architecture spelled ``name`` or ``name(option=value, ...)``.

    Raises:
        InputError: unknown name or option, wrong type or value.
    """
    call = parse_call(spelling, "architecture")
    card = registry.get(call.name)
    options_type = resolve_target(card.options) if card.options is not None else _NoOptions
    options = bind(call, options_type)
    return Architecture(card, None if card.options is None else options)


def list_architectures(pattern: str = "*") -> list[str]:
    """Names that match a shell pattern, in natural order."""
    return registry.names(pattern)


@dataclass(frozen=True)
class _NoOptions:
    pass


def register_architecture(
    name: str,
    *,
    inputs: Iterable[InputKind] = INPUT_KINDS,
    version: str = "1",
    summary: str = "",
    citation: str = "unpublished",
    placements: Placements = ANY,
) -> Callable[[Builder], Builder]:
    """Register a function that builds a ``torch.nn.Module`` as the architecture ``name``.

    The function is called as ``build(problem, norm, **options)``; its keyword parameters, with their annotations
    and defaults, become the options that users spell. ``norm(site, dim, layout)`` gives the normalization layer
    that the scheme wants there, or an identity. The module maps ``(N, *problem.shape)`` to ``(N, 1)``.

        @register_architecture("my-net", inputs=["features"])
        def my_net(problem, norm, width: int = 64):
            return nn.Sequential(nn.Linear(problem.size, width), norm("hidden", width), nn.ReLU(), nn.Linear(width, 1))

    Raises:
        InputError: the name is malformed or taken, or the signature does not fit.
    """
    if not _NAME.match(name):
        raise InputError(f"{name!r} is no name for an architecture", hint="letters, digits, - and _, as in my-net")

    def decorate(function: Builder) -> Builder:
        options = options_of(function)
        documentation = (inspect.getdoc(function) or "").partition("\n")[0]
        registry.register(
            ArchitectureCard(
                name=name,
                version=version,
                summary=summary or documentation or f"{name}, plugged in",
                family=name,
                inputs=tuple(inputs),
                build=_unpacking(function),
                options=options,
                role="network",
                deterministic=False,
                citation=citation,
                placements=placements,
                source_hash=hash_source(function),
            )
        )
        return function

    return decorate


def options_of(function: Callable[..., Any]) -> type | None:
    """A frozen dataclass with a field for each parameter of ``function`` after ``problem`` and ``norm``.

    Raises:
        InputError: a parameter has no default, or a type that cannot be spelled.
    """
    parameters = list(inspect.signature(function).parameters.values())
    label = getattr(function, "__name__", "the builder")
    if len(parameters) < 2:
        raise InputError(f"{label} takes {len(parameters)} arguments", hint="def build(problem, norm, width: int = 64)")
    hints = typing.get_type_hints(function)
    fields = []
    for parameter in parameters[2:]:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise InputError(f"{label} takes *{parameter.name}", hint="name each option")
        if parameter.default is parameter.empty:
            raise InputError(f"option {parameter.name!r} of {label} has no default", hint=f"{parameter.name}: int = 64")
        hint = hints.get(parameter.name, type(parameter.default))
        fields.append((parameter.name, hint, dataclasses.field(default=parameter.default)))
    return dataclasses.make_dataclass(f"{label}_options", fields, frozen=True) if fields else None


def _unpacking(function: Callable[..., Any]) -> Callable[..., Any]:
    def build(problem: Any, norm: Any, options: Any) -> Any:
        return function(problem, norm, **(vars(options) if options is not None else {}))

    return build


def hash_source(function: Callable[..., Any]) -> str:
    """SHA-256 of the file that defines ``function`` (of its own source where there is no file).

    Of a plug-in it is the hash of the bytes that were loaded, even when the file has changed since.
    """
    loaded = loaded_hash(function.__module__)
    if loaded is not None:
        return loaded
    try:
        source = Path(inspect.getsourcefile(function) or "").read_bytes()
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        source = code.co_code + repr(code.co_consts).encode() if code else repr(function).encode()
    return hashlib.sha256(source).hexdigest()
