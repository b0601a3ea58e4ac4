"""A Gaussian process: far away it answers with its prior mean, on standardized targets the training mean."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

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
    """

    rows: int = 2000
    subset: int = 0

    def __post_init__(self) -> None:
        check_at_least_one(self, "rows")


class GaussianProcess:
    """Posterior mean of a Gaussian process with kernel ``c exp(-‖x - x'‖² / 2l²) + s δ(x, x')``.

    Amplitude c, length l and noise s maximize the marginal likelihood (Rasmussen and Williams 2006, chapter 5) of at
    most 500 rows; the posterior is exact over at most ``rows`` of them. Subsets are drawn at random, by ``subset``
    alone, so the same task gives the same answer every time.
    """

    likelihood_rows = 500

    def __init__(self, options: GaussianProcessOptions) -> None:
        self.options = options

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Choose the kernel's three numbers, then condition on the rows."""
        import numpy as np
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor

        order = generator("gaussian-process", self.options.subset).permutation(len(targets))[: self.options.rows]
        rows, answers = flat(inputs)[order], np.asarray(targets, np.float64)[order]
        few = slice(self.likelihood_rows)
        with warnings.catch_warnings():
            # A number at the end of its range is an answer here: without noise, s belongs at its least.
            warnings.simplefilter("ignore", ConvergenceWarning)
            search = GaussianProcessRegressor(_kernel(rows[few])).fit(rows[few], answers[few])
        self.rows = len(answers)
        self._regression = GaussianProcessRegressor(search.kernel_, optimizer=None).fit(rows, answers)

    def predict(self, inputs: Array) -> Rows:
        """The posterior mean, (N,)."""
        answer: Rows = self._regression.predict(flat(inputs))
        return answer


def _kernel(rows: Rows) -> Any:
    """The kernel where its search starts: length at the median distance between rows, noise at a tenth."""
    import numpy as np
    from scipy.spatial.distance import pdist
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    apart = pdist(rows) if len(rows) > 1 else np.ones(1)
    middle = float(np.median(apart[apart > 0])) if np.any(apart > 0) else 1.0
    length = RBF(middle, (1e-3 * middle, 1e3 * middle))
    return ConstantKernel(1.0, (1e-3, 1e4)) * length + WhiteKernel(0.1, (1e-6, 1e1))


@register_estimator(
    "gaussian-process",
    options=GaussianProcessOptions,
    summary="Gaussian process, RBF kernel and noise by marginal likelihood; over a random 2,000 rows where there are"
    " more",
    citation="Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006",
    exponent=0,
)
def gaussian_process(problem: Problem, options: GaussianProcessOptions) -> Estimator:
    """A Gaussian process with an RBF kernel."""
    return GaussianProcess(options)
