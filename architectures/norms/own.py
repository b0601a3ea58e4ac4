"""The normalization layers that a finished network brings, handed to the scheme as sites.

A network that was written elsewhere (timm's, somebody's module) does not call ``norm(...)``. Its normalization layers
are found, and each is offered as a site under its module path, with itself as the site's own layer: ``own@first``
keeps the first and takes out the others, ``rms@all`` puts another kind in their place, ``none`` takes all out. One that
normalizes over more than channels can only stay as it is: under ``own``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from architectures.norms.site import Layout, Norm

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
        fixed: why nothing can take its place; empty where something can.
    """

    path: str
    layer: nn.Module
    dim: int
    layout: Layout
    fixed: str = ""

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
        activated: Tensor = self.act(self.drop(self.norm(x)))
        return activated


def offer_norms(network: nn.Module, norm: Norm, by_name: bool = False) -> nn.Module:
    """Put ``norm(...)`` where ``network`` has normalization layers, in place; returns the network.

    Activations stop working in place: where a norm is taken out in front of one, it would overwrite a residual.

    Args:
        network: changed in place.
        norm: what gives the layers.
        by_name: layers of unknown types that are called norms are some (timm's are); of other networks the graph tells.
    """
    for module in network.modules():
        if getattr(module, "inplace", False) is True:
            module.inplace = False  # type: ignore[assignment]
    places = {id(found.layer): _placed(found, norm) for found in find_norms(network, by_name)}
    if id(network) in places:
        return places[id(network)]
    for parent in list(network.modules()):
        for name, child in parent._modules.items():  # named_children leaves out a layer's second name
            if id(child) in places:
                setattr(parent, name, places[id(child)])
    return network


def find_norms(network: nn.Module, by_name: bool = False) -> Iterator[Found]:
    """The normalization layers of ``network``, in the order in which its modules are registered."""
    within = "\0"
    for path, layer in network.named_modules():
        if path.startswith(within):
            continue  # the activation inside a layer that was found
        found = _found(path or "norm", layer, by_name)
        if found is not None:
            within = f"{path}."
            yield found


def _found(path: str, layer: nn.Module, by_name: bool) -> Found | None:
    name = type(layer).__name__
    first: Layout = "first"
    if isinstance(layer, _NormBase):  # every batch and instance norm
        return Found(path, layer, layer.num_features, first)
    if isinstance(layer, nn.GroupNorm):
        return Found(path, layer, layer.num_channels, first)
    given = getattr(layer, "normalized_shape", None)
    shape = (given,) if isinstance(given, int) else given
    if shape is not None and len(shape) == 1:  # layer and RMS norms of torch and timm
        turned = "2d" in name or getattr(layer, "data_format", None) == "channels_first"
        return Found(path, layer, shape[0], first if turned else "last")
    named = by_name and _NORM_NAME.search(name) and name not in _NO_NORMS and _is_leaf(layer)
    if shape is not None or named:
        over = f" over {tuple(shape)}" if shape is not None else ""
        return Found(
            path, layer, 1, first, f"it normalizes by a layer that cannot be taken out: {name}{over} at {path!r}"
        )
    return None


def without_fast_paths(network: nn.Module) -> nn.Module:
    """``network``, its encoder layers of torch running operation by operation whatever stands in their norms' places.

    Their fast path, taken in evaluation, computes a layer norm with the weight, bias and eps of any layer there.
    """
    for module in network.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0  # asked for the fast path alone
        elif isinstance(module, nn.TransformerEncoder):
            module.use_nested_tensor = module.enable_nested_tensor = False
    return network


def _is_leaf(layer: nn.Module) -> bool:
    """Whether ``layer`` computes by itself: nothing below it has parameters."""
    return not any(True for child in layer.children() for _ in child.parameters())


def _placed(found: Found, norm: Norm) -> nn.Module:
    layer = found.layer
    placed = norm(found.site, found.dim, found.layout, own=layer, fixed=found.fixed)
    act = getattr(layer, "act", None)
    if placed is layer or not isinstance(act, nn.Module):
        return placed
    drop = getattr(layer, "drop", None)
    return NormAct(placed, drop if isinstance(drop, nn.Module) else nn.Identity(), act)
