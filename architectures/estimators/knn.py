"""Nearest neighbours: far away they answer with a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from architectures.estimators.estimator import Array, Estimator, Rows, check_at_least_one, flat
from architectures.registry import register_estimator
from bench.core.problem import Problem


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
        check_at_least_one(self, "neighbours")


class Neighbours:
    """The mean target of the k nearest training inputs (Euclidean distance between standardized inputs)."""

    grid = (1, 2, 3, 5, 10, 20, 50)

    def __init__(self, options: NeighboursOptions) -> None:
        self.options = options

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Keep the rows; choose k on the validation rows unless it is given."""
        import numpy as np
        from sklearn.neighbors import KNeighborsRegressor

        asked = self.options.neighbours
        counts = sorted({min(k, len(targets)) for k in ((asked,) if asked else self.grid)})
        fits = [KNeighborsRegressor(k, weights=self.options.weights).fit(flat(inputs), targets) for k in counts]
        held_out = flat(validation_inputs)
        errors = [np.mean((fit.predict(held_out) - validation_targets) ** 2) for fit in fits]
        best = int(np.argmin(errors))
        self.neighbours, self._regression = counts[best], fits[best]

    def predict(self, inputs: Array) -> Rows:
        """The neighbours' answer, (N,)."""
        answer: Rows = self._regression.predict(flat(inputs))
        return answer


@register_estimator(
    "knn",
    options=NeighboursOptions,
    summary="k nearest neighbours; k is chosen on the validation rows unless given",
    citation="Fix and Hodges, International Statistical Review 57, 1989 (report of 1951)",
    exponent=0,
)
def knn(problem: Problem, options: NeighboursOptions) -> Estimator:
    """Nearest neighbours."""
    return Neighbours(options)
