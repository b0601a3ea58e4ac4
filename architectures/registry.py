"""The registry of architectures, and how functions become some. Nothing here imports torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from architectures.card import Architecture, ArchitectureCard, Role
from architectures.norms.placements import ANY, NOWHERE, Placements
from bench.core.errors import InputError
from bench.core.grammar import parse_call
from bench.core.origin import hash_source, origin_of
from bench.core.problem import INPUT_KINDS, InputKind
from bench.core.registry import Family, Registry
from bench.core.signature import bind_options, first_line, read_builder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*\Z")
Builder = TypeVar("Builder", bound=Callable[..., Any])


@dataclass(frozen=True)
class Reading:
    """What a card says of sequences: see :class:`architectures.card.ArchitectureCard`."""

    any_length: bool = False
    each_step: bool = False
    causal: bool = False


REGISTRY: Registry[ArchitectureCard] = Registry("architecture", "farfield.architectures", "farfield.estimators")
"""Networks and estimators: one name means one of them."""


def get_card(name: str) -> ArchitectureCard:
    """The card registered as ``name``.

    Raises:
        UnknownName: there is none; the nearest names are offered.
    """
    return REGISTRY.get(name)


def resolve(spelling: str) -> Architecture:
    """The architecture spelled ``name`` or ``name(option=value, ...)``.

    Raises:
        InputError: unknown name or option, wrong type or value.
    """
    call = parse_call(spelling, "architecture")
    card = REGISTRY.get(call.name)
    return Architecture(card, bind_options(call, card.options))


def list_architectures(pattern: str = "*") -> list[str]:
    """Names that match a shell pattern, in natural order."""
    return REGISTRY.names(pattern)


def register_architecture(
    name: str,
    *,
    inputs: Iterable[InputKind] = INPUT_KINDS,
    version: str = "1",
    summary: str = "",
    citation: str = "unpublished",
    placements: Placements = ANY,
    family: str = "",
    any_length: bool = False,
    each_step: bool = False,
    causal: bool = False,
    build: str | Callable[..., Any] | None = None,
    options: type | str | None = None,
) -> Callable[[Builder], Builder]:
    """Register a function that builds a ``torch.nn.Module`` as the architecture ``name``.

    The function is called as ``build(problem, norm, **options)``; its keyword parameters, with their annotations
    and defaults, become the options that users spell. ``norm(site, dim, layout)`` gives the normalization layer
    that the scheme wants there, or an identity. The module maps ``(N, *problem.shape)`` to ``(N, 1)``.

        @register_architecture("my-net", inputs=["features"])
        def my_net(problem, norm, width: int = 64):
            return nn.Sequential(nn.Linear(problem.size, width), norm("hidden", width), nn.ReLU(), nn.Linear(width, 1))

    A list of networks loads none of them where the function is named instead of decorated:

        register_architecture("my-net", build="my_package.networks:my_net", options=MyNetOptions)

    Args:
        name: as users spell it.
        inputs: kinds of input it can read.
        version: raised when the same options give other numbers.
        summary: one line; otherwise the first of the function's docstring.
        citation: where it comes from.
        placements: how placement words map onto its sites; by default its sites are counted in forward order.
        family: what it is a variant of; otherwise its own name.
        any_length: it takes sequences of any number of steps, not only ``problem.shape[0]``.
        each_step: where ``problem.each_step`` asks for it, it answers at each step, ``(N, steps)``.
        causal: such an answer depends on its step and those before alone.
        build: ``"module:function"``, imported on use, or the function; it is registered at once, and there is nothing
            to decorate.
        options: frozen dataclass of the options (or ``"module:class"``), where the function takes one object of it,
            ``build(problem, norm, options)``, instead of keyword parameters.

    Raises:
        InputError: the name is malformed or taken, or the signature does not fit.
    """

    def card(code: str | Callable[..., Any]) -> ArchitectureCard:
        return _card(
            name,
            code,
            options,
            given=("problem", "norm"),
            role="network",
            inputs=inputs,
            version=version,
            summary=summary,
            citation=citation,
            placements=placements,
            family=family or name,
            reading=Reading(any_length, each_step, causal),
        )

    return _register(card, build)


def register_estimator(
    name: str,
    *,
    inputs: Iterable[InputKind] = INPUT_KINDS,
    version: str = "1",
    summary: str = "",
    citation: str = "unpublished",
    deterministic: bool = True,
    exponent: int | None = None,
    placements: Placements = NOWHERE,
    family: str = "estimator",
    any_length: bool = False,
    each_step: bool = False,
    causal: bool = False,
    build: str | Callable[..., Any] | None = None,
    options: type | str | None = None,
) -> Callable[[Builder], Builder]:
    """Register a function (or a class) that gives an estimator, something with its own ``fit``, as ``name``.

    It is called as ``build(problem, **options)``; its keyword parameters, with their annotations and defaults, become
    the options that users spell. What it gives has ``fit`` and ``predict``, as
    :class:`architectures.estimators.estimator.Estimator` says:

        @register_estimator("nearest", inputs=["features"])
        class Nearest:
            def __init__(self, problem, power: float = 2.0):
                self.power = power

            def fit(self, inputs, targets, validation_inputs, validation_targets):
                self.inputs, self.targets = inputs, targets

            def predict(self, inputs):
                apart = (abs(inputs[:, None] - self.inputs) ** self.power).sum(-1)
                return self.targets[apart.argmin(1)].astype("float64")

    Args:
        name, inputs, version, summary, citation, build: as :func:`register_architecture` takes them.
        deterministic: fitting draws nothing, so one seed says all.
        exponent: the growth along rays that its form implies: 0 bounded, 1 linear; None where it is not known.
        placements: the words of the norm schemes that it takes. Without any it takes norm ``none`` only; with some it
            is called as ``build(problem, scheme, **options)`` with the :class:`architectures.NormScheme`.
        family: what it is a variant of.
        any_length, each_step, causal: as :func:`register_architecture` takes them.
        options: frozen dataclass of the options (or ``"module:class"``), where the function takes one object of it
            instead of keyword parameters.

    Raises:
        InputError: the name is malformed or taken, or the signature does not fit.
    """

    def card(code: str | Callable[..., Any]) -> ArchitectureCard:
        return _card(
            name,
            code,
            options,
            given=("problem",) if placements == NOWHERE else ("problem", "scheme"),
            role="estimator",
            inputs=inputs,
            version=version,
            summary=summary,
            citation=citation,
            placements=placements,
            family=family,
            deterministic=deterministic,
            exponent=exponent,
            reading=Reading(any_length, each_step, causal),
        )

    return _register(card, build)


def register_family(prefix: str, family: Family[ArchitectureCard]) -> None:
    """Register somebody else's catalogue: cards that are made when they are asked for, such as ``timm/resnet18``.

    Args:
        prefix: what their names start with (``"timm/"``), or the one name there is.
        family: lists the names and makes the cards.

    Raises:
        InputError: the prefix is taken.
    """
    REGISTRY.register_family(prefix, family)


def _register(
    card: Callable[[str | Callable[..., Any]], ArchitectureCard], build: str | Callable[..., Any] | None
) -> Callable[[Builder], Builder]:
    """Register what ``build`` gives now, or else what is decorated."""

    def decorate(function: Builder) -> Builder:
        REGISTRY.register(card(function))
        return function

    if build is not None:
        REGISTRY.register(card(build))
    return decorate


def _card(
    name: str,
    code: str | Callable[..., Any],
    options: type | str | None,
    *,
    given: tuple[str, ...],
    role: Role,
    inputs: Iterable[InputKind],
    version: str,
    summary: str,
    citation: str,
    placements: Placements,
    family: str,
    reading: Reading,
    deterministic: bool = False,
    exponent: int | None = None,
) -> ArchitectureCard:
    if not _NAME.match(name):
        raise InputError(f"{name!r} is no name for an architecture", hint="letters, digits, - and _, as in my-net")
    build, taken = read_builder(code, options, given)
    try:
        return ArchitectureCard(
            name=name,
            version=version,
            summary=summary or first_line(code) or name,
            family=family,
            inputs=tuple(inputs),
            build=build,
            options=taken,
            role=role,
            deterministic=deterministic,
            citation=citation,
            placements=placements,
            origin=origin_of(code, REGISTRY.groups),
            source_hash=hash_source(code),
            exponent=exponent,
            any_length=reading.any_length,
            each_step=reading.each_step,
            causal=reading.causal,
        )
    except ValueError as error:
        raise InputError(str(error), where=name, hint="correct the arguments of the register function") from None
