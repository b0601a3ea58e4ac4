"""Adam and AdamW for members that are stacked: fused over all of them, with a learning rate for each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
EPS = 1e-8


def fused_adam(
    parameters: list[Tensor],
    gradients: list[Tensor],
    first: list[Tensor],
    second: list[Tensor],
    taken: Tensor,
    rate: float,
    weight_decay: float = 0.0,
) -> None:
    """One step of Adam (Kingma and Ba, arXiv 1412.6980) by torch's fused kernel, in place; with weight decay of AdamW.

    The kernel itself: around it, a step of ``torch.optim.Adam`` takes longer than the kernel where networks are small.
    It walks memory, so every list must hold tensors of the same strides.

    Args:
        parameters, gradients: in the same order.
        first, second: the moments, zeros at first.
        taken: how many steps were taken, this one included; a number, on the parameters' device.
        rate: the learning rate.
        weight_decay: decoupled, of all parameters: ``p ← p - rate · weight_decay · p`` before the step.
    """
    step = torch._fused_adamw_ if weight_decay else torch._fused_adam_
    step(
        parameters,
        gradients,
        first,
        second,
        [],
        [taken] * len(parameters),
        amsgrad=False,
        beta1=BETAS[0],
        beta2=BETAS[1],
        lr=rate,
        weight_decay=weight_decay,
        eps=EPS,
        maximize=False,
    )


class MemberAdam:
    """Adam over tensors whose first axis is the member.

    Members of equal rates must stand side by side: each such run of rows is one call of the kernel.

    Args:
        stacked: the parameters, each of shape (M, ...) and contiguous, changed in place by :meth:`step`.
        rates: the learning rate of each member.
        weight_decay: of AdamW.
    """

    def __init__(self, stacked: Sequence[Tensor], rates: Sequence[float], weight_decay: float = 0.0) -> None:
        self._decay = weight_decay
        zeros = [torch.zeros_like(p, requires_grad=False) for p in stacked]
        taken = torch.zeros((), dtype=torch.float32, device=stacked[0].device)
        self._start(stacked, rates, zeros, [torch.zeros_like(zero) for zero in zeros], taken)

    def _start(
        self,
        stacked: Sequence[Tensor],
        rates: Sequence[float],
        first: list[Tensor],
        second: list[Tensor],
        taken: Tensor,
    ) -> None:
        self._rates = list(rates)
        self._first, self._second = first, second
        starts = [i for i, rate in enumerate(self._rates) if i == 0 or rate != self._rates[i - 1]]
        self._runs = [slice(a, b) for a, b in zip(starts, [*starts[1:], len(self._rates)], strict=True)]
        self._taken = taken
        whole = [p.detach() for p in stacked], first, second
        self._views = [tuple([t[run] for t in tensors] for tensors in whole) for run in self._runs]

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step along ``gradients``, of the shapes of the parameters; nothing here is recorded for autograd."""
        self._taken += 1
        alone = len(self._runs) == 1
        for run, (parameters, first, second) in zip(self._runs, self._views, strict=True):
            rows = [(g if alone else g[run]).contiguous() for g in gradients]
            fused_adam(parameters, rows, first, second, self._taken, self._rates[run.start], self._decay)

    def retained(self, stacked: Sequence[Tensor], places: Sequence[int]) -> MemberAdam:
        """The same state for the members at ``places`` (ascending), whose parameters are now in ``stacked``."""
        index = torch.tensor(list(places), device=stacked[0].device)
        other = object.__new__(MemberAdam)
        other._decay = self._decay
        other._start(
            stacked,
            [self._rates[place] for place in places],
            [moment[index] for moment in self._first],
            [moment[index] for moment in self._second],
            self._taken,
        )
        return other
