"""Weight norm: ``W = g v / ‖v‖₂`` per output of the linear map, length and direction learned apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.card import NormKind
from architectures.norms.registry import register_norm

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Weight(NormKind):
    """Weight norm (Salimans and Kingma, arXiv 1602.07868): ``W = g v / |v|_2`` for each output of the linear map."""


@register_norm(
    "weight",
    sort="parametrization",
    options=Weight,
    summary="weight norm: length and direction of each output's weights learned apart",
    citation="Salimans and Kingma, arXiv 1602.07868",
)
def weight(linear: nn.Module, options: Weight) -> None:
    """Torch's weight norm; the weights start as they were drawn."""
    from torch.nn.utils.parametrizations import weight_norm

    weight_norm(linear)
