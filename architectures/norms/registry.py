"""The registry of norm kinds, and how a function becomes one. Nothing here imports torch."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from architectures.norms.card import Bound, Effect, NormKind, NormKindCard, Sort
from architectures.norms.site import Layout
from bench.core.errors import InputError
from bench.core.origin import hash_source, origin_of
from bench.core.registry import Registry
from bench.core.signature import FromKeywords, options_of

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*\Z")
_RESERVED = frozenset({"none"})
# What a kind with its options has by those names.
_TAKEN = frozenset({"name", "card"})

Function = TypeVar("Function", bound=Callable[..., Any])

REGISTRY: Registry[NormKindCard] = Registry("norm kind", "farfield.norms")
"""Importing :mod:`architectures.norms.kinds`, as the schemes do, fills it with the built-in kinds."""

FIRST = ("layer", "rms", "batch", "group", "instance", "scale", "dyt", "own")
"""Kinds that stand first in lists and in the canonical spelling of a scheme; all others follow by name."""


def rank(name: str) -> tuple[int, str]:
    """Sort key of a kind's name."""
    return (FIRST.index(name), "") if name in FIRST else (len(FIRST), name)


def register_norm(
    name: str,
    *,
    sort: Sort = "layer",
    options: type[NormKind] | None = None,
    version: str = "1",
    summary: str = "",
    citation: str = "unpublished",
    layout: Layout | None = None,
    growth: Effect | None = None,
    why: str = "",
    growth_back: Effect | None = None,
    bound: Bound | None = None,
    modules: tuple[str, ...] = (),
    centres_channels: Callable[[Any], bool] | None = None,
    link: Callable[[Any, list[str]], Any] | None = None,
) -> Callable[[Function], Function]:
    """Register a function as the norm kind ``name``; :class:`NormKindCard` says what the arguments mean.

    The function's first parameter is the place: a site (``name``, ``dim``, ``layout``, ``space``) for a layer, the
    linear map for a parametrization, the frame (``kind``, ``shape``, ``radius``) for a pair. Its other parameters,
    with their annotations and defaults, become the options that schemes spell.

        @register_norm("softclip")
        def softclip(site, scale: float = 3.0):
            return SoftClip(scale)

    Args:
        options: a frozen dataclass of options in place of the signature; the function is then called with an instance
            of it as its second argument.

    Raises:
        InputError: the name is malformed or taken, or the signature or a declaration does not fit.
    """
    if not _NAME.match(name) or name in _RESERVED:
        raise InputError(f"{name!r} is no name for a norm kind", hint="letters, digits, - and _, as in my-norm")

    def decorate(function: Function) -> Function:
        if isinstance(options, type):
            kind, build = options, cast(Callable[[Any, Any], Any], function)
        else:
            kind, build = _options_of(function, name), FromKeywords(function)
        origin = origin_of(function, REGISTRY.groups)
        try:
            card = NormKindCard(
                name=name,
                version=version,
                summary=summary or (inspect.getdoc(function) or "").partition("\n")[0] or f"{name}, plugged in",
                sort=sort,
                build=build,
                options=kind,
                origin=origin,
                source_hash="" if origin == "built in" else hash_source(function),
                citation=citation,
                layout=layout,
                growth=growth,
                why=why,
                growth_back=growth_back,
                bound=bound,
                modules=modules,
                centres_channels=centres_channels,
                link=link,
            )
        except ValueError as error:
            raise InputError(str(error), where=f"register_norm({name!r})") from None
        REGISTRY.register(card)
        kind.card = card
        return function

    return decorate


def get_norm(name: str) -> NormKindCard:
    """The card registered as ``name``.

    Raises:
        UnknownName: there is none; the nearest names are offered.
    """
    return REGISTRY.get(name)


def norm_names(pattern: str = "*") -> list[str]:
    """Names that match a shell pattern: the oldest kinds first, the others by name."""
    return sorted(REGISTRY.names(pattern), key=rank)


def _options_of(function: Callable[..., Any], name: str) -> type[NormKind]:
    """The options that the signature of ``function`` says, as a kind.

    Raises:
        InputError: the signature says none, or one that clashes with what a kind has by that name.
    """
    options = options_of(function, ("place",))
    named = [] if options is None else [f.name for f in dataclasses.fields(options)]
    for taken in _TAKEN.intersection(named):
        where = f"register_norm({name!r})"
        raise InputError(f"an option cannot be called {taken!r}", where=where, hint="choose another name")
    bases = (NormKind,) if options is None else (options, NormKind)
    return dataclasses.make_dataclass(f"{name}_kind", [], bases=bases, frozen=True)
