"""The training mean: the zero of every relative error."""

from __future__ import annotations

from architectures.estimators.estimator import Array, Rows
from architectures.registry import register_estimator
from bench.core.problem import Problem


@register_estimator(
    "mean",
    summary="the mean of the training targets, whatever the input",
    citation="the zero of every relative error",
    exponent=0,
    any_length=True,
    each_step=True,
    causal=True,
)
class Mean:
    """The mean of the training targets."""

    def __init__(self, problem: Problem) -> None:
        self.mean, self.each_step = 0.0, problem.each_step

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Take the mean of ``targets``."""
        self.mean = float(targets.mean(dtype="float64"))

    def predict(self, inputs: Array) -> Rows:
        """The mean, (N,); (N, steps) where each step is answered."""
        import numpy as np

        return np.full(inputs.shape[: 2 if self.each_step else 1], self.mean)
