"""Links of the training program ``chain`` (:mod:`bench.training.programs.chain`): a layer of all members at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor


class Link(ABC):
    """A layer of M members. ``weights`` are views, shape (M, ...), of the stack's flat parameters.

    Shapes: inputs and outputs (M, rows, channels). Small networks are slowed most by memory that is touched anew, so
    links work in place: the gradient given to ``backward`` is the link's to overwrite, and so is the input where
    ``owns_input`` says that no earlier link needs it.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.owns_input = False
        self.weights: tuple[Tensor, ...] = ()
        self.gradients: tuple[Tensor, ...] = ()

    @abstractmethod
    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """The output; what ``backward`` needs is kept when ``keep``."""

    @abstractmethod
    def backward(self, g: Tensor, first: bool) -> Tensor:
        """Fill ``gradients`` from the gradient at the output; return the one at the input unless ``first``."""


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
            return torch.addcmul(self.weights[1].unsqueeze(1), y, self.weights[0].unsqueeze(1))
        # an activation may follow in place, and y is needed again
        return y * self.weights[0].unsqueeze(1) if self.weights else y.clone() if keep else y

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
            g.mul_(self.weights[0].unsqueeze(1))
        g.addcmul_(self.y, along, value=-1 / g.shape[-1])
        if total is not None:
            g.sub_(total, alpha=1 / g.shape[-1])
        return g.mul_(self.scale)

    def _along(self, values: Tensor) -> Tensor:
        """``sum(values · gain)`` over channels, a product with one column."""
        if self.weights:
            return torch.bmm(values, self.weights[0].unsqueeze(-1))
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
