"""The operations of a network as data, for whoever asks what it computes.

A :class:`Graph` holds the operations in order, each with its inputs, the parameters and constants that it uses, the
module that it belongs to, and whether the network's input reaches it. :class:`GraphVisitor` walks one with what is
known of each value in place of the numbers. :mod:`architectures.analysis.graph_reading` reads a network's graph.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from torch import Tensor

Value = TypeVar("Value")


@dataclass(frozen=True)
class Ref:
    """The value called ``name``: the input, something stored, or the result of an operation."""

    name: str


Argument = Any
"""A :class:`Ref`, a number, a truth value, a text, None, or a tuple of such."""


@dataclass(frozen=True)
class Stored:
    """A tensor of the network.

    Args:
        name: in the graph.
        path: as the network's ``state_dict`` spells it; of a constant, where it was found.
        kind: ``constant``: neither a parameter nor a buffer.
        value: its numbers.
    """

    name: str
    path: str
    kind: Literal["parameter", "buffer", "constant"]
    value: Tensor = field(compare=False, repr=False)


@dataclass(frozen=True)
class Operation:
    """One operation.

    Args:
        name: of its result.
        target: what is done, as ``aten.linear.default``; of Python's operators on sizes, ``mul``.
        arguments, keywords: its inputs.
        shape: of its result, None for a size that the batch decides; None where it is no single tensor.
        modules: path and class of the modules that it lies in, outermost first.
        carries: the network's input reaches it (by its numbers, not by its shape alone).
    """

    name: str
    target: str
    arguments: tuple[Argument, ...]
    keywords: tuple[tuple[str, Argument], ...]
    shape: tuple[int | None, ...] | None
    modules: tuple[tuple[str, str], ...]
    carries: bool

    @property
    def base(self) -> str:
        """The operation without its overload: ``linear`` of ``aten.linear.default``."""
        pieces = self.target.split(".")
        return pieces[1] if len(pieces) > 1 else pieces[0]

    @property
    def place(self) -> tuple[str, str]:
        """Path and class of the innermost module; empty for the network itself without a module stack."""
        return self.modules[-1] if self.modules else ("", "")

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """Every value that it reads."""
        return tuple(refs_in((self.arguments, tuple(value for _, value in self.keywords))))


@dataclass(frozen=True)
class Graph:
    """A network's operations in the order in which they run.

    Args:
        input: name of the network's input.
        shape: of that input, None for the number of rows.
        stored: parameters, buffers and constants by name.
        operations: in order.
        output: what the network answers.
        run: the recorded program.
        constants: computes the results of operations that no input reaches, by name, from what is stored; those that
            draw numbers, write, or depend on the number of rows are left out.
    """

    input: str
    shape: tuple[int | None, ...]
    stored: Mapping[str, Stored]
    operations: tuple[Operation, ...]
    output: Argument
    run: Callable[[Tensor], Any] = field(compare=False, repr=False)
    constants: Callable[[], Mapping[str, Any]] = field(default=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Unread:
    """Why there is no graph, in words."""

    reason: str


class GraphVisitor(ABC, Generic[Value]):
    """Walks a graph with what is known of each value in place of the numbers."""

    def __call__(self, graph: Graph) -> Any:
        """What is known of the answer: :meth:`input` and :meth:`stored` begin, :meth:`operation` goes on."""
        known: dict[str, Value] = {graph.input: self.input(graph)}
        known |= {name: self.stored(one) for name, one in graph.stored.items()}
        for operation in graph.operations:
            arguments = tuple(put_in(argument, known) for argument in operation.arguments)
            keywords = {name: put_in(argument, known) for name, argument in operation.keywords}
            known[operation.name] = self.operation(operation, arguments, keywords)
        return self.output(put_in(graph.output, known))

    def output(self, value: Any) -> Any:
        """What is known of the answer, given what is known of the value that it is."""
        return value

    @abstractmethod
    def input(self, graph: Graph) -> Value:
        """What is known of the network's input."""

    @abstractmethod
    def stored(self, stored: Stored) -> Value:
        """What is known of a parameter, a buffer or a constant."""

    @abstractmethod
    def operation(self, operation: Operation, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Value:
        """What is known of a result, given what is known of the arguments (put where each :class:`Ref` stood)."""


def refs_in(argument: Argument) -> list[Ref]:
    """Every value named in an argument, however deep in tuples."""
    if isinstance(argument, Ref):
        return [argument]
    return [ref for one in argument for ref in refs_in(one)] if isinstance(argument, tuple) else []


def put_in(argument: Argument, known: Mapping[str, Any]) -> Any:
    """``argument`` with each :class:`Ref` replaced by what ``known`` has of it."""
    if isinstance(argument, Ref):
        return known[argument.name]
    return tuple(put_in(one, known) for one in argument) if isinstance(argument, tuple) else argument
