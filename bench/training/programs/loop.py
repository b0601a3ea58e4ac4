"""One network that trains by itself: a program with a single member."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from architectures.blocks.after_step import after_step
from bench.plan.optimizer import ADAM, Optimizer
from bench.training.programs.adam import fused_adam
from bench.training.programs.sgd import momentum_step


class Single:
    """The :class:`bench.training.programs.program.Program` ``loop``: the module's own parameters are trained in place.

    On a CPU the weights of convolutions lie channels last, and so do the images between them and their gradients: the
    same sums, in an order that vector units like (1.2 to 1.7 times as fast).

    Args:
        modules: the initialized member.
        rates: its learning rate.
        optimizer: what takes the steps.
    """

    def __init__(self, modules: Sequence[nn.Module], rates: Sequence[float], optimizer: Optimizer = ADAM) -> None:
        (self._module,), (rate,) = modules, rates
        self._channels_last = all(p.device.type == "cpu" for p in self._module.parameters())
        self._settled = not any(p.dim() == 4 for p in self._module.parameters())
        if self._channels_last:
            self._module.to(memory_format=torch.channels_last)
            if not self._settled:
                for part in self._module.modules():
                    if _return_as_it_went not in part._forward_hooks.values():
                        part.register_forward_hook(_return_as_it_went)
        self._rate, self._optimizer = rate, optimizer
        self._begin()

    def _begin(self) -> None:
        self._learned = [p for p in self._module.parameters() if p.requires_grad]
        self._first, self._second = ([torch.zeros_like(p, requires_grad=False) for p in self._learned] for _ in "12")
        device = next((p.device for p in self._learned), None)
        self._taken = torch.zeros((), dtype=torch.float32, device=device)
        named = dict(self._module.named_parameters())
        self._after = [(named[name].detach(), mend) for name, mend in after_step(self._module).items()]

    def _settle(self, inputs: Tensor) -> None:
        """Back to the usual layout where a network cannot do without it: by a ``view`` after a convolution."""
        self._settled = True
        if not self._channels_last:
            return
        try:
            with torch.no_grad():
                self._module.eval()(inputs[:2])
        except RuntimeError:
            self._module.to(memory_format=torch.contiguous_format)
            self._begin()

    def __len__(self) -> int:
        return 1

    def step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """One step on the mean squared error; returns the loss before the step, shape (1,).

        ``inputs`` (rows, *shape) or (1, rows, *shape), ``targets`` alike, (1, rows, steps) where each step has one.
        """
        if targets.dim() > 1:
            inputs, targets = inputs[0], targets[0]
        if not self._settled:
            self._settle(inputs)
        if not self._module.training:
            self._module.train()
        loss = (self._module(inputs).squeeze(-1) - targets).square().mean()
        gradients = torch.autograd.grad(loss, self._learned, materialize_grads=True)
        with torch.no_grad():
            alike = [_laid_out_as(p, g) for p, g in zip(self._learned, gradients, strict=True)]
            parameters: list[Tensor] = [p.detach() for p in self._learned]
            self._descend(parameters, alike)
            for parameter, mend in self._after:
                parameter.copy_(mend(parameter))
        output: Tensor = loss.detach().reshape(1)
        return output

    def _descend(self, parameters: list[Tensor], gradients: list[Tensor]) -> None:
        chosen = self._optimizer
        if chosen.kind == "sgd":
            momentum_step(chosen, parameters, gradients, self._first, self._rate)
            return
        self._taken += 1
        fused_adam(parameters, gradients, self._first, self._second, self._taken, self._rate, chosen.weight_decay)

    @torch.no_grad()
    def predict(self, inputs: Tensor, own: bool = False) -> Tensor:
        """Outputs in evaluation mode: (rows, *shape), or (1, rows, *shape) of its own, -> (1, rows).

        Where each step is answered, (1, rows, steps).
        """
        self._module.eval()
        output: Tensor = self._module(inputs[0] if own else inputs).squeeze(-1).unsqueeze(0)
        return output

    def state(self, place: int) -> dict[str, Tensor]:
        """A copy of parameters and buffers, as ``load_state_dict`` takes it; ``place`` is 0."""
        return {
            name: t.detach().clone(memory_format=torch.contiguous_format)
            for name, t in self._module.state_dict().items()
        }

    def retain(self, places: Sequence[int]) -> None:
        """Nothing to drop: a stack of one whose member leaves is at its end."""


def _return_as_it_went(part: nn.Module, inputs: object, output: object) -> None:
    """The gradient of an image that lies channels last comes back so: from a mean over positions it would not.

    An activation whose gradient lies otherwise takes forty times as long.
    """
    if isinstance(output, Tensor) and output.grad_fn is not None and _is_channels_last(output):
        output.register_hook(_channels_last)  # type: ignore[no-untyped-call]


def _channels_last(gradient: Tensor | None) -> Tensor | None:
    """None, where a function of the user's has no gradient, stays None."""
    return None if gradient is None else gradient.contiguous(memory_format=torch.channels_last)


def _is_channels_last(images: Tensor) -> bool:
    return images.dim() == 4 and images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()


def _laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """``gradient`` with the strides of ``parameter``."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)
