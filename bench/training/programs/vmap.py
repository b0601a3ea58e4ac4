"""Networks of one structure, stacked: parameters with a leading member axis, one program for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from architectures.blocks.after_step import after_step
from bench.plan.optimizer import ADAM, Optimizer
from bench.training.programs.sgd import member_optimizer


class Stack:
    """The :class:`bench.training.programs.program.Program` ``vmap``: M networks of one structure, one step together.

    Members must be ordered so that equal learning rates stand side by side: an optimizer then acts on whole slices.
    Parameters that do not require gradients stay as they are.

    Args:
        modules: the initialized members.
        rates: the learning rate of each.
        optimizer: what takes the steps.

    Shapes:
        step(inputs, targets): inputs (rows, *shape) shared by all, or (M, rows, *shape); targets alike, (M, rows,
            steps) where each step has one; losses (M,).
        predict(inputs): (rows, *shape), or (M, rows, *shape) of their own, -> (M, rows), or (M, rows, steps).
    """

    def __init__(self, modules: Sequence[nn.Module], rates: Sequence[float], optimizer: Optimizer = ADAM) -> None:
        self._module = modules[0]
        learned = {name for name, p in self._module.named_parameters() if p.requires_grad}
        parameters, buffers = stack_module_state(list(modules))
        self._parameters = {n: p.detach().clone().requires_grad_() for n, p in parameters.items() if n in learned}
        self._buffers = {n: p.detach().clone() for n, p in parameters.items() if n not in learned}
        self._buffers |= {n: b.detach().clone() for n, b in buffers.items()}
        self._members = len(modules)
        self._after = {n: torch.vmap(f) for n, f in after_step(self._module).items() if n in self._parameters}
        self._optimizer = member_optimizer(optimizer, list(self._parameters.values()), rates)

    def __len__(self) -> int:
        return self._members

    def step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """One step of every member on the mean squared error; returns the losses before the step, shape (M,)."""
        self._module.train()
        shared = targets.dim() == 1
        losses = (self._forward(inputs, shared) - targets).square().flatten(1).mean(1)
        gradients = torch.autograd.grad(losses.sum(), list(self._parameters.values()), materialize_grads=True)
        self._optimizer.step(gradients)
        with torch.no_grad():
            for name, mend in self._after.items():
                self._parameters[name].copy_(mend(self._parameters[name]))
        return losses.detach()

    @torch.no_grad()
    def predict(self, inputs: Tensor, own: bool = False) -> Tensor:
        """Outputs of every member in evaluation mode."""
        self._module.eval()
        return self._forward(inputs, shared=not own)

    def state(self, place: int) -> dict[str, Tensor]:
        """A copy of one member's parameters and buffers, as ``load_state_dict`` takes it."""
        return {name: t.detach()[place].clone() for name, t in {**self._parameters, **self._buffers}.items()}

    def retain(self, places: Sequence[int]) -> None:
        """Drop every member that is not at one of ``places`` (ascending); the others go on unchanged."""
        index = torch.tensor(list(places), device=next(iter(self._parameters.values())).device)
        self._parameters = {n: p.detach()[index].requires_grad_() for n, p in self._parameters.items()}
        self._buffers = {n: b[index] for n, b in self._buffers.items()}
        self._members = len(places)
        self._optimizer = self._optimizer.retained(list(self._parameters.values()), places)

    def _forward(self, inputs: Tensor, shared: bool) -> Tensor:
        run = torch.vmap(self._one, in_dims=(0, 0, None if shared else 0), randomness="error")
        return run(self._parameters, self._buffers, inputs)

    def _one(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor) -> Tensor:
        output: Tensor = functional_call(self._module, (parameters, buffers), (inputs,)).squeeze(-1)
        return output
