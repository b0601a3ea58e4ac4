"""What linear maps, attention and norms make of what is known of a tensor."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from architectures.analysis.bounds.calls import Call, Rule, Stop, piecewise
from architectures.analysis.bounds.values import (
    WIDEST,
    Known,
    Vectors,
    affine_box,
    along,
    anything,
    flat_box,
    known,
    of_region,
    region_on,
    spread,
)
from architectures.norms.regions import ellipsoid


def _linear(call: Call) -> Known:
    weight, bias = call.constant(1, "weight"), call.constant(2, "bias")
    if weight is None or weight.dim() != 2:
        raise Stop
    return mapped(call, call.one(0), weight, bias)


def mapped(call: Call, value: Known, weight: Tensor, bias: Tensor | None) -> Known:
    """``weight x + bias`` of the vectors along the last axis."""
    last = len(value.shape) - 1
    shift = torch.zeros(len(weight), dtype=torch.float64) if bias is None else bias
    region = region_on(value, (last,))
    if region is not None:
        return of_region(call.shape, region.affine(weight, shift), (last,))
    if not value.bounded:
        return anything(call.shape)
    low, high = spread(value, [last])
    return known(call.shape, *affine_box(low, high, weight, shift))


def _addmm(call: Call) -> Known:
    bias, weight = call.constant(0, "self"), call.constant(2, "mat2")
    if (
        weight is None
        or bias is None
        or bias.dim() != 1
        or call.number(3, "beta", 1) != 1
        or call.number(4, "alpha", 1) != 1
    ):
        raise Stop
    return mapped(call, call.one(1), weight.T, bias)


def _matmul(call: Call) -> Known:
    """With a constant a linear map; with averages a mixture; else a box."""
    right = call.given(1, "other")
    if isinstance(right, Tensor):
        weight = call.constant(1, "other")
        if weight is None or weight.dim() != 2:
            raise Stop
        return mapped(call, call.one(0), weight.T, None)
    left, values = call.one(0), call.one(1)
    if len(left.shape) < 2 or len(values.shape) < 2:
        raise Stop
    if left.averages == len(left.shape) - 1:
        return mixture(call, values)
    width = left.shape[-1]
    if width is None or not (left.bounded and values.bounded):
        return anything(call.shape)
    most = (
        width
        * max(-float(left.low.min()), float(left.high.max()))
        * max(-float(values.low.min()), float(values.high.max()))
    )
    ends = torch.full((1,) * call.rank, abs(most), dtype=torch.float64)
    return known(call.shape, -ends, ends)


def _attention(call: Call) -> Known:
    """Averages of the values, whatever queries and keys are."""
    mask = call.given(3, "attn_mask")
    if mask is not None and (
        not isinstance(mask, Tensor) or mask.dtype is not torch.bool or bool((~mask).all(-1).any())
    ):
        raise Stop
    if call.number(4, "dropout_p", 0.0) != 0:
        raise Stop
    return mixture(call, call.one(2))


def mixture(call: Call, values: Known) -> Known:
    """Averages over the axis before the last, with weights of their own for each position of the other axes."""
    rank, last = len(values.shape), len(values.shape) - 1
    low, high = values.low.amin(-2, keepdim=True), values.high.amax(-2, keepdim=True)
    vectors = values.vectors
    if vectors is not None and (last - 1 in vectors.axes or vectors.axes[-1] != last or rank != call.rank):
        vectors = None
    if vectors is not None:
        heads = math.prod(values.shape[axis] or 1 for axis in vectors.axes[:-1])
        vectors = Vectors(vectors.region.mixed(heads), vectors.axes)
    return known(call.shape, low, high, vectors)


def _softmax(call: Call) -> Known:
    axis = call.axis(1, "dim")
    ends = torch.zeros((1,) * call.rank, dtype=torch.float64)
    return replace(known(call.shape, ends, ends + 1), averages=axis)


def _layer_norm(call: Call) -> Known:
    """``‖u‖₂ ≤ √n``, ``Σ u = 0``, and so no entry above √(n - 1)."""
    if call.number(4, "eps", 1e-5) < 0:
        raise Stop
    return _shrunk(call, call.constant(2, "weight"), call.constant(3, "bias"), centred=True)


def _rms_norm(call: Call) -> Known:
    if call.given(3, "eps") is not None and call.number(3, "eps") < 0:
        raise Stop
    return _shrunk(call, call.constant(2, "weight"), None, centred=False)


def _shrunk(call: Call, weight: Tensor | None, bias: Tensor | None, centred: bool) -> Known:
    """Vectors of norm √n times gain plus shift, over the last axes."""
    over = call.given(1, "normalized_shape")
    if not isinstance(over, tuple):
        raise Stop
    axes = tuple(range(call.rank - len(over), call.rank))
    size = math.prod(call.shape[axis] or 1 for axis in axes)
    gain = torch.ones(size, dtype=torch.float64) if weight is None else weight.reshape(-1)
    shift = torch.zeros(size, dtype=torch.float64) if bias is None else bias.reshape(-1)
    most = math.sqrt(size - 1) if centred else math.sqrt(size)
    if size > WIDEST.get():
        sizes = [1] * (call.rank - len(over)) + [call.shape[axis] or 1 for axis in axes]
        reach = gain.abs() * most
        return known(call.shape, (shift - reach).reshape(sizes), (shift + reach).reshape(sizes))
    shape = torch.eye(size, dtype=torch.float64) - (1 / size if centred else 0)
    return of_region(call.shape, ellipsoid(gain, shift, math.sqrt(size) * shape, most), axes)


def _group_norm(call: Call) -> Known:
    if call.number(4, "eps", 1e-5) < 0:
        raise Stop
    return _grouped(call, int(call.number(1, "num_groups")), call.constant(2, "weight"), call.constant(3, "bias"))


def _instance_norm(call: Call) -> Known:
    if call.given(5, "use_input_stats") is not True or call.number(7, "eps") < 0:
        raise Stop
    return _grouped(call, call.shape[1] or 0, call.constant(1, "weight"), call.constant(2, "bias"))


def _grouped(call: Call, groups: int, weight: Tensor | None, bias: Tensor | None) -> Known:
    """A group of n entries, over all positions, has norm √n and sums to zero, so that none is above √(n - 1)."""
    width = call.shape[1]
    if width is None or groups < 1 or any(size is None for size in call.shape[2:]):
        raise Stop
    together = width // groups * math.prod(size or 1 for size in call.shape[2:])
    gain = torch.ones(width, dtype=torch.float64) if weight is None else weight
    shift = torch.zeros(width, dtype=torch.float64) if bias is None else bias
    most = math.sqrt(together - 1)
    if width > WIDEST.get():
        reach = gain.abs() * most
        return known(call.shape, along(shift - reach, call.shape, 1), along(shift + reach, call.shape, 1))
    ball = math.sqrt(groups * together) * torch.eye(width, dtype=torch.float64)
    return of_region(call.shape, ellipsoid(gain, shift, ball, most), (1,))


def _batch_norm(call: Call) -> Known:
    """An affine map by the statistics of training."""
    mean, variance = call.constant(3, "running_mean"), call.constant(4, "running_var")
    if call.given(5, "training") is not False or mean is None or variance is None:
        raise Stop
    weight, bias = call.constant(1, "weight"), call.constant(2, "bias")
    spread_ = (variance + call.number(7, "eps")).sqrt()
    factor = (torch.ones_like(mean) if weight is None else weight) / spread_
    if not bool(factor.isfinite().all()):
        raise Stop
    shift = (torch.zeros_like(mean) if bias is None else bias) - factor * mean
    value = call.one(0)
    region = region_on(value, (1,))
    if region is None and value.bounded:
        ends = torch.stack([end * factor + shift for end in flat_box(value, (1,))])
        return known(call.shape, along(ends.amin(0), call.shape, 1), along(ends.amax(0), call.shape, 1))
    if region is None:
        return anything(call.shape)
    return of_region(call.shape, region.affine(torch.diag(factor), shift), (1,))


MAPS: dict[str, Rule] = {
    "linear": piecewise(_linear, behind=1),
    "addmm": _addmm,
    **dict.fromkeys(("matmul", "mm", "bmm"), _matmul),
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("softmax", "_softmax"), _softmax),
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "batch_norm": _batch_norm,
}
"""By the operation's name without its overload."""
