"""Whether a training program computes what the members compute by themselves.

Of FarField's own networks tests say so. One from outside may do more than its layers say (a hook, a ``forward`` of a
single layer's own, state that is made while it trains), which a program that knows the layers, or stacks the weights,
would pass over.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from architectures.contract.precision import in_float64
from bench.plan.options import ProgramName
from bench.training.programs.chain import ChainStack
from bench.training.programs.loop import Single
from bench.training.programs.program import StartProgram
from bench.training.programs.vmap import Stack

RATE = 1e-3
STEPS = 2
TOLERANCE = 1e-6


_STACKING: dict[ProgramName, StartProgram] = {"chain": ChainStack, "vmap": Stack}


def agrees(
    program: ProgramName,
    build: Callable[[int], nn.Module],
    seeds: Sequence[int],
    inputs: Tensor,
    each_step: bool = False,
) -> bool:
    """Whether a program's members learn and answer as each does alone, in float64, over some steps.

    Args:
        program: by name; ``loop`` always does.
        build: makes the initialized network of a seed.
        seeds: of the members.
        inputs: some rows.
        each_step: sequences are answered at each step.
    """
    if program not in _STACKING:
        return True
    rows = inputs.double()
    batch = rows.expand(len(seeds), *rows.shape) if each_step else rows
    targets = batch.flatten(3).sum(3).sin() if each_step else rows.flatten(1).sum(1).sin()

    def member(seed: int) -> nn.Module:
        return build(seed).double().to(rows.device)

    try:
        with warnings.catch_warnings(action="ignore"), torch.random.fork_rng(devices=[]), in_float64():
            together = _STACKING[program]([member(seed) for seed in seeds], [RATE] * len(seeds))
            alone = [Single([member(seed)], [RATE]) for seed in seeds]
            for _ in range(STEPS):
                losses = together.step(batch, targets)
                lone = (batch[:1], targets[:1]) if each_step else (rows, targets)
                own = torch.cat([one.step(*lone) for one in alone])
                if not torch.allclose(losses, own, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
                    return False
            answers, theirs = together.predict(rows), torch.cat([one.predict(rows) for one in alone])
    except (RuntimeError, ValueError):
        return False
    return torch.allclose(answers, theirs, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
