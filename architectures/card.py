"""What FarField knows of an architecture before it is built. Nothing here imports torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from architectures.norms.placements import NOWHERE, Placements
from architectures.norms.scheme import NormScheme
from bench.core.errors import InputError, Unsupported
from bench.core.grammar import spell
from bench.core.origin import VERSIONED, Origin
from bench.core.problem import INPUT_KINDS, InputKind, Problem

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
            called as ``build(problem, options)``, or as ``build(problem, scheme, options)`` where it takes norms.
            Without options the last argument is left out.
        options: frozen dataclass of its options (or ``"module:class"``); None where there are none.
        role: ``network`` (trained by gradient) or ``estimator`` (has its own ``fit``).
        deterministic: one seed says all (estimators).
        citation: where it comes from.
        placements: how placement words map onto its sites; ``NOWHERE`` takes norm ``none`` only.
        origin: where its code was loaded from.
        source_hash: SHA-256 of the file that defines it. It identifies what comes from outside; FarField's own code and
            timm's are identified by name and version.
        exponent: the growth along rays that an estimator's form implies; None where it is not known, and for networks,
            whose scheme decides.
        any_length: it takes sequences of any number of steps, not only of that which it was built for.
        each_step: it answers at each step where the problem asks for that.
        causal: such an answer depends on its step and those before alone.
            Options may have properties of these three names, which then decide (positions that are learned have one
            length).
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
    origin: Origin
    source_hash: str = ""
    exponent: int | None = None
    any_length: bool = False
    each_step: bool = False
    causal: bool = False

    def __post_init__(self) -> None:
        for field in ("name", "version", "summary", "family", "citation"):
            if not getattr(self, field).strip():
                raise ValueError(f"the card of {self.name or 'an architecture'} needs a {field}")
        if not self.inputs or not set(self.inputs) <= set(INPUT_KINDS):
            raise ValueError(f"inputs of {self.name} must be some of {', '.join(INPUT_KINDS)}, not {self.inputs}")
        if self.role not in get_args(Role):
            raise ValueError(f"role of {self.name} must be network or estimator, not {self.role!r}")
        if self.origin not in get_args(Origin):
            raise ValueError(f"origin of {self.name} must be one of {', '.join(get_args(Origin))}, not {self.origin!r}")
        if self.origin not in VERSIONED and not self.source_hash:
            raise ValueError(f"the card of {self.name} needs a source_hash, as its code comes from outside")

    @property
    def takes_norms(self) -> bool:
        """Whether any scheme but ``none`` makes sense."""
        return self.placements != NOWHERE


def hash_in_keys(own: str, files: str = "") -> str:
    """The source hash that record keys have.

    Args:
        own: name and version of FarField's own code; of code from outside the hash of its source.
        files: what options that name files answer for them.
    """
    return hashlib.sha256("\0".join([own, files] if files else [own]).encode()).hexdigest()[:16]


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

        For FarField's own it is a hash of name and version; for code from outside of its source, so that a changed
        file is a new architecture. Options that name files (weights, a module) answer for them in a method
        ``source() -> str``.
        """
        versioned = self.card.origin in VERSIONED
        own = f"farfield:{self.card.name}:{self.card.version}" if versioned else self.card.source_hash
        files = self.options.source() if hasattr(self.options, "source") else ""
        return hash_in_keys(own, files)

    @property
    def any_length(self) -> bool:
        """Whether it takes sequences of any number of steps; options may decide."""
        return bool(getattr(self.options, "any_length", self.card.any_length))

    @property
    def each_step(self) -> bool:
        """Whether it can answer at each step of a sequence; options may decide."""
        return bool(getattr(self.options, "each_step", self.card.each_step))

    @property
    def causal(self) -> bool:
        """Whether an answer at a step depends on that step and those before alone; options may decide."""
        return bool(getattr(self.options, "causal", self.card.causal))

    def check_problem(self, problem: Problem) -> None:
        """Refuse a problem whose inputs it cannot read, or whose answers it cannot give.

        Raises:
            Unsupported: it cannot; nothing is built to find that out.
        """
        name = self.name
        if problem.kind not in self.card.inputs:
            what = f"{self.card.name} reads {' or '.join(self.card.inputs)} inputs, not {problem.kind}"
            raise Unsupported(what, code="input_kind")
        other = [steps for steps in problem.lengths if steps != problem.shape[0]]
        if other and not self.any_length:
            asked = " and ".join(str(steps) for steps in other)
            reason = getattr(self.options, "fixed_length", "")
            what = f"{name} takes {problem.shape[0]} steps alone, and the task asks for {asked}"
            raise Unsupported(f"{what}: {reason}" if reason else what, code="length")
        if problem.each_step and not self.each_step:
            raise Unsupported(f"{name} gives one answer a sequence, and the task asks for one a step", code="length")
        if problem.causal and not self.causal:
            what = f"{name} sees the steps that come after, and the task asks for answers that do not"
            raise Unsupported(what, code="length")

    def check_scheme(self, scheme: NormScheme) -> None:
        """Check, without building anything, that every place of ``scheme`` exists in this family.

        Raises:
            InputError: a place no network of the family has; the nearest names are offered.
        """
        for part in scheme.parts:
            if not self.card.takes_norms:
                raise InputError(f"{self.card.name} has nothing to normalize", where=str(scheme), hint="use norm none")
            if part.around:
                continue
            try:
                self.card.placements.check(part.placement)
            except InputError as error:
                where = f"norm {scheme} with {self.card.name}"
                raise InputError(error.what, where=where, hint=error.hint) from None
