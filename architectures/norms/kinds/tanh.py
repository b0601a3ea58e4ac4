"""Tanh of the activations: ``limit tanh(x / limit)``, elementwise, with nothing learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from architectures.norms.options import Limited
from architectures.norms.registry import register_norm
from architectures.norms.site import Site

if TYPE_CHECKING:
    from torch import Tensor, nn

    from architectures.norms.links import Link


@dataclass(frozen=True)
class Tanh(Limited):
    """``limit tanh(x / limit)`` of every entry: what dynamic tanh is worth without anything learned."""

    limit: float = 1.0


def limited_tanh(x: Tensor, limit: float) -> Tensor:
    """``limit tanh(x / limit)``."""
    return limit * (x / limit).tanh()


def _link(module: nn.Module, names: list[str]) -> Link | None:
    from architectures.norms.layers import Formula
    from architectures.norms.links import TanhLink

    if type(module) is not Formula or not isinstance(module.formula, partial):
        return None
    return TanhLink(module.formula.keywords["limit"])


@register_norm(
    "tanh",
    options=Tanh,
    summary="tanh of the activations, elementwise, nothing learned",
    citation="a bound without statistics or parameters; compare dynamic tanh, arXiv 2503.10622",
    growth="bounds",
    link=_link,
)
def tanh(site: Site, options: Tanh) -> nn.Module:
    """A formula of every entry, in any layout."""
    from architectures.norms.layers import Formula

    return Formula(partial(limited_tanh, limit=options.limit))
