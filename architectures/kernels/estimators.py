"""Networks of infinite width as estimators: they train for ever, in closed form, and know their uncertainty."""

from __future__ import annotations

import multiprocessing
import sys

import numpy as np
from numpy.typing import NDArray

from architectures.kernels.angles import Array
from architectures.kernels.cards import KernelOptions
from architectures.kernels.certificates import diagonal_exponent, tight_bound
from architectures.kernels.infinite import Kernel, KernelName, Progress, kernel
from architectures.kernels.places import site_names
from architectures.kernels.regression import Regression, checked, condition
from architectures.norms.scheme import NormScheme
from bench.core.problem import Problem

Rows = NDArray[np.floating]
JITTERS = (1e-8, 1e-6, 1e-4, 1e-2, 1.0)
_SHOWN_FROM = 2000  # rows


class KernelRegression:
    """Regression with a kernel of infinite width, at t → ∞ (see :mod:`architectures.kernels.regression`).

    Inputs are flattened. The jitter is fixed, or, where the options leave it open, that of :data:`JITTERS` with the
    least validation error; validation rows have no other part.
    """

    def __init__(self, kernel: Kernel, name: KernelName, jitter: float | None = 1e-8) -> None:
        self.kernel, self.name = kernel, name
        self.jitters = JITTERS if jitter is None else (jitter,)
        self.regression: Regression | None = None

    @property
    def exponent(self) -> int:
        """Growth of ``|predict|`` along rays: 1 where the covariance at initialization grows as r², 0 where it stays.

        The tangent kernel's own diagonal may grow while its mean does not (erf).
        """
        return round(diagonal_exponent(self.kernel, "nngp") / 2)

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the places of a norm, in forward order."""
        return site_names(self.kernel.depth)

    def fit(self, inputs: Rows, targets: Rows, validation_inputs: Rows, validation_targets: Rows) -> None:
        """Condition on the rows.

        Raises:
            Unsupported: more than 10,000 rows, or a norm at the input over too few features.
            FarFieldError: the kernel matrix is not positive definite to rounding.
        """
        rows, answers = checked(inputs, targets)
        # of the NTK both matrices are kept, as its variance needs the other one
        names: tuple[KernelName, ...] = ("nngp", "ntk") if self.name == "ntk" else ("nngp",)
        progress = _terminal(len(rows))
        matrices = self.kernel.matrices(rows, None, names, progress)
        covariance = matrices[0] if self.name == "ntk" else None
        matrix = matrices[-1]
        if len(self.jitters) == 1:
            best = self.jitters[0]
        else:
            errors = []
            for jitter in self.jitters:
                tried = condition(self.kernel, self.name, rows, answers, matrix.copy(), None, jitter, progress)
                errors.append(float(np.mean((tried.mean(validation_inputs) - validation_targets) ** 2)))
                del tried  # before the next copy
            best = self.jitters[int(np.argmin(errors))]
        self.jitter = best
        self.regression = condition(self.kernel, self.name, rows, answers, matrix, covariance, best, progress)

    def predict(self, inputs: Rows) -> NDArray[np.float64]:
        """Expected answers over initializations, (N,)."""
        return self._fitted().mean(inputs)

    def predict_with_deviation(self, inputs: Rows) -> tuple[Array, Array]:
        """Expected answers and their standard deviation over initializations, (N,) each.

        A deviation costs a solve with the kernel matrix: rows² operations a point.
        """
        regression = self._fitted()
        return regression.mean(inputs), np.sqrt(regression.variance(inputs))

    def certificate(self) -> float | None:
        """A proven bound of ``|predict(x)|`` over all x, ``√(C yᵀ Θ⁻¹ y)``; None where the diagonal is unbounded."""
        bound = tight_bound(self._fitted())
        return bound if np.isfinite(bound) else None

    def _fitted(self) -> Regression:
        if self.regression is None:
            raise RuntimeError("fit it first")
        return self.regression


def ntk(problem: Problem, scheme: NormScheme, options: KernelOptions) -> KernelRegression:
    """Every layer of a network of infinite width, trained for ever."""
    return _estimator("ntk", scheme, options)


def nngp(problem: Problem, scheme: NormScheme, options: KernelOptions) -> KernelRegression:
    """The read-out of a network of infinite width, trained for ever: a Gaussian process."""
    return _estimator("nngp", scheme, options)


def _estimator(name: KernelName, scheme: NormScheme, options: KernelOptions) -> KernelRegression:
    made = kernel(options.depth, options.activation, scheme, options.weight_std, options.bias_std)
    return KernelRegression(made, name, options.jitter)


def _terminal(rows: int) -> Progress | None:
    """Progress for people: only for many rows, on a terminal, and in the process that owns it."""
    if rows < _SHOWN_FROM or not sys.stderr.isatty() or multiprocessing.parent_process() is not None:
        return None

    def show(share: float) -> None:
        end = "\n" if share >= 1 else ""
        sys.stderr.write(f"\rkernel of {rows:,} rows: {share:4.0%}{end}")
        sys.stderr.flush()

    return show
