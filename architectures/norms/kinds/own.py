"""The layer that the network brings to the site itself, exactly as it is (a pretrained model's, say)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.card import OWN, NormKind
from architectures.norms.registry import register_norm
from architectures.norms.site import Site
from bench.core.errors import Unsupported

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Own(NormKind):
    """The layer that the network brings itself, exactly as it is (a pretrained model's, say)."""


@register_norm(
    OWN,
    options=Own,
    summary="the layer that the network brings to the site itself",
    citation="the network's author",
)
def own(site: Site, options: Own) -> nn.Module:
    """Nothing is made here: :func:`architectures.norms.layers.layer_for` hands the network's own layer back.

    Its growth, bound and link are those of the layer's type.
    """
    raise Unsupported(f"there is no layer of its own at {site.name!r}", code="no_own_norm")
