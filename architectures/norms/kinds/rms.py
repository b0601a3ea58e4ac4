"""RMS norm: ``x / sqrt(mean(x²) + eps)`` over channels, per position, with a gain."""

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
class Rms(WithEps):
    """RMS norm (Zhang and Sennrich, arXiv 1910.07467): ``x / sqrt(mean(x^2) + eps)`` over channels, per position."""


def _link(module: nn.Module, names: list[str]) -> Link | None:
    from torch import nn

    from architectures.norms.links import NormLink

    if type(module) is not nn.RMSNorm or len(module.normalized_shape) != 1 or module.eps is None:
        return None
    return NormLink(names, module.eps, centred=False)


@register_norm(
    "rms",
    options=Rms,
    summary="root-mean-square norm over channels, per position",
    citation="Zhang and Sennrich, arXiv 1910.07467",
    layout="last",
    growth="bounds",
    modules=("torch.nn:RMSNorm",),
    link=_link,
)
def rms(site: Site, options: Rms) -> nn.Module:
    """Torch's RMS norm."""
    from torch import nn

    need_features(site, "rms", site.dim, 2, "over 1 it is +-1")
    return nn.RMSNorm(site.dim, eps=options.eps, elementwise_affine=options.affine)
