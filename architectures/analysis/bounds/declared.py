"""Layers of kinds that are not built in, taken as wholes by what their cards declare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from architectures.analysis.bounds.values import (
    Known,
    Shape,
    Value,
    anything,
    known,
    merged,
    of_region,
    region_on,
)
from architectures.analysis.graph import Graph, Operation
from architectures.norms.card import Effect, NormKindCard
from architectures.norms.layers import Mark, marked, turned
from architectures.norms.pairs import Paired
from architectures.norms.regions import Anything, Ball, Region
from architectures.norms.site import Frame

Way = Literal["through", "inward", "outward"]


@dataclass(frozen=True)
class _Whole:
    module: nn.Module
    mark: Mark
    way: Way

    @property
    def card(self) -> NormKindCard:
        return self.mark.kind.card

    @property
    def effect(self) -> Effect | None:
        """What it does to growth."""
        return self.card.growth_back if self.way == "outward" else self.card.growth

    @property
    def words(self) -> str:
        site = self.mark.site
        name = self.mark.kind.name
        return f"{name} around the network" if isinstance(site, Frame) else f"{name} norm at {site.name}"


class Declared:
    """The layers of a network that are followed by what their cards declare."""

    def __init__(self, graph: Graph, network: nn.Module | None) -> None:
        self._wholes: dict[str, _Whole] = {}
        self._pairs: dict[str, str] = {}
        self._inner: set[str] = set()
        for path, module in network.named_modules() if network is not None else ():
            found = marked(module)
            if isinstance(module, Paired) and type(module) is Paired:
                self._add_pair(graph, path, module)
            elif found is not None and found.kind.card.origin != "built in" and not isinstance(found.site, Frame):
                inside = any(path.startswith(f"{other}.") for other in self._wholes)
                if not inside and _untouched(module):
                    self._wholes[path] = _Whole(module, found, "through")

    def _add_pair(self, graph: Graph, path: str, module: Paired) -> None:
        found = marked(module.pair)
        if found is None or found.kind.card.origin == "built in" or not _untouched(module.pair):
            return
        if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
            return
        self._wholes[f"{path}<inward"] = _Whole(module.pair, found, "inward")
        self._wholes[f"{path}<outward"] = _Whole(module.pair, found, "outward")
        within = f"{path}.network" if path else "network"
        after = False
        for operation in graph.operations:
            paths = [one for one, _ in operation.modules]
            if within in paths:
                after = True
            elif not paths or path in paths or not path:
                self._pairs[operation.name] = f"{path}<{'outward' if after else 'inward'}"

    def place(self, operation: Operation) -> str | None:
        """Which of the layers ``operation`` lies in."""
        if operation.name in self._pairs:
            return self._pairs[operation.name]
        return next((path for path, _ in operation.modules if path in self._wholes), None)

    def words(self, place: str) -> str:
        """What stands there."""
        return self._wholes[place].words

    def effect(self, place: str) -> tuple[Effect | None, NormKindCard]:
        """What the card says of growth, and the card."""
        return self._wholes[place].effect, self._wholes[place].card

    def gives(self, place: str, value: Value, shape: Shape) -> Known | None:
        """What the card says of the output, whose shape is ``shape``, when ``value`` goes in."""
        whole = self._wholes[place]
        site, card = whole.mark.site, whole.card
        if card.bound is None or whole.way == "outward":
            return None
        axis = len(shape) - 1 if isinstance(site, Frame) or site.layout == "last" else 1
        bound = card.bound(turned(whole.module), site, _as_declared(merged(value), axis))
        if isinstance(bound, (int, float, Tensor)):
            most = abs(float(bound))
            if isinstance(site, Frame):
                bound = Ball(most * math.sqrt(site.size))
            else:
                ends = torch.full((site.dim,), most, dtype=torch.float64)
                bound = Region.box(-ends, ends)
        if isinstance(bound, Region):
            return of_region(shape, bound, (axis,))
        if isinstance(bound, Ball):
            ends = torch.full((1,) * len(shape), bound.radius, dtype=torch.float64)
            return known(shape, -ends, ends, ball=bound.radius)
        return None if bound is None else anything(shape)


def _as_declared(value: Known, axis: int) -> Region | Ball | Anything:
    if math.isfinite(value.ball):
        return Ball(value.ball)
    region = region_on(value, (axis,)) if axis < len(value.shape) else None
    return region if region is not None else Anything(value.shape[axis] or 0)


def _untouched(module: nn.Module) -> bool:
    """Whether nobody has hung hooks on it or replaced its methods."""
    for part in module.modules():
        hooks: tuple[Any, ...] = (part._forward_hooks, part._forward_pre_hooks)
        if any(hooks) or {"forward", "__call__"} & set(vars(part)):
            return False
    return True
