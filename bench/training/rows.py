"""The rows that members train on, and what each member of a stack sees of them at a step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.training.programs.program import Program


@dataclass(frozen=True)
class TrainingData:
    """Standardized training and validation rows, resident on the device that trains.

    Shapes: inputs (n, *shape), targets (n,), or (n, steps) of sequences that are answered at each step, and the same
    for validation.
    """

    inputs: Tensor
    targets: Tensor
    validation_inputs: Tensor
    validation_targets: Tensor

    @property
    def shape(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of the inputs and the validation inputs: seeds train in one stack only where these agree."""
        return tuple(self.inputs.shape), tuple(self.validation_inputs.shape)

    @property
    def bytes(self) -> int:
        """How much memory the rows take."""
        return sum(t.numel() * t.element_size() for t in self._tensors)

    @property
    def _tensors(self) -> tuple[Tensor, ...]:
        return self.inputs, self.targets, self.validation_inputs, self.validation_targets

    @classmethod
    def stacked(cls, each: Sequence[TrainingData]) -> TrainingData:
        """Rows of equal shapes with a leading axis, one place a seed."""
        return cls(*(torch.stack(tensors) for tensors in zip(*(one._tensors for one in each), strict=True)))


class Feed:
    """Rows for the members of a stack: one copy for all where they share them, else each seed's own.

    Args:
        data: of each seed; seeds that share the object share the rows.
        batches: for each seed the row numbers of its batches, shape (steps, batch size); None for full batches.
        seeds: of each member.
    """

    def __init__(
        self, data: Mapping[int, TrainingData], batches: Mapping[int, np.ndarray] | None, seeds: Sequence[int]
    ) -> None:
        self._owners = list(dict.fromkeys(seeds))
        first = data[self._owners[0]]
        self._shared = all(data[seed] is first for seed in self._owners)
        self._rows = first if self._shared else TrainingData.stacked([data[seed] for seed in self._owners])
        self._each_step = first.targets.dim() == 2
        self._device = first.inputs.device
        self._batches = (
            None
            if batches is None
            else torch.stack([torch.from_numpy(batches[seed]) for seed in self._owners]).to(self._device)
        )
        self.keep(seeds)

    def keep(self, seeds: Sequence[int]) -> None:
        """Members left: these are the seeds of the others, in order."""
        self._place = torch.tensor([self._owners.index(seed) for seed in seeds], device=self._device)
        rows = self._rows
        own = not self._shared and self._batches is None
        self._whole = (rows.inputs[self._place], rows.targets[self._place]) if own else (rows.inputs, rows.targets)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of a step (counted from 1) as :meth:`Program.step` takes them."""
        if self._batches is None:
            return self._for_all(*self._whole) if self._shared else self._whole
        inputs, targets = self._rows.inputs, self._rows.targets
        chosen = self._batches[:, step - 1]
        if len(self._owners) == 1:  # the rates of one seed see the same rows
            return self._for_all(inputs[chosen[0]], targets[chosen[0]])
        chosen = chosen[self._place]
        if self._shared:
            return inputs[chosen], targets[chosen]
        place = self._place[:, None]
        return inputs[place, chosen], targets[place, chosen]

    def _for_all(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Rows that all members share; with a target at each step each is given its own, as programs want it."""
        if not self._each_step:
            return inputs, targets
        members = len(self._place)
        return inputs.expand(members, *inputs.shape), targets.expand(members, *targets.shape)

    def validation_errors(self, program: Program) -> Tensor:
        """Mean squared validation error of each member, shape (members,), float64."""
        inputs, targets = self._rows.validation_inputs, self._rows.validation_targets
        count, width = (
            targets.shape[0 if self._shared else 1],
            len(program) * math.prod(inputs.shape[1 if self._shared else 2 :]),
        )
        total = torch.zeros(len(program), dtype=torch.float64, device=targets.device)
        for start, stop in _chunks(count, width):
            if self._shared:
                errors = program.predict(inputs[start:stop]) - targets[start:stop]
            else:
                own = inputs[:, start:stop][self._place]
                errors = program.predict(own, own=True) - targets[:, start:stop][self._place]
            total += errors.double().square().flatten(1).sum(1)
        return total / (targets if self._shared else targets[0]).numel()


def _chunks(rows: int, width: int, most: int = 500_000) -> Iterator[tuple[int, int]]:
    """Row ranges that keep a chunk's input under ``most`` numbers."""
    length = max(64, most // max(width, 1))
    return ((start, min(start + length, rows)) for start in range(0, rows, length))
