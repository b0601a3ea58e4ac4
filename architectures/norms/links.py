"""Links of the training program ``chain`` (:mod:`bench.training.programs.chain`): a layer of all members at once."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor


class Link(ABC):
    """A layer of M members.

    ``weights`` are views, shape (M, ...), of the stack's flat parameters; ``over_rows`` the same with an axis for rows,
    (M, 1, ...).

    A layer with buffers names them in ``held``, as the layer does; ``buffers`` are those of the members, (M, ...), for
    the link to change in place when it trains.

    Shapes: inputs and outputs (M, rows, channels). Small networks are slowed most by memory that is touched anew, so
    links work in place: the gradient given to ``backward`` is the link's to overwrite, and so is the input where
    ``owns_input`` says that no earlier link needs it.
    """

    def __init__(self, names: Sequence[str], held: Sequence[str] = ()) -> None:
        self.names, self.held = tuple(names), tuple(held)
        self.owns_input = False
        self.buffers: tuple[Tensor, ...] = ()
        self.weights: tuple[Tensor, ...] = ()
        self.over_rows: tuple[Tensor, ...] = ()
        self.gradients: tuple[Tensor, ...] = ()

    def bind(self, weights: Sequence[Tensor], gradients: Sequence[Tensor], buffers: Sequence[Tensor]) -> None:
        """Take the members' numbers, once for many steps: making views of them is a twentieth of a small step."""
        self.weights, self.gradients, self.buffers = tuple(weights), tuple(gradients), tuple(buffers)
        self.over_rows = tuple(weight.unsqueeze(1) for weight in weights)

    @abstractmethod
    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """The output; what ``backward`` needs is kept when ``keep``."""

    @abstractmethod
    def backward(self, g: Tensor, first: bool) -> Tensor:
        """Fill ``gradients`` from the gradient at the output; return the one at the input unless ``first``."""


class BatchLink(Link):
    """Batch norm over rows; weights (M, channels): gain and shift, or none; buffers: mean, variance, steps taken."""

    def __init__(self, names: Sequence[str], eps: float, momentum: float) -> None:
        super().__init__(names, ("running_mean", "running_var", "num_batches_tracked"))
        self.eps, self.momentum = eps, momentum

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """``(x - mean) / sqrt(var + eps) · gain + shift``; statistics of the rows when ``keep``, else the running ones.

        Raises:
            ValueError: a single row to train on, which has no variance.
        """
        gain, shift = self.over_rows or (None, None)
        if not keep:
            factor = self.buffers[1].add(self.eps).rsqrt_().unsqueeze(1)
            factor = factor if gain is None else factor.mul_(gain)
            start = self.buffers[0].unsqueeze(1).mul(factor).neg_()
            return torch.addcmul(start if shift is None else start.add_(shift), x, factor)
        if x.shape[1] == 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got {len(x)} times 1 row")
        mean = x.sum(1, keepdim=True).mul_(1 / x.shape[1])
        self.off = x.sub_(mean) if self.owns_input else x - mean
        variance = (self.off * self.off).sum(1, keepdim=True).mul_(1 / x.shape[1])
        self._track(mean.squeeze(1), variance.squeeze(1), x.shape[1])
        self.scale = variance.add_(self.eps).rsqrt_()
        factor = self.scale if gain is None else self.scale * gain
        return self.off * factor if shift is None else torch.addcmul(shift, self.off, factor)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """``scale · gain · (g - mean(g) - y · mean(g y))`` with y = off · scale, means over rows."""
        share, factor = 1 / g.shape[1], self.scale
        along, total = (g * self.off).sum(1, keepdim=True).mul_(self.scale), g.sum(1, keepdim=True)
        if self.weights:
            self.gradients[0].copy_(along.squeeze(1))
            self.gradients[1].copy_(total.squeeze(1))
            factor = self.scale * self.over_rows[0]
        if first:
            return g
        turn = along.mul_(self.scale).mul_(factor).mul_(-share)
        return torch.addcmul(total.mul_(factor).mul_(-share), g, factor).addcmul_(self.off, turn)

    def _track(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        """Move the running statistics as torch does: the mean, and the variance over rows - 1."""
        self.buffers[0].mul_(1 - self.momentum).add_(mean, alpha=self.momentum)
        self.buffers[1].mul_(1 - self.momentum).add_(variance, alpha=self.momentum * rows / (rows - 1))
        self.buffers[2].add_(1)


class CurveLink(Link):
    """``gain f(alpha x + s) + shift``, elementwise, for f = tanh or erf.

    Weights: alpha (M,); s (M,) for erf; gain and shift (M, channels), or neither.
    """

    def __init__(self, names: Sequence[str], curve: Literal["tanh", "erf"]) -> None:
        super().__init__(names)
        self.curve, self.inner = curve, 1 if curve == "tanh" else 2

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """The input, ``alpha x + s`` for erf, and what f makes of it are kept."""
        alpha, outer = _of_all(self.weights[0]), self.over_rows[self.inner :]
        inside = x * alpha if self.curve == "tanh" else torch.addcmul(_of_all(self.weights[1]), x, alpha)
        y = torch.tanh(inside) if self.curve == "tanh" else torch.erf(inside)
        if keep:
            self.x, self.inside, self.y = x, inside, y
        if outer:
            return torch.addcmul(outer[1], y, outer[0])
        return y.clone() if keep else y  # an activation may follow in place

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """``h = g · gain · f'``; alpha gets ``sum(h x)``, s ``sum(h)``, the input ``h · alpha``."""
        outer = self.over_rows[self.inner :]
        if outer:
            torch.sum(g * self.y, 1, out=self.gradients[self.inner])
            torch.sum(g, 1, out=self.gradients[self.inner + 1])
            g.mul_(outer[0])
        if self.curve == "tanh":
            h = torch.ops.aten.tanh_backward(g, self.y)
        else:
            h = self.inside.square_().neg_().exp_().mul_(2 / math.sqrt(math.pi)).mul_(g)
            self.gradients[1].copy_(h.sum((1, 2)))
        self.gradients[0].copy_((h * self.x).sum((1, 2)))
        return h if first else torch.mul(h, _of_all(self.weights[0]))


def _of_all(numbers: Tensor) -> Tensor:
    """A number of each member (M,) for its rows and channels: (M, 1, 1)."""
    return numbers[:, None, None]


class LengthLink(Link):
    """Scale norm ``length x / max(‖x‖₂, eps)`` over channels; one length (M,), a weight or a buffer."""

    def __init__(self, names: Sequence[str], eps: float) -> None:
        super().__init__(names, () if names else ("length",))
        self.eps = eps

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """The unit vectors and the norms are kept."""
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        self.short = norm <= self.eps if keep else None
        self.scale = norm.clamp_min_(self.eps).reciprocal_()
        y = x.mul_(self.scale) if self.owns_input else x * self.scale
        if keep:
            self.y = y
        return y * self._length

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """``length / ‖x‖ · (g - y · sum(g y))``, without the second term where the norm is below eps."""
        along = (g * self.y).sum(-1, keepdim=True)
        if self.weights:
            self.gradients[0].copy_(along.sum((1, 2)))
        if first:
            return g
        assert self.short is not None
        return g.addcmul_(self.y, along.masked_fill_(self.short, 0.0), value=-1).mul_(self.scale * self._length)

    @property
    def _length(self) -> Tensor:
        return _of_all((self.weights or self.buffers)[0])


class NormLink(Link):
    """Layer norm (``centred``) or RMS norm over channels; weights (M, channels): gain and shift, gain, or none."""

    def __init__(self, names: Sequence[str], eps: float, centred: bool) -> None:
        super().__init__(names)
        self.eps, self.centred = eps, centred

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """``(x - mean) / sqrt(mean((x - mean)²) + eps) · gain + shift``, without the means for RMS norm."""
        y = x
        if self.centred:
            total, share = x.sum(-1, keepdim=True), 1 / x.shape[-1]
            y = x.sub_(total, alpha=share) if self.owns_input else torch.sub(x, total, alpha=share)
        spread = torch.linalg.vector_norm(y, dim=-1, keepdim=True)
        scale = spread.square_().mul_(1 / y.shape[-1]).add_(self.eps).rsqrt_()
        y = y.mul_(scale) if self.centred or self.owns_input else y * scale
        if keep:
            self.y, self.scale = y, scale
        if len(self.weights) == 2:
            return torch.addcmul(self.over_rows[1], y, self.over_rows[0])
        # an activation may follow in place, and y is needed again
        return y * self.over_rows[0] if self.weights else y.clone() if keep else y

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """``scale · (h - mean(h) - y · mean(h y))`` with h = g · gain, without ``mean(h)`` for RMS norm."""
        product = g * self.y
        if self.weights:
            torch.sum(product, 1, out=self.gradients[0])
            if len(self.weights) == 2:
                torch.sum(g, 1, out=self.gradients[1])
        if first:
            return g
        along, total = self._along(product), self._along(g) if self.centred else None
        if self.weights:
            g.mul_(self.over_rows[0])
        g.addcmul_(self.y, along, value=-1 / g.shape[-1])
        if total is not None:
            g.sub_(total, alpha=1 / g.shape[-1])
        return g.mul_(self.scale)

    def _along(self, values: Tensor) -> Tensor:
        """``sum(values · gain)`` over channels: a product with one row takes an eighth of one with one column."""
        if self.weights:
            return torch.bmm(self.over_rows[0], values.mT).mT
        return values.sum(-1, keepdim=True)


class TanhLink(Link):
    """``limit tanh(x / limit)``, elementwise; no weights."""

    def __init__(self, limit: float) -> None:
        super().__init__(())
        self.limit = limit

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """The tanh is kept apart from the output, which an activation may overwrite."""
        y = torch.tanh(x / self.limit)
        if keep:
            self.y = y
        return y * self.limit

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """``g (1 - y²)``."""
        gradient: Tensor = torch.ops.aten.tanh_backward(g, self.y)
        return gradient


class ClampLink(Link):
    """``min(max(x, -limit), limit)``, elementwise; no weights."""

    def __init__(self, limit: float) -> None:
        super().__init__(())
        self.limit = limit

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """The input is kept."""
        if keep:
            self.x = x
        return x.clamp(-self.limit, self.limit)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """The gradient where the entry lies within the limits."""
        gradient: Tensor = torch.ops.aten.hardtanh_backward(g, self.x, -self.limit, self.limit)
        return gradient
