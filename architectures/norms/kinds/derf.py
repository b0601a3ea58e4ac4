"""Dynamic erf: ``gain erf(alpha x + s) + shift``, elementwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithAffine, positive
from architectures.norms.registry import register_norm
from architectures.norms.site import Site

if TYPE_CHECKING:
    from torch import Tensor, nn

    from architectures.norms.links import Link


@dataclass(frozen=True)
class Derf(WithAffine):
    """Dynamic erf (Chen et al., arXiv 2512.10938): ``gain erf(alpha x + s) + shift``.

    alpha and s are one number each, learned from ``alpha`` and ``s``; without ``affine``, they alone are learned.
    """

    alpha: float = 0.5
    s: float = 0.0

    def __post_init__(self) -> None:
        positive("alpha", self.alpha)
        if not math.isfinite(self.s):
            raise ValueError(f"s must be finite, not {self.s}")


def dynamic_erf(
    x: Tensor, alpha: Tensor, s: Tensor, weight: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """``weight erf(alpha x + s) + bias`` over the last dimension."""
    y = (alpha * x + s).erf()
    return y if weight is None or bias is None else y * weight + bias


def _link(module: nn.Module, names: list[str]) -> Link | None:
    from architectures.norms.layers import Formula
    from architectures.norms.links import CurveLink

    return CurveLink(names, "erf") if type(module) is Formula and module.formula is dynamic_erf else None


@register_norm(
    "derf",
    options=Derf,
    summary="dynamic erf, elementwise: dynamic tanh with another curve and a learned shift inside",
    citation="Chen, Lu, Zhu, Sun and Liu, arXiv 2512.10938",
    layout="last",
    growth="bounds",
    link=_link,
)
def derf(site: Site, options: Derf) -> nn.Module:
    """The gain starts at 1, the shift at 0."""
    import torch

    from architectures.norms.layers import Formula

    learned = {"alpha": torch.tensor(options.alpha), "s": torch.tensor(options.s)}
    if options.affine:
        learned |= {"weight": torch.ones(site.dim), "bias": torch.zeros(site.dim)}
    return Formula(dynamic_erf, learned=learned)
