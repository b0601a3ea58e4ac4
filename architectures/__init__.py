"""Networks and estimators as cards, and the norm schemes that go into them. Importing this loads no torch."""

from __future__ import annotations

from architectures.card import (
    Architecture,
    ArchitectureCard,
    get_card,
    list_architectures,
    register_architecture,
    registry,
    resolve,
)
from architectures.kinds import KINDS
from architectures.schemes import NormScheme, parse_scheme

__all__ = [
    "Architecture",
    "ArchitectureCard",
    "NormScheme",
    "get_card",
    "list_architectures",
    "list_norms",
    "parse_scheme",
    "register_architecture",
    "registry",
    "resolve",
]


def list_norms() -> list[str]:
    """The kinds of norm, ``none`` first."""
    return ["none", *KINDS]
