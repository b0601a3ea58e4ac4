"""Continuations of a sequence: its last value, or the line through its steps."""

from __future__ import annotations

from architectures.estimators.estimator import Array, Estimator, Rows
from architectures.registry import register_estimator
from bench.core.problem import Problem


class Continuation:
    """A value read off each channel of a sequence, mapped to the target by ordinary least squares.

    The map undoes the two standardizations, which the estimator does not know: where the target continues the
    sequence exactly as read off, it is found exactly.
    """

    def __init__(self, steps: int, at: int, degree: int) -> None:
        """Fit a polynomial of ``degree`` through the last steps' values and read it off at step ``at`` (0-based)."""
        import numpy as np

        powers = np.vander(np.arange(steps, dtype=np.float64), degree + 1)
        # The polynomial's value at one place is a fixed weighted sum of the steps.
        self.reading = np.vander([float(at)], degree + 1)[0] @ np.linalg.pinv(powers)

    def read(self, inputs: Array) -> Rows:
        """(N, steps, channels) to (N, channels)."""
        import numpy as np

        kept = np.asarray(inputs, np.float64)[:, -len(self.reading) :]
        read: Rows = np.einsum("nsc,s->nc", kept, self.reading)
        return read

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Find the linear map from what is read to the target."""
        import numpy as np

        design = np.column_stack([self.read(inputs), np.ones(len(inputs))])
        self.weights = np.linalg.lstsq(design, np.asarray(targets, np.float64), rcond=None)[0]

    def predict(self, inputs: Array) -> Rows:
        """The mapped value, (N,)."""
        answer: Rows = self.read(inputs) @ self.weights[:-1] + self.weights[-1]
        return answer


@register_estimator(
    "last-value",
    inputs=("sequence",),
    summary="the last step's values, mapped linearly onto the target by least squares",
    citation="Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2",
    exponent=1,
)
def last_value(problem: Problem) -> Estimator:
    """The last step."""
    return Continuation(steps=1, at=0, degree=0)


@register_estimator(
    "linear-extrapolation",
    inputs=("sequence",),
    summary="the line through each channel's steps one step on, mapped linearly onto the target by least squares",
    citation="Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 7.4",
    exponent=1,
)
def linear_extrapolation(problem: Problem) -> Estimator:
    """The least-squares line through the steps, one step further; of a single step, that step."""
    steps = problem.shape[0]
    return Continuation(steps, at=steps, degree=min(1, steps - 1))
