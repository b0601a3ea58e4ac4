"""Gradient-boosted trees with linear leaves: far away they go on along the lines of their outermost leaves."""

from __future__ import annotations

from dataclasses import dataclass

from architectures.estimators.estimator import Array, Estimator, Rows, check_at_least_one, flat
from architectures.registry import register_estimator
from bench.core.errors import InputError
from bench.core.problem import Problem


@dataclass(frozen=True)
class LinearTreesOptions:
    """Options of the trees with linear leaves.

    Args:
        rounds: trees at most; the number with the least validation error is kept.
        learning_rate: share of each tree's answer that is added.
        leaves: of each tree, at most.
        ridge: penalty on slopes in the leaves, LightGBM's ``linear_lambda`` (there 0: then a leaf where a feature
            hardly varies may have a slope of any size).
    """

    rounds: int = 500
    learning_rate: float = 0.1
    leaves: int = 31
    ridge: float = 0.1

    def __post_init__(self) -> None:
        check_at_least_one(self, "rounds")
        if self.leaves < 2:
            raise ValueError(f"leaves must be at least 2, not {self.leaves}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")
        if self.ridge < 0:
            raise ValueError(f"ridge must be at least 0, not {self.ridge}")


class LinearTrees:
    """Gradient boosting of trees whose leaves hold linear models of the features on their path (Shi et al. 2019).

    The first tree of LightGBM has constant leaves: of one tree alone the answer would be bounded.
    """

    def __init__(self, options: LinearTreesOptions) -> None:
        try:
            import lightgbm
        except ImportError:
            raise InputError("lightgbm is not installed", hint="pip install 'farfield[lightgbm]'") from None
        self.options, self._lightgbm = options, lightgbm

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Grow every tree, then keep as many as the validation rows ask for."""
        import numpy as np

        settings = {
            "objective": "regression",
            "linear_tree": True,
            "linear_lambda": self.options.ridge,
            "learning_rate": self.options.learning_rate,
            "num_leaves": self.options.leaves,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": 1,
            "seed": 0,
            "verbosity": -1,
        }
        wanted = np.asarray(targets, np.float64)
        rows = self._lightgbm.Dataset(flat(inputs), wanted, params=settings)
        held_out = self._lightgbm.Dataset(flat(validation_inputs), np.asarray(validation_targets), reference=rows)
        errors: dict[str, dict[str, list[float]]] = {}
        self._booster = self._lightgbm.train(
            settings,
            rows,
            self.options.rounds,
            valid_sets=[held_out],
            callbacks=[self._lightgbm.record_evaluation(errors)],
        )
        self.rounds = 1 + int(np.argmin(errors["valid_0"]["l2"]))

    def predict(self, inputs: Array) -> Rows:
        """The sum of the kept trees, (N,)."""
        import numpy as np

        return np.asarray(self._booster.predict(flat(inputs), num_iteration=self.rounds, num_threads=1), np.float64)


@register_estimator(
    "linear-trees",
    options=LinearTreesOptions,
    summary="gradient-boosted trees with linear leaves (LightGBM); as many as the validation rows ask for; needs the"
    " extra farfield[lightgbm]",
    citation="Shi, Li and Li, Gradient Boosting with Piece-Wise Linear Regression Trees, IJCAI 2019",
    exponent=1,
)
def linear_trees(problem: Problem, options: LinearTreesOptions) -> Estimator:
    """Trees with linear leaves."""
    return LinearTrees(options)
