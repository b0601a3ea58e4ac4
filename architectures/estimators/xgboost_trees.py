"""XGBoost with its defaults: the tree baseline of arXiv 2505.14512."""

from __future__ import annotations

from dataclasses import dataclass

from architectures.estimators.estimator import Array, Estimator, Rows, check_at_least_one, flat
from architectures.registry import register_estimator
from bench.core.errors import InputError
from bench.core.problem import Problem


@dataclass(frozen=True)
class XgboostOptions:
    """Options of XGBoost; everything else stays at that package's defaults.

    Args:
        rounds: trees; arXiv 2505.14512 takes 100.
    """

    rounds: int = 100

    def __post_init__(self) -> None:
        check_at_least_one(self, "rounds")


class Xgboost:
    """XGBoost (Chen and Guestrin, arXiv 1603.02754) with its defaults: the tree baseline of arXiv 2505.14512."""

    def __init__(self, options: XgboostOptions) -> None:
        try:
            import xgboost
        except ImportError:
            raise InputError("xgboost is not installed", hint="pip install 'farfield[xgboost]'") from None
        self._regression = xgboost.XGBRegressor(n_estimators=options.rounds, random_state=0, n_jobs=1)

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Grow every tree; validation rows have no part in it."""
        self._regression.fit(flat(inputs), targets.astype("float64", copy=False))

    def predict(self, inputs: Array) -> Rows:
        """The sum of the trees, (N,)."""
        answer: Rows = self._regression.predict(flat(inputs)).astype("float64")
        return answer


@register_estimator(
    "xgboost",
    options=XgboostOptions,
    summary="XGBoost with its defaults and 100 rounds; needs the extra farfield[xgboost]",
    citation="Chen and Guestrin, arXiv 1603.02754",
    exponent=0,
)
def xgboost_trees(problem: Problem, options: XgboostOptions) -> Estimator:
    """XGBoost."""
    return Xgboost(options)
