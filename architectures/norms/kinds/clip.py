"""Clipping the input at the training radius: ``x̃ / s`` with ``s = max(1, distance)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.card import NormKind
from architectures.norms.registry import register_norm
from architectures.norms.site import Frame

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Clip(NormKind):
    """The input drawn back to the training radius: ``x / s``, ``s = max(1, distance)``; unchanged inside."""


@register_norm(
    "clip",
    sort="pair",
    options=Clip,
    summary="the input drawn back to the training radius where it lies beyond",
    citation="projection onto a ball; what any bounding layer has to beat",
    growth="bounds",
)
def clip(frame: Frame, options: Clip) -> nn.Module:
    """A ball has a way in and none back: what was beyond the radius is answered as if it lay on it."""
    from architectures.norms.pairs import Pair, distance

    def inward(x: Tensor) -> tuple[Tensor, None]:
        return x / distance(x, frame).clamp_min(1.0), None

    return Pair(inward)
