"""Batch norm: over rows and positions, per channel; in evaluation an affine map by the statistics of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Site, by_rank

if TYPE_CHECKING:
    from torch import nn

    from architectures.norms.links import Link


@dataclass(frozen=True)
class Batch(WithEps):
    """Batch norm (Ioffe and Szegedy, arXiv 1502.03167); answers with the running statistics of training."""

    momentum: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.momentum <= 1:
            raise ValueError(f"momentum must be in (0, 1], not {self.momentum}")


def _link(module: nn.BatchNorm1d, names: list[str]) -> Link | None:
    from torch import nn

    from architectures.norms.links import BatchLink

    if type(module) is not nn.BatchNorm1d or len(names) == 1:
        return None
    if module.momentum is None or not module.track_running_stats:
        return None
    return BatchLink(names, module.eps, module.momentum)


@register_norm(
    "batch",
    options=Batch,
    summary="batch norm; evaluation uses training statistics",
    citation="Ioffe and Szegedy, arXiv 1502.03167",
    layout="first",
    growth="keeps",
    why="an affine map in evaluation",
    modules=("torch.nn:BatchNorm1d", "torch.nn:BatchNorm2d", "torch.nn:BatchNorm3d"),
    link=_link,
)
def batch(site: Site, options: Batch) -> nn.Module:
    """Torch's batch norm of as many dimensions as there are positions."""
    from torch import nn

    layers: list[type[nn.Module]] = [nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d]
    made = by_rank(layers, site, "batch")
    return made(site.dim, eps=options.eps, affine=options.affine, momentum=options.momentum)
