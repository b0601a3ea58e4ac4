"""Dynamic tanh: ``gain tanh(alpha x) + shift``, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from architectures.norms.options import WithAffine, positive
from architectures.norms.registry import register_norm
from architectures.norms.site import Site

if TYPE_CHECKING:
    from torch import Tensor, nn

    from architectures.norms.links import Link
    from architectures.norms.regions import Known, Region


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


def _bound(module: Any, site: Site | None, value: Known) -> Region | None:
    """The box of ``tanh(alpha x)``, at most [-1, 1], times the gain and plus the shift."""
    import torch

    from architectures.norms.regions import Ball, Region, gain, shift

    if site is None:
        return None
    ones = torch.ones(site.dim, dtype=torch.float64)
    box = Region.box(-ones, ones)
    if isinstance(value, Ball):
        value = value.of_width(site.dim)
    if isinstance(value, Region):
        ends = torch.stack([torch.tanh(module.alpha.double() * end) for end in (value.low, value.high)])
        box = Region.box(ends.amin(0), ends.amax(0))
    return box.affine(torch.diag(gain(module, site.dim)), shift(module, site.dim))


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
    bound=_bound,
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
