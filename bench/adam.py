"""Adam for members that are stacked: fused over all of them, with a learning rate for each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class MemberAdam:
    """Adam (Kingma and Ba, arXiv 1412.6980) over tensors whose first axis is the member.

    Members of equal rates must stand side by side: each such run of rows is one group of torch's fused kernel.

    Args:
        stacked: the parameters, each of shape (M, ...) and contiguous, changed in place by :meth:`step`.
        rates: the learning rate of each member.
    """

    def __init__(self, stacked: Sequence[Tensor], rates: Sequence[float]) -> None:
        self._rates = list(rates)
        starts = [i for i, rate in enumerate(self._rates) if i == 0 or rate != self._rates[i - 1]]
        self._runs = [slice(a, b) for a, b in zip(starts, [*starts[1:], len(self._rates)], strict=True)]
        groups = [{"params": [p.detach()[run] for p in stacked], "lr": self._rates[run.start]} for run in self._runs]
        self._optimizer = torch.optim.Adam(groups, fused=True)

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step along ``gradients``, of the shapes of the parameters."""
        for group, run in zip(self._optimizer.param_groups, self._runs, strict=True):
            for rows, gradient in zip(group["params"], gradients, strict=True):
                rows.grad = gradient[run].contiguous()  # the fused kernel walks memory, whatever the strides
        self._optimizer.step()

    def retained(self, stacked: Sequence[Tensor], places: Sequence[int]) -> MemberAdam:
        """The same state for the members at ``places`` (ascending), whose parameters are now in ``stacked``."""
        other = MemberAdam(stacked, [self._rates[place] for place in places])
        moments = {name: self._gathered(name) for name in ("exp_avg", "exp_avg_sq")}
        if not moments["exp_avg"]:
            return other  # nobody has taken a step
        (count,) = {float(state["step"]) for state in self._optimizer.state.values()}
        index = torch.tensor(list(places), device=stacked[0].device)
        for group, run in zip(other._optimizer.param_groups, other._runs, strict=True):
            for place, rows in enumerate(group["params"]):
                kept = {name: moment[place][index][run].clone() for name, moment in moments.items()}
                step = torch.tensor(count, dtype=torch.float32, device=rows.device)
                other._optimizer.state[rows] = {"step": step, **kept}
        return other

    def _gathered(self, name: str) -> list[Tensor]:
        """A moment of every parameter over all members; nothing before the first step."""
        state = self._optimizer.state
        if not state:
            return []
        together = zip(*(group["params"] for group in self._optimizer.param_groups), strict=True)
        return [torch.cat([state[rows][name] for rows in parts]) for parts in together]
