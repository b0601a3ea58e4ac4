"""Group norm: layer norm over each group of channels and all positions together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Site, divisors, need_features
from bench.core.errors import Unsupported

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Group(WithEps):
    """Group norm (Wu and He, arXiv 1803.08494): layer norm over each group of channels and all positions together."""

    groups: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups < 1:
            raise ValueError(f"groups must be at least 1, not {self.groups}")


@register_norm(
    "group",
    options=Group,
    summary="group norm over groups of channels and all positions",
    citation="Wu and He, arXiv 1803.08494",
    layout="first",
    growth="bounds",
    modules=("torch.nn:GroupNorm",),
    centres_channels=lambda module: module.num_groups == module.num_channels,
)
def group(site: Site, options: Group) -> nn.Module:
    """Torch's group norm."""
    from torch import nn

    if site.dim % options.groups:
        raise Unsupported(
            f"group norm at {site.name!r}: groups={options.groups} does not divide {site.dim} channels; "
            f"{divisors(site.dim)} do",
            code="degenerate_norm",
        )
    features = site.dim // options.groups * site.positions
    need_features(site, "group", features, 3, "over 1 it is a constant and over 2 it is +-1")
    return nn.GroupNorm(options.groups, site.dim, eps=options.eps, affine=options.affine)
