"""A proven bound on what a network can answer, whatever its input.

The weights are followed from the first bounded layer on. What is known of the channels at a position is a region: a
box and an ellipsoid that both contain them (:mod:`architectures.norms.regions`).

- What a norm's output lies in, its card declares: a layer norm's is ``shift + gain ⊙ u`` with ``‖u‖₂ ≤ √dim`` and
  ``Σ u = 0``.
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

from architectures.blocks.activations import BY_TYPE, Activation
from architectures.blocks.interpretation import Interpreter, UnknownModule
from architectures.blocks.layers import Affine, Clamp, Conv1d, Conv2d, Linear
from architectures.norms.layers import card_of, marked, turned
from architectures.norms.regions import Anything, Ball, Known, Region
from architectures.norms.site import Frame, Site


def certificate(module: nn.Module) -> float | None:
    """An upper bound of ``|module(x)|`` over all x in evaluation mode; None where none is known.

    It takes singular values of matrices as wide as the network: milliseconds for the built-in sizes.
    """
    try:
        with torch.no_grad():
            (known,) = RegionInterpreter()(module, (Anything(),))
    except UnknownModule:
        return None
    if not isinstance(known, Region) or not math.isfinite(known.greatest):
        return None
    return known.greatest * (1 + 1e-9)


class RegionInterpreter(Interpreter[Known]):
    """Follows regions of the channels at a position, the same for every position of a stream."""

    def leaf(self, module: nn.Module, value: Known) -> Known:
        """The region after one layer."""
        return send(module, value) if card_of(module) is None else _within(module, value)

    def constant(self, rows: Tensor) -> Known:
        """The box around the rows."""
        return Region.box(rows.double().amin(0), rows.double().amax(0))

    def hull(self, values: tuple[Known, ...]) -> Known:
        """The convex hull."""
        if len(values) == 1:
            return values[0]
        unknown = [value for value in values if not isinstance(value, Region)]
        return _width(unknown[0]) if unknown else Region.around([v for v in values if isinstance(v, Region)])

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
        return _width(branch if isinstance(skip, Region) else skip)

    def product(self, left: Known, right: Known) -> Known:
        """The box of the products."""
        if isinstance(left, Region) and isinstance(right, Region):
            return left.times(right)
        return _width(right if isinstance(left, Region) else left)

    def outward(self, pair: nn.Module, value: Known) -> Known:
        """No pair's way back is followed."""
        raise UnknownModule(pair)


def _width(value: Known) -> Anything:
    """No more than how long the vector is."""
    return value if isinstance(value, Anything) else Anything()


def _within(module: nn.Module, value: Known) -> Known:
    """What the card of a norm says that its output lies in.

    Raises:
        UnknownModule: it says nothing.
    """
    card, placed = card_of(module), marked(module)
    place = placed.site if placed is not None else None
    bound = card.bound(turned(module), place, value) if card is not None and card.bound is not None else None
    if bound is None:
        raise UnknownModule(module)
    return _region(float(bound), module, place) if isinstance(bound, (int, float, Tensor)) else bound


def _region(most: float, module: nn.Module, place: Site | Frame | None) -> Known:
    """Of entries that are at most ``most`` in absolute value."""
    if isinstance(place, Frame):
        return Ball(most * math.sqrt(place.size))
    if place is None:
        raise UnknownModule(module)
    ends = torch.full((place.dim,), most, dtype=torch.float64)
    return Region.box(-ends, ends)


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
    value = _width(value)
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


@send.register(nn.Flatten)
def _flat(module: nn.Flatten, value: Known) -> Known:
    """Entries of one input stay entries of it; what is known of a position says nothing of all of them together."""
    if not isinstance(value, Ball):
        raise UnknownModule(module)
    return value


@send.register(Linear)
@send.register(nn.Linear)
def _linear(module: nn.Linear, value: Known) -> Known:
    if isinstance(value, Ball):
        value = value.of_width(module.in_features)
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
    if isinstance(
        value, Ball
    ):  # all entries that a kernel meets are entries of one input; the zeros around it are less
        return value.of_width(weight[0].numel()).affine(weight.flatten(1), bias)
    padded = any(amount != 0 for amount in cast(tuple[int, ...], module.padding))
    seen = [value.affine(offset, torch.zeros_like(bias)) for offset in weight.flatten(2).unbind(2)]
    seen = [region.with_zero() if padded else region for region in seen]
    if len(seen) == 1:
        return value.affine(weight.flatten(1), bias)
    low, high = torch.stack([r.low for r in seen]), torch.stack([r.high for r in seen])
    return Region.box(low.sum(0) + bias, high.sum(0) + bias)


@send.register(Affine)
def _tokens(module: Affine, value: Known) -> Known:
    """One token per feature: a line for each feature, of which nothing is known while the input may be anything."""
    if not isinstance(value, Ball):
        return Anything(module.weight.shape[-1])
    weight, bias = (tensor.double() for tensor in module.scaled())
    reach = value.radius * weight.abs()
    return Region.box((bias - reach).amin(0), (bias + reach).amax(0))


@send.register(Clamp)
def _clamp(module: Clamp, value: Known) -> Known:
    low, high = torch.tensor([module.low]).double(), torch.tensor([module.high]).double()
    if isinstance(value, Region):
        low, high = value.low.clamp(module.low, module.high), value.high.clamp(module.low, module.high)
    return Region.box(low, high)
