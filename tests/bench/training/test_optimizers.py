"""The optimizers of protocols under every program, against those of torch, and what the last weights are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bench.plan.optimizer import ADAM, Optimizer
from bench.plan.options import ProgramName
from bench.plan.protocol import PROTOCOLS, Rung, Schedule, check_steps
from bench.training.programs.chain import ChainStack
from bench.training.programs.loop import Single
from bench.training.programs.program import StartProgram
from bench.training.programs.vmap import Stack
from bench.training.rows import TrainingData
from bench.training.train import train

STACKED: dict[str, StartProgram] = {"chain": ChainStack, "vmap": Stack}
CHOSEN = {
    "adam": ADAM,
    "adamw": Optimizer(weight_decay=0.1),
    "sgd": Optimizer("sgd", momentum=0.9),
    "sgd that decays": Optimizer("sgd", momentum=0.5, weight_decay=0.1),
}
RATES = (1e-2, 1e-2, 3e-2)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 1)).double()


def rows(count: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(count, 3, generator=draw, dtype=torch.float64)
    return inputs, inputs.sum(1).sin()


def of_torch(chosen: Optimizer, module: nn.Module, rate: float) -> torch.optim.Optimizer:
    parameters = module.parameters()
    if chosen.kind == "sgd":
        return torch.optim.SGD(parameters, rate, momentum=chosen.momentum, weight_decay=chosen.weight_decay)
    if chosen.weight_decay:
        return torch.optim.AdamW(parameters, rate, weight_decay=chosen.weight_decay)
    return torch.optim.Adam(parameters, rate)


def learned(chosen: Optimizer, seed: int, rate: float, steps: int) -> dict[str, torch.Tensor]:
    module, (inputs, targets) = network(seed), rows()
    optimizer = of_torch(chosen, module, rate)
    for _ in range(steps):
        optimizer.zero_grad()
        (module(inputs).squeeze(-1) - targets).square().mean().backward()
        optimizer.step()
    return {name: p.detach() for name, p in module.named_parameters()}


@pytest.mark.parametrize("name", CHOSEN)
@pytest.mark.parametrize("program", ["chain", "vmap", "loop"])
def test_every_program_takes_the_steps_of_torch(name: str, program: str) -> None:
    """Members of two rates, one of which leaves on the way."""
    chosen, (inputs, targets) = CHOSEN[name], rows()
    if program == "loop":
        started = Single([network(2)], [RATES[2]], chosen)
        for _ in range(12):
            started.step(inputs, targets)
        found = {2: started.state(0)}
    else:
        stack = STACKED[program]([network(seed) for seed in range(3)], RATES, chosen)
        for step in range(12):
            if step == 5:
                stack.retain([0, 2])
            stack.step(inputs, targets)
        found = {0: stack.state(0), 2: stack.state(1)}
    for seed, state in found.items():
        for parameter, value in learned(chosen, seed, RATES[seed], 12).items():
            torch.testing.assert_close(state[parameter], value, rtol=1e-9, atol=1e-12)


def test_weight_decay_and_momentum_change_what_is_learned() -> None:
    ends = [learned(chosen, 0, 1e-2, 12)["0.weight"] for chosen in CHOSEN.values()]
    for place, one in enumerate(ends):
        for other in ends[place + 1 :]:
            assert not torch.allclose(one, other, rtol=1e-4)


def data(seed: int, held: int = 30) -> TrainingData:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(40 + held, 3, generator=draw, dtype=torch.float64)
    z = x.sum(1).sin() + 0.3 * torch.randn(40 + held, generator=draw, dtype=torch.float64)
    return TrainingData(x[:40], z[:40], x[40:], z[40:])


@pytest.mark.parametrize("program", ["chain", "vmap", "loop"])
@pytest.mark.parametrize("name", ["2-sgd", "2-adamw-0.1"])
def test_a_schedule_is_trained_with_its_optimizer(program: ProgramName, name: str) -> None:
    """The errors of the whole course are those of torch's optimizer at the rate that was chosen."""
    protocol, rows = PROTOCOLS[name], data(0)
    plan = Schedule(30, None, protocol.learning_rates, check_steps(30, 6), True, optimizer=protocol.optimizer)
    (result,) = train(network, [0], {0: rows}, plan, program=program)
    assert result.learning_rate is not None
    module = network(0)
    optimizer, errors = of_torch(protocol.optimizer, module, result.learning_rate), []
    for step in range(1, 31):
        optimizer.zero_grad()
        (module(rows.inputs)[:, 0] - rows.targets).square().mean().backward()
        optimizer.step()
        if step in plan.checks:
            off = module(rows.validation_inputs)[:, 0].detach() - rows.validation_targets
            errors.append(float(off.square().mean()))
    np.testing.assert_allclose(result.curve.validation, errors, rtol=1e-8)


@pytest.mark.parametrize("program", ["chain", "vmap", "loop"])
def test_without_selection_of_the_step_the_best_rate_by_its_last_weights_is_taken(program: ProgramName) -> None:
    """Of those that trained to the end: one that stopped early was better when it stopped than any at the end."""
    rates, steps = (1e-3, 1e-2, 1e-1), 200
    checks = check_steps(steps, 20)
    last = {}
    for rate in rates:
        alone = Schedule(steps, None, (rate,), checks, selects=False)
        (only,) = train(network, [0], {0: data(0)}, alone, program=program)
        last[rate] = only.curve.validation[-1]
    plan = Schedule(steps, None, rates, checks, False, (Rung(20, 2),))
    (result,) = train(network, [0], {0: data(0)}, plan, program=program)
    assert (result.best_step, result.edge_of_steps) == (steps, False)
    assert result.learning_rate is not None
    assert result.curve.validation[-1] == pytest.approx(last[result.learning_rate])
    assert result.learning_rate == min(set(rates) - {1e-3}, key=last.__getitem__)  # 1e-3 has hardly moved at step 20
