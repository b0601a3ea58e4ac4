"""Following a network without running it.

A network of FarField can be walked by an :class:`Interpreter`: instead of tensors, each layer is given what is known
of them. :mod:`architectures.analysis.prediction` follows how fast they grow,
:mod:`architectures.analysis.certificate` the region they stay in. What is known may differ between the tokens that
carry the input and a class token that does not, so it travels as a tuple of streams: ``(all,)`` or
``(class token, other tokens)``.

A module that holds others says how they are connected in its method ``trace(streams, interpreter)``, which stands
beside its ``forward`` and mirrors it; ``torch.nn.Sequential`` needs none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from architectures.norms.layers import card_of

Value = TypeVar("Value")


class UnknownModule(Exception):
    """The interpreter does not know what a module does; ``name`` says in words which, where it is not just its type."""

    def __init__(self, module: nn.Module, name: str = "") -> None:
        super().__init__(name or type(module).__name__)


class Interpreter(ABC, Generic[Value]):
    """Walks a network with what is known of each tensor's channel vectors in place of the tensors."""

    def __call__(self, module: nn.Module, streams: tuple[Value, ...]) -> tuple[Value, ...]:
        """What is known after ``module``.

        Raises:
            UnknownModule: nothing is known of such a module.
        """
        if self.is_leaf(module):
            return tuple(self.leaf(module, stream) for stream in streams)
        trace: Callable[..., tuple[Value, ...]] | None = getattr(module, "trace", None)
        if trace is not None:
            return trace(streams, self)
        if isinstance(module, nn.Sequential):
            for layer in module:
                streams = self(layer, streams)
            return streams
        return tuple(self.leaf(module, stream) for stream in streams)

    def is_leaf(self, module: nn.Module) -> bool:
        """Whether ``module`` is taken as a whole, whatever it is made of: what a scheme placed."""
        return card_of(module) is not None

    @abstractmethod
    def leaf(self, module: nn.Module, value: Value) -> Value:
        """What is known after a single layer."""

    @abstractmethod
    def constant(self, rows: Tensor) -> Value:
        """What is known of vectors that are one of ``rows`` (count, width) whatever the input."""

    @abstractmethod
    def hull(self, values: tuple[Value, ...]) -> Value:
        """What is known of averages of vectors, each of which is one of ``values``."""

    @abstractmethod
    def mixture(self, value: Value, heads: int) -> Value:
        """What is known of averages whose weights differ between ``heads`` equal parts of the channels."""

    @abstractmethod
    def channels(self, value: Value, start: int, stop: int) -> Value:
        """What is known of some of the channels."""

    @abstractmethod
    def sum(self, skip: Value, branch: Value, name: str) -> Value:
        """What is known of ``skip + branch`` at the residual connection called ``name`` (empty for no residual)."""

    @abstractmethod
    def product(self, left: Value, right: Value) -> Value:
        """What is known of the elementwise product."""

    @abstractmethod
    def outward(self, pair: nn.Module, value: Value) -> Value:
        """What is known after the way back of a pair around the network."""


Streams = tuple[Any, ...]
