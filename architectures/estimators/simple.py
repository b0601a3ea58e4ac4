"""Baselines that fit themselves: they see standardized inputs and targets and answer on the scale of the targets."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.core.problem import Problem

Array = NDArray[np.floating]


class Estimator(Protocol):
    """What a card of role ``estimator`` builds."""

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Learn from standardized inputs (N, *shape) and targets (N,); validation rows only choose."""
        ...

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """Answer for standardized inputs (N, *shape): (N,) on the scale of the standardized targets."""
        ...


class Mean:
    """The mean of the training targets."""

    def __init__(self) -> None:
        self.mean = 0.0

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Take the mean of ``targets``."""
        self.mean = float(np.mean(targets, dtype=np.float64))

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """The mean, (N,)."""
        return np.full(len(inputs), self.mean)


class Ridge:
    """``argmin ‖z - X w - b‖² + α ‖w‖²``, with α from 1e-4 to 1e6 by the least validation error."""

    strengths = tuple(10.0**power for power in range(-4, 7))

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Fit one regression a strength and keep the best on the validation rows."""
        from sklearn.linear_model import Ridge as Regression

        rows, held_out = _flat(inputs), _flat(validation_inputs)
        fits = [Regression(alpha=strength).fit(rows, targets) for strength in self.strengths]
        errors = [np.mean((fit.predict(held_out) - validation_targets) ** 2) for fit in fits]
        best = int(np.argmin(errors))
        self.strength, self.regression = self.strengths[best], fits[best]

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """The regression's answer, (N,)."""
        return self.regression.predict(_flat(inputs))


class Continuation:
    """A value read off each channel of a sequence, mapped to the target by ordinary least squares.

    The map undoes the two standardizations, which the estimator does not know: where the target continues the
    sequence exactly as read off, it is found exactly.
    """

    def __init__(self, steps: int, at: int, degree: int) -> None:
        """Fit a polynomial of ``degree`` through the last steps' values and read it off at step ``at`` (0-based)."""
        powers = np.vander(np.arange(steps, dtype=np.float64), degree + 1)
        # The polynomial's value at one place is a fixed weighted sum of the steps.
        self.reading = np.vander([float(at)], degree + 1)[0] @ np.linalg.pinv(powers)

    def read(self, inputs: Array) -> NDArray[np.float64]:
        """(N, steps, channels) to (N, channels)."""
        kept = np.asarray(inputs, np.float64)[:, -len(self.reading) :]
        return np.einsum("nsc,s->nc", kept, self.reading)

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Find the linear map from what is read to the target."""
        design = np.column_stack([self.read(inputs), np.ones(len(inputs))])
        self.weights = np.linalg.lstsq(design, np.asarray(targets, np.float64), rcond=None)[0]

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """The mapped value, (N,)."""
        return self.read(inputs) @ self.weights[:-1] + self.weights[-1]


def mean(problem: Problem) -> Estimator:
    """The training mean."""
    return Mean()


def ridge(problem: Problem) -> Estimator:
    """Ridge regression."""
    return Ridge()


def last_value(problem: Problem) -> Estimator:
    """The last step."""
    return Continuation(steps=1, at=0, degree=0)


def linear_extrapolation(problem: Problem) -> Estimator:
    """The least-squares line through the steps, one step further; of a single step, that step."""
    steps = problem.shape[0]
    return Continuation(steps, at=steps, degree=min(1, steps - 1))


def _flat(inputs: Array) -> NDArray[np.float64]:
    return np.asarray(inputs, np.float64).reshape(len(inputs), -1)
