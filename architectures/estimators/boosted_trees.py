"""Gradient-boosted trees: far away they answer with a constant."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from architectures.estimators.estimator import Array, Estimator, Rows, check_at_least_one, flat
from architectures.registry import register_estimator
from bench.core.problem import Problem


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
        check_at_least_one(self, "rounds")
        if self.leaves < 2:
            raise ValueError(f"leaves must be at least 2, not {self.leaves}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")


class Trees:
    """Gradient boosting over histograms of the features (Ke et al., NeurIPS 2017), as scikit-learn has it."""

    def __init__(self, options: TreesOptions) -> None:
        self.options = options

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Grow every tree, then keep as many as the validation rows ask for."""
        import numpy as np
        from sklearn.ensemble import HistGradientBoostingRegressor

        self._regression = HistGradientBoostingRegressor(
            max_iter=self.options.rounds,
            learning_rate=self.options.learning_rate,
            max_leaf_nodes=self.options.leaves,
            early_stopping=False,  # scikit-learn would split off validation rows of its own
            random_state=0,
        ).fit(flat(inputs), targets)
        stages = self._regression.staged_predict(flat(validation_inputs))
        self.rounds = 1 + int(np.argmin([np.mean((stage - validation_targets) ** 2) for stage in stages]))

    def predict(self, inputs: Array) -> Rows:
        """The sum of the kept trees, (N,)."""
        stages = self._regression.staged_predict(flat(inputs))
        answer: Rows = next(islice(stages, self.rounds - 1, None))
        return answer


@register_estimator(
    "boosted-trees",
    options=TreesOptions,
    summary="gradient-boosted trees (scikit-learn); their number is chosen on the validation rows",
    citation="Friedman, Annals of Statistics 29, 2001",
    exponent=0,
)
def boosted_trees(problem: Problem, options: TreesOptions) -> Estimator:
    """Gradient-boosted trees."""
    return Trees(options)
