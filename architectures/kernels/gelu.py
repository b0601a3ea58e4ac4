"""GELU under Gaussian expectations: ``φ(z) = z Φ(z) = z/2 + z e(z)/2`` with ``e(z) = erf(z/√2)``.

The odd half ``z/2`` and the even half ``h(z)/2``, ``h(z) = z e(z)``, are orthogonal, so that

    E φ(u)φ(v) = (ab cos θ + H)/4,   H = E h(u)h(v) = ab cos θ · T + P · W.

By parts (Stein), with ``V = 1 + a² + b² + a²b² sin²θ``:

    T = E e(u)e(v) = 2/π · atan(ab cos θ / √V),   P = E e'(u)e'(v) = 2/(π √V),
    W = a² (b² + a²b² sin²θ)/(1+a²) + a²b² cos²θ/(1+b²) = 1 + V ρ,   ρ = (a²b² - 1)/((1+a²)(1+b²)),
    E φ'(u)φ'(v) = (1 + T + ab cos θ · P · (1/(1+a²) + 1/(1+b²) + 1/V))/4,   E φ = a²/√(2π(1+a²)).

The closed form agrees with that of Tsuchida et al., Avoiding Kernel Fixed Points (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from architectures.kernels.activations import PI, Pairs
from architectures.kernels.angles import Angles, Array, ratio

_SMALL = 0.05
# atan(y) - y/(1+y²) = Σ (-1)^(k+1) 2k/(2k+1) y^(2k+1)
_SERIES = tuple((-1) ** (k + 1) * 2 * k / (2 * k + 1) for k in range(1, 8))


@dataclass(frozen=True)
class Gelu:
    """GELU with the normal distribution function (Hendrycks and Gimpel, arXiv 1606.08415), no approximation."""

    def square(self, root: Array, centred: bool) -> Array:
        """See :class:`~architectures.kernels.activations.ActivationKernel`."""
        return root**2 * (_base(centred) - _deficit(root, root, centred))

    def slope(self, root: Array) -> Array:
        """See :class:`~architectures.kernels.activations.ActivationKernel`."""
        q = root**2
        size = 1 + 2 * q
        sign = 2 / PI * np.arctan2(q, np.sqrt(size))
        return (1 + sign + q * (2 / PI / np.sqrt(size)) * (2 / (1 + q) + 1 / size)) / 4

    def pairs(self, a: Array, b: Array, angles: Angles, centred: bool) -> Pairs:
        """See :class:`~architectures.kernels.activations.ActivationKernel`."""
        product, cos, near = a * b, angles.cos, angles.near
        ones = (1 + a**2) * (1 + b**2)
        more = (product * angles.sin) ** 2
        straight = np.sqrt(1 + a**2 + b**2)
        bent = np.sqrt(straight**2 + more)
        gain = more / (bent + straight)  # bent - straight
        sign = 2 / PI * np.arctan2(product * cos, bent)
        density = 2 / PI / bent
        even = product * cos * sign + density * (a**2 * (b**2 + more) / (1 + a**2) + (product * cos) ** 2 / (1 + b**2))
        sign_fall = 2 / PI * np.arctan2(product * (gain + near * straight), straight * bent + product**2 * cos)
        even_fall = product * (sign_fall + near * sign)
        even_fall += 2 / PI * gain * (1 / (bent * straight) - (product**2 - 1) / ones)
        between = _deficit(a, b, False)
        means = _mean(a) * _mean(b) if centred else 0.0
        return Pairs(
            inner=(product * cos + even) / 4 - means,
            fall=(product * near + even_fall) / 4,
            # the even half of <0> is ab (1 - 4 between)
            rise=(product * angles.far + product * (1 - 4 * between) + even) / 4 - 2 * means,
            apart=_apart(a, b, centred),
            slope=(1 + sign + product * cos * density * (1 / (1 + a**2) + 1 / (1 + b**2) + 1 / bent**2)) / 4,
        )


def _mean(root: Any) -> Any:
    return root**2 / np.sqrt(2 * PI * (1 + root**2))


def _base(centred: bool) -> float:
    """What ``E φ(u)φ(v) / ab`` at angle 0 tends to as a and b grow: that of ReLU."""
    return 0.5 - 1 / (2 * PI) if centred else 0.5


def _deficit(a: Any, b: Any, centred: bool) -> Any:
    """How much ``E φ(u)φ(v) / ab`` at angle 0 falls short of ReLU's, to full relative precision.

    With ``y = √V/ab``: ``(atan y - y/(1+y²) - y/((1+y²) V)) / 2π``, and centred less ``(1 - E φ E φ · 2π/ab) / 2π``.
    """
    product = a * b
    size = 1 + a**2 + b**2
    ones = size + product**2
    root = np.sqrt(size)
    y = ratio(root, product)
    plain = np.arctan2(root, product) - product * root / ones
    lost = np.where((y < _SMALL) & (product > 0), _series(np.minimum(y, _SMALL)), plain)
    short = (lost - product / (root * ones)) / (2 * PI)
    if centred:
        share = size / ones  # 1 - share is the square of E φ E φ · 2π/ab
        short = short - share / (1 + np.sqrt(1 - share)) / (2 * PI)
    return short


def _series(y: Any) -> Any:
    square, total = y**2, 0.0
    for coefficient in reversed(_SERIES):
        total = total * square + coefficient
    return total * y**3


def _apart(a: Array, b: Array, centred: bool) -> Array:
    one, other = _deficit(a, a, centred), _deficit(b, b, centred)
    both = _deficit(a, b, centred)
    gap = _base(centred) * (2 * both - one - other) + one * other - both**2
    return np.where(a == b, 0.0, np.maximum((a * b) ** 2 * gap, 0))
