"""PowerNorm: ``gain x / √(running mean of x² + eps) + shift``, per channel; in evaluation an affine map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Site, need_features

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Power(WithEps):
    """PowerNorm, PN (Shen et al., arXiv 2003.07845, Algorithm 2): ``gain x / sqrt(psi² + eps) + shift``.

    psi² is the running mean of x² over rows and positions, in training too, and gradients come from the paper's own
    backward rule, with a running statistic of its own. ``layer_scale`` divides each position by its root mean square
    over channels first, as the authors' code does; that bounds, PN by itself does not. Their 10,000 steps of warm-up
    with batch statistics are left out: few trainings here are that long.
    """

    momentum: float = 0.1
    layer_scale: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.momentum <= 1:
            raise ValueError(f"momentum must be in (0, 1], not {self.momentum}")


@register_norm(
    "power",
    options=Power,
    summary="PowerNorm: divided by a running root mean square, with the gradient rule of its paper",
    citation="Shen, Yao, Gholami, Mahoney and Keutzer, arXiv 2003.07845",
    layout="last",
    growth="keeps",
    why="an affine map in evaluation",
)
def power(site: Site, options: Power) -> nn.Module:
    """FarField's own layer: torch has none."""
    from architectures.norms.modules.power import PowerNorm

    if options.layer_scale:
        need_features(site, "power", site.dim, 2, "with layer_scale, over 1 it is +-1")
    return PowerNorm(site.dim, options.eps, options.affine, options.momentum, options.layer_scale)
