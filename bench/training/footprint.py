"""How much memory training takes, estimated before it starts."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SHARE = 0.5
"""Of the machine's memory that training may take, over all workers; the rest is data, probing and everybody else."""

_COPIES_OF_WEIGHTS = 6  # weights, gradients, two moments, best weights, scratch
_COPIES_OF_OUTPUTS = 3  # outputs, their gradients, scratch


@dataclass(frozen=True)
class Footprint:
    """How many numbers one member holds.

    Args:
        weights: its parameters.
        per_row: inputs and outputs of all layers, for one row.
        largest: the largest output of a layer, for one row.
        width: bytes of a number.
    """

    weights: int
    per_row: int
    largest: int
    width: int

    def bytes(self, rows: int) -> int:
        """About how many bytes one member takes while it trains on ``rows`` rows a step.

        Counts six copies of its weights and three of every layer's output.
        """
        return self.width * (_COPIES_OF_WEIGHTS * self.weights + _COPIES_OF_OUTPUTS * self.per_row * rows)


def footprint(module: nn.Module, inputs: Tensor) -> Footprint:
    """The footprint of ``module``, measured by a forward pass over the first rows of ``inputs``, two at most."""
    outputs: list[int] = []

    def count(layer: nn.Module, given: object, output: object) -> None:
        if isinstance(output, Tensor):
            outputs.append(output.numel())

    hooks = [layer.register_forward_hook(count) for layer in module.modules() if not list(layer.children())]
    sample, training = inputs[:2], module.training
    try:
        with torch.no_grad():
            module.eval()(sample)
    finally:
        for hook in hooks:
            hook.remove()
        module.train(training)
    return Footprint(
        weights=sum(p.numel() for p in module.parameters()),
        per_row=math.ceil((sum(outputs) + sample.numel()) / len(sample)),
        largest=math.ceil(max(outputs, default=sample.numel()) / len(sample)),
        width=next((p.element_size() for p in module.parameters()), 4),
    )


def budget(device: torch.device, workers: int) -> int:
    """Bytes that one worker may take: a share of what the machine (or the GPU) has in all, whatever is free just now.

    What is free changes from minute to minute; how members are grouped, and so how they round, must not.
    """
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
    else:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(SHARE * total / max(workers, 1))
