"""The normalization layers as they stand in a network: turned to a site's layout, and marked with what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from architectures.norms.card import OWN, NormKind, NormKindCard
from architectures.norms.registry import REGISTRY
from architectures.norms.site import Frame, Layout, Site
from bench.core.errors import InputError, Unsupported
from bench.core.registry import resolve_target


class ChannelsLast(nn.Module):
    """Applies a layer that expects channels last to (N, dim, *space)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """(N, dim, *space) to the same shape."""
        y: Tensor = self.layer(x.movedim(1, -1))
        return y.movedim(-1, 1)


class ChannelsFirst(nn.Module):
    """Applies a layer that expects channels first to (N, *space, dim)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """(N, *space, dim) to the same shape."""
        y: Tensor = self.layer(x.movedim(-1, 1))
        return y.movedim(1, -1)


class Formula(nn.Module):
    """A layer that is a formula: ``formula(x, **tensors)``, over the last dimension unless its kind says otherwise.

    It lets a kind be written in a file that does not load torch: functions of tensors need none.

    Args:
        formula: gives the shape of ``x`` back.
        learned: tensors that become parameters.
        kept: tensors that become buffers.
    """

    def __init__(
        self,
        formula: Callable[..., Tensor],
        learned: Mapping[str, Tensor] | None = None,
        kept: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.formula = formula
        for name, value in (learned or {}).items():
            self.register_parameter(name, nn.Parameter(value))
        for name, value in (kept or {}).items():
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return self.formula(x, **self._parameters, **self._buffers)

    def extra_repr(self) -> str:
        """The name of the formula."""
        return getattr(self.formula, "__name__", "")


@dataclass(frozen=True)
class Mark:
    """What a scheme placed, and where: at a site, or around the network that a frame describes."""

    kind: NormKind
    site: Site | Frame


def mark(module: nn.Module, site: Site | Frame, kind: NormKind) -> None:
    """Write on ``module``, and on what it turns, what it is; :func:`marked` reads it."""
    for part in (module, turned(module)):
        part.farfield_mark = Mark(kind, site)  # type: ignore[assignment]


def marked(module: nn.Module) -> Mark | None:
    """What a scheme placed as ``module``, or None when no scheme did."""
    return getattr(module, "farfield_mark", None)


def site_of(module: nn.Module) -> Site | None:
    """The site at which a scheme placed ``module``, if one did."""
    found = marked(module)
    return found.site if found is not None and isinstance(found.site, Site) else None


def turned(layer: nn.Module) -> nn.Module:
    """The layer itself, without what turns it to the site's layout."""
    return layer.layer if isinstance(layer, (ChannelsFirst, ChannelsLast)) else layer


@cache
def _by_type() -> dict[type, NormKindCard]:
    """The built-in kinds by the types of torch that they are made of."""
    return {
        resolve_target(target): card for card in REGISTRY.loaded() for target in card.modules if not card.source_hash
    }


def card_of(module: nn.Module) -> NormKindCard | None:
    """The card of the kind that ``module`` is: as it was placed, or else by its type; None for what is no norm."""
    found = marked(module)
    if found is not None and found.kind.name != OWN:
        return found.kind.card
    types = _by_type()
    return next((types[base] for base in type(turned(module)).__mro__ if base in types), None)


def layer_for(kind: NormKind, site: Site, own: nn.Module | None) -> nn.Module:
    """The layer of ``kind`` for ``site``, with the gain and shift of ``own`` where their shapes are the same.

    Raises:
        Unsupported: the layer would be degenerate there, cannot be made, or ``own`` is wanted and there is none.
        InputError: what the kind gives is no layer, or one that it gave before.
    """
    if kind.name != OWN:
        layer = make_norm(kind, site)
        if marked(turned(layer)) is not None:
            raise InputError(
                f"it gives for {site.name!r} a layer that it gave before",
                where=f"norm kind {kind}",
                hint="make a new one",
            )
        _inherit(turned(layer), own)
    elif own is None:
        raise Unsupported(f"this network brings no norm layer of its own to {site.name!r}", code="no_own_norm")
    else:
        layer = own
    mark(layer, site, kind)
    return layer


def make_norm(kind: NormKind, site: Site) -> nn.Module:
    """The layer of ``kind`` for ``site``, turned to its layout.

    Raises:
        Unsupported: the layer would be degenerate there, or cannot be made.
        InputError: what the kind gives is no module.
    """
    layer = kind.card.build(site, kind)
    if not isinstance(layer, nn.Module):
        what = f"it gives a {type(layer).__name__} for {site.name!r}"
        raise InputError(what, where=f"norm kind {kind}", hint="return a torch.nn.Module")
    return _turn(layer, site, kind.card.layout)


def parametrize(kind: NormKind, linear: nn.Module, site: Site) -> None:
    """Parametrize the weight of ``linear``, the linear map before ``site``, in place.

    Raises:
        Unsupported: it would be degenerate there.
        InputError: the kind leaves the weight as it is.
    """
    kind.card.build(linear, kind)
    if not nn.utils.parametrize.is_parametrized(linear, "weight"):
        what = f"it leaves the weight of the {type(linear).__name__} before {site.name!r} as it is"
        hint = 'torch.nn.utils.parametrize.register_parametrization(linear, "weight", ...)'
        raise InputError(what, where=f"norm kind {kind}", hint=hint)


def averages_to_nothing(layer: nn.Module) -> bool:
    """Whether the mean over positions of what ``layer`` gives is a constant: each channel is centred by itself."""
    card = card_of(layer)
    return card is not None and card.centres_channels is not None and card.centres_channels(turned(layer))


def _inherit(layer: nn.Module, own: nn.Module | None) -> None:
    for name in ("weight", "bias"):
        ours, theirs = getattr(layer, name, None), getattr(own, name, None)
        if isinstance(ours, nn.Parameter) and isinstance(theirs, nn.Parameter) and ours.shape == theirs.shape:
            with torch.no_grad():
                ours.copy_(theirs)


def _turn(layer: nn.Module, site: Site, wants: Layout | None) -> nn.Module:
    if wants is None or wants == site.layout or not site.space:
        return layer
    return ChannelsLast(layer) if wants == "last" else ChannelsFirst(layer)
