"""Scale norm: ``g x / max(‖x‖₂, eps)`` over channels, per position, with one g."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Site, need_features

if TYPE_CHECKING:
    from torch import Tensor, nn

    from architectures.norms.links import Link
    from architectures.norms.regions import Known, Region


@dataclass(frozen=True)
class Scale(WithEps):
    """Scale norm (Nguyen and Salazar, arXiv 1910.05895): ``g x / max(|x|_2, eps)``, one learned g from sqrt(dim).

    Without ``affine``, g stays sqrt(dim).
    """


def scale_norm(x: Tensor, length: Tensor, eps: float) -> Tensor:
    """``length x / max(‖x‖₂, eps)`` over the last dimension."""
    from torch.nn.functional import normalize

    return length * normalize(x, dim=-1, eps=eps)


def _bound(module: Any, site: Site | None, value: Known) -> Region | None:
    """A ball of radius g."""
    import torch

    from architectures.norms.regions import ellipsoid

    if site is None:
        return None
    length = torch.full((site.dim,), float(module.length.abs())).double()
    return ellipsoid(length, torch.zeros(site.dim).double(), torch.eye(site.dim, dtype=torch.float64), 1.0)


def _link(module: nn.Module, names: list[str]) -> Link | None:
    from architectures.norms.layers import Formula
    from architectures.norms.links import LengthLink

    if type(module) is not Formula or not isinstance(module.formula, partial) or module.formula.func is not scale_norm:
        return None
    return LengthLink(names, module.formula.keywords["eps"])


@register_norm(
    "scale",
    options=Scale,
    summary="L2 norm over channels, per position, with one learned length",
    citation="Nguyen and Salazar, arXiv 1910.05895",
    layout="last",
    growth="bounds",
    bound=_bound,
    link=_link,
)
def scale(site: Site, options: Scale) -> nn.Module:
    """The length g starts at √dim."""
    import torch

    from architectures.norms.layers import Formula

    need_features(site, "scale", site.dim, 2, "over 1 it is +-1")
    length = {"length": torch.tensor(math.sqrt(site.dim))}
    formula = partial(scale_norm, eps=options.eps)
    return Formula(formula, learned=length) if options.affine else Formula(formula, kept=length)
