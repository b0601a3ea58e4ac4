"""Networks and estimators as cards, and the norm schemes that go into them.

Importing this registers the built-in ones and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from architectures.card import Architecture, ArchitectureCard
from architectures.norms.kinds import KINDS
from architectures.norms.scheme import NormScheme, parse_scheme
from architectures.registry import (
    REGISTRY,
    get_card,
    list_architectures,
    register_architecture,
    register_estimator,
    register_family,
    resolve,
)
from bench.core.problem import Problem
from bench.core.registry import load_cards

if TYPE_CHECKING:
    from architectures.analysis.description import Description

__all__ = [
    "REGISTRY",
    "Architecture",
    "ArchitectureCard",
    "NormScheme",
    "describe",
    "get_card",
    "list_architectures",
    "list_norms",
    "parse_scheme",
    "register_architecture",
    "register_estimator",
    "register_family",
    "resolve",
]


load_cards("architectures.families", "card")
load_cards("architectures.estimators")
import_module("architectures.kernels.cards")


def list_norms() -> list[str]:
    """The kinds of norm, ``none`` first."""
    return ["none", *KINDS]


def describe(architecture: Architecture, scheme: NormScheme, problem: Problem, batch_size: int = 128) -> Description:
    """Layers, sites, parameters, cost and predicted growth; see :func:`architectures.analysis.description.describe`."""
    from architectures.analysis.description import describe

    return describe(architecture, scheme, problem, batch_size)
