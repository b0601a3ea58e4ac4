"""Architecture cards and their registry. Nothing here imports torch; a card's target is loaded when it is built."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import re
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from architectures.norms.placements import ANY, Placements
from architectures.norms.scheme import NormScheme
from bench.core.errors import InputError
from bench.core.grammar import bind, parse_call, spell
from bench.core.plugins import loaded_hash
from bench.core.problem import INPUT_KINDS, InputKind
from bench.core.registry import Family, Registry, resolve_target

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*\Z")
Role = Literal["network", "estimator"]
Builder = TypeVar("Builder", bound=Callable[..., Any])


@dataclass(frozen=True)
class ArchitectureCard:
    """What FarField knows of an architecture before it is built.

    Args:
        name: as users spell it.
        version: raised when the same options give other numbers; part of every record's key.
        summary: one line.
        family: what it is a variant of.
        inputs: kinds of input it can read.
        build: ``"module:function"`` or the function, called as ``build(problem, norm, options)``; an estimator's is
            called as ``build(problem, options)``.
        options: frozen dataclass of its options (or ``"module:class"``); None where there are none.
        role: ``network`` (trained by gradient) or ``estimator`` (has its own ``fit``).
        deterministic: one seed says all (estimators).
        citation: where it comes from.
        placements: how placement words map onto its sites.
        source_hash: identifies the code of something plugged in; empty for built-ins, whose version does.
        exponent: the growth along rays that an estimator's form implies; None where it is not known, and for networks,
            whose scheme decides.
    """

    name: str
    version: str
    summary: str
    family: str
    inputs: tuple[InputKind, ...]
    build: str | Callable[..., Any]
    options: str | type | None
    role: Role
    deterministic: bool
    citation: str
    placements: Placements
    source_hash: str = ""
    exponent: int | None = None

    def __post_init__(self) -> None:
        for field in ("name", "version", "summary", "family", "citation"):
            if not getattr(self, field).strip():
                raise ValueError(f"the card of {self.name or 'an architecture'} needs a {field}")
        if not self.inputs or not set(self.inputs) <= set(INPUT_KINDS):
            raise ValueError(f"inputs of {self.name} must be some of {', '.join(INPUT_KINDS)}, not {self.inputs}")
        if self.role not in get_args(Role):
            raise ValueError(f"role of {self.name} must be network or estimator, not {self.role!r}")


@dataclass(frozen=True)
class Architecture:
    """An architecture with its sizes: a card and options."""

    card: ArchitectureCard
    options: Any = None

    @property
    def name(self) -> str:
        """Canonical spelling, as records carry it."""
        return spell(self.card.name, self.options)

    @cached_property
    def source_hash(self) -> str:
        """Changes when the code that computes the network does.

        For built-ins it is a hash of name and version; for plug-ins of their source, so that a changed file is a
        new architecture. Options that name files (weights, a module) answer for them in a method ``source() -> str``.
        """
        own = self.card.source_hash or f"farfield:{self.card.name}:{self.card.version}"
        files = self.options.source() if hasattr(self.options, "source") else ""
        return hashlib.sha256("\0".join([own, files] if files else [own]).encode()).hexdigest()[:16]

    def check_scheme(self, scheme: NormScheme) -> None:
        """Check, without building anything, that every place of ``scheme`` exists in this family.

        Raises:
            InputError: a place no network of the family has; the nearest names are offered.
        """
        for part in scheme.parts:
            if self.card.role == "estimator":
                raise InputError(f"{self.card.name} has nothing to normalize", where=str(scheme), mend="use norm none")
            try:
                self.card.placements.check(part.placement)
            except InputError as error:
                where = f"norm {scheme} with {self.card.name}"
                raise InputError(error.what, where=where, mend=error.mend) from None


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
        raise InputError(f"{name!r} is no name for an architecture", mend="letters, digits, - and _, as in my-net")

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
        raise InputError(f"{label} takes {len(parameters)} arguments", mend="def build(problem, norm, width: int = 64)")
    hints = typing.get_type_hints(function)
    fields = []
    for parameter in parameters[2:]:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise InputError(f"{label} takes *{parameter.name}", mend="name each option")
        if parameter.default is parameter.empty:
            raise InputError(f"option {parameter.name!r} of {label} has no default", mend=f"{parameter.name}: int = 64")
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
