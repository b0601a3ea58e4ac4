"""Gradient-boosted trees with linear leaves: far away they go on along the lines of their outermost leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

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
            hardly varies may have a slope of any size); ``None``: of 0.01, 0.1, 1 and 10 that with the least
            validation error.
    """

    rounds: int = 500
    learning_rate: float = 0.1
    leaves: int = 31
    ridge: float | None = None

    def __post_init__(self) -> None:
        check_at_least_one(self, "rounds")
        if self.leaves < 2:
            raise ValueError(f"leaves must be at least 2, not {self.leaves}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")
        if self.ridge is not None and self.ridge < 0:
            raise ValueError(f"ridge must be at least 0, not {self.ridge}")


class LinearTrees:
    """Gradient boosting of trees whose leaves hold linear models of the features on their path (Shi et al. 2019).

    The first tree of LightGBM has constant leaves: of one tree alone the answer would be bounded. Where the penalty is
    open, each strength grows trees until ``patience`` of them have not lowered the validation error. The best goes on
    to all its rounds, and answers as if it had been given.
    """

    strengths = (10.0, 1.0, 0.1, 0.01)  # of equal ones the first: the smallest slopes
    patience = 50

    def __init__(self, options: LinearTreesOptions) -> None:
        try:
            import lightgbm
        except ImportError:
            raise InputError("lightgbm is not installed", hint="pip install 'farfield[lightgbm]'") from None
        self.options, self._lightgbm = options, lightgbm

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Choose the penalty, grow every tree, then keep as many as the validation rows ask for."""
        import numpy as np

        settings = {
            "objective": "regression",
            "linear_tree": True,
            "learning_rate": self.options.learning_rate,
            "num_leaves": self.options.leaves,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": 1,
            "seed": 0,
            "verbosity": -1,
        }
        rows = self._lightgbm.Dataset(flat(inputs), np.asarray(targets, np.float64), params=settings)
        held_out = rows.create_valid(flat(validation_inputs), np.asarray(validation_targets), params=settings)
        held_out.construct()  # now: a booster writes its penalty into the settings of its rows, and LightGBM would warn

        def growing(ridge: float) -> _Growing:
            booster = self._lightgbm.Booster({**settings, "linear_lambda": ridge}, rows)
            return _Growing(ridge, booster.add_valid(held_out, "validation"))

        if self.options.ridge is None:
            tried = (growing(strength).grow(self.options.rounds, self.patience) for strength in self.strengths)
            chosen = min(tried, key=_Growing.least_error)
        else:
            chosen = growing(self.options.ridge)
        chosen.grow(self.options.rounds)
        self.ridge, self.rounds = chosen.ridge, chosen.best_rounds()
        # A booster that is read from its text holds no rows.
        self._booster = self._lightgbm.Booster(model_str=chosen.booster.model_to_string())

    def predict(self, inputs: Array) -> Rows:
        """The sum of the kept trees, (N,)."""
        import numpy as np

        return np.asarray(self._booster.predict(flat(inputs), num_iteration=self.rounds, num_threads=1), np.float64)


class _Growing:
    """Trees of one penalty, and the validation error after each."""

    def __init__(self, ridge: float, booster: Any) -> None:
        self.ridge, self.booster = ridge, booster
        self.errors: list[float] = []

    def grow(self, rounds: int, patience: int | None = None) -> _Growing:
        """Go on to ``rounds`` trees, or until the last ``patience`` of them have lowered no error."""
        while len(self.errors) < rounds and (patience is None or len(self.errors) - self.best_rounds() < patience):
            self.booster.update()
            ((_, _, error, _),) = self.booster.eval_valid()  # (name, metric, value, whether higher is better)
            self.errors.append(error if math.isfinite(error) else math.inf)
        return self

    def least_error(self) -> float:
        return min(self.errors)

    def best_rounds(self) -> int:
        """The number of trees with the least validation error; 0 before the first."""
        return 1 + self.errors.index(min(self.errors)) if self.errors else 0


@register_estimator(
    "linear-trees",
    options=LinearTreesOptions,
    version="2",
    summary="gradient-boosted trees with linear leaves (LightGBM); their number and the penalty on slopes are chosen on"
    " the validation rows; needs the extra farfield[lightgbm]",
    citation="Shi, Li and Li, Gradient Boosting with Piece-Wise Linear Regression Trees, IJCAI 2019",
    exponent=1,
)
def linear_trees(problem: Problem, options: LinearTreesOptions) -> Estimator:
    """Trees with linear leaves."""
    return LinearTrees(options)
