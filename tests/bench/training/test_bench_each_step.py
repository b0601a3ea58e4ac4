"""Training on targets at each step: programs agree, losses and errors are means over rows and steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from architectures import parse_scheme, resolve
from architectures.building import build_network
from bench.core.problem import Problem
from bench.plan.protocol import Schedule
from bench.training.agreement import agrees
from bench.training.program import choose_program
from bench.training.programs.loop import Single
from bench.training.programs.program import Program
from bench.training.programs.vmap import Stack
from bench.training.rows import TrainingData
from bench.training.train import train

PROBLEM = Problem("sequence", (5, 2), lengths=(10,), each_step=True, causal=True)
RATE = 1e-2


def member(seed: int) -> nn.Module:
    architecture = resolve("decoder(positions=rope,width=8,depth=1,heads=2)")
    return build_network(architecture, parse_scheme("layer@pre"), PROBLEM, seed).double()


def rows(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    inputs = torch.randn(count, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return inputs, inputs.sum(2).cumsum(1).sin()


def test_loss_is_the_mean_over_rows_and_steps() -> None:
    inputs, targets = rows(12)
    alone = [member(seed) for seed in (0, 1)]
    expected = torch.stack([(one(inputs) - targets).square().mean() for one in alone]).detach()
    own = (inputs.expand(2, *inputs.shape), targets.expand(2, *targets.shape))
    stack = Stack([member(0), member(1)], [RATE, RATE])
    assert stack.predict(inputs).shape == (2, 12, 5)
    torch.testing.assert_close(stack.step(*own), expected)
    for seed in (0, 1):
        single: Program = Single([member(seed)], [RATE])
        assert single.predict(inputs).shape == (1, 12, 5)
        torch.testing.assert_close(single.step(own[0][:1], own[1][:1]), expected[seed : seed + 1])
        for name, value in single.state(0).items():
            torch.testing.assert_close(value, stack.state(seed)[name])


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("own_rows", [False, True])
def test_both_programs_train_alike_and_validate_over_all_steps(batch_size: int | None, own_rows: bool) -> None:
    data = TrainingData(*rows(16), *rows(6, seed=1))
    schedule = Schedule(steps=6, batch_size=batch_size, learning_rates=(1e-3, 1e-2), checks=(3, 6), selects=True)
    draw = np.random.default_rng(0)
    batches = None if batch_size is None else {seed: draw.integers(0, 16, (6, batch_size)) for seed in (0, 1)}
    both = {0: data, 1: TrainingData(*rows(16, seed=2), *rows(6, seed=3)) if own_rows else data}
    stacked, alone = (train(member, (0, 1), both, schedule, batches, program=program) for program in ("vmap", "loop"))
    for one, other in zip(stacked, alone, strict=True):
        np.testing.assert_allclose(one.curve.validation, other.curve.validation, rtol=1e-8)
        assert one.state is not None
        network = member(one.seed)
        network.load_state_dict(one.state)
        held_out = both[one.seed]
        error = (network(held_out.validation_inputs) - held_out.validation_targets).square().mean()
        assert float(error.detach()) == pytest.approx(min(one.curve.validation), rel=1e-9)


def test_the_program_of_such_a_cell_is_no_chain() -> None:
    steps = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))  # the same at every step, (N, steps, 1)
    inputs = rows(8)[0].float()
    assert choose_program(steps, inputs, 8, 10) == "chain"
    assert choose_program(steps, inputs, 8, 10, each_step=True) == "vmap"
    assert agrees("vmap", member, (0, 1), inputs, each_step=True)
