"""The normalization layers that a finished network brings, handed to the scheme as sites.

A network that was written elsewhere (timm's, somebody's module) does not call ``norm(...)``. Its normalization layers
are found, and each is offered as a site under its module path, with itself as the site's own layer: ``own@first``
keeps the first and takes out the others, ``rms@all`` puts another kind in their place, ``none`` takes all out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from architectures.norms.site import Layout, Norm
from bench.core.errors import Unsupported

_NORM_NAME = re.compile(r"Norm|InplaceAbn")
# Rescales its input by a ratio of its own channels and adds the input again: it neither bounds nor centres, and stays.
_NO_NORMS = frozenset({"GlobalResponseNorm"})


@dataclass(frozen=True)
class Found:
    """A normalization layer of a network.

    Args:
        path: where it stands, as ``named_modules`` spells it.
        layer: the layer; some of timm's apply an activation, too.
        dim: its channels.
        layout: where they stand.
    """

    path: str
    layer: nn.Module
    dim: int
    layout: Layout

    @property
    def site(self) -> str:
        """The path as a site's name, which begins with a letter."""
        return f"layers.{self.path}" if self.path[0].isdigit() else self.path


class NormAct(nn.Module):
    """``act(drop(norm(x)))``: what takes the place of a layer that normalizes and activates at once."""

    def __init__(self, norm: nn.Module, drop: nn.Module, act: nn.Module) -> None:
        super().__init__()
        self.norm, self.drop, self.act = norm, drop, act

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return self.act(self.drop(self.norm(x)))


def offer_norms(network: nn.Module, norm: Norm) -> nn.Module:
    """Put ``norm(...)`` where ``network`` has normalization layers, in place; returns the network.

    Activations stop working in place: where a norm is taken out in front of one, it would overwrite a residual.

    Raises:
        Unsupported: the network normalizes by a layer that cannot be taken out.
    """
    for module in network.modules():
        if getattr(module, "inplace", False) is True:
            module.inplace = False  # type: ignore[assignment]
    places = {id(found.layer): _placed(found, norm) for found in find_norms(network)}
    if id(network) in places:
        return places[id(network)]
    for parent in list(network.modules()):
        for name, child in parent._modules.items():  # named_children leaves out a layer's second name
            if id(child) in places:
                setattr(parent, name, places[id(child)])
    return network


def find_norms(network: nn.Module) -> Iterator[Found]:
    """The normalization layers of ``network``, in the order in which its modules are registered.

    Raises:
        Unsupported: one of them normalizes over more than channels, or in a way of its own.
    """
    within = "\0"
    for path, layer in network.named_modules():
        if path.startswith(within):
            continue  # the activation inside a layer that was found
        found = _found(path or "norm", layer)
        if found is not None:
            within = f"{path}."
            yield found


def _found(path: str, layer: nn.Module) -> Found | None:
    name = type(layer).__name__
    first: Layout = "first"
    if isinstance(layer, _NormBase):  # every batch and instance norm
        return Found(path, layer, layer.num_features, first)
    if isinstance(layer, nn.GroupNorm):
        return Found(path, layer, layer.num_channels, first)
    shape = getattr(layer, "normalized_shape", None)
    if shape is not None and len(shape) == 1:  # layer and RMS norms of torch and timm
        turned = "2d" in name or getattr(layer, "data_format", None) == "channels_first"
        return Found(path, layer, shape[0], first if turned else "last")
    if shape is not None or (_NORM_NAME.search(name) and name not in _NO_NORMS and _is_leaf(layer)):
        over = f" over {tuple(shape)}" if shape is not None else ""
        what = f"it normalizes by a layer that cannot be taken out: {name}{over} at {path!r}"
        raise Unsupported(what, code="cannot_normalize")
    return None


def _is_leaf(layer: nn.Module) -> bool:
    """Whether ``layer`` computes by itself: nothing below it has parameters."""
    return not any(True for child in layer.children() for _ in child.parameters())


def _placed(found: Found, norm: Norm) -> nn.Module:
    layer = found.layer
    placed = norm(found.site, found.dim, found.layout, own=layer)
    act = getattr(layer, "act", None)
    if placed is layer or not isinstance(act, nn.Module):
        return placed
    drop = getattr(layer, "drop", None)
    return NormAct(placed, drop if isinstance(drop, nn.Module) else nn.Identity(), act)
