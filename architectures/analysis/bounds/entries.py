"""What each operation of a network makes of what is known of its arguments: boxes, regions, norms.

Every rule is that of one operation of torch. An argument that a rule does not foresee stops it
(:class:`architectures.analysis.bounds.calls.Stop`): nothing is guessed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import reduce

import torch
from torch import Tensor

from architectures.analysis.bounds.calls import Call, Rule, Stop, piecewise
from architectures.analysis.bounds.functions import FUNCTIONS, Function
from architectures.analysis.bounds.values import (
    WIDEST,
    Known,
    Longer,
    Value,
    Vectors,
    anything,
    boxed,
    exactly,
    fitted,
    hull,
    known,
    merged,
    region_on,
)
from architectures.norms.regions import Ball, Region

_MOST_EXPONENT = 700.0
"""``exp`` of more is infinite in float64."""


def _same(call: Call) -> Value:
    return call.value(0)


def _cast(call: Call) -> Value:
    """A change of type: to float64 alone, for others round or overflow."""
    kinds = [str(a) for a in (*call.arguments[1:], *call.keywords.values()) if str(a).startswith("torch.")]
    if any(kind not in ("torch.float64", "torch.strided", "torch.preserve_format") for kind in kinds):
        raise Stop
    return call.value(0)


def _dropout(call: Call) -> Value:
    if call.given(2, "train", True) is not False:
        raise Stop
    return call.value(0)


def activated(value: Known, function: Function) -> Known:
    """The value after a function of each entry."""
    low, high = function.image(value.low, value.high)
    vectors = value.vectors
    if vectors is not None and math.isfinite(function.lipschitz):
        region = vectors.region
        ends = function.image(region.low, region.high)
        centre = function.of(region.centre)
        reach = function.lipschitz * torch.maximum(-region.low, region.high).abs()
        if function.odd:  # |f(x)| <= L |x|
            ends = (torch.maximum(ends[0], -reach), torch.minimum(ends[1], reach))
        vectors = Vectors(region.mapped(*ends, centre, function.lipschitz), vectors.axes)
    elif vectors is not None:
        vectors = None
    return known(value.shape, low, high, vectors)


def _activation(call: Call) -> Known:
    function = FUNCTIONS[call.operation.base](call)
    return activated(call.one(0), function)


def _exp(call: Call) -> Known:
    value = call.one(0)
    if not bool((value.high <= _MOST_EXPONENT).all()):
        raise Stop
    return known(value.shape, value.low.exp(), value.high.exp())


def _add(call: Call) -> Known:
    return _sum(call, 1.0)


def _sub(call: Call) -> Known:
    summed = _sum(call, -1.0)
    names = call.sources
    other = call.given(1, "other")
    if isinstance(other, Known) and names[0] and other.mean_of[0] == names[0]:
        return replace(summed, centred_of=other.mean_of)
    return summed


def _sum(call: Call, sign: float) -> Known:
    factor = sign * call.number(2, "alpha", 1)
    left, right = call.operand(0), scaled(call.operand(1), torch.tensor(factor, dtype=torch.float64))
    low, high = left.low + right.low, left.high + right.high
    axes = next((one.vectors.axes for one in (left, right) if one.vectors is not None), None)
    vectors = None
    if axes is not None:
        regions = [region_on(fitted(one, call.shape), axes) for one in (left, right)]
        if regions[0] is not None and regions[1] is not None:
            vectors = Vectors(regions[0].plus(regions[1]), axes)
    longer = left.longer if sign > 0 and left.longer and bool((right.low >= 0).all()) else None
    if longer is not None and longer.power < 0:
        longer = None
    return replace(known(call.shape, low, high, vectors), longer=longer)


def scaled(value: Known, factor: Tensor) -> Known:
    """The value times one number."""
    ends = torch.stack([value.low * factor, value.high * factor])
    vectors = value.vectors
    if vectors is not None:
        region = vectors.region
        corners = torch.stack([region.low * factor, region.high * factor])
        region = Region(corners.amin(0), corners.amax(0), region.centre * factor, region.shape * factor)
        vectors = Vectors(region, vectors.axes)
    longer, size = value.longer, float(factor)
    if longer is not None:
        longer = replace(longer, factor=longer.factor * size) if size > 0 else None
    return replace(
        known(value.shape, ends.amin(0), ends.amax(0), vectors, value.ball * abs(size) if size else 0.0), longer=longer
    )


def _mul(call: Call) -> Known:
    left, right = call.operand(0), call.operand(1)
    names = call.sources
    for one, other in ((left, right), (right, left)):
        if _is_constant(one) and one.low.numel() == 1:
            return fitted(scaled(other, one.low.reshape(())), call.shape)
    for one, name, other in ((left, names[0], right), (right, names[1], left)):
        if other.longer is not None and other.longer.power == -1 and _compares(call, other.longer, one, name):
            return _normalized(call, other.longer.axes, other.longer.factor)
    product = _product(call, left, right)
    return replace(product, square_of=names[0]) if names[0] and names[0] == names[1] else product


def _product(call: Call, left: Known, right: Known) -> Known:
    products = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    finite = reduce(torch.logical_and, [product.isfinite() for product in products])  # zero times infinite: anything
    low = torch.where(finite, reduce(torch.minimum, products), -math.inf)
    high = torch.where(finite, reduce(torch.maximum, products), math.inf)
    for constant, value in ((left, right), (right, left)):
        value = fitted(value, call.shape)
        if _is_constant(constant) and value.vectors is not None:
            gains = _along(constant, value.vectors.axes)
            if gains is not None:
                return known(call.shape, low, high, Vectors(stretched(value.vectors.region, gains), value.vectors.axes))
    return known(call.shape, low, high)


def _is_constant(value: Known) -> bool:
    return bool((value.low == value.high).all())


def _along(constant: Known, axes: tuple[int, ...]) -> Tensor | None:
    """The numbers of a constant that differ along ``axes`` alone, flattened; None where they differ elsewhere."""
    if any(size != 1 for axis, size in enumerate(constant.low.shape) if axis not in axes):
        return None
    order = [*axes, *(axis for axis in range(constant.low.dim()) if axis not in axes)]
    there = constant.low.permute(order).reshape([constant.low.shape[axis] for axis in axes])
    return there if there.numel() == 1 else there.reshape(-1) if there.dim() == 1 else None


def stretched(region: Region, gains: Tensor) -> Region:
    """The region of ``gains ⊙ x``."""
    gains = gains.expand(len(region.centre)) if gains.numel() == 1 else gains
    corners = torch.stack([region.low * gains, region.high * gains])
    return Region(corners.amin(0), corners.amax(0), region.centre * gains, region.shape * gains[:, None])


def _compares(call: Call, longer: Longer, value: Known, name: str) -> bool:
    """Whether ``longer`` is about this value (called ``name``), no entry of which is repeated."""
    if value.shape != call.shape:
        return False
    if longer.centred:
        return value.centred_of == (longer.of, longer.axes)
    return bool(name) and longer.of == name


def _normalized(call: Call, axes: tuple[int, ...], radius: float) -> Known:
    """A value whose norm over ``axes`` is at most ``radius``."""
    shape = call.shape
    inner = [axis for axis in range(len(shape)) if shape[axis] is not None]
    ends = torch.full((1,) * len(shape), radius, dtype=torch.float64)
    ball = radius if list(axes) == inner else math.inf
    size = math.prod(shape[axis] or 1 for axis in axes)
    if len(axes) > 1 or size > WIDEST.get():
        return known(shape, -ends, ends, ball=ball)
    return known(shape, -ends, ends, Vectors(Ball(radius).of_width(size), axes), ball)


def _div(call: Call) -> Known:
    if call.given(2, "rounding_mode") is not None:
        raise Stop
    left, right = call.operand(0), call.operand(1)
    if _is_constant(right) and bool((right.low != 0).all()):
        inverse = 1 / right.low
        if inverse.numel() == 1:
            return fitted(scaled(left, inverse.reshape(())), call.shape)
        return _product(call, left, Known(right.shape, inverse, inverse))
    if right.longer is not None and right.longer.power == 1 and _compares(call, right.longer, left, call.sources[0]):
        return _normalized(call, right.longer.axes, 1 / right.longer.factor)
    if bool((right.low > 0).all()) or bool((right.high < 0).all()):
        return _product(call, left, Known(right.shape, 1 / right.high, 1 / right.low))
    raise Stop


def _norm(call: Call) -> Known:
    """A Euclidean norm: at least itself, and no less than zero."""
    if call.number(1, "ord", 2) != 2 or call.given(4, "dtype") is not None:
        raise Stop
    axes, name = call.axes(2, "dim"), call.sources[0]
    zeros = torch.zeros((1,) * call.rank, dtype=torch.float64)
    kept = bool(call.given(3, "keepdim", False))
    longer = Longer(name, axes, 1.0, 1) if name and kept else None
    return replace(known(call.shape, zeros, zeros + math.inf), longer=longer)


def _power(call: Call) -> Known:
    power = call.number(1, "exponent", 2)
    value = call.one(0)
    if power == 2:
        ends = torch.stack([value.low.square(), value.high.square()])
        low = torch.where((value.low <= 0) & (value.high >= 0), 0.0, ends.amin(0))
        return replace(known(value.shape, low, ends.amax(0)), square_of=call.sources[0])
    if power in (0.5, -0.5):
        return _root(call, inverse=power < 0)
    if power == -1:
        return _reciprocal(call)
    raise Stop


def _root(call: Call, inverse: bool = False) -> Known:
    value, longer = call.one(0), None
    if not bool((value.low >= 0).all()) or (inverse and not bool((value.low > 0).all())):
        raise Stop
    if value.longer is not None and value.longer.power == 2:
        root = math.sqrt(value.longer.factor)
        longer = replace(value.longer, factor=1 / root if inverse else root, power=-1 if inverse else 1)
    ends = value.low.sqrt(), value.high.sqrt()
    low, high = (1 / ends[1], 1 / ends[0]) if inverse else ends
    return replace(known(value.shape, low, high), longer=longer)


def _reciprocal(call: Call) -> Known:
    value, longer = call.one(0), None
    if not bool((value.low > 0).all()):
        raise Stop
    if value.longer is not None and value.longer.power == 1:
        longer = replace(value.longer, factor=1 / value.longer.factor, power=-1)
    return replace(known(value.shape, 1 / value.high, 1 / value.low), longer=longer)


def _clamp(call: Call) -> Known:
    limits = [-math.inf, math.inf]
    base = call.operation.base
    for place, name, end in ((1, "min", 0), (2, "max", 1)):
        at = 1 if base in ("clamp_min", "clamp_max") else place
        if base == f"clamp_{'max' if end == 0 else 'min'}" or call.given(at, name) is None:
            continue
        limits[end] = call.number(at, name)
    value = call.one(0)
    low, high = value.low.clamp(*limits), value.high.clamp(*limits)
    longer = value.longer if limits[1] == math.inf and value.longer and value.longer.power > 0 else None
    return replace(known(value.shape, low, high), longer=longer)


def _extreme(call: Call) -> Known:
    left, right = call.operand(0), call.operand(1)
    pick = torch.maximum if call.operation.base == "maximum" else torch.minimum
    both = known(call.shape, pick(left.low, right.low), pick(left.high, right.high))
    return replace(
        both, longer=left.longer if pick is torch.maximum and left.longer and left.longer.power > 0 else None
    )


def _where(call: Call) -> Known:
    found = [merged(call.value(place)) for place in (1, 2)]
    low = torch.minimum(*_padded([one.low for one in found], call.rank))
    high = torch.maximum(*_padded([one.high for one in found], call.rank))
    return known(call.shape, low, high)


def _padded(ends: list[Tensor], rank: int) -> list[Tensor]:
    return [end.reshape((1,) * (rank - end.dim()) + tuple(end.shape)) for end in ends]


def _masked_fill(call: Call) -> Known:
    """Scores of which some are left out of an average; no place may be left without any."""
    fill, mask, value = call.given(2, "value"), call.given(1, "mask"), call.one(0)
    if isinstance(fill, Tensor) and fill.numel() == 1:
        fill = fill.item()
    if fill == -math.inf:
        if not isinstance(mask, Tensor) or mask.dtype is not torch.bool or bool(mask.all(-1).any()):
            raise Stop
        return replace(anything(call.shape), averages=None)
    filled = exactly(torch.tensor(call.number(2, "value"), dtype=torch.float64), len(value.shape))
    return replace(hull([boxed(value), replace(filled, shape=value.shape)]), ball=math.inf)


ENTRIES: dict[str, Rule] = {
    **dict.fromkeys(("contiguous", "clone", "detach", "alias", "lift_fresh_copy", "conj", "resolve_conj"), _same),
    **dict.fromkeys(("to", "_to_copy", "double", "type_as"), _cast),
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout"), piecewise(_dropout)),
    **dict.fromkeys(FUNCTIONS, piecewise(_activation)),
    "exp": piecewise(_exp),
    **dict.fromkeys(("add", "add_"), piecewise(_add, elementwise=True)),
    **dict.fromkeys(("sub", "subtract"), piecewise(_sub, elementwise=True)),
    **dict.fromkeys(("mul", "multiply"), piecewise(_mul, elementwise=True)),
    **dict.fromkeys(("div", "divide", "true_divide"), piecewise(_div, elementwise=True)),
    **dict.fromkeys(("pow", "square"), piecewise(_power)),
    "sqrt": piecewise(_root),
    "rsqrt": piecewise(lambda call: _root(call, inverse=True)),
    "reciprocal": piecewise(_reciprocal),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "clip"), piecewise(_clamp)),
    **dict.fromkeys(("maximum", "minimum"), piecewise(_extreme, elementwise=True)),
    "where": _where,
    "masked_fill": _masked_fill,
    "linalg_vector_norm": _norm,
}
"""By the operation's name without its overload."""
