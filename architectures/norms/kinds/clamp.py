"""Clamped activations: ``min(max(x, -limit), limit)``, elementwise, with nothing learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import Limited
from architectures.norms.registry import register_norm
from architectures.norms.site import Site

if TYPE_CHECKING:
    from torch import nn

    from architectures.norms.links import Link


@dataclass(frozen=True)
class Clamp(Limited):
    """Every entry cut off at ``-limit`` and ``limit``: the cheapest bound there is, and no gradient beyond it."""

    limit: float = 3.0


def _link(module: nn.Module, names: list[str]) -> Link | None:
    from torch import nn

    from architectures.norms.links import ClampLink

    return ClampLink(module.max_val) if type(module) is nn.Hardtanh else None


@register_norm(
    "clamp",
    options=Clamp,
    summary="activations cut off at a limit, elementwise, nothing learned",
    citation="Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010 (capped units)",
    growth="bounds",
    link=_link,
)
def clamp(site: Site, options: Clamp) -> nn.Module:
    """Torch's hard tanh."""
    from torch import nn

    return nn.Hardtanh(-options.limit, options.limit)
