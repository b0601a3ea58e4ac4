"""A Gaussian process: far away it answers with its prior mean, on standardized targets the training mean.

With a linear part in its covariance it goes on along a plane, with a periodic one it repeats itself.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from architectures.estimators.covariance.words import Covariance, parts_of
from architectures.estimators.estimator import Array, Estimator, Rows, check_at_least_one, flat
from architectures.registry import register_estimator
from bench.core.problem import Problem
from bench.core.seeding import generator


@dataclass(frozen=True)
class GaussianProcessOptions:
    """Options of the Gaussian process.

    Args:
        rows: training rows at most; of more, a random subset is taken (exact inference takes rows³ operations).
        subset: number of that draw.
        kernel: covariance function, without the noise: ``rbf``, ``rbf+linear`` (grows linearly), ``rbf+periodic`` or
            ``rbf+linear+periodic``.
    """

    rows: int = 2000
    subset: int = 0
    kernel: Covariance = "rbf"

    def __post_init__(self) -> None:
        check_at_least_one(self, "rows")


class GaussianProcess:
    """Posterior mean of a Gaussian process with covariance ``c exp(-‖x - x'‖² / 2l²) + s δ(x, x')`` and, if asked for,
    ``+ a (1 + x·x')`` or ``+ b exp(-2 Σᵢ sin²(π (xᵢ - x'ᵢ) / p) / q²)``.

    The numbers c, l, s, a, b, p and q maximize the marginal likelihood (Rasmussen and Williams 2006, chapter 5) of at
    most 500 rows; the posterior is exact over at most ``rows`` of them. Likelihoods have many maxima over periods:
    of eight first ones the two likeliest are searched from. Subsets are drawn at random, by ``subset`` alone, so the
    same task gives the same answer every time.
    """

    likelihood_rows = 500
    searches = 2

    def __init__(self, options: GaussianProcessOptions) -> None:
        self.options = options

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Choose the kernel's numbers, then condition on the rows."""
        import numpy as np
        from sklearn.gaussian_process import GaussianProcessRegressor

        order = generator("gaussian-process", self.options.subset).permutation(len(targets))[: self.options.rows]
        rows, answers = flat(inputs)[order], np.asarray(targets, np.float64)[order]
        few = slice(self.likelihood_rows)
        kernel = self._likeliest(rows[few], answers[few])
        self.rows = len(answers)
        self._regression = GaussianProcessRegressor(kernel, optimizer=None).fit(rows, answers)

    def _likeliest(self, rows: Rows, answers: Rows) -> Any:
        """The kernel with the greatest marginal likelihood that a search finds."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor

        from architectures.estimators.covariance.kernels import starts

        def likelihood(regression: Any) -> float:
            return float(regression.log_marginal_likelihood_value_)

        first = starts(self.options.kernel, rows)
        if len(first) > self.searches:
            unsearched = [GaussianProcessRegressor(kernel, optimizer=None).fit(rows, answers) for kernel in first]
            first = [fit.kernel_ for fit in sorted(unsearched, key=likelihood, reverse=True)[: self.searches]]
        with warnings.catch_warnings():
            # A number at the end of its range is an answer here: without noise, s belongs at its least.
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = [GaussianProcessRegressor(kernel).fit(rows, answers) for kernel in first]
        return max(found, key=likelihood).kernel_

    @property
    def exponent(self) -> int:
        """Growth along rays: 1 with a linear part, else 0."""
        return int("linear" in parts_of(self.options.kernel))

    def predict(self, inputs: Array) -> Rows:
        """The posterior mean, (N,)."""
        answer: Rows = self._regression.predict(flat(inputs))
        return answer


@register_estimator(
    "gaussian-process",
    options=GaussianProcessOptions,
    summary="Gaussian process, kernel (RBF, linear, periodic) and noise by marginal likelihood; over 2,000 random rows"
    " where there are more",
    citation="Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006",
    exponent=0,
)
def gaussian_process(problem: Problem, options: GaussianProcessOptions) -> Estimator:
    """A Gaussian process."""
    return GaussianProcess(options)
