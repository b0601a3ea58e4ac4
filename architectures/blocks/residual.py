"""The residual connection that the residual families and the transformers share."""

from __future__ import annotations

from torch import Tensor, nn

from architectures.blocks.activations import activation
from architectures.blocks.layers import Linear
from architectures.blocks.options import ActivationName, Drawing
from architectures.norms.site import Layout, Norm


class Residual(nn.Module):
    """``res(skip(x) + out(branch(in(x))))``: the sites of pre-norm, sandwich and post-norm around one branch.

    Args:
        branch: what is added.
        dims: channels before and after.
        name: prefix of the sites ``name.in``, ``name.out``, ``name.res``.
        norm: gives the layers at the sites.
        layout: where the channels stand.
        skip: the other path, where shapes change; the identity otherwise.
    """

    def __init__(
        self,
        branch: nn.Module,
        dims: tuple[int, int],
        name: str,
        norm: Norm,
        layout: Layout = "last",
        skip: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.norm_in = norm(f"{name}.in", dims[0], layout)
        self.branch = branch
        self.norm_out = norm(f"{name}.out", dims[1], layout)
        self.skip = skip or nn.Identity()
        self.norm_res = norm(f"{name}.res", dims[1], layout)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as of the branch."""
        y: Tensor = self.norm_res(self.skip(x) + self.norm_out(self.branch(self.norm_in(x))))
        return y


class FeedForward(nn.Sequential):
    """``W₂ f(W₁ x)`` over the last dimension."""

    def __init__(self, width: int, hidden: int, act: ActivationName, drawing: Drawing) -> None:
        super().__init__()
        self.rise = Linear(width, hidden, drawing)
        self.activation = activation(act)
        self.fall = Linear(hidden, width, drawing)


class GatedFeedForward(nn.Module):
    """``W₃ (W₁ x ⊙ f(W₂ x))`` over the last dimension (Shazeer, arXiv 2002.05202); with f = relu it is ReGLU."""

    def __init__(self, width: int, hidden: int, act: ActivationName, drawing: Drawing) -> None:
        super().__init__()
        self.rise = Linear(width, 2 * hidden, drawing)
        self.activation = activation(act)
        self.fall = Linear(hidden, width, drawing)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        value, gate = self.rise(x).chunk(2, dim=-1)
        y: Tensor = self.fall(value * self.activation(gate))
        return y
