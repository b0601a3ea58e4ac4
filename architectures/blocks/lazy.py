"""Layers whose sizes the first batch decides, such as ``torch.nn.LazyLinear``."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from bench.core.problem import Problem


def is_unfinished(network: nn.Module) -> bool:
    """Whether a parameter or buffer has no size yet."""
    tensors = [*network.parameters(), *network.buffers()]
    return any(is_lazy(tensor) for tensor in tensors)


def materialize(network: nn.Module, problem: Problem, always: bool = False) -> None:
    """Run two rows through ``network`` if sizes are missing, in evaluation: layers draw their weights, and no more.

    Args:
        network: left in the mode that it was in.
        problem: says the shape of a row.
        always: also where no size is missing, for layers that a forward makes by itself.
    """
    if not (always or is_unfinished(network)):
        return
    rows = torch.linspace(-1.0, 1.0, 2 * problem.size).reshape(2, *problem.shape)
    modes = [(module, module.training) for module in network.modules()]
    with torch.no_grad():
        network.eval()(rows)
    for module, training in modes:
        module.training = training
    for module in network.modules():  # what the pass itself has made
        if module not in dict(modes):
            module.training = network.training
