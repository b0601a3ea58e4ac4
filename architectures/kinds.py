"""The kinds of normalization layer and their options; :mod:`architectures.norms` makes the layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class NormKind:
    """A kind of normalization layer. ``affine`` adds a learned gain and, where the kind has one, a learned shift."""

    name: ClassVar[str]
    summary: ClassVar[str]
    affine: bool = True


@dataclass(frozen=True)
class _WithEps(NormKind):
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.eps) and self.eps > 0):
            raise ValueError(f"eps must be positive, not {self.eps}")


@dataclass(frozen=True)
class Layer(_WithEps):
    """Layer norm (Ba et al., arXiv 1607.06450): ``(x - mean) / sqrt(var + eps)`` over channels, per position."""

    name: ClassVar[str] = "layer"
    summary: ClassVar[str] = "layer norm over channels, per position"


@dataclass(frozen=True)
class Rms(_WithEps):
    """RMS norm (Zhang and Sennrich, arXiv 1910.07467): ``x / sqrt(mean(x^2) + eps)`` over channels, per position."""

    name: ClassVar[str] = "rms"
    summary: ClassVar[str] = "root-mean-square norm over channels, per position"


@dataclass(frozen=True)
class Batch(_WithEps):
    """Batch norm (Ioffe and Szegedy, arXiv 1502.03167); answers with the running statistics of training."""

    name: ClassVar[str] = "batch"
    summary: ClassVar[str] = "batch norm; evaluation uses training statistics"
    momentum: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.momentum <= 1:
            raise ValueError(f"momentum must be in (0, 1], not {self.momentum}")


KINDS: dict[str, type[NormKind]] = {kind.name: kind for kind in (Layer, Rms, Batch)}
