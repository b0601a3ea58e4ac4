"""What is proven of a kernel's answers, and how diagonal, mean and variance grow.

For every x, by Cauchy and Schwarz in the kernel's space, with ``C = sup Θ(x,x)`` and ``A = Θ(X,X) + j I``:

    |mean(x)| ≤ √(C yᵀ A⁻¹ y) ≤ √(C n / λ_min(A)) · max |y|,

the right one being the bound of arXiv 2505.14512. C is finite for ReLU and GELU with a norm anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from architectures.kernels.angles import Array, flat_rows, ratio
from architectures.kernels.infinite import Kernel, KernelName
from architectures.kernels.places import HiddenNorms, KernelNorm
from architectures.kernels.recursion import Network
from architectures.kernels.regression import Regression

GROWTH_RADII = tuple(10.0 ** (6 + step / 3) for step in range(7))
"""Distances between which exponents are read: 1e6 to 1e8, as those of networks are."""

_FURTHEST = 1e60  # a distance whose fourth power a float still holds
_INTERVALS = 20_000
_MARGIN = 1e-9  # for the rounding of the bound itself
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
    """An upper bound of ``k(x,x)`` over all x with ``‖x‖/√d`` up to 1e60; infinite where the diagonal grows.

    The diagonal depends on x through ``‖x‖/√d`` alone. That is cut into 20,000 intervals (from 0 to 1 after a norm at
    the input). On each, every step is monotone in K, so that its ends bound K; and ``Θ/K`` is bounded by what a linear
    map, an activation and a norm make of it at most. The bound lies within 1% of the largest value (tested).
    """
    entered = kernel.norms.entry is not None
    if not entered and diagonal_exponent(kernel, name, _FURTHEST**0.9, _FURTHEST) > _BOUNDED:
        return math.inf
    inside = np.logspace(-6, 0 if entered else 12, _INTERVALS)
    edges = np.concatenate([[0.0], inside, [] if entered else [_FURTHEST]])
    reach = _Reach(edges[:-1], edges[1:], np.zeros(len(edges) - 1))
    for norms in kernel.network.hidden:
        reach = reach.after_layer(kernel.network, norms)
    reach = reach.after_linear(kernel.network)
    return float(np.max(reach.high**2 * (reach.share if name == "ntk" else 1.0)) * (1 + _MARGIN))


@dataclass(frozen=True)
class _Reach:
    """On intervals of the input: roots of K from ``low`` to ``high``, and ``Θ/K`` at most ``share``; each (n,)."""

    low: Array
    high: Array
    share: Array

    def after_linear(self, network: Network) -> _Reach:
        """``Θ'/K' = 1 + Θ/K · w²K/K'``, which rises with K."""
        low, high = network.linear(self.low), network.linear(self.high)
        return _Reach(low, high, 1 + self.share * ratio(network.weight_std * self.high, high) ** 2)

    def after_norm(self, norm: KernelNorm | None) -> _Reach:
        """Θ and K are divided by the same number."""
        if norm is None:
            return self
        low, high = (root / np.sqrt(root**2 + norm.eps) for root in (self.low, self.high))
        return _Reach(low, high, self.share)

    def after_layer(self, network: Network, norms: HiddenNorms) -> _Reach:
        """Linear map, norm, activation, norm; what share of ``E φ²`` centring takes away rises with the root."""
        entered = self.after_linear(network).after_norm(norms.before)
        activation, centred = network.activation, norms.after is not None and norms.after.centred
        share = entered.share * activation.steepest(entered.low, entered.high)
        if centred:
            share = share * ratio(activation.square(entered.high, False), activation.square(entered.high, True))
        low, high = (np.sqrt(activation.square(root, centred)) for root in (entered.low, entered.high))
        return _Reach(low, high, share).after_norm(norms.after)


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
