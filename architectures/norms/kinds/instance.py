"""Instance norm: each channel of each row over its positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Site, by_rank
from bench.core.errors import Unsupported

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Instance(WithEps):
    """Instance norm (Ulyanov et al., arXiv 1607.08022): each channel over its positions, without running statistics."""


@register_norm(
    "instance",
    options=Instance,
    summary="instance norm over the positions of each channel",
    citation="Ulyanov, Vedaldi and Lempitsky, arXiv 1607.08022",
    layout="first",
    growth="bounds",
    modules=("torch.nn:InstanceNorm1d", "torch.nn:InstanceNorm2d", "torch.nn:InstanceNorm3d"),
    centres_channels=lambda module: True,
)
def instance(site: Site, options: Instance) -> nn.Module:
    """Torch's instance norm of as many dimensions as there are positions."""
    from torch import nn

    if site.positions < 2:
        what = f"instance norm at {site.name!r} has {site.positions} position to average over; at least 2"
        raise Unsupported(what, code="degenerate_norm")
    layers: list[type[nn.Module]] = [nn.InstanceNorm1d, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d]
    return by_rank(layers, site, "instance")(site.dim, eps=options.eps, affine=options.affine)
