"""What is known of a tensor of a network whatever its input: a box, and where vectors lie in it.

A value of shape (rows, 5, 8) may be known by the box of each entry, the same for every row; by the region
(:mod:`architectures.norms.regions`) of its vectors along some axes, the same at all other positions; or by the
Euclidean norm of everything in one row. Values that are joined along an axis (a class token and the others) are known
apart. All in float64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor

from architectures.norms.regions import Ball, Region

Shape = tuple[int | None, ...]
"""Sizes of the axes; None is the number of rows."""

INFINITE = torch.tensor(math.inf, dtype=torch.float64)
WIDEST: ContextVar[int] = ContextVar("WIDEST", default=2048)
"""Vectors longer than this are followed by their boxes alone: an ellipsoid of n entries takes n² numbers."""


@dataclass(frozen=True)
class Vectors:
    """The vectors along ``axes``, flattened in that order, lie in ``region`` at every other position."""

    region: Region
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Longer:
    """This value is at least ``factor · ‖x‖^power`` over ``axes`` of the value ``of`` (power −1: at most).

    ``centred``: of that value less its mean over those axes.
    """

    of: str
    axes: tuple[int, ...]
    factor: float
    power: int
    centred: bool = False


@dataclass(frozen=True)
class Known:
    """What is known of one tensor.

    Args:
        shape: of the tensor.
        low, high: bounds of its entries, of as many axes; size 1 where all positions have the same.
        vectors: where vectors lie, if anything is known beyond the box.
        ball: largest Euclidean norm of all entries of one row.
        averages: axis along which the entries are non-negative and sum to one.
        longer: what it is compared with, for divisions by a norm.
        square_of, centred_of: name of the value whose squares it is; of the value (and axes) that it is less its mean.
        mean_of: of the value whose mean over axes it is.
    """

    shape: Shape
    low: Tensor
    high: Tensor
    vectors: Vectors | None = None
    ball: float = math.inf
    averages: int | None = None
    longer: Longer | None = None
    square_of: str = ""
    mean_of: tuple[str, tuple[int, ...]] = ("", ())
    centred_of: tuple[str, tuple[int, ...]] = ("", ())

    @property
    def bounded(self) -> bool:
        """Whether every entry has finite bounds."""
        return bool(self.low.isfinite().all() and self.high.isfinite().all())


@dataclass(frozen=True)
class Joined:
    """Pieces after one another along ``axis``."""

    axis: int
    pieces: tuple[Known, ...]

    @property
    def shape(self) -> Shape:
        """Of the whole."""
        first = self.pieces[0].shape
        length = sum(piece.shape[self.axis] or 0 for piece in self.pieces)
        return (*first[: self.axis], length, *first[self.axis + 1 :])

    @property
    def lengths(self) -> tuple[int, ...]:
        """Of the pieces."""
        return tuple(piece.shape[self.axis] or 0 for piece in self.pieces)


Value = Known | Joined


def anything(shape: Shape) -> Known:
    """Nothing is known but the shape."""
    ends = INFINITE.reshape((1,) * len(shape))
    return Known(shape, -ends, ends)


def affine_box(low: Tensor, high: Tensor, weight: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds of ``weight x + shift`` for vectors along the last axis of a finite box."""
    middle, reach = (low + high) / 2 @ weight.T + shift, (high - low) / 2 @ weight.abs().T
    return middle - reach, middle + reach


def known(shape: Shape, low: Tensor, high: Tensor, vectors: Vectors | None = None, ball: float = math.inf) -> Known:
    """A value whose box is cut down to what its region allows; bounds that are no numbers are infinite."""
    low, high = _ranked(low, len(shape)), _ranked(high, len(shape))
    low = torch.where(low.isnan(), -INFINITE, low)
    high = torch.where(high.isnan(), INFINITE, high)
    if vectors is not None:
        low = torch.maximum(low, _placed(vectors.region.low, shape, vectors.axes))
        high = torch.minimum(high, _placed(vectors.region.high, shape, vectors.axes))
    return Known(shape, low, high, vectors, ball)


def exactly(tensor: Tensor, rank: int) -> Known:
    """A constant as a value with ``rank`` axes, the same in every row."""
    there = _ranked(tensor.double(), rank)
    return Known(tuple(there.shape), there, there)


def of_region(shape: Shape, region: Region, axes: tuple[int, ...]) -> Known:
    """A value of which a region is known."""
    ends = INFINITE.reshape((1,) * len(shape))
    return known(shape, -ends, ends, Vectors(region, axes))


def merged(value: Value) -> Known:
    """Joined pieces as one value: their boxes beside one another, the hull of their regions."""
    if isinstance(value, Known):
        return value
    axis, shape = value.axis, value.shape
    low, high = (_beside([getattr(piece, end) for piece in value.pieces], value) for end in ("low", "high"))
    found = [piece.vectors for piece in value.pieces]
    axes = next((one.axes for one in found if one is not None), ())
    regions = [region_on(piece, axes) for piece in value.pieces] if axes and axis not in axes else []
    if not regions or any(region is None for region in regions):
        return Known(shape, low, high)
    return known(shape, low, high, Vectors(Region.around([r for r in regions if r is not None]), axes))


def region_on(value: Known, axes: tuple[int, ...]) -> Region | None:
    """Where the vectors along ``axes`` lie at every position; None where they have no bound, or are too long."""
    size = math.prod(value.shape[axis] or 1 for axis in axes)
    if value.vectors is not None and value.vectors.axes == axes and len(value.vectors.region.centre) == size:
        return value.vectors.region
    if size > WIDEST.get() or any(value.shape[axis] is None for axis in axes):
        return None
    if math.isfinite(value.ball):
        return Ball(value.ball).of_width(size)
    if not value.bounded:
        return None
    low, high = flat_box(value, axes)
    return Region.box(low, high)


def along(flat: Tensor, shape: Shape, axis: int) -> Tensor:
    """Numbers of the vectors along one axis, in a tensor of as many axes as ``shape``."""
    return _placed(flat, (*shape[:axis], len(flat), *shape[axis + 1 :]), (axis,))


def flat_box(value: Known, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The box of the vectors along ``axes`` that holds at every position."""
    others = tuple(axis for axis in range(len(value.shape)) if axis not in axes)
    sizes = [value.shape[axis] or 1 for axis in axes]
    low = value.low.amin(others, keepdim=True) if others else value.low
    high = value.high.amax(others, keepdim=True) if others else value.high
    ends = [end.permute(*axes, *others).reshape([end.shape[axis] for axis in axes]) for end in (low, high)]
    return ends[0].expand(sizes).reshape(-1), ends[1].expand(sizes).reshape(-1)


def spread(value: Known, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The box with its full size along ``axes``."""
    sizes = [(value.shape[axis] or 1) if axis in axes else value.low.shape[axis] for axis in range(value.low.dim())]
    tall = [(value.shape[axis] or 1) if axis in axes else value.high.shape[axis] for axis in range(value.high.dim())]
    return value.low.expand(sizes), value.high.expand(tall)


def reshaped(value: Known, shape: Shape) -> Known:
    """The same numbers in another shape."""
    low, high = value.low, value.high
    axes: list[int] | None = list(value.vectors.axes) if value.vectors is not None else None
    groups = _groups(value.shape, shape)
    lows, sizes = [], []
    renamed: dict[int, list[int]] = {}
    for old, new in groups:
        rows = any(value.shape[axis] is None for axis in old) or any(shape[axis] is None for axis in new)
        trivial = len(old) == len(new) == 1
        if rows and not trivial:
            low = low.amin(old, keepdim=True) if old else low
            high = high.amax(old, keepdim=True) if old else high
            if axes is not None and set(axes) & set(old):
                axes = None
        single = all(low.shape[axis] == high.shape[axis] == 1 for axis in old)
        full = [value.shape[axis] or 1 for axis in old]
        lows += [1] * len(old) if single else full
        sizes += [1] * len(new) if single else [shape[axis] or 1 for axis in new]
        if axes is not None:
            axes = _regrouped(axes, old, renamed, new)
    low, high = low.expand(lows).reshape(sizes), high.expand(lows).reshape(sizes)
    vectors = None
    if axes is not None and value.vectors is not None:
        vectors = Vectors(value.vectors.region, tuple(n for axis in axes for n in renamed[axis]))
    return Known(shape, low, high, vectors, value.ball)


def _regrouped(axes: list[int], old: list[int], renamed: dict[int, list[int]], new: list[int]) -> list[int] | None:
    """``axes`` with those of a group standing for the new ones; None where the group mixes them with others."""
    inside = [axis for axis in axes if axis in old]
    if not inside:
        return axes
    start = axes.index(inside[0])
    if inside != old or axes[start : start + len(old)] != old:
        return None
    renamed |= {old[0]: new, **{axis: [] for axis in old[1:]}}
    return axes


def _groups(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """Axes of both shapes that hold the same numbers, matched from the right; those with the rows come first."""
    groups: list[tuple[list[int], list[int]]] = []
    i, j = len(old), len(new)
    while i > 0 and j > 0 and old[i - 1] is not None and new[j - 1] is not None:
        top, low = i, j
        i, j = i - 1, j - 1
        mine, theirs = old[i] or 1, new[j] or 1
        while mine != theirs:
            if mine < theirs:
                i -= 1
                size = old[i] if i >= 0 else None
            else:
                j -= 1
                size = new[j] if j >= 0 else None
            if size is None:
                return [(list(range(top)), list(range(low))), *groups]
            mine, theirs = (mine * size, theirs) if mine < theirs else (mine, theirs * size)
        groups.insert(0, (list(range(i, top)), list(range(j, low))))
    return [(list(range(i)), list(range(j))), *groups] if i or j else groups


def permuted(value: Known, order: Sequence[int]) -> Known:
    """Axis k of the result is axis ``order[k]``."""
    order = [axis % len(value.shape) for axis in order]
    vectors = None
    if value.vectors is not None:
        axes = tuple(order.index(axis) for axis in value.vectors.axes)
        vectors = Vectors(value.vectors.region, axes)
    shape = tuple(value.shape[axis] for axis in order)
    averages = None if value.averages is None else order.index(value.averages)
    return Known(shape, value.low.permute(*order), value.high.permute(*order), vectors, value.ball, averages)


def taken(value: Known, axis: int, indices: Tensor) -> Known:
    """Those positions along ``axis``."""
    low, high = (end if end.shape[axis] == 1 else end.index_select(axis, indices) for end in (value.low, value.high))
    shape = (*value.shape[:axis], len(indices), *value.shape[axis + 1 :])
    vectors = value.vectors
    if vectors is not None and axis in vectors.axes:
        sizes = [value.shape[a] or 1 for a in vectors.axes]
        places = torch.arange(math.prod(sizes)).reshape(sizes).index_select(vectors.axes.index(axis), indices)
        own = places.flatten()
        region = vectors.region
        part = Region.of(region.low[own], region.high[own], region.centre[own], region.shape[own])
        vectors = Vectors(part, vectors.axes)
    return Known(shape, low, high, vectors, value.ball)


def without_axis(value: Known, axis: int) -> Known:
    """An axis of size 1 taken out."""
    shape = (*value.shape[:axis], *value.shape[axis + 1 :])
    vectors = value.vectors
    if vectors is not None:
        axes = tuple(a - (a > axis) for a in vectors.axes if a != axis)
        vectors = Vectors(vectors.region, axes) if axes else None
    return Known(shape, value.low.squeeze(axis), value.high.squeeze(axis), vectors, value.ball)


def with_axis(value: Known, axis: int) -> Known:
    """An axis of size 1 put in."""
    shape = (*value.shape[:axis], 1, *value.shape[axis:])
    vectors = value.vectors
    if vectors is not None:
        vectors = Vectors(vectors.region, tuple(a + (a >= axis) for a in vectors.axes))
    return Known(shape, value.low.unsqueeze(axis), value.high.unsqueeze(axis), vectors, value.ball)


def ranked(value: Known, rank: int) -> Known:
    """With axes of size 1 put in front until there are ``rank``."""
    return reduce(lambda one, _: with_axis(one, 0), range(rank - len(value.shape)), value)


def hull(values: Sequence[Known]) -> Known:
    """A value that is one of these, entry by entry; all of one shape."""
    low = reduce(torch.minimum, [value.low for value in values])
    high = reduce(torch.maximum, [value.high for value in values])
    return Known(values[0].shape, low, high)


def piece_of(value: Known, axis: int, start: int, stop: int) -> Known:
    """A stretch of ``value`` along ``axis``, or ``value`` itself where that has size 1."""
    if value.shape[axis] == 1:
        return value
    return replace(taken(value, axis, torch.arange(start, stop)), longer=value.longer)


def fitted(value: Known, shape: Shape) -> Known:
    """The value broadcast to ``shape``, of as many axes: what its axes of size 1 held is repeated."""
    if value.shape == shape:
        return value
    vectors = value.vectors
    if vectors is not None and any(value.shape[axis] != shape[axis] for axis in vectors.axes):
        vectors = None
    return replace(value, shape=shape, vectors=vectors, ball=math.inf)


def boxed(value: Known) -> Known:
    """The box alone."""
    return replace(Known(value.shape, value.low, value.high), ball=value.ball)


def _beside(ends: list[Tensor], value: Joined) -> Tensor:
    """The bounds of joined pieces along their axis."""
    sizes = [max(end.shape[k] for end in ends) for k in range(ends[0].dim())]
    rows = []
    for end, length in zip(ends, value.lengths, strict=True):
        rows.append(end.expand([*sizes[: value.axis], length, *sizes[value.axis + 1 :]]))
    return torch.cat(rows, value.axis)


def _ranked(tensor: Tensor, rank: int) -> Tensor:
    return tensor.reshape((1,) * (rank - tensor.dim()) + tuple(tensor.shape))


def _placed(flat: Tensor, shape: Shape, axes: tuple[int, ...]) -> Tensor:
    """Numbers of the vectors along ``axes``, at those axes of a tensor of that many."""
    sizes = [shape[axis] or 1 for axis in axes]
    order = sorted(range(len(axes)), key=lambda k: axes[k])
    there = flat.reshape(sizes).permute(*order)
    full = [(shape[axis] or 1) if axis in axes else 1 for axis in range(len(shape))]
    return there.reshape(full)
