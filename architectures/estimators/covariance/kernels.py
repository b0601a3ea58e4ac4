"""Covariance functions where their search for the greatest marginal likelihood starts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Hyperparameter,
    Kernel,
    NormalizedKernelMixin,
    StationaryKernelMixin,
    WhiteKernel,
)

from architectures.estimators.covariance.words import Covariance, parts_of

Rows = NDArray[np.float64]
PERIODS = (2.0, 1.0, 2 / 3, 1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8)  # that a search starts from, in ranges of the inputs


class Periodic(StationaryKernelMixin, NormalizedKernelMixin, Kernel):  # type: ignore[misc]  # scikit-learn has no types
    """``exp(-2 Σᵢ sin²(π (xᵢ - x'ᵢ) / p) / l²)``, the same period p along every axis (MacKay 1998).

    scikit-learn's ``ExpSineSquared`` takes the sine of the Euclidean distance, which is positive definite in one
    dimension only. There the two are the same.
    """

    def __init__(
        self,
        length_scale: float = 1.0,
        periodicity: float = 1.0,
        length_scale_bounds: tuple[float, float] = (1e-5, 1e5),
        periodicity_bounds: tuple[float, float] = (1e-5, 1e5),
    ) -> None:
        self.length_scale, self.periodicity = length_scale, periodicity
        self.length_scale_bounds, self.periodicity_bounds = length_scale_bounds, periodicity_bounds

    @property
    def hyperparameter_length_scale(self) -> Hyperparameter:
        """Length l, as scikit-learn asks for it."""
        return Hyperparameter("length_scale", "numeric", self.length_scale_bounds)

    @property
    def hyperparameter_periodicity(self) -> Hyperparameter:
        """Period p, as scikit-learn asks for it."""
        return Hyperparameter("periodicity", "numeric", self.periodicity_bounds)

    def __call__(self, X: Rows, Y: Rows | None = None, eval_gradient: bool = False) -> Any:
        """The matrix (n, m), and on request its derivatives (n, n, 2) by log l and log p.

        ``sin²((u - v)/2) = (1 - cos u cos v - sin u sin v) / 2`` makes sums over axes of products of matrices.
        """
        left, right = np.atleast_2d(X), np.atleast_2d(X if Y is None else Y)
        u, v = (2 * np.pi / self.periodicity * rows for rows in (left, right))
        cosines, sines = (np.cos(u), np.cos(v)), (np.sin(u), np.sin(v))
        alike = cosines[0] @ cosines[1].T + sines[0] @ sines[1].T
        squares = np.maximum(left.shape[1] - alike, 0.0) / 2
        if Y is None:
            np.fill_diagonal(squares, 0.0)
        matrix = np.exp(-2 * squares / self.length_scale**2)
        if not eval_gradient:
            return matrix
        by_length = matrix * 4 * squares / self.length_scale**2
        # Σᵢ (uᵢ - vᵢ) sin(uᵢ - vᵢ)
        turned = (u * sines[0]) @ cosines[1].T - (u * cosines[0]) @ sines[1].T
        turned += cosines[0] @ (v * sines[1]).T - sines[0] @ (v * cosines[1]).T
        return matrix, np.dstack([by_length, matrix * turned / self.length_scale**2])

    def __repr__(self) -> str:
        return f"Periodic(length_scale={self.length_scale:.3g}, periodicity={self.periodicity:.3g})"


def starts(covariance: Covariance, rows: Rows) -> list[Any]:
    """Kernels where a search starts, noise at a tenth: one, or one a period.

    RBF: length at the median distance between rows. Linear: ``c (1 + x·x')``, a variance of 1 at a typical row, as
    inputs are standardized. Periodic: see :data:`PERIODS`; the range is the median one over the features that vary.
    """
    apart = pdist(rows) if len(rows) > 1 else np.ones(1)
    middle = float(np.median(apart[apart > 0])) if np.any(apart > 0) else 1.0
    wanted = parts_of(covariance)
    # with a strong one, a search over periods ends without them
    weight = ConstantKernel(0.01, (1e-6, 1e4)) if "periodic" in wanted else ConstantKernel(1.0, (1e-3, 1e4))
    kernel = weight * RBF(middle, (1e-3 * middle, 1e3 * middle))
    if "linear" in wanted:
        slope = 1 / (1 + rows.shape[1])
        kernel = kernel + ConstantKernel(slope, (1e-6 * slope, 1e4 * slope)) * DotProduct(1.0, "fixed")
    noise = WhiteKernel(0.1, (1e-6, 1e1))
    if "periodic" not in wanted:
        return [kernel + noise]
    return [kernel + ConstantKernel(1.0, (1e-6, 1e4)) * period + noise for period in _periodic(rows)]


def _periodic(rows: Rows) -> list[Periodic]:
    extent = np.ptp(rows, axis=0)
    span = float(np.median(extent[extent > 0])) if np.any(extent > 0) else 1.0
    length = float(np.sqrt(rows.shape[1]))
    bounds = (0.1 * length, 100 * length), (span / 50, 4 * span)
    return [Periodic(length, share * span, *bounds) for share in PERIODS]
