"""The radial pair: ``s g(x̃ / s)`` with ``s = max(1, distance)``: unchanged inside the radius, linear outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.card import NormKind
from architectures.norms.registry import register_norm
from architectures.norms.site import Frame

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Radial(NormKind):
    """``s g(x / s)`` with ``s = max(1, distance)``; ``radial@input`` alone does what ``clip@input`` does."""


@register_norm(
    "radial",
    sort="pair",
    options=Radial,
    summary="drawn back to the training radius, and the answer scaled up again: linear along every ray beyond it",
    citation="homogeneous extension of the network from the training ball",
    growth="bounds",
    growth_back="raises",
)
def radial(frame: Frame, options: Radial) -> nn.Module:
    """On the way out the answer is multiplied by what the input was divided by."""
    from architectures.norms.pairs import Pair, distance

    def inward(x: Tensor) -> tuple[Tensor, Tensor]:
        s = distance(x, frame).clamp_min(1.0)
        return x / s, s.flatten(1)

    def outward(y: Tensor, s: Tensor) -> Tensor:
        return s * y

    return Pair(inward, outward)
