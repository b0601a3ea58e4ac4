"""SGD with momentum for members that are stacked, and the choice between it and Adam."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from bench.plan.optimizer import Optimizer
from bench.training.programs.adam import MemberAdam


class MemberOptimizer(Protocol):
    """Takes steps of parameters whose first axis is the member."""

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step along ``gradients``, of the shapes of the parameters."""
        ...

    def retained(self, stacked: Sequence[Tensor], places: Sequence[int]) -> MemberOptimizer:
        """The same state for the members at ``places`` (ascending), whose parameters are now in ``stacked``."""
        ...


def member_optimizer(chosen: Optimizer, stacked: Sequence[Tensor], rates: Sequence[float]) -> MemberOptimizer:
    """``chosen`` for members of ``rates``, those of equal rates side by side, and parameters (M, ...) each."""
    if chosen.kind == "sgd":
        return MemberSGD(chosen, stacked, rates)
    return MemberAdam(stacked, rates, chosen.weight_decay)


def momentum_step(
    chosen: Optimizer, parameters: Sequence[Tensor], gradients: Sequence[Tensor], moving: Sequence[Tensor], rate: float
) -> None:
    """One step of SGD, in place: ``v ← momentum · v + gradient + weight_decay · p``, ``p ← p - rate · v``.

    Args:
        chosen: its momentum and weight decay.
        parameters, gradients: in the same order.
        moving: ``v`` of each, zeros at first.
        rate: the learning rate.
    """
    for parameter, gradient, velocity in zip(parameters, gradients, moving, strict=True):
        velocity.mul_(chosen.momentum).add_(gradient)
        if chosen.weight_decay:
            velocity.add_(parameter, alpha=chosen.weight_decay)
        parameter.add_(velocity, alpha=-rate)


class MemberSGD:
    """SGD over tensors whose first axis is the member.

    Args:
        chosen: its settings.
        stacked: the parameters, each of shape (M, ...), changed in place by :meth:`step`.
        rates: the learning rate of each member; equal ones stand side by side.
        moving: what moves each parameter, of its shape; zeros at first.
    """

    def __init__(
        self,
        chosen: Optimizer,
        stacked: Sequence[Tensor],
        rates: Sequence[float],
        moving: Sequence[Tensor] | None = None,
    ) -> None:
        self._chosen, self._rates = chosen, list(rates)
        self._moving = list(moving or [torch.zeros_like(p, requires_grad=False) for p in stacked])
        whole = [p.detach() for p in stacked]
        starts = [i for i, rate in enumerate(self._rates) if i == 0 or rate != self._rates[i - 1]]
        runs = [slice(a, b) for a, b in itertools.pairwise([*starts, len(self._rates)])]
        self._views = [(run, [p[run] for p in whole], [v[run] for v in self._moving]) for run in runs]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step along ``gradients``, of the shapes of the parameters."""
        for run, parameters, moving in self._views:
            momentum_step(self._chosen, parameters, [g[run] for g in gradients], moving, self._rates[run.start])

    def retained(self, stacked: Sequence[Tensor], places: Sequence[int]) -> MemberSGD:
        """The same state for the members at ``places`` (ascending), whose parameters are now in ``stacked``."""
        index = torch.tensor(list(places), device=stacked[0].device)
        rates = [self._rates[place] for place in places]
        return MemberSGD(self._chosen, stacked, rates, [v[index] for v in self._moving])
