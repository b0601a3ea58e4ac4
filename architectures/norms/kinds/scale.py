"""Scale norm: ``g x / max(‖x‖₂, eps)`` over channels, per position, with one g."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Site, need_features

if TYPE_CHECKING:
    from torch import Tensor, nn

    from architectures.norms.links import Link


@dataclass(frozen=True)
class Scale(WithEps):
    """Scale norm (Nguyen and Salazar, arXiv 1910.05895): ``g x / max(|x|_2, eps)``, one learned g from sqrt(dim).

    Without ``affine``, g stays sqrt(dim).
    """


def scale_norm(x: Tensor, length: Tensor, eps: float) -> Tensor:
    """``length x / max(‖x‖₂, eps)`` over the last dimension."""
    from torch.nn.functional import normalize

    return length * normalize(x, dim=-1, eps=eps)


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
