"""What a training program is: the one surface behind which chain, vmap and loop stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from bench.plan.optimizer import ADAM, Optimizer

if TYPE_CHECKING:
    from torch import Tensor, nn


class Program(Protocol):
    """Trains members together, a step of the optimizer at a time.

    A *member* is one seed of a cell at one learning rate. Members have a place, 0 to M - 1, in the order in which they
    were given; equal learning rates must stand side by side. All members take the same step on the same or on rows of
    their own, and none influences another: whatever program trains it and whoever trains beside it, a member's numbers
    are the same but for rounding. Which program trains a cell is chosen by :mod:`bench.training.program`.

    What a network does to its parameters after a step (:mod:`architectures.blocks.after_step`) is part of the step;
    ``chain`` takes no such network.

    The course is: ``step`` as often as the schedule says; at a check ``predict`` on validation rows, and ``state`` of
    every member whose weights are its best so far; ``retain`` when some leave, because they diverged or at a rung.
    """

    def __len__(self) -> int:
        """M, how many members there are."""
        ...

    def step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """One step of every member on the mean squared error; returns the losses before the step, shape (M,).

        Args:
            inputs: rows (n, *shape) for all members, or (M, n, *shape) with rows of each member's own.
            targets: (n,) or (M, n); of sequences that are answered at each step always (M, n, steps), with inputs of
                shape (M, n, *shape), and the loss is a mean over rows and steps.
        """
        ...

    def predict(self, inputs: Tensor, own: bool = False) -> Tensor:
        """Outputs of every member in evaluation mode: (n, *shape) -> (M, n), or (M, n, steps).

        Args:
            inputs: rows (n, *shape) for all members.
            own: ``inputs`` are (M, n, *shape), rows of each member's own.
        """
        ...

    def state(self, place: int) -> dict[str, Tensor]:
        """A copy of what the member at ``place`` has learned, as ``load_state_dict`` of a single network takes it."""
        ...

    def retain(self, places: Sequence[int]) -> None:
        """Let every member leave that is not at one of ``places`` (ascending, at least one).

        The others move up and go on as if nobody had left: their weights, moments and step counts are unchanged.
        """
        ...


class StartProgram(Protocol):
    """How a program is started: a class or function of members and rates."""

    def __call__(self, modules: Sequence[nn.Module], rates: Sequence[float], optimizer: Optimizer = ADAM) -> Program:
        """The program at work on ``modules``, initialized and of one structure, each at its rate of ``rates``."""
        ...
