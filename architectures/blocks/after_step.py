"""What a network does to its parameters after each step of the optimizer: constraints that a step leaves.

A module says so by a method

    def after_step(self) -> Mapping[str, Callable[[Tensor], Tensor]]:
        return {"weight": unit_rows}

the names of parameters of its own or below it, each with a pure function from what the step has made of the parameter
to what it becomes (same shape; without branches on its numbers, so that ``torch.vmap`` can batch it). The functions are
applied once when the network is drawn and then after every step, under every training program that takes the network.
The optimizer's moments are left as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

Mend = Callable[[Tensor], Tensor]


@runtime_checkable
class Constrained(Protocol):
    """A module with something to do after each step."""

    def after_step(self) -> Mapping[str, Mend]:
        """Parameters by their names in this module, and what becomes of them."""
        ...


def after_step(network: nn.Module) -> dict[str, Mend]:
    """What is done to each parameter of ``network`` after a step, by its path; a parametrized weight is left alone."""
    there = {name for name, _ in network.named_parameters()}
    found: dict[str, Mend] = {}
    for path, module in network.named_modules():
        if isinstance(module, Constrained):
            found |= {f"{path}.{name}".lstrip("."): mend for name, mend in module.after_step().items()}
    return {name: mend for name, mend in found.items() if name in there}


@torch.no_grad()
def mend(network: nn.Module) -> None:
    """Do it now, in place."""
    parameters = dict(network.named_parameters())
    for name, function in after_step(network).items():
        parameters[name].copy_(function(parameters[name]))
