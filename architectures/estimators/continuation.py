"""Continuations of a sequence: its last value, or the line through its steps."""

from __future__ import annotations

from architectures.estimators.estimator import Array, Estimator, Rows
from architectures.registry import register_estimator
from bench.core.problem import Problem


class Continuation:
    """A value read off each channel of a sequence, mapped to the target by ordinary least squares.

    The map undoes the two standardizations, which the estimator does not know: where the target continues the
    sequence exactly as read off, it is found exactly. Of sequences that are longer than those of training the last
    steps are read, as many as training had. Where each step is answered, every step is read as if the sequence ended
    there, and one map serves all.
    """

    def __init__(self, steps: int, degree: int, each_step: bool) -> None:
        """Fit a polynomial of ``degree`` through the last ``steps`` values and read it off one step on."""
        self.steps, self.degree, self.each_step = steps, degree, each_step

    def read(self, inputs: Array) -> Rows:
        """(N, steps, channels) to (N, channels), or to (N, steps, channels) where each step is answered."""
        import numpy as np

        values = np.asarray(inputs, np.float64)
        if not self.each_step:
            return self._read_at_the_end(values)
        ends = [self._read_at_the_end(values[:, : end + 1]) for end in range(values.shape[1])]
        return np.stack(ends, axis=1)

    def _read_at_the_end(self, values: Rows) -> Rows:
        import numpy as np

        kept = values[:, -self.steps :]
        steps, degree = kept.shape[1], min(self.degree, kept.shape[1] - 1)
        powers = np.vander(np.arange(steps, dtype=np.float64), degree + 1)
        # The polynomial's value at one place is a fixed weighted sum of the steps.
        reading = np.vander([float(steps)], degree + 1)[0] @ np.linalg.pinv(powers)
        read: Rows = np.einsum("nsc,s->nc", kept, reading)
        return read

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Find the linear map from what is read to the target."""
        import numpy as np

        read = self.read(inputs)
        design = np.column_stack([read.reshape(-1, read.shape[-1]), np.ones(targets.size)])
        self.weights = np.linalg.lstsq(design, np.asarray(targets, np.float64).ravel(), rcond=None)[0]

    def predict(self, inputs: Array) -> Rows:
        """The mapped value, (N,); (N, steps) where each step is answered."""
        answer: Rows = self.read(inputs) @ self.weights[:-1] + self.weights[-1]
        return answer


@register_estimator(
    "last-value",
    inputs=("sequence",),
    summary="the last step's values, mapped linearly onto the target by least squares",
    citation="Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2",
    exponent=1,
    any_length=True,
    each_step=True,
    causal=True,
)
def last_value(problem: Problem) -> Estimator:
    """The last step."""
    return Continuation(steps=1, degree=0, each_step=problem.each_step)


@register_estimator(
    "linear-extrapolation",
    inputs=("sequence",),
    summary="the line through each channel's steps one step on, mapped linearly onto the target by least squares",
    citation="Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 7.4",
    exponent=1,
    any_length=True,
    each_step=True,
    causal=True,
)
def linear_extrapolation(problem: Problem) -> Estimator:
    """The least-squares line through the steps, one step further; of a single step, that step."""
    return Continuation(problem.shape[0], degree=1, each_step=problem.each_step)
