"""Options of the classical baselines. Importing this loads no numerical library, so that lists are quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


def _at_least_one(options: object, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")


@dataclass(frozen=True)
class NeighboursOptions:
    """Options of the nearest neighbours.

    Args:
        neighbours: how many answer; None chooses the number with the least validation error.
        weights: ``uniform``: their mean; ``distance``: weighted by inverse distance.
    """

    neighbours: int | None = None
    weights: Literal["uniform", "distance"] = "uniform"

    def __post_init__(self) -> None:
        _at_least_one(self, "neighbours")


@dataclass(frozen=True)
class TreesOptions:
    """Options of the gradient-boosted trees.

    Args:
        rounds: trees at most; the number with the least validation error is kept.
        learning_rate: share of each tree's answer that is added.
        leaves: of each tree, at most.
    """

    rounds: int = 500
    learning_rate: float = 0.1
    leaves: int = 31

    def __post_init__(self) -> None:
        _at_least_one(self, "rounds")
        if self.leaves < 2:
            raise ValueError(f"leaves must be at least 2, not {self.leaves}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")


@dataclass(frozen=True)
class GaussianProcessOptions:
    """Options of the Gaussian process.

    Args:
        rows: training rows at most; of more, a random subset is taken (exact inference takes rows³ operations).
        subset: number of that draw.
    """

    rows: int = 2000
    subset: int = 0

    def __post_init__(self) -> None:
        _at_least_one(self, "rows")


@dataclass(frozen=True)
class XgboostOptions:
    """Options of XGBoost; everything else stays at that package's defaults.

    Args:
        rounds: trees; arXiv 2505.14512 takes 100.
    """

    rounds: int = 100

    def __post_init__(self) -> None:
        _at_least_one(self, "rounds")
