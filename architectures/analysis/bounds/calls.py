"""An operation together with what is known of its arguments, and how it is done piece by piece on joined values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from architectures.analysis.bounds.values import Joined, Known, Shape, Value, exactly, merged, piece_of, ranked
from architectures.analysis.graph import Operation


class Stop(Exception):
    """Nothing is known of what an operation does to such arguments."""


@dataclass(frozen=True)
class Call:
    """An operation with what is known of its arguments: values, constants (tensors) and numbers.

    Args:
        operation: as the graph has it.
        arguments, keywords: in the places of the operation's own.
        shape: of the result.
    """

    operation: Operation
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    shape: Shape

    @property
    def rank(self) -> int:
        """Axes of the result."""
        return len(self.shape)

    def given(self, place: int, name: str, default: Any = None) -> Any:
        """An argument by its place or its name."""
        return self.arguments[place] if place < len(self.arguments) else self.keywords.get(name, default)

    def number(self, place: int, name: str, default: float | None = None) -> float:
        """An argument that is a finite number.

        Raises:
            Stop: it is none.
        """
        value = self.given(place, name, default)
        if isinstance(value, Tensor) and value.numel() == 1:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Stop
        return float(value)

    def axis(self, place: int, name: str, default: int | None = None, of: Value | None = None) -> int:
        """An argument that is an axis, counted from the front of ``of`` (the first value unless given)."""
        value = self.given(place, name, default)
        if not isinstance(value, int):
            raise Stop
        return value % len((of or self.value(0)).shape)

    def axes(self, place: int, name: str) -> tuple[int, ...]:
        """An argument that is one axis, several, or all where it is left out; the rows are none of them.

        Raises:
            Stop: the rows are among them.
        """
        value, shape = self.given(place, name), self.value(0).shape
        listed = value if isinstance(value, tuple) and value else (value,) if isinstance(value, int) else None
        found = tuple(axis % len(shape) for axis in (range(len(shape)) if listed is None else listed))
        if any(shape[axis] is None for axis in found):
            raise Stop
        return found

    def constant(self, place: int, name: str) -> Tensor | None:
        """An argument that is a constant tensor of finite numbers, in float64; None where it is left out.

        Raises:
            Stop: the input reaches it.
        """
        value = self.given(place, name)
        if value is None:
            return None
        if not isinstance(value, Tensor) or not bool(value.isfinite().all()):
            raise Stop
        return value.double()

    def value(self, place: int) -> Value:
        """An argument that is a tensor, constant or not.

        Raises:
            Stop: it is none, or holds numbers that are not finite.
        """
        value = self.given(place, "self" if place == 0 else "other")
        if isinstance(value, (Known, Joined)):
            return value
        if isinstance(value, (bool, int, float)):
            value = torch.tensor(float(value), dtype=torch.float64)
        if not isinstance(value, Tensor) or not bool(value.isfinite().all()):
            raise Stop
        return exactly(value, value.dim())

    def one(self, place: int) -> Known:
        """An argument as one value, joined or not."""
        return merged(self.value(place))

    def operand(self, place: int) -> Known:
        """An argument as one value with as many axes as the result."""
        return ranked(self.one(place), self.rank)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the arguments in their places; empty for numbers."""
        return tuple(getattr(argument, "name", "") for argument in self.operation.arguments)


Rule = Callable[[Call], Any]


def piecewise(rule: Rule, behind: int = 0, elementwise: bool = False) -> Rule:
    """``rule`` on each piece of joined arguments, where they are joined at an axis that it works along.

    Args:
        rule: does the same at every position.
        behind: so many last axes are not positions.
        elementwise: its other arguments are cut into the same pieces.
    """

    def apply(call: Call) -> Any:
        joined = [value for value in call.arguments if isinstance(value, Joined)]
        if not joined:
            return rule(call)
        first = joined[0]
        back = len(first.shape) - first.axis
        if back <= behind or any(
            other.lengths != first.lengths or len(other.shape) - other.axis != back for other in joined
        ):
            return rule(_whole(call))
        pieces, start = [], 0
        axis = call.rank - back
        for number, length in enumerate(first.lengths):
            cut = start if elementwise else None
            arguments = tuple(_piece(value, back, number, cut, length) for value in call.arguments)
            shape = (*call.shape[:axis], length, *call.shape[axis + 1 :])
            pieces.append(rule(replace(call, arguments=arguments, shape=shape)))
            start += length
        return Joined(axis, tuple(pieces))

    return apply


def _piece(value: Any, back: int, number: int, start: int | None, length: int) -> Any:
    if isinstance(value, Joined):
        return value.pieces[number]
    if start is None:
        return value
    if isinstance(value, Known):
        return value if back > len(value.shape) else piece_of(value, len(value.shape) - back, start, start + length)
    if isinstance(value, Tensor) and back <= value.dim() and value.shape[-back] != 1:
        return value.narrow(value.dim() - back, start, length)
    return value


def _whole(call: Call) -> Call:
    return replace(call, arguments=tuple(merged(v) if isinstance(v, Joined) else v for v in call.arguments))
