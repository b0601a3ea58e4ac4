"""Walks a network's graph with what is known of each value (:mod:`architectures.analysis.bounds.values`).

Operations are followed by their own rules. Where a scheme has placed a norm of a kind that is not built in, and its
card declares what its output lies in, the declaration stands for the operations inside it: it is its author's word, and
only counts while the layer is as the kind made it, without hooks or patches.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from architectures.analysis.bounds.calls import Call, Stop
from architectures.analysis.bounds.declared import Declared
from architectures.analysis.bounds.entries import ENTRIES
from architectures.analysis.bounds.layouts import LAYOUTS
from architectures.analysis.bounds.maps import MAPS
from architectures.analysis.bounds.values import Joined, Known, anything
from architectures.analysis.graph import Graph, GraphVisitor, Operation, Stored

_ALL_RULES = ENTRIES | MAPS | LAYOUTS


@dataclass(frozen=True)
class Unknown:
    """Nothing is known of a value; ``what`` names the operation that stopped it, in words."""

    what: str


@dataclass(frozen=True)
class Inside:
    """A value inside a layer that its card speaks for; ``made`` by which operation."""

    place: str
    made: Operation


SIZE = "size"
"""Stands for numbers that the number of rows decides."""


class BoundsVisitor(GraphVisitor[Any]):
    """What is known of every value of a graph.

    Args:
        graph: of the network.
        network: the same, for the layers whose cards declare what they give; None to follow operations alone.
    """

    def __init__(self, graph: Graph, network: nn.Module | None = None) -> None:
        self._constants = {name: _in_float64(value) for name, value in graph.constants().items()}
        self._declared = Declared(graph, network)
        self._entered: dict[str, Any] = {}
        self._left: dict[str, str] = {}
        self.found: dict[str, Any] = {}

    def input(self, graph: Graph) -> Any:
        """Nothing is known of the network's input."""
        return anything(graph.shape)

    def stored(self, stored: Stored) -> Any:
        """Its numbers."""
        return _in_float64(stored.value)

    def operation(self, operation: Operation, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        """What its rule makes of the arguments; :class:`Unknown` where that is nothing."""
        place = self._declared.place(operation)
        if place is not None:
            self._enter(place, (arguments, tuple(keywords.values())))
            return Inside(place, operation)
        arguments = self._leave(arguments)
        keywords = {name: self._leave(value) for name, value in keywords.items()}
        result = self._result(operation, arguments, keywords)
        self.found[operation.name] = result
        return result

    def output(self, value: Any) -> Any:
        """What the graph answers."""
        return self._leave(value)

    def _result(self, operation: Operation, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        if operation.name in self._constants:
            return self._constants[operation.name]
        unknown = _first_unknown((arguments, tuple(keywords.values())))
        if unknown is not None:
            return unknown
        outside = "." not in operation.target and operation.target != "getitem"
        if outside or operation.base == "sym_size":
            return SIZE
        rule = _ALL_RULES.get(operation.base)
        if rule is None:
            return Unknown(in_words(operation))
        try:
            return rule(Call(operation, arguments, keywords, operation.shape or ()))
        except Stop:
            return Unknown(in_words(operation))
        except (TypeError, ValueError, IndexError, RuntimeError, AttributeError):  # arguments no rule foresaw
            return Unknown(in_words(operation))

    def _enter(self, place: str, arguments: Any) -> None:
        """Note what comes into a layer that is taken as a whole: one value."""
        for value in values_in(arguments):
            if isinstance(value, Inside) and value.place.partition("<")[0] == place.partition("<")[0]:
                continue  # from within, or what a pair keeps between its ways
            mine = self._leave(value)
            if isinstance(mine, (Known, Joined, Unknown)) and self._entered.setdefault(place, mine) is not mine:
                self._entered[place] = Unknown(f"several values into {place}")

    def _leave(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._leave(one) for one in value)
        if not isinstance(value, Inside):
            return value
        if self._left.setdefault(value.place, value.made.name) != value.made.name:
            return Unknown(f"several values out of {value.place}")
        entered = self._entered.get(value.place, Unknown(f"nothing into {value.place}"))
        if isinstance(entered, Unknown):
            return entered
        given = self._declared.gives(value.place, entered, value.made.shape or ())
        return Unknown(self._declared.words(value.place)) if given is None else given


def in_words(operation: Operation) -> str:
    """An operation and where it stands: ``exp in Mystery at '1'``."""
    path, of = operation.place
    where = f" in {of.rpartition('.')[2]}" if of else ""
    return f"{operation.base}{where}{f' at {path!r}' if path else ''}"


def values_in(argument: Any) -> list[Any]:
    """Every value in an argument, however deep in tuples."""
    return [one for part in argument for one in values_in(part)] if isinstance(argument, tuple) else [argument]


def _first_unknown(argument: Any) -> Unknown | None:
    return next((value for value in values_in(argument) if isinstance(value, Unknown)), None)


def _in_float64(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(_in_float64(one) for one in value)
    if not isinstance(value, Tensor):
        return value
    value = value.detach().cpu()
    return value.double() if value.is_floating_point() else value


def doubled(network: nn.Module) -> nn.Module:
    """``network`` if its numbers are float64 on the CPU already, else a copy that is."""
    tensors = [*network.parameters(), *network.buffers()]
    fitting = all(t.device.type == "cpu" and (t.dtype is torch.float64 or not t.is_floating_point()) for t in tensors)
    return network if fitting else copy.deepcopy(network).to("cpu", torch.float64)
