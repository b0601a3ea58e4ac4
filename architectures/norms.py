"""The normalization layers: torch's own, turned to whichever layout a site has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Literal, Protocol

from torch import Tensor, nn

from architectures.kinds import Batch, Layer, NormKind, Rms
from bench.core.errors import Unsupported

Layout = Literal["last", "first"]


@dataclass(frozen=True)
class Site:
    """A place where a network can be normalized.

    Args:
        name: as schemes spell it.
        dim: number of channels.
        layout: ``last``: (N, *space, dim); ``first``: (N, dim, *space).
        space: sizes of the positions, ``()`` for one vector a sample.
    """

    name: str
    dim: int
    layout: Layout = "last"
    space: tuple[int, ...] = ()

    @property
    def positions(self) -> int:
        """Number of positions."""
        count = 1
        for size in self.space:
            count *= size
        return count


class Norm(Protocol):
    """What a builder receives: call it wherever the network could be normalized."""

    def __call__(self, site: str, dim: int, layout: Layout = "last") -> nn.Module:
        """The layer that the scheme wants at ``site``, over ``dim`` channels, or an identity."""
        ...


class ChannelsLast(nn.Module):
    """Applies a layer that expects channels last to (N, dim, *space)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """(N, dim, *space) to the same shape."""
        return self.layer(x.movedim(1, -1)).movedim(-1, 1)


class ChannelsFirst(nn.Module):
    """Applies a layer that expects channels first to (N, *space, dim)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """(N, *space, dim) to the same shape."""
        return self.layer(x.movedim(-1, 1)).movedim(1, -1)


@singledispatch
def make_norm(kind: NormKind, site: Site) -> nn.Module:
    """The layer of ``kind`` for ``site``.

    Raises:
        Unsupported: the layer would be degenerate there, or cannot be made.
    """
    raise TypeError(f"no layer is known for {kind!r}")


@make_norm.register
def _layer(kind: Layer, site: Site) -> nn.Module:
    _need_features(site, "layer", site.dim, 3, "over 1 it is a constant and over 2 it is +-1")
    return _over_last(site, nn.LayerNorm(site.dim, eps=kind.eps, elementwise_affine=kind.affine))


@make_norm.register
def _rms(kind: Rms, site: Site) -> nn.Module:
    _need_features(site, "rms", site.dim, 2, "over 1 it is +-1")
    return _over_last(site, nn.RMSNorm(site.dim, eps=kind.eps, elementwise_affine=kind.affine))


_BATCH = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@make_norm.register
def _batch(kind: Batch, site: Site) -> nn.Module:
    batch_norm = _by_rank(_BATCH, site, "batch")
    return _over_first(site, batch_norm(site.dim, eps=kind.eps, affine=kind.affine, momentum=kind.momentum))


def _over_last(site: Site, layer: nn.Module) -> nn.Module:
    return layer if site.layout == "last" or not site.space else ChannelsLast(layer)


def _over_first(site: Site, layer: nn.Module) -> nn.Module:
    return layer if site.layout == "first" or not site.space else ChannelsFirst(layer)


def _by_rank(layers: tuple[type[nn.Module], ...], site: Site, name: str) -> type[nn.Module]:
    if len(site.space) >= len(layers):
        raise Unsupported(f"{name} norm at {site.name!r}: {len(site.space)} dimensions of positions, at most 3")
    return layers[len(site.space)]


def _need_features(site: Site, name: str, features: int, least: int, why: str) -> None:
    if features < least:
        count = "feature" if features == 1 else "features"
        raise Unsupported(f"{name} norm at {site.name!r} would be over {features} {count} ({why}); at least {least}")
