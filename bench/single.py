"""One network that trains by itself: the surface of :class:`bench.stacking.Stack` with a single member."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Single:
    """A stack of one, without stacking: the module's own parameters are trained in place.

    On a CPU the weights of convolutions lie channels last, and so do the images between them: the same sums, in an
    order that vector units like (1.2 to 1.7 times as fast).

    Args:
        modules: the initialized member.
        rates: its learning rate.
    """

    def __init__(self, modules: Sequence[nn.Module], rates: Sequence[float]) -> None:
        (self._module,), (rate,) = modules, rates
        if all(p.device.type == "cpu" for p in self._module.parameters()):
            self._module.to(memory_format=torch.channels_last)
        learned = [p for p in self._module.parameters() if p.requires_grad]
        self._optimizer = torch.optim.Adam(learned, lr=rate, fused=True)

    def __len__(self) -> int:
        return 1

    def step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """One Adam step on the mean squared error; returns the loss before the step, shape (1,).

        ``inputs`` (rows, *shape) or (1, rows, *shape), ``targets`` alike.
        """
        if not self._module.training:
            self._module.train()
        if targets.dim() == 2:
            inputs, targets = inputs[0], targets[0]
        loss = (self._module(inputs).squeeze(-1) - targets).square().mean()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return loss.detach().reshape(1)

    @torch.no_grad()
    def predict(self, inputs: Tensor) -> Tensor:
        """Outputs in evaluation mode: (rows, *shape) -> (1, rows)."""
        self._module.eval()
        return self._module(inputs).squeeze(-1).unsqueeze(0)

    def state(self, place: int) -> dict[str, Tensor]:
        """A copy of parameters and buffers, as ``load_state_dict`` takes it; ``place`` is 0."""
        return {
            name: t.detach().clone(memory_format=torch.contiguous_format)
            for name, t in self._module.state_dict().items()
        }

    def retain(self, places: Sequence[int]) -> None:
        """Nothing to drop: a stack of one whose member leaves is at its end."""
