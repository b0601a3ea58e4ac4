"""What an activation does to a kernel: Gaussian expectations of φ(u)φ(v) and φ'(u)φ'(v) in forms that do not cancel.

u and v are jointly normal with mean 0, deviations a and b, and correlation cos θ. Of two rows an activation gives

- ``inner``: ``<θ> = E φ(u)φ(v)``, less the product of the means where a layer norm takes them away;
- ``fall`` and ``rise``: ``<0> - <θ>`` and ``<0> + <θ>``, where ``<0>`` is the same at angle 0;
- ``apart``: ``<0>`` falls short of the rows' lengths, ``E φ(u)² E φ(v)² - <0>²``: 0 when a = b, and for every pair
  when φ is homogeneous.

The sine of the new angle is ``√(apart + fall · rise)`` over the lengths, a sum of terms that are not negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from architectures.kernels.angles import Angles, Array, ratio

PI = np.pi
_SMALL = 0.05
_PEAK, _HIGHEST = 0.7825, 1.07472449  # where root² E φ'² / E φ² of GELU is largest, and a little more than that is
# atan(y) - y/(1+y²) = Σ (-1)^(k+1) 2k/(2k+1) y^(2k+1)
_SERIES = tuple((-1) ** (k + 1) * 2 * k / (2 * k + 1) for k in range(1, 8))


@dataclass(frozen=True)
class PointPairs:
    """What an activation makes of pairs of rows (see the module); ``slope`` is ``E φ'(u)φ'(v)``. Each (n1, n2)."""

    inner: Array
    fall: Array
    rise: Array
    apart: Array | float
    slope: Array

    def angles(self, lengths: Array, others: Array) -> Angles:
        """Angles between the activated rows, given their lengths ``√E φ²``, (n1, 1) and (1, n2)."""
        size = lengths * others
        sin = np.sqrt(np.maximum(self.apart + self.fall * self.rise, 0))
        return Angles(ratio(self.inner, size), ratio(sin, size))


class ActivationKernel(Protocol):
    """What the recursion asks of an activation φ."""

    def square(self, root: Array, centred: bool) -> Array:
        """``E φ(u)²`` for deviations ``root``, less ``(E φ(u))²`` where ``centred``; the same shape."""
        ...

    def slope(self, root: Array) -> Array:
        """``E φ'(u)²``; the same shape."""
        ...

    def steepest(self, low: Array, high: Array) -> Array:
        """The largest ``root² E φ'² / E φ²`` over roots from ``low`` to ``high``; the same shape."""
        ...

    def pairs(self, a: Array, b: Array, angles: Angles, centred: bool) -> PointPairs:
        """All of it for deviations a (n1, 1) and b (1, n2) at those angles."""
        ...


def steepness(activation: ActivationKernel, root: Array) -> Array:
    """``root² E φ'² / E φ²``, by which an activation multiplies Θ/K on the diagonal; 1 at root 0."""
    return np.where(root == 0, 1.0, ratio(root**2 * activation.slope(root), activation.square(root, False)))


@dataclass(frozen=True)
class Bent:
    """``φ(z) = max(z, leak · z)``: the identity at leak 1, ReLU at 0 (Cho and Saul, NeurIPS 2009), leaky ReLU between.

    With ``k = (sin θ - θ cos θ)/π`` and ``l = leak``:
    ``E φφ' = ab/2 · (2 l cos θ + (1-l)² (cos θ + k))``, ``E φ'φ' = l + (1-l)² (π - θ)/2π``, ``E φ = (1-l) a/√2π``.
    """

    leak: float

    def square(self, root: Array, centred: bool) -> Array:
        """See :class:`ActivationKernel`."""
        mean = (1 - self.leak) ** 2 / (2 * PI) if centred else 0.0
        return root**2 * ((1 + self.leak**2) / 2 - mean)

    def slope(self, root: Array) -> Array:
        """See :class:`ActivationKernel`."""
        return np.full_like(root, (1 + self.leak**2) / 2)

    def steepest(self, low: Array, high: Array) -> Array:
        """See :class:`ActivationKernel`: 1, as φ is homogeneous."""
        return np.ones_like(high)

    def pairs(self, a: Array, b: Array, angles: Angles, centred: bool) -> PointPairs:
        """See :class:`ActivationKernel`."""
        half = a * b / 2
        near, far = angles.near, angles.far
        bend = (1 - self.leak) ** 2
        if not bend:
            return PointPairs(2 * half * angles.cos, 2 * half * near, 2 * half * far, 0.0, np.ones_like(near))
        theta = angles.theta
        k = (angles.sin - theta * angles.cos) / PI
        mean = bend / PI if centred else 0.0
        straight = 2 * self.leak
        return PointPairs(
            inner=half * (straight * angles.cos + bend * (angles.cos + k) - mean),
            fall=half * (straight * near + bend * (near - k)),
            rise=half * (straight * far + bend * (far + k) - 2 * mean),
            apart=0.0,
            slope=self.leak + bend * (PI - theta) / (2 * PI),
        )


@dataclass(frozen=True)
class Erf:
    """The error function (Williams, NeurIPS 1996).

    With ``R = √(1 + 2a² + 2b² + 4a²b² sin²θ)``: ``E φφ' = 2/π · atan(2ab cos θ / R)`` and ``E φ'φ' = 4/(π R)``. It is
    odd, so its mean is 0 and ``<0> + <θ>`` is ``<0> - <π - θ>``.
    """

    def square(self, root: Array, centred: bool) -> Array:
        """See :class:`ActivationKernel`."""
        result: Array = 2 / PI * self._turn(root)
        return result

    def slope(self, root: Array) -> Array:
        """See :class:`ActivationKernel`."""
        return 4 / PI / np.sqrt(1 + 4 * root**2)

    def steepest(self, low: Array, high: Array) -> Array:
        """See :class:`ActivationKernel`: it rises with the root."""
        return steepness(self, high)

    def pairs(self, a: Array, b: Array, angles: Angles, centred: bool) -> PointPairs:
        """See :class:`ActivationKernel`."""
        product = 2 * a * b
        straight = np.sqrt(1 + 2 * a**2 + 2 * b**2)
        more = (product * angles.sin) ** 2
        bent = np.sqrt(straight**2 + more)
        gain = more / (bent + straight)

        def difference(gap: Array, cos: Array) -> Array:
            result: Array = 2 / PI * np.arctan2(product * (gain + straight * gap), straight * bent + product**2 * cos)
            return result

        return PointPairs(
            inner=2 / PI * np.arctan2(product * angles.cos, bent),
            fall=difference(angles.near, angles.cos),
            rise=difference(angles.far, -angles.cos),
            apart=self._apart(a, b),
            slope=4 / PI / bent,
        )

    def _turn(self, root: Any) -> Any:
        return np.arctan2(2 * root**2, np.sqrt(1 + 4 * root**2))

    def _apart(self, a: Array, b: Array) -> Array:
        """``A B - C²`` for the angles of (a, a), (b, b), (a, b), by their differences ``A - C`` and ``B - C``."""
        straight = np.sqrt(1 + 2 * a**2 + 2 * b**2)
        one, other = self._less(a, b, straight), self._less(b, a, straight)
        between = np.arctan2(2 * a * b, straight)
        return (2 / PI) ** 2 * np.maximum(between * (one + other) + one * other, 0)

    @staticmethod
    def _less(a: Array, b: Array, straight: Array) -> Array:
        alone = np.sqrt(1 + 4 * a**2)
        up = ratio(2 * a * (a - b) * (a + b) * (1 + 2 * a**2), a * straight + b * alone)
        result: Array = np.arctan2(up, alone * straight + 4 * a**3 * b)
        return result


@dataclass(frozen=True)
class Gelu:
    """GELU (Hendrycks and Gimpel, arXiv 1606.08415): ``φ(z) = z/2 + z e(z)/2`` with ``e(z) = erf(z/√2)``.

    The odd half ``z/2`` and the even half ``h(z)/2``, ``h(z) = z e(z)``, are orthogonal, so that
    ``E φφ' = (ab cos θ + H)/4`` with ``H = E h(u)h(v) = ab cos θ · T + P · W``. By parts (Stein), with
    ``V = 1 + a² + b² + a²b² sin²θ``:

        T = E e(u)e(v) = 2/π · atan(ab cos θ / √V),   P = E e'(u)e'(v) = 2/(π √V),
        W = a² (b² + a²b² sin²θ)/(1+a²) + a²b² cos²θ/(1+b²) = 1 + V (a²b² - 1)/((1+a²)(1+b²)),
        E φ'φ' = (1 + T + ab cos θ · P · (1/(1+a²) + 1/(1+b²) + 1/V))/4,   E φ = a²/√(2π(1+a²)).

    A closed form is in Tsuchida et al., Avoiding Kernel Fixed Points (2021); this one is arranged so as not to cancel.
    """

    def square(self, root: Array, centred: bool) -> Array:
        """See :class:`ActivationKernel`."""
        result: Array = root**2 * (_base(centred) - _deficit(root, root, centred))
        return result

    def slope(self, root: Array) -> Array:
        """See :class:`ActivationKernel`."""
        q = root**2
        size = 1 + 2 * q
        sign = 2 / PI * np.arctan2(q, np.sqrt(size))
        return (1 + sign + q * (2 / PI / np.sqrt(size)) * (2 / (1 + q) + 1 / size)) / 4

    def steepest(self, low: Array, high: Array) -> Array:
        """See :class:`ActivationKernel`: it rises to one peak and falls again to 1."""
        ends = np.maximum(steepness(self, low), steepness(self, high))
        return np.where((low < _PEAK) & (high > _PEAK), _HIGHEST, ends)

    def pairs(self, a: Array, b: Array, angles: Angles, centred: bool) -> PointPairs:
        """See :class:`ActivationKernel`."""
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
        return PointPairs(
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
