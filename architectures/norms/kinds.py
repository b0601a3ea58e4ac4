"""The kinds of normalization layer and their options; :mod:`architectures.norms.layers` makes the layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class NormKind:
    """A kind of normalization layer."""

    name: ClassVar[str]
    summary: ClassVar[str]


@dataclass(frozen=True)
class Own(NormKind):
    """The layer that the network brings itself, exactly as it is (a pretrained model's, say)."""

    name: ClassVar[str] = "own"
    summary: ClassVar[str] = "the layer that the network brings to the site itself"


@dataclass(frozen=True)
class _Affine(NormKind):
    """``affine`` adds a learned gain and, where the kind has one, a learned shift."""

    affine: bool = True


@dataclass(frozen=True)
class _WithEps(_Affine):
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


@dataclass(frozen=True)
class Group(_WithEps):
    """Group norm (Wu and He, arXiv 1803.08494): layer norm over each group of channels and all positions together."""

    name: ClassVar[str] = "group"
    summary: ClassVar[str] = "group norm over groups of channels and all positions"
    groups: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups < 1:
            raise ValueError(f"groups must be at least 1, not {self.groups}")


@dataclass(frozen=True)
class Instance(_WithEps):
    """Instance norm (Ulyanov et al., arXiv 1607.08022): each channel over its positions, without running statistics."""

    name: ClassVar[str] = "instance"
    summary: ClassVar[str] = "instance norm over the positions of each channel"


@dataclass(frozen=True)
class Scale(_WithEps):
    """Scale norm (Nguyen and Salazar, arXiv 1910.05895): ``g x / max(|x|_2, eps)``, one learned g from sqrt(dim).

    Without ``affine``, g stays sqrt(dim).
    """

    name: ClassVar[str] = "scale"
    summary: ClassVar[str] = "L2 norm over channels, per position, with one learned length"


@dataclass(frozen=True)
class Dyt(_Affine):
    """Dynamic tanh (Zhu et al., arXiv 2503.10622): ``gain tanh(alpha x) + shift``, alpha learned from ``alpha``.

    Without ``affine``, alpha alone is learned.
    """

    name: ClassVar[str] = "dyt"
    summary: ClassVar[str] = "dynamic tanh, elementwise"
    alpha: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and self.alpha > 0):
            raise ValueError(f"alpha must be positive, not {self.alpha}")


KINDS: dict[str, type[NormKind]] = {kind.name: kind for kind in (Layer, Rms, Batch, Group, Instance, Scale, Dyt, Own)}
