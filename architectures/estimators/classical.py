"""Classical regressors as baselines: neighbours, boosted trees, a Gaussian process. Inputs are flattened to rows.

None of them extrapolates: neighbours and trees answer with a constant far away, a Gaussian process returns to its
prior mean, which on standardized targets is the training mean.
"""

from __future__ import annotations

import warnings
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from architectures.estimators.classical_options import (
    GaussianProcessOptions,
    NeighboursOptions,
    TreesOptions,
    XgboostOptions,
)
from architectures.estimators.simple import Array, Estimator
from bench.core.errors import InputError
from bench.core.problem import Problem
from bench.core.seeding import generator


class Neighbours:
    """The mean target of the k nearest training inputs (Euclidean distance between standardized inputs)."""

    grid = (1, 2, 3, 5, 10, 20, 50)

    def __init__(self, options: NeighboursOptions) -> None:
        self.options = options

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Keep the rows; choose k on the validation rows unless it is given."""
        from sklearn.neighbors import KNeighborsRegressor

        asked = self.options.neighbours
        counts = sorted({min(k, len(targets)) for k in ((asked,) if asked else self.grid)})
        fits = [KNeighborsRegressor(k, weights=self.options.weights).fit(flat(inputs), targets) for k in counts]
        held_out = flat(validation_inputs)
        errors = [np.mean((fit.predict(held_out) - validation_targets) ** 2) for fit in fits]
        best = int(np.argmin(errors))
        self.neighbours, self._regression = counts[best], fits[best]

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """The neighbours' answer, (N,)."""
        return self._regression.predict(flat(inputs))


class Trees:
    """Gradient boosting over histograms of the features (Ke et al., NeurIPS 2017), as scikit-learn has it."""

    def __init__(self, options: TreesOptions) -> None:
        self.options = options

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Grow every tree, then keep as many as the validation rows ask for."""
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

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """The sum of the kept trees, (N,)."""
        return next(islice(self._regression.staged_predict(flat(inputs)), self.rounds - 1, None))


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

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """The posterior mean, (N,)."""
        return self._regression.predict(flat(inputs))


def _kernel(rows: NDArray[np.float64]) -> Any:
    """The kernel where its search starts: length at the median distance between rows, noise at a tenth."""
    from scipy.spatial.distance import pdist
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    apart = pdist(rows) if len(rows) > 1 else np.ones(1)
    middle = float(np.median(apart[apart > 0])) if np.any(apart > 0) else 1.0
    length = RBF(middle, (1e-3 * middle, 1e3 * middle))
    return ConstantKernel(1.0, (1e-3, 1e4)) * length + WhiteKernel(0.1, (1e-6, 1e1))


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
        self._regression.fit(flat(inputs), np.asarray(targets, np.float64))

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        """The sum of the trees, (N,)."""
        return np.asarray(self._regression.predict(flat(inputs)), np.float64)


def knn(problem: Problem, options: NeighboursOptions) -> Estimator:
    """Nearest neighbours."""
    return Neighbours(options)


def boosted_trees(problem: Problem, options: TreesOptions) -> Estimator:
    """Gradient-boosted trees."""
    return Trees(options)


def gaussian_process(problem: Problem, options: GaussianProcessOptions) -> Estimator:
    """A Gaussian process with an RBF kernel."""
    return GaussianProcess(options)


def xgboost_trees(problem: Problem, options: XgboostOptions) -> Estimator:
    """XGBoost."""
    return Xgboost(options)


def flat(inputs: Array) -> NDArray[np.float64]:
    """(N, *shape) to rows (N, numbers)."""
    return np.asarray(inputs, np.float64).reshape(len(inputs), -1)
