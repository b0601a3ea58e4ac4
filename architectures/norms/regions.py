"""Regions of vectors, and what affine maps, averages, sums and products make of them; all in float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_block_diagonal: Callable[..., Tensor] = torch.block_diag


@dataclass(frozen=True)
class Anything:
    """Nothing is known of the vector but how long it is (0: not even that)."""

    width: int = 0


@dataclass(frozen=True)
class Ball:
    """Whatever entries of one input are looked at together, their Euclidean norm is at most ``radius``."""

    radius: float

    def of_width(self, width: int) -> Region:
        """The region of ``width`` of the entries."""
        reach = torch.full((width,), self.radius, dtype=torch.float64)
        return Region(-reach, reach, torch.zeros_like(reach), torch.diag(reach))


@dataclass(frozen=True)
class Region:
    """Vectors inside a box and inside an ellipsoid ``{centre + shape u : ‖u‖₂ ≤ 1}``.

    Args:
        low, high: corners of the box, (dim,).
        centre: (dim,).
        shape: (dim, any).
    """

    low: Tensor
    high: Tensor
    centre: Tensor
    shape: Tensor

    @classmethod
    def box(cls, low: Tensor, high: Tensor) -> Region:
        """A box, in the ellipsoid with its proportions that contains it."""
        half = (high - low) / 2
        return cls(low, high, (low + high) / 2, torch.diag(half * math.sqrt(len(half))))

    @classmethod
    def of(cls, low: Tensor, high: Tensor, centre: Tensor, shape: Tensor) -> Region:
        """Box and ellipsoid, the box cut down to what the ellipsoid allows along the axes."""
        if shape.shape[1] > shape.shape[0]:
            left, values, _ = torch.linalg.svd(shape, full_matrices=False)
            shape = left * values
        reach = shape.norm(dim=1)
        return cls(torch.maximum(low, centre - reach), torch.minimum(high, centre + reach), centre, shape)

    @property
    def radius(self) -> float:
        """Longest half-axis of the ellipsoid."""
        return float(torch.linalg.matrix_norm(self.shape, 2))

    @property
    def greatest(self) -> float:
        """An upper bound of the largest entry in absolute value."""
        return float(torch.maximum(self.low.abs(), self.high.abs()).max())

    def affine(self, weight: Tensor, bias: Tensor) -> Region:
        """The region of ``weight x + bias``."""
        middle = weight @ self.centre + bias
        low, high = middle - self.support(-weight), middle + self.support(weight)
        return Region.of(low, high, middle, weight @ self.shape)

    def support(self, weight: Tensor) -> Tensor:
        """An upper bound of ``weight (x - centre)`` for each row of ``weight`` (rows, dim).

        The entries of a row may be split in any way between the box, which bounds each by itself, and the ellipsoid,
        which bounds their sum. Tried are the box alone, the ellipsoid alone, and the box for those entries that it
        leaves little room (after a relu: those that cannot be negative).
        """
        room = torch.maximum(weight * (self.high - self.centre), weight * (self.low - self.centre))
        tight = room < weight.abs() * self.shape.norm(dim=1) / 8
        split = (room * tight).sum(1) + ((weight * ~tight) @ self.shape).norm(dim=1)
        return torch.stack([room.sum(1), (weight @ self.shape).norm(dim=1), split]).amin(0)

    def part(self, start: int, stop: int) -> Region:
        """The region of some of the entries."""
        own = slice(start, stop)
        return Region.of(self.low[own], self.high[own], self.centre[own], self.shape[own])

    def mapped(self, low: Tensor, high: Tensor, centre: Tensor, lipschitz: float) -> Region:
        """The region of f(x) elementwise, given the image of the box, f(centre), and a Lipschitz constant of f."""
        radius = lipschitz * self.radius
        if float((high - low).norm()) / 2 <= radius:
            return Region.box(low, high)
        return Region.of(low, high, centre, radius * torch.eye(len(centre), dtype=centre.dtype))

    def mixed(self, heads: int) -> Region:
        """Averages of vectors, with other weights in each of ``heads`` equal parts.

        Each part lies in the projection of this region, but the parts need not belong to one vector:
        ``(S_h u_h)_h`` with every ``‖u_h‖ ≤ 1`` has ``‖(u_h)_h‖ ≤ √heads``.
        """
        shape = math.sqrt(heads) * _block_diagonal(*self.shape.chunk(heads)) if heads > 1 else self.shape
        return Region.of(self.low, self.high, self.centre, shape)

    def plus(self, other: Region) -> Region:
        """The Minkowski sum: of the boxes exactly, of the ellipsoids inside one of a family of ellipsoids.

        ``S₁u + S₂v = [√t S₁, √s S₂] (u/√t, v/√s)`` and ``‖(u/√t, v/√s)‖² ≤ 1/t + 1/s``, which is 1 for
        t = (ρ₁ + ρ₂)/ρ₁ and s = (ρ₁ + ρ₂)/ρ₂.
        """
        radii = (self.radius, other.radius)
        pairs = zip(radii, (self.shape, other.shape), strict=True)
        ways = [math.sqrt(sum(radii) / radius) * shape for radius, shape in pairs if radius > 0]
        shape = torch.cat(ways, dim=1) if ways else self.shape
        return Region.of(self.low + other.low, self.high + other.high, self.centre + other.centre, shape)

    def times(self, other: Region) -> Region:
        """The box of the elementwise products."""
        corners = torch.stack([a * b for a in (self.low, self.high) for b in (other.low, other.high)])
        return Region.box(corners.amin(0), corners.amax(0))

    def with_zero(self) -> Region:
        """A box that contains this region and the origin."""
        return Region.box(self.low.clamp_max(0), self.high.clamp_min(0))

    @classmethod
    def around(cls, regions: Sequence[Region]) -> Region:
        """A region that contains all of ``regions`` and every average of their vectors."""
        if len(regions) == 1:
            return regions[0]
        low, high = torch.stack([r.low for r in regions]), torch.stack([r.high for r in regions])
        return cls.box(low.amin(0), high.amax(0))


Known = Region | Anything | Ball


def ellipsoid(gain: Tensor, shift: Tensor, shape: Tensor, greatest: float) -> Region:
    """``shift + gain ⊙ u`` for u in the ellipsoid of ``shape`` with no entry above ``greatest``."""
    reach = gain.abs() * greatest
    return Region.of(shift - reach, shift + reach, shift, gain[:, None] * shape)
