"""The normalization layers: torch's own, turned to whichever layout a site has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import singledispatch

import torch
from torch import Tensor, nn

from architectures.norms.kinds import Batch, Dyt, Group, Instance, Layer, NormKind, Own, Rms, Scale
from architectures.norms.site import Site, divisors
from bench.core.errors import Unsupported


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


class ScaleNorm(nn.Module):
    """``g x / max(‖x‖₂, eps)`` over the last dimension (arXiv 1910.05895); g starts at √dim."""

    def __init__(self, dim: int, eps: float, affine: bool) -> None:
        super().__init__()
        self.eps = eps
        length = torch.tensor(math.sqrt(dim))
        if affine:
            self.length = nn.Parameter(length)
        else:
            self.register_buffer("length", length)

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) to the same shape."""
        return self.length * nn.functional.normalize(x, dim=-1, eps=self.eps)


class DynamicTanh(nn.Module):
    """``gain tanh(alpha x) + shift`` over the last dimension (arXiv 2503.10622)."""

    def __init__(self, dim: int, alpha: float, affine: bool) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(alpha))
        self.weight = nn.Parameter(torch.ones(dim)) if affine else None
        self.bias = nn.Parameter(torch.zeros(dim)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) to the same shape."""
        y = torch.tanh(self.alpha * x)
        return y if self.weight is None or self.bias is None else y * self.weight + self.bias


@dataclass(frozen=True)
class Mark:
    """What a layer that a scheme placed is, and where it stands."""

    kind: NormKind
    site: Site


def mark(layer: nn.Module, site: Site, kind: NormKind) -> None:
    """Write on ``layer``, and on what it turns, what it is; :func:`marked` reads it."""
    for part in (layer, _turned(layer)):
        part.farfield_mark = Mark(kind, site)  # type: ignore[assignment]


def marked(layer: nn.Module) -> Mark | None:
    """What a scheme placed as ``layer``, or None when no scheme did."""
    return getattr(layer, "farfield_mark", None)


def layer_for(kind: NormKind, site: Site, own: nn.Module | None) -> nn.Module:
    """The layer of ``kind`` for ``site``, with the gain and shift of ``own`` where their shapes are the same.

    Raises:
        Unsupported: the layer would be degenerate there, cannot be made, or ``own`` is wanted and there is none.
    """
    if not isinstance(kind, Own):
        layer = make_norm(kind, site)
        _inherit(_turned(layer), own)
    elif own is None:
        raise Unsupported(f"this network brings no norm layer of its own to {site.name!r}", code="no_own_norm")
    else:
        layer = own
    mark(layer, site, kind)
    return layer


def _inherit(layer: nn.Module, own: nn.Module | None) -> None:
    for name in ("weight", "bias"):
        ours, theirs = getattr(layer, name, None), getattr(own, name, None)
        if isinstance(ours, nn.Parameter) and isinstance(theirs, nn.Parameter) and ours.shape == theirs.shape:
            with torch.no_grad():
                ours.copy_(theirs)


def _turned(layer: nn.Module) -> nn.Module:
    return layer.layer if isinstance(layer, (ChannelsFirst, ChannelsLast)) else layer


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


@make_norm.register
def _group(kind: Group, site: Site) -> nn.Module:
    if site.dim % kind.groups:
        raise Unsupported(
            f"group norm at {site.name!r}: groups={kind.groups} does not divide {site.dim} channels; "
            f"{divisors(site.dim)} do",
            code="degenerate_norm",
        )
    features = site.dim // kind.groups * site.positions
    _need_features(site, "group", features, 3, "over 1 it is a constant and over 2 it is +-1")
    return _over_first(site, nn.GroupNorm(kind.groups, site.dim, eps=kind.eps, affine=kind.affine))


_INSTANCE = (nn.InstanceNorm1d, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)


@make_norm.register
def _instance(kind: Instance, site: Site) -> nn.Module:
    if site.positions < 2:
        what = f"instance norm at {site.name!r} has {site.positions} position to average over; at least 2"
        raise Unsupported(what, code="degenerate_norm")
    return _over_first(site, _by_rank(_INSTANCE, site, "instance")(site.dim, eps=kind.eps, affine=kind.affine))


@make_norm.register
def _scale(kind: Scale, site: Site) -> nn.Module:
    _need_features(site, "scale", site.dim, 2, "over 1 it is +-1")
    return _over_last(site, ScaleNorm(site.dim, kind.eps, kind.affine))


@make_norm.register
def _dyt(kind: Dyt, site: Site) -> nn.Module:
    return _over_last(site, DynamicTanh(site.dim, kind.alpha, kind.affine))


def averages_to_nothing(layer: nn.Module) -> bool:
    """Whether the mean over positions of what ``layer`` gives is a constant: each channel is centred by itself."""
    inner = _turned(layer)
    if isinstance(inner, nn.GroupNorm):
        return inner.num_groups == inner.num_channels
    return isinstance(inner, (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d))


def _over_last(site: Site, layer: nn.Module) -> nn.Module:
    return layer if site.layout == "last" or not site.space else ChannelsLast(layer)


def _over_first(site: Site, layer: nn.Module) -> nn.Module:
    return layer if site.layout == "first" or not site.space else ChannelsFirst(layer)


def _by_rank(layers: tuple[type[nn.Module], ...], site: Site, name: str) -> type[nn.Module]:
    if len(site.space) >= len(layers):
        what = f"{name} norm at {site.name!r}: {len(site.space)} dimensions of positions, at most 3"
        raise Unsupported(what, code="degenerate_norm")
    return layers[len(site.space)]


def _need_features(site: Site, name: str, features: int, least: int, why: str) -> None:
    if features < least:
        count = "feature" if features == 1 else "features"
        what = f"{name} norm at {site.name!r} would be over {features} {count} ({why}); at least {least}"
        raise Unsupported(what, code="degenerate_norm")
