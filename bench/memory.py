"""How much memory training takes, estimated before it starts, and how many members fit together."""

from __future__ import annotations

import math
import os

import torch
from torch import Tensor, nn

SHARE = 0.5
"""Of the machine's memory that training may take, over all workers; the rest is data, probing and everybody else."""

_COPIES_OF_WEIGHTS = 6  # weights, gradients, two moments, best weights, scratch
_COPIES_OF_OUTPUTS = 3  # outputs, their gradients, scratch


def member_bytes(module: nn.Module, inputs: Tensor, rows: int) -> int:
    """About how many bytes one member takes while it trains.

    Counts six copies of its weights and three of every layer's output, which a forward pass over one or two rows
    measures; ``rows`` is the larger of a batch and a chunk of validation.
    """
    width = next((p.element_size() for p in module.parameters()), 4)
    outputs = 0

    def count(layer: nn.Module, given: object, output: object) -> None:
        nonlocal outputs
        if isinstance(output, Tensor):
            outputs += output.numel()

    layers = [layer for layer in module.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    sample = inputs[: min(2, len(inputs))]
    training = module.training
    try:
        with torch.no_grad():
            module.eval()(sample)
    finally:
        for hook in hooks:
            hook.remove()
        module.train(training)
    weights = sum(p.numel() for p in module.parameters())
    per_row = (outputs / len(sample)) + sample[0].numel()
    return math.ceil(width * (_COPIES_OF_WEIGHTS * weights + _COPIES_OF_OUTPUTS * per_row * rows))


def budget(device: torch.device, workers: int) -> int:
    """Bytes that one worker may take: a share of what the machine (or the GPU) has in all, whatever is free just now.

    What is free changes from minute to minute; how members are grouped, and so how they round, must not.
    """
    if device.type == "cuda":
        return int(SHARE * torch.cuda.mem_get_info(device)[1])
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(SHARE * total / max(workers, 1))


def group_size(module: nn.Module, inputs: Tensor, rows: int, members: int, limit: int) -> int:
    """How many of ``members`` fit into ``limit`` bytes together; at least one."""
    return max(1, min(members, limit // max(1, member_bytes(module, inputs, rows))))
