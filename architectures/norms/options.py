"""Options that several built-in kinds share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from architectures.norms.card import NormKind

FARTHEST_LIMIT = 1e4
"""A limit beyond this is none where growth is measured."""


@dataclass(frozen=True)
class WithAffine(NormKind):
    """``affine`` adds a learned gain and, where the kind has one, a learned shift."""

    affine: bool = True


@dataclass(frozen=True)
class WithEps(WithAffine):
    """``eps`` keeps the division finite; it is the same for all kinds unless given."""

    eps: float = 1e-5

    def __post_init__(self) -> None:
        positive("eps", self.eps)


@dataclass(frozen=True)
class Limited(NormKind):
    """``limit`` is what no entry exceeds in absolute value."""

    limit: float

    def __post_init__(self) -> None:
        positive("limit", self.limit)
        if self.limit > FARTHEST_LIMIT:
            raise ValueError(f"limit must be at most {FARTHEST_LIMIT:g}, not {self.limit}")


def positive(name: str, value: float) -> None:
    """Refuse an option that is not positive and finite.

    Raises:
        ValueError: it is not.
    """
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive, not {value}")
