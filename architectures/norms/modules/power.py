"""PowerNorm with its running statistics, forwards and backwards (Shen et al., arXiv 2003.07845, Algorithm 2)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class PowerNorm(nn.Module):
    """``weight x / ψ + bias`` over the last dimension, ``ψ = √(running mean of x² + eps)``.

    In training the step t divides by the ψ of the step before, and then

        ψ² ← (1 - momentum) ψ² + momentum · mean(x²)                  over rows and positions, per channel.

    ψ depends on x, but not within a step, so that the true gradient of this step would miss how x moves ψ. The paper's
    rule puts it back from a running statistic ν. With x̂ = x / ψ and g the gradient at x̂,

        dx = (g - ν x̂) / ψ
        ν ← ν (1 - momentum · mean(x̂²)) + momentum · mean(g x̂).

    ψ² starts at 1 and ν at 0. In evaluation both stand still.

    Args:
        dim: channels.
        eps: added to ψ².
        affine: whether there is a gain and a shift.
        momentum: 1 - α of the paper.
        layer_scale: divide each position by its root mean square over channels first.
    """

    square: Tensor
    correction: Tensor

    def __init__(self, dim: int, eps: float, affine: bool, momentum: float, layer_scale: bool) -> None:
        super().__init__()
        self.eps, self.momentum, self.layer_scale = eps, momentum, layer_scale
        self.weight = nn.Parameter(torch.ones(dim)) if affine else None
        self.bias = nn.Parameter(torch.zeros(dim)) if affine else None
        self.register_buffer("square", torch.ones(dim))
        self.register_buffer("correction", torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        """(N, *space, dim) to the same shape."""
        if self.layer_scale:
            x = nn.functional.rms_norm(x, x.shape[-1:], eps=self.eps)
        scale = (self.square + self.eps).sqrt()
        if self.training:
            y: Tensor = _Corrected.apply(x, scale, self.correction, self.momentum)
            with torch.no_grad():
                self.square.lerp_(_over_rows(x.square()), self.momentum)
        else:
            y = x / scale
        return y if self.weight is None or self.bias is None else y * self.weight + self.bias

    def extra_repr(self) -> str:
        """Size and options."""
        return f"{len(self.square)}, eps={self.eps}, momentum={self.momentum}, layer_scale={self.layer_scale}"


class _Corrected(torch.autograd.Function):
    """``x / ψ`` with the backward rule of the paper, which moves ν in place whenever a gradient passes.

    ``torch.vmap`` cannot batch it: a gradient that moves a buffer belongs to one network.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, correction: Tensor, momentum: float) -> Tensor:
        """``x / scale``."""
        y = x / scale
        ctx.save_for_backward(y, scale)
        ctx.correction, ctx.momentum = correction, momentum
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        """``(g - ν y) / ψ``; ν takes its step."""
        (g,), (y, scale), correction = gradients, ctx.saved_tensors, ctx.correction
        corrected = (g - correction * y) / scale
        with torch.no_grad():
            kept = 1 - ctx.momentum * _over_rows(y.square())
            correction.mul_(kept).add_(_over_rows(g * y), alpha=ctx.momentum)
        return corrected, None, None, None


def _over_rows(x: Tensor) -> Tensor:
    """The mean over everything but the last dimension, (dim,)."""
    return x.flatten(0, -2).mean(0) if x.dim() > 1 else x
