"""Networks of one structure, stacked: parameters with a leading member axis, one program for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state


class Stack:
    """M networks of one structure that take one Adam step together.

    Members must be ordered so that equal learning rates stand side by side: Adam then acts on contiguous slices.
    A stack of one runs the module itself, without ``torch.vmap``. Parameters that do not require gradients stay as
    they are.

    Args:
        modules: the initialized members.
        rates: the learning rate of each.

    Shapes:
        step(inputs, targets): inputs (rows, *shape) shared by all, or (M, rows, *shape); targets alike; losses (M,).
        predict(inputs): (rows, *shape) -> (M, rows).
    """

    def __init__(self, modules: Sequence[nn.Module], rates: Sequence[float]) -> None:
        self._module = modules[0]
        learned = {name for name, p in self._module.named_parameters() if p.requires_grad}
        parameters, buffers = stack_module_state(list(modules))
        self._parameters = {n: p.detach().clone().requires_grad_() for n, p in parameters.items() if n in learned}
        self._buffers = {n: p.detach().clone() for n, p in parameters.items() if n not in learned}
        self._buffers |= {n: b.detach().clone() for n, b in buffers.items()}
        self._rates = list(rates)
        self._optimizer = self._new_optimizer()

    def __len__(self) -> int:
        return len(self._rates)

    def step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """One Adam step of every member on the mean squared error; returns the losses before the step, shape (M,)."""
        self._module.train()
        shared = targets.dim() == 1
        losses = (self._forward(inputs, shared) - targets).square().mean(1)
        gradients = torch.autograd.grad(losses.sum(), list(self._parameters.values()), materialize_grads=True)
        for group, members in zip(self._optimizer.param_groups, self._slices(), strict=True):
            for view, gradient in zip(group["params"], gradients, strict=True):
                view.grad = gradient[members].contiguous()  # the fused kernel walks memory, whatever the strides
        self._optimizer.step()
        return losses.detach()

    @torch.no_grad()
    def predict(self, inputs: Tensor) -> Tensor:
        """Outputs of every member in evaluation mode."""
        self._module.eval()
        return self._forward(inputs, shared=True)

    def state(self, place: int) -> dict[str, Tensor]:
        """A copy of one member's parameters and buffers, as ``load_state_dict`` takes it."""
        return {name: t.detach()[place].clone() for name, t in {**self._parameters, **self._buffers}.items()}

    def retain(self, places: Sequence[int]) -> None:
        """Drop every member that is not at one of ``places`` (ascending); the others go on unchanged."""
        index = torch.tensor(list(places), device=next(iter(self._parameters.values())).device)
        moments = self._gather_moments()
        self._parameters = {n: p.detach()[index].requires_grad_() for n, p in self._parameters.items()}
        self._buffers = {n: b[index] for n, b in self._buffers.items()}
        self._rates = [self._rates[place] for place in places]
        self._optimizer = self._new_optimizer()
        self._scatter_moments({key: [m[index] for m in stacked] for key, stacked in moments.items()})

    def _forward(self, inputs: Tensor, shared: bool) -> Tensor:
        if len(self) == 1:
            parameters = {name: p.squeeze(0) for name, p in self._parameters.items()}
            buffers = {name: b[0] for name, b in self._buffers.items()}
            return self._one(parameters, buffers, inputs if shared else inputs[0]).unsqueeze(0)
        run = torch.vmap(self._one, in_dims=(0, 0, None if shared else 0), randomness="error")
        return run(self._parameters, self._buffers, inputs)

    def _one(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor) -> Tensor:
        return functional_call(self._module, (parameters, buffers), (inputs,)).squeeze(-1)

    def _slices(self) -> list[slice]:
        """Ranges of members with equal learning rates."""
        starts = [i for i, rate in enumerate(self._rates) if i == 0 or rate != self._rates[i - 1]]
        return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], len(self._rates)], strict=True)]

    def _new_optimizer(self) -> torch.optim.Adam:
        groups = [
            {"params": [p.detach()[members] for p in self._parameters.values()], "lr": self._rates[members.start]}
            for members in self._slices()
        ]
        return torch.optim.Adam(groups, fused=True)

    def _gather_moments(self) -> dict[str, list[Tensor]]:
        """Adam's first and second moments per parameter, stacked over all members; ``step`` per parameter."""
        groups = [[self._optimizer.state[view] for view in g["params"]] for g in self._optimizer.param_groups]
        together = list(zip(*groups, strict=True))
        gathered = {
            key: [torch.cat([s[key] for s in states]) for states in together] for key in ("exp_avg", "exp_avg_sq")
        }
        counts = [torch.cat([s["step"].expand(len(s["exp_avg"])) for s in states]) for states in together]
        return {**gathered, "step": counts}

    def _scatter_moments(self, moments: dict[str, list[Tensor]]) -> None:
        for group, members in zip(self._optimizer.param_groups, self._slices(), strict=True):
            for place, view in enumerate(group["params"]):
                self._optimizer.state[view] = {
                    "step": moments["step"][place][members.start].clone(),
                    "exp_avg": moments["exp_avg"][place][members].clone(),
                    "exp_avg_sq": moments["exp_avg_sq"][place][members].clone(),
                }
