"""Networks and estimators as cards, and the norm schemes that go into them.

Importing this registers the built-in ones and loads no torch.
"""

from __future__ import annotations

import fnmatch
from importlib import import_module
from typing import TYPE_CHECKING

from architectures.card import Architecture, ArchitectureCard
from architectures.norms.card import NormKind, NormKindCard
from architectures.norms.registry import REGISTRY as NORM_REGISTRY
from architectures.norms.registry import get_norm, norm_names, register_norm
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
    from architectures.description import Description

__all__ = [
    "NORM_REGISTRY",
    "REGISTRY",
    "Architecture",
    "ArchitectureCard",
    "NormKind",
    "NormKindCard",
    "NormScheme",
    "describe",
    "get_card",
    "get_norm",
    "list_architectures",
    "list_norms",
    "parse_scheme",
    "register_architecture",
    "register_estimator",
    "register_family",
    "register_norm",
    "resolve",
]


load_cards("architectures.norms.kinds")
load_cards("architectures.families", "card")
load_cards("architectures.estimators")
import_module("architectures.kernels.cards")


def list_norms(pattern: str = "*") -> list[str]:
    """The kinds of norm whose names match a shell pattern, ``none`` first."""
    return [*fnmatch.filter(["none"], pattern), *norm_names(pattern)]


def describe(architecture: Architecture, scheme: NormScheme, problem: Problem, batch_size: int = 128) -> Description:
    """Layers, sites, parameters, cost and predicted growth; see :func:`architectures.description.describe`."""
    from architectures.description import describe

    return describe(architecture, scheme, problem, batch_size)
