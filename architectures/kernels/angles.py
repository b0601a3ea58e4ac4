"""Angles between rows, kept so that nothing cancels near 0 and near π.

A kernel matrix K is kept as the roots ``√K(x,x)`` of its rows and, for each pair, the cosine and the sine of the angle
between them. From ``1 - cos θ`` alone an angle of 1e-8 is lost to rounding, and with it a share of 1e-8 of every
kernel of ReLU; the sine keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import InputError

Array = NDArray[np.float64]

_CLOSE = 1e-5  # below this distance of |cos| from 1 an angle is read off differences
_PAIR_NUMBERS = 1 << 22


@dataclass(frozen=True)
class Angles:
    """Angles θ between two sets of vectors, as cosines and sines, each (n1, n2)."""

    cos: Array
    sin: Array

    @property
    def near(self) -> Array:
        """``1 - cos θ`` to full relative precision."""
        return self._less_one(self.cos)

    @property
    def far(self) -> Array:
        """``1 + cos θ`` to full relative precision."""
        return self._less_one(-self.cos)

    @property
    def theta(self) -> Array:
        """θ in [0, π]."""
        return np.arctan2(self.sin, self.cos)

    def _less_one(self, cosine: Array) -> Array:
        # 1 - c = s² / (1 + c) where c > 0
        return np.where(cosine > 0, self.sin**2 / (1 + np.abs(cosine)), 1 - cosine)


def ratio(numerator: Any, denominator: Any) -> Any:
    """``numerator / denominator``, and 0 where the denominator is 0 (there the numerator is 0 as well)."""
    safe = np.where(denominator == 0, 1.0, denominator)
    return np.where(denominator == 0, 0.0, numerator / safe)


def flat_rows(inputs: Any, name: str = "x") -> Array:
    """Inputs (n, *shape) as float64 rows (n, d).

    Raises:
        InputError: they are no rows of finite numbers.
    """
    rows = np.asarray(inputs, dtype=np.float64)
    if rows.ndim < 2:
        raise InputError(f"{name} has the shape {rows.shape}", hint="rows of inputs, (n, d)")
    rows = rows.reshape(len(rows), int(np.prod(rows.shape[1:])))
    if not rows.shape[1]:
        raise InputError(f"{name} has no features", hint="rows of inputs, (n, d)")
    if not np.isfinite(rows).all():
        raise InputError(f"{name} has numbers that are not finite", hint="drop or fill those rows")
    return rows


@dataclass(frozen=True)
class Directions:
    """Rows as directions and lengths.

    Attributes:
        units: (n, d), each of norm 1 (0 for a row of zeros).
        roots: ``‖x‖ / √d``, (n,).
    """

    units: Array
    roots: Array

    @classmethod
    def of(cls, rows: Array) -> Directions:
        """Split rows (n, d)."""
        largest = np.abs(rows).max(axis=1, keepdims=True)  # so that squares neither overflow nor vanish
        scaled = ratio(rows, largest)
        lengths = np.sqrt(np.einsum("nd,nd->n", scaled, scaled))[:, None]
        return cls(ratio(scaled, lengths), (lengths * largest)[:, 0] / np.sqrt(rows.shape[1]))

    def part(self, chosen: slice) -> Directions:
        """Some of the rows."""
        return Directions(self.units[chosen], self.roots[chosen])

    def angles(self, others: Directions) -> Angles:
        """Angles to ``others``, to about 1e-15 also where they are close to 0 or π."""
        cos = np.clip(self.units @ others.units.T, -1, 1)
        sin = np.sqrt((1 - cos) * (1 + cos))
        for i, j in _pieces(np.nonzero(np.abs(cos) > 1 - _CLOSE), self.units.shape[1]):
            sign = np.sign(cos[i, j])
            gap = self.units[i] - sign[:, None] * others.units[j]
            half = np.sqrt(np.einsum("nd,nd->n", gap, gap)) / 2  # sin(θ / 2), or cos(θ / 2) at the far end
            sin[i, j] = 2 * half * np.sqrt(1 - half**2)
            cos[i, j] = sign * (1 - 2 * half**2)
        return Angles(cos, sin)


def _pieces(found: tuple[Any, ...], width: int) -> Iterator[tuple[Any, Any]]:
    first, second = found
    step = max(1, _PAIR_NUMBERS // width)
    for start in range(0, len(first), step):
        yield first[start : start + step], second[start : start + step]
