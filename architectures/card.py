"""What FarField knows of an architecture before it is built. Nothing here imports torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from architectures.norms.placements import Placements
from architectures.norms.scheme import NormScheme
from bench.core.errors import InputError
from bench.core.grammar import spell
from bench.core.problem import INPUT_KINDS, InputKind

Role = Literal["network", "estimator"]


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
                raise InputError(f"{self.card.name} has nothing to normalize", where=str(scheme), hint="use norm none")
            if part.around:
                continue
            try:
                self.card.placements.check(part.placement)
            except InputError as error:
                where = f"norm {scheme} with {self.card.name}"
                raise InputError(error.what, where=where, hint=error.hint) from None
