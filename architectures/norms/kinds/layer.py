"""Layer norm: ``(x - mean) / sqrt(var + eps)`` over channels, per position, with gain and shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Site, need_features

if TYPE_CHECKING:
    from torch import nn

    from architectures.norms.links import Link


@dataclass(frozen=True)
class Layer(WithEps):
    """Layer norm (Ba et al., arXiv 1607.06450): ``(x - mean) / sqrt(var + eps)`` over channels, per position."""


def _link(module: nn.Module, names: list[str]) -> Link | None:
    from torch import nn

    from architectures.norms.links import NormLink

    if type(module) is not nn.LayerNorm or len(module.normalized_shape) != 1 or len(names) == 1:
        return None
    return NormLink(names, module.eps, centred=True)


@register_norm(
    "layer",
    options=Layer,
    summary="layer norm over channels, per position",
    citation="Ba, Kiros and Hinton, arXiv 1607.06450",
    layout="last",
    growth="bounds",
    modules=("torch.nn:LayerNorm",),
    link=_link,
)
def layer(site: Site, options: Layer) -> nn.Module:
    """Torch's layer norm."""
    from torch import nn

    need_features(site, "layer", site.dim, 3, "over 1 it is a constant and over 2 it is +-1")
    return nn.LayerNorm(site.dim, eps=options.eps, elementwise_affine=options.affine)
