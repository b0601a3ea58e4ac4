"""A proven bound on what a network can answer, whatever its input.

The weights are followed from the first bounded layer on. What is known of the channels at a position is a region: a
box and an ellipsoid that both contain them (:mod:`architectures.analysis.regions`).

- A layer norm's output is ``shift + gain ⊙ u`` with ``‖u‖₂ ≤ √dim`` and ``Σ u = 0``; the other norms likewise.
- A linear map sends both exactly; along each output the tighter of the two counts.
- An activation sends the box exactly, and the ellipsoid into a ball by its Lipschitz constant.
- Averages (attention, pooling) stay inside convex regions; sums add regions.

What is assumed: evaluation mode, and real arithmetic on the weights as they are stored. The bound is computed in
float64 and widened by 1e-9 of itself; this covers the rounding of the bound's own computation, not that of a network
evaluated in float32. Box propagation is the interval arithmetic of Gowal et al., arXiv 1810.12715.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import cast

import torch
from torch import Tensor, nn

from architectures.analysis.regions import Anything, Region
from architectures.blocks.activations import BY_TYPE, Activation
from architectures.blocks.interpretation import Interpreter, UnknownModule
from architectures.blocks.layers import Affine, Clamp, Conv1d, Conv2d, Linear
from architectures.norms.layers import ChannelsFirst, ChannelsLast, DynamicTanh, ScaleNorm, marked

Known = Region | Anything


def certificate(module: nn.Module) -> float | None:
    """An upper bound of ``|module(x)|`` over all x in evaluation mode; None where none is known.

    It takes singular values of matrices as wide as the network: milliseconds for the built-in sizes.
    """
    try:
        with torch.no_grad():
            (known,) = RegionInterpreter()(module, (Anything(),))
    except UnknownModule:
        return None
    if isinstance(known, Anything) or not math.isfinite(known.greatest):
        return None
    return known.greatest * (1 + 1e-9)


class RegionInterpreter(Interpreter[Known]):
    """Follows regions of the channels at a position, the same for every position of a stream."""

    def leaf(self, module: nn.Module, value: Known) -> Known:
        """The region after one layer."""
        return send(module, value)

    def constant(self, rows: Tensor) -> Known:
        """The box around the rows."""
        return Region.box(rows.double().amin(0), rows.double().amax(0))

    def hull(self, values: tuple[Known, ...]) -> Known:
        """The convex hull."""
        unknown = [value for value in values if isinstance(value, Anything)]
        return unknown[0] if unknown else Region.around([value for value in values if isinstance(value, Region)])

    def mixture(self, value: Known, heads: int) -> Known:
        """See :meth:`Region.mixed`."""
        return value.mixed(heads) if isinstance(value, Region) else value

    def channels(self, value: Known, start: int, stop: int) -> Known:
        """A projection."""
        return value.part(start, stop) if isinstance(value, Region) else Anything(stop - start)

    def sum(self, skip: Known, branch: Known, name: str) -> Known:
        """The Minkowski sum."""
        if isinstance(skip, Region) and isinstance(branch, Region):
            return skip.plus(branch)
        return skip if isinstance(skip, Anything) else branch

    def product(self, left: Known, right: Known) -> Known:
        """The box of the products."""
        if isinstance(left, Region) and isinstance(right, Region):
            return left.times(right)
        return left if isinstance(left, Anything) else right


@singledispatch
def send(module: nn.Module, value: Known) -> Known:
    """The region after a layer of that type.

    Raises:
        UnknownModule: nothing is known of the type.
    """
    if type(module) not in BY_TYPE:
        raise UnknownModule(module)
    activation = BY_TYPE[type(module)][1]
    if isinstance(value, Region):
        return _activated(module, activation, value)
    if activation.exponent > 0 or not value.width:
        return value
    ones = torch.ones(value.width, dtype=torch.float64)
    return Region.box(-ones, ones)


def _activated(module: nn.Module, activation: Activation, value: Region) -> Region:
    centre = module(value.centre)
    if activation.turns is None:
        # Between turns an oscillating activation is bounded by 1 and by its slope.
        reach = torch.minimum(
            torch.ones_like(centre), activation.lipschitz * torch.maximum(-value.low, value.high).abs()
        )
        return value.mapped(-reach, reach, centre, activation.lipschitz)
    ends = torch.stack([module(value.low), module(value.high)])
    for turn in activation.turns:
        inside = (value.low <= turn) & (turn <= value.high)
        extreme = module(torch.full_like(centre, turn)) - 1e-9
        ends = torch.cat([ends, torch.where(inside, extreme, ends[0])[None]])
    return value.mapped(ends.amin(0), ends.amax(0), centre, activation.lipschitz)


@send.register(nn.Identity)
def _same(module: nn.Module, value: Known) -> Known:
    return value


@send.register(Linear)
@send.register(nn.Linear)
def _linear(module: nn.Linear, value: Known) -> Known:
    if isinstance(value, Anything):
        return Anything(module.out_features)
    weight, bias = module.scaled() if isinstance(module, Linear) else (module.weight, module.bias)
    return value.affine(weight.double(), torch.zeros(()).double() if bias is None else bias.double())


@send.register(Conv1d)
@send.register(Conv2d)
def _convolution(module: Conv1d | Conv2d, value: Known) -> Known:
    """Each kernel offset meets a vector of its own, or the zeros of the padding."""
    if isinstance(value, Anything):
        return Anything(module.out_channels)
    weight, bias = (tensor.double() for tensor in module.scaled())
    padded = any(amount != 0 for amount in cast(tuple[int, ...], module.padding))
    seen = [value.affine(offset, torch.zeros_like(bias)) for offset in weight.flatten(2).unbind(2)]
    seen = [region.with_zero() if padded else region for region in seen]
    if len(seen) == 1:
        return value.affine(weight.flatten(1), bias)
    low, high = torch.stack([r.low for r in seen]), torch.stack([r.high for r in seen])
    return Region.box(low.sum(0) + bias, high.sum(0) + bias)


@send.register(Affine)
def _tokens(module: Affine, value: Known) -> Known:
    # One token per feature: a line for each feature, of which nothing is known while the input may be anything.
    return Anything(module.weight.shape[-1])


@send.register(nn.LayerNorm)
def _layer(module: nn.LayerNorm, value: Known) -> Known:
    dim = module.normalized_shape[0]
    gain, shift = _gain(module, dim), _shift(module, dim)
    centring = torch.eye(dim, dtype=torch.float64) - 1 / dim
    return _ellipsoid(gain, shift, math.sqrt(dim) * centring, math.sqrt(dim - 1))


@send.register(nn.RMSNorm)
def _rms(module: nn.RMSNorm, value: Known) -> Known:
    dim = module.normalized_shape[0]
    ball = math.sqrt(dim) * torch.eye(dim, dtype=torch.float64)
    return _ellipsoid(_gain(module, dim), torch.zeros(dim, dtype=torch.float64), ball, math.sqrt(dim))


@send.register(ScaleNorm)
def _scale(module: ScaleNorm, value: Known) -> Known:
    placed = marked(module)
    if placed is None:
        raise UnknownModule(module)
    dim, length = placed.site.dim, float(module.length.abs())
    ball = torch.eye(dim, dtype=torch.float64)
    return _ellipsoid(torch.full((dim,), length).double(), torch.zeros(dim).double(), ball, 1.0)


@send.register(nn.GroupNorm)
def _group(module: nn.GroupNorm, value: Known) -> Known:
    return _grouped(module, module.num_groups, module.num_channels)


@send.register(nn.InstanceNorm1d)
@send.register(nn.InstanceNorm2d)
@send.register(nn.InstanceNorm3d)
def _instance(module: nn.InstanceNorm1d, value: Known) -> Known:
    return _grouped(module, module.num_features, module.num_features)


def _grouped(module: nn.Module, groups: int, dim: int) -> Region:
    """A group of n entries, at all positions together, has norm √n and none above √(n - 1)."""
    placed = marked(module)
    if placed is None:
        raise UnknownModule(module)
    together = dim // groups * placed.site.positions
    ball = math.sqrt(groups * together) * torch.eye(dim, dtype=torch.float64)
    return _ellipsoid(_gain(module, dim), _shift(module, dim), ball, math.sqrt(together - 1))


@send.register(nn.BatchNorm1d)
@send.register(nn.BatchNorm2d)
@send.register(nn.BatchNorm3d)
def _batch(module: nn.BatchNorm1d, value: Known) -> Known:
    if isinstance(value, Anything):
        return Anything(module.num_features)
    if module.running_mean is None or module.running_var is None:
        raise UnknownModule(module)
    gain = _gain(module, module.num_features) / (module.running_var.double() + module.eps).sqrt()
    return value.affine(torch.diag(gain), _shift(module, module.num_features) - gain * module.running_mean.double())


@send.register(DynamicTanh)
def _dyt(module: DynamicTanh, value: Known) -> Known:
    placed = marked(module)
    if placed is None:
        raise UnknownModule(module)
    ones = torch.ones(placed.site.dim, dtype=torch.float64)
    box = Region.box(-ones, ones)
    if isinstance(value, Region):
        ends = torch.stack([torch.tanh(module.alpha.double() * end) for end in (value.low, value.high)])
        box = Region.box(ends.amin(0), ends.amax(0))
    return box.affine(torch.diag(_gain(module, len(ones))), _shift(module, len(ones)))


@send.register(ChannelsFirst)
@send.register(ChannelsLast)
def _turned(module: ChannelsFirst | ChannelsLast, value: Known) -> Known:
    return send(module.layer, value)


@send.register(Clamp)
def _clamp(module: Clamp, value: Known) -> Known:
    low, high = torch.tensor([module.low]).double(), torch.tensor([module.high]).double()
    if isinstance(value, Region):
        low, high = value.low.clamp(module.low, module.high), value.high.clamp(module.low, module.high)
    return Region.box(low, high)


def _gain(module: nn.Module, dim: int) -> Tensor:
    weight = getattr(module, "weight", None)
    return torch.ones(dim, dtype=torch.float64) if weight is None else weight.double()


def _shift(module: nn.Module, dim: int) -> Tensor:
    bias = getattr(module, "bias", None)
    return torch.zeros(dim, dtype=torch.float64) if bias is None else bias.double()


def _ellipsoid(gain: Tensor, shift: Tensor, shape: Tensor, greatest: float) -> Region:
    """``shift + gain ⊙ u`` for u in the ellipsoid of ``shape`` with no entry above ``greatest``."""
    reach = gain.abs() * greatest
    return Region.of(shift - reach, shift + reach, shift, gain[:, None] * shape)
