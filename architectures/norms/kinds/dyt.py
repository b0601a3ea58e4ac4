"""Dynamic tanh: ``gain tanh(alpha x) + shift``, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithAffine, positive
from architectures.norms.registry import register_norm
from architectures.norms.site import Site

if TYPE_CHECKING:
    from torch import Tensor, nn

    from architectures.norms.links import Link


@dataclass(frozen=True)
class Dyt(WithAffine):
    """Dynamic tanh (Zhu et al., arXiv 2503.10622): ``gain tanh(alpha x) + shift``, alpha learned from ``alpha``.

    Without ``affine``, alpha alone is learned.
    """

    alpha: float = 0.5

    def __post_init__(self) -> None:
        positive("alpha", self.alpha)


def dynamic_tanh(x: Tensor, alpha: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """``weight tanh(alpha x) + bias`` over the last dimension."""
    y = (alpha * x).tanh()
    return y if weight is None or bias is None else y * weight + bias


def _link(module: nn.Module, names: list[str]) -> Link | None:
    from architectures.norms.layers import Formula
    from architectures.norms.links import CurveLink

    return CurveLink(names, "tanh") if type(module) is Formula and module.formula is dynamic_tanh else None


@register_norm(
    "dyt",
    options=Dyt,
    summary="dynamic tanh, elementwise",
    citation="Zhu, Chen, He, LeCun and Liu, arXiv 2503.10622",
    layout="last",
    growth="bounds",
    link=_link,
)
def dyt(site: Site, options: Dyt) -> nn.Module:
    """The gain starts at 1, the shift at 0."""
    import torch

    from architectures.norms.layers import Formula

    learned = {"alpha": torch.tensor(options.alpha)}
    if options.affine:
        learned |= {"weight": torch.ones(site.dim), "bias": torch.zeros(site.dim)}
    return Formula(dynamic_tanh, learned=learned)
