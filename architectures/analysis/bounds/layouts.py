"""What operations that move, join, average and convolve entries make of what is known of a tensor."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from architectures.analysis.bounds.calls import Call, Rule, Stop
from architectures.analysis.bounds.values import (
    WIDEST,
    Joined,
    Known,
    Longer,
    Shape,
    Value,
    Vectors,
    affine_box,
    along,
    anything,
    fitted,
    flat_box,
    known,
    merged,
    of_region,
    permuted,
    ranked,
    region_on,
    reshaped,
    spread,
    taken,
    with_axis,
    without_axis,
)
from architectures.norms.regions import Ball, Region


def _reshape(call: Call) -> Value:
    """Any change of shape: the result's is known."""
    value = call.value(0)
    if isinstance(value, Joined):
        axis = _axis_after(value, call.shape)
        if axis is None:
            return reshaped(merged(value), call.shape)
        shapes = [(*call.shape[:axis], length, *call.shape[axis + 1 :]) for length in value.lengths]
        return Joined(axis, tuple(reshaped(p, shape) for p, shape in zip(value.pieces, shapes, strict=True)))
    return reshaped(value, call.shape)


def _axis_after(value: Joined, shape: Shape) -> int | None:
    """Where the axis of joined pieces is after a change of shape; None where it is no longer one."""
    if value.shape[: value.axis + 1] == shape[: value.axis + 1]:
        return value.axis
    back = len(value.shape) - value.axis
    if back <= len(shape) and value.shape[-back:] == shape[-back:]:
        return len(shape) - back
    return None


def _permute(call: Call) -> Value:
    rank = call.rank
    base = call.operation.base
    order = list(range(rank))
    if base in ("transpose", "swapaxes", "swapdims"):
        one, other = call.axis(1, "dim0"), call.axis(2, "dim1")
        order[one], order[other] = other, one
    elif base == "permute":
        order = [axis % rank for axis in call.given(1, "dims")]
    elif base in ("t", "numpy_T", "mT", "adjoint"):
        order[-2:] = order[-2:][::-1]
        if base in ("t", "numpy_T") and rank != 2:
            raise Stop
    else:
        source, target = (_listed(call.given(place, name)) for place, name in ((1, "source"), (2, "destination")))
        moved = {axis % rank: place % rank for axis, place in zip(source, target, strict=True)}
        rest = iter(axis for axis in order if axis not in moved)
        back = {place: axis for axis, place in moved.items()}
        order = [back[place] if place in back else next(rest) for place in range(rank)]
    value = call.value(0)
    if isinstance(value, Joined):
        return Joined(order.index(value.axis), tuple(permuted(piece, order) for piece in value.pieces))
    return permuted(value, order)


def _listed(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


def _unsqueeze(call: Call) -> Value:
    axis = int(call.number(1, "dim")) % call.rank
    value = call.value(0)
    if isinstance(value, Joined):
        return Joined(value.axis + (axis <= value.axis), tuple(with_axis(piece, axis) for piece in value.pieces))
    return with_axis(value, axis)


def take(value: Value, axis: int, start: int, stop: int, step: int = 1) -> Value:
    """Positions along ``axis``."""
    if value.shape[axis] is None:
        raise Stop
    if not isinstance(value, Joined):
        return taken(value, axis, torch.arange(start, stop, step))
    if axis != value.axis:
        pieces = tuple(taken(piece, axis, torch.arange(start, stop, step)) for piece in value.pieces)
        return Joined(value.axis, pieces)
    kept, begin = [], 0
    for piece, length in zip(value.pieces, value.lengths, strict=True):
        places = [at - begin for at in range(start, stop, step) if begin <= at < begin + length]
        if places:
            kept.append(taken(piece, axis, torch.tensor(places)))
        begin += length
    return kept[0] if len(kept) == 1 else Joined(axis, tuple(kept))


def _drop(value: Value, axis: int) -> Value:
    if isinstance(value, Joined):
        return Joined(value.axis - (axis < value.axis), tuple(without_axis(piece, axis) for piece in value.pieces))
    return without_axis(value, axis)


def _select(call: Call) -> Value:
    value, axis = call.value(0), call.axis(1, "dim")
    size = value.shape[axis]
    if size is None:
        raise Stop
    index = int(call.number(2, "index")) % size
    return _drop(take(value, axis, index, index + 1), axis)


def _slice(call: Call) -> Value:
    value, axis = call.value(0), call.axis(1, "dim", 0)
    start, stop, step = (call.given(place, name) for place, name in ((2, "start"), (3, "end"), (4, "step")))
    size = value.shape[axis]
    whole = start in (None, 0) and (stop is None or (isinstance(stop, int) and stop >= (size or 2**62)))
    if whole and step in (None, 1):
        return value
    if size is None or any(one is not None and not isinstance(one, int) for one in (start, stop, step)):
        raise Stop
    return take(value, axis, *slice(start, stop, step).indices(size))


def _narrow(call: Call) -> Value:
    start = int(call.number(2, "start"))
    return take(call.value(0), call.axis(1, "dim"), start, start + int(call.number(3, "length")))


def _chunk(call: Call) -> tuple[Value, ...]:
    value, axis = call.value(0), call.axis(2, "dim", 0)
    size = value.shape[axis]
    if size is None:
        raise Stop
    given = call.given(1, "split_size")
    if call.operation.base == "chunk":
        given = -(-size // int(call.number(1, "chunks")))
    lengths = given if isinstance(given, tuple) else [min(given, size - start) for start in range(0, size, given)]
    ends = [sum(lengths[: k + 1]) for k in range(len(lengths))]
    return tuple(take(value, axis, end - length, end) for end, length in zip(ends, lengths, strict=True))


def _unbind(call: Call) -> tuple[Value, ...]:
    value, axis = call.value(0), call.axis(1, "dim", 0)
    size = value.shape[axis]
    if size is None:
        raise Stop
    return tuple(_drop(take(value, axis, k, k + 1), axis) for k in range(size))


def _getitem(call: Call) -> Any:
    given, place = call.arguments
    if not isinstance(given, tuple):
        raise Stop
    return given[place]


def _cat(call: Call) -> Value:
    axis = call.given(1, "dim", 0)
    if not isinstance(axis, int) or call.shape[axis] is None:
        raise Stop
    axis %= call.rank
    pieces: list[Known] = []
    for place in range(len(call.arguments[0])):
        value = replace(call, arguments=(call.arguments[0][place],)).value(0)
        if len(value.shape) != call.rank:
            raise Stop
        same = isinstance(value, Joined) and value.axis == axis
        pieces += value.pieces if isinstance(value, Joined) and same else [merged(value)]
    return Joined(axis, tuple(_with_rows(piece, call.shape, axis) for piece in pieces))


def _with_rows(piece: Known, shape: Shape, axis: int) -> Known:
    return replace(piece, shape=(*shape[:axis], piece.shape[axis], *shape[axis + 1 :]))


def _stack(call: Call) -> Value:
    axis = call.given(1, "dim", 0)
    if not isinstance(axis, int):
        raise Stop
    axis %= call.rank
    values = [merged(replace(call, arguments=(one,)).value(0)) for one in call.arguments[0]]
    return Joined(axis, tuple(_with_rows(with_axis(value, axis), call.shape, axis) for value in values))


def _expand(call: Call) -> Known:
    return fitted(ranked(call.one(0), call.rank), call.shape)


def _mean(call: Call) -> Known:
    """The average over some axes: inside the box's averages, and where the vectors lie if these stand across."""
    return _averaged(call, sums=False)


def _sum(call: Call) -> Known:
    return _averaged(call, sums=True)


def _averaged(call: Call, sums: bool) -> Known:
    axes, keep = call.axes(1, "dim"), bool(call.given(2, "keepdim", False))
    if call.given(3, "dtype") is not None:
        raise Stop
    name, value = call.sources[0], call.one(0)
    count = math.prod(value.shape[axis] or 1 for axis in axes)
    factor = float(count) if sums else 1.0
    low, high = (end.mean(axes, keepdim=True) * factor for end in (value.low, value.high))
    vectors = value.vectors
    if vectors is not None and set(vectors.axes) & set(axes):
        vectors = None
    if vectors is not None and sums:
        size = len(vectors.region.centre)
        scale = factor * torch.eye(size, dtype=torch.float64)
        vectors = Vectors(vectors.region.affine(scale, torch.zeros(size, dtype=torch.float64)), vectors.axes)
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
    result = known(shape, low, high, vectors)
    if not keep:
        for axis in sorted(axes, reverse=True):
            result = without_axis(result, axis)
        return result
    square = Longer(value.square_of, axes, factor / count, 2) if value.square_of else None
    return replace(result, longer=square, mean_of=("", ()) if sums or not name else (name, axes))


def _variance(call: Call) -> Known:
    """At least ``‖x - mean‖² / (n - correction)``, its root at least the root of it."""
    axes, name, value = call.axes(1, "dim"), call.sources[0], call.value(0)
    count = math.prod(value.shape[axis] or 1 for axis in axes)
    if call.operation.target.endswith(".dim"):
        unbiased, keep = call.given(2, "unbiased", True), call.given(3, "keepdim", False)
        less = 1.0 if unbiased else 0.0
    else:
        less, keep = call.number(9, "correction", 1.0), call.given(9, "keepdim", False)
    if not keep or not name or count <= less:
        raise Stop
    zeros = torch.zeros((1,) * call.rank, dtype=torch.float64)
    root = call.operation.base == "std"
    factor = 1 / math.sqrt(count - less) if root else 1 / (count - less)
    return replace(
        known(call.shape, zeros, zeros + math.inf), longer=Longer(name, axes, factor, 1 if root else 2, centred=True)
    )


def _convolution(call: Call) -> Known:
    """Each kernel offset meets a vector of its own, or the zeros of the padding."""
    weight, bias = call.constant(1, "weight"), call.constant(2, "bias")
    groups, value = int(call.number(6, "groups", 1)), call.one(0)
    padding = call.given(4, "padding", 0)
    if weight is None or value.shape[0] is not None or len(value.shape) != weight.dim():
        raise Stop
    shift = torch.zeros(len(weight), dtype=torch.float64) if bias is None else bias
    if groups > 1:
        weight = _ungrouped(weight, groups)
    if (
        math.isfinite(value.ball) and weight[0].numel() <= WIDEST.get()
    ):  # what a kernel meets are entries of one row; the zeros around it are less
        flat = weight.flatten(1)
        return of_region(call.shape, Ball(value.ball).of_width(flat.shape[1]).affine(flat, shift), (1,))
    region = region_on(value, (1,))
    offsets = weight.flatten(2).unbind(2)
    padded = isinstance(padding, str) or any(amount != 0 for amount in _listed(padding))
    if region is None:
        return _convolved_box(call, value, offsets, shift, padded)
    if len(offsets) == 1 and not padded:
        return of_region(call.shape, region.affine(offsets[0], shift), (1,))
    seen = [region.affine(offset, torch.zeros_like(shift)) for offset in offsets]
    seen = [one.with_zero() if padded else one for one in seen]
    low, high = torch.stack([r.low for r in seen]).sum(0) + shift, torch.stack([r.high for r in seen]).sum(0) + shift
    return of_region(call.shape, Region.box(low, high), (1,))


def _convolved_box(call: Call, value: Known, offsets: tuple[Tensor, ...], shift: Tensor, padded: bool) -> Known:
    """The same from the box of the channels alone."""
    if not value.bounded:
        return anything(call.shape)
    low, high = flat_box(value, (1,))
    if padded:
        low, high = low.clamp_max(0), high.clamp_min(0)
    ends = [affine_box(low, high, offset, torch.zeros_like(shift)) for offset in offsets]
    least, most = torch.stack([e[0] for e in ends]).sum(0) + shift, torch.stack([e[1] for e in ends]).sum(0) + shift
    return known(call.shape, along(least, call.shape, 1), along(most, call.shape, 1))


def _ungrouped(weight: Tensor, groups: int) -> Tensor:
    """The kernel of the equal convolution without groups."""
    outputs, inputs = len(weight) // groups, weight.shape[1]
    whole = weight.new_zeros((len(weight), inputs * groups, *weight.shape[2:]))
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        whole[rows, group * inputs : (group + 1) * inputs] = weight[rows]
    return whole


def _pooled(call: Call) -> Known:
    """Averages or largest values over positions; averages may count zeros around them."""
    value, base = call.one(0), call.operation.base
    positions = 2 if base.endswith("2d") else 1
    if len(value.shape) != positions + 2:
        raise Stop
    places = tuple(range(2, 2 + positions))
    low, high = value.low.amin(places, keepdim=True), value.high.amax(places, keepdim=True)
    average = "avg" in base or "upsample" in base
    vectors = value.vectors if average and value.vectors is not None and value.vectors.axes == (1,) else None
    if base.startswith("avg") and any(amount != 0 for amount in _listed(call.given(3, "padding", 0))):
        low, high, vectors = low.clamp_max(0), high.clamp_min(0), None
    if base.startswith("avg") and call.given(6, "divisor_override") is not None:
        raise Stop
    return known(call.shape, low, high, vectors)


def _pad(call: Call) -> Known:
    """A constant around the positions, or further channels."""
    value, fill = call.one(0), 0.0
    if call.operation.base == "constant_pad_nd":
        fill = call.number(2, "value", 0.0)
    elif call.given(2, "mode", "constant") == "constant" and call.given(3, "value") is not None:
        fill = call.number(3, "value")
    touched = len(call.given(1, "pad")) // 2
    axes = tuple(range(call.rank - touched, call.rank))
    if any(value.shape[axis] is None for axis in axes):
        raise Stop
    low, high = value.low.amin(axes, keepdim=True), value.high.amax(axes, keepdim=True)
    return known(call.shape, low.clamp_max(fill), high.clamp_min(fill))


def _extreme_over(call: Call) -> Known:
    """The largest or smallest entry along axes."""
    axes, keep, value = call.axes(1, "dim"), bool(call.given(2, "keepdim", False)), call.one(0)
    low, high = value.low.amin(axes, keepdim=True), value.high.amax(axes, keepdim=True)
    if call.operation.base == "amax":
        low = value.low.amax(axes, keepdim=True)
    else:
        high = value.high.amin(axes, keepdim=True)
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
    result = known(shape, low, high)
    for axis in sorted(axes, reverse=True) if not keep else ():
        result = without_axis(result, axis)
    return result


def _flip(call: Call) -> Known:
    """Entries in another order along axes."""
    axes, value = call.axes(1, "dims"), call.one(0)
    low, high = spread(value, axes)
    return known(value.shape, low.flip(axes), high.flip(axes))


LAYOUTS: dict[str, Rule] = {
    **dict.fromkeys(
        ("view", "_unsafe_view", "reshape", "flatten", "unflatten", "view_as", "reshape_as", "squeeze"), _reshape
    ),
    **dict.fromkeys(
        ("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "numpy_T", "mT", "adjoint"),
        _permute,
    ),
    "unsqueeze": _unsqueeze,
    "select": _select,
    "slice": _slice,
    "narrow": _narrow,
    **dict.fromkeys(("chunk", "split", "split_with_sizes"), _chunk),
    "unbind": _unbind,
    "getitem": _getitem,
    "cat": _cat,
    "stack": _stack,
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), _expand),
    "mean": _mean,
    "sum": _sum,
    **dict.fromkeys(("var", "std"), _variance),
    **dict.fromkeys(("conv1d", "conv2d"), _convolution),
    **dict.fromkeys(
        (
            *("avg_pool1d", "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "_adaptive_avg_pool2d"),
            *("max_pool1d", "max_pool2d", "upsample_bilinear2d", "upsample_nearest2d"),
        ),
        _pooled,
    ),
    **dict.fromkeys(("pad", "constant_pad_nd"), _pad),
    **dict.fromkeys(("amax", "amin"), _extreme_over),
    "flip": _flip,
}
"""By the operation's name without its overload."""
