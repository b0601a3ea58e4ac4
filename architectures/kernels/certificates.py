"""What is proven of a kernel's answers, and how diagonal, mean and variance grow.

For every x, by Cauchy and Schwarz in the kernel's space, with ``C = sup Θ(x,x)`` and ``A = Θ(X,X) + j I``:

    |mean(x)| ≤ √(C yᵀ A⁻¹ y) ≤ √(C n / λ_min(A)) · max |y|,

the right one being the bound of arXiv 2505.14512 (theorem 3.3). C is finite for ReLU and GELU with a norm anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from architectures.kernels.angles import Array, flat_rows
from architectures.kernels.infinite import Kernel, KernelName
from architectures.kernels.regression import Regression

GROWTH_RADII = tuple(10.0 ** (6 + step / 3) for step in range(7))
"""Distances between which exponents are read: 1e6 to 1e8, as those of networks are."""

_FURTHEST = 1e60  # a distance whose fourth power a float still holds
_MARGIN = 1e-9
_BOUNDED = 0.01


@dataclass(frozen=True)
class Bounds:
    """Bounds of ``|mean(x)|`` over all x, in the unit of the targets; infinite where the diagonal has no supremum.

    Attributes:
        supremum: C.
        theorem: ``√(C n / λ_min) max |y|``.
        tight: ``√(C yᵀ A⁻¹ y)``.
        least_eigenvalue: of A, jitter and all.
    """

    supremum: float
    theorem: float
    tight: float
    least_eigenvalue: float


@dataclass(frozen=True)
class KernelGrowth:
    """Exponents e of ``r^e`` along rays, between 1e6 and 1e8 times the given lengths.

    Attributes:
        diagonal: of the kernel's diagonal.
        mean: of the largest ``|mean|``.
        variance: of the largest variance, None where the regression keeps none.
    """

    diagonal: float
    mean: float
    variance: float | None


@lru_cache(maxsize=256)
def supremum(kernel: Kernel, name: KernelName = "ntk") -> float:
    """``sup over x of k(x,x)``; infinite where the diagonal grows without end.

    The diagonal depends on x through ``‖x‖/√d`` alone. It is searched over 2,001 values of that from 1e-6 to 1e12 (to 1
    after a norm at the input), refined around the largest, compared with its value at 0 and at 1e60, and widened
    by 1e-9 of itself.
    """
    from scipy.optimize import minimize_scalar

    entered = kernel.norms.entry is not None
    if not entered and diagonal_exponent(kernel, name, _FURTHEST**0.9, _FURTHEST) > _BOUNDED:
        return math.inf
    grid = np.linspace(-6, 0 if entered else 12, 2001)

    def at(logarithm: float) -> float:
        return float(kernel.diagonal_at(name, np.array([10.0**logarithm]))[0])

    values = kernel.diagonal_at(name, 10.0**grid)
    best = int(np.argmax(values))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    refined = -minimize_scalar(lambda where: -at(where), bounds=around, method="bounded").fun
    ends = kernel.diagonal_at(name, np.array([0.0, 1.0 if entered else _FURTHEST]))
    return float(max(refined, values.max(), ends.max()) * (1 + _MARGIN))


def diagonal_exponent(kernel: Kernel, name: KernelName, start: float = 1e6, stop: float = 1e8) -> float:
    """Exponent e of ``k(x,x) ~ ‖x‖^e`` between two values of ``‖x‖/√d``: 2 of ReLU without norm, 0 with one."""
    if kernel.norms.entry is not None:
        return 0.0
    low, high = np.log(kernel.diagonal_at(name, np.array([start, stop])))
    return float((high - low) / math.log(stop / start))


def bounds(regression: Regression) -> Bounds:
    """Both bounds of a regression; the theorem's needs λ_min, some thirty solves."""
    least = regression.factor.least_eigenvalue(regression.jitter)
    reach = supremum(regression.kernel, regression.name)
    theorem = math.sqrt(reach * len(regression.rows) / least) * regression.largest if regression.largest else 0.0
    return Bounds(reach, theorem, tight_bound(regression), least)


def tight_bound(regression: Regression) -> float:
    """``√(C yᵀ A⁻¹ y)``: no answer of the regression's mean is larger, wherever it is asked."""
    if not regression.energy:
        return 0.0
    return math.sqrt(supremum(regression.kernel, regression.name) * regression.energy)


def growth(regression: Regression, directions: ArrayLike, *, variance: bool = False) -> KernelGrowth:
    """How diagonal, mean and variance grow along rays ``r d``, r from 1e6 to 1e8.

    They may differ: of erf without norm the diagonal of the NTK grows as r¹, its mean does not.

    Args:
        regression: mean and variance are its.
        directions: d, (m, *shape), not zero.
        variance: whether to ask for variances, which cost a solve a point.
    """
    rays = flat_rows(directions, "directions")
    points = [radius * rays for radius in GROWTH_RADII]
    means = np.array([np.abs(regression.mean(p)).max() for p in points])
    diagonals = np.array([regression.kernel.diagonal(regression.name, p).max() for p in points])
    variances = np.array([regression.variance(p).max() for p in points]) if variance else None
    return KernelGrowth(_slope(diagonals), _slope(means), None if variances is None else _slope(variances))


def _slope(values: Array) -> float:
    if not np.all(values > 0):
        return 0.0
    return float(np.polyfit(np.log(GROWTH_RADII), np.log(values), 1)[0])
