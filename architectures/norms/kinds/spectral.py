"""Spectral norm: ``W / σ(W)``, the largest singular value by power iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.card import NormKind
from architectures.norms.options import positive
from architectures.norms.registry import register_norm

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Spectral(NormKind):
    """Spectral norm (Miyato et al., arXiv 1802.05957): ``W / sigma(W)``, ``iterations`` of the power method a step."""

    iterations: int = 1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, not {self.iterations}")
        positive("eps", self.eps)


@register_norm(
    "spectral",
    sort="parametrization",
    options=Spectral,
    summary="spectral norm: the weights divided by their largest singular value",
    citation="Miyato, Kataoka, Koyama and Yoshida, arXiv 1802.05957",
)
def spectral(linear: nn.Module, options: Spectral) -> None:
    """Torch's spectral norm."""
    from torch.nn.utils.parametrizations import spectral_norm

    spectral_norm(linear, n_power_iterations=options.iterations, eps=options.eps)
