"""The training programs behind one surface (:class:`bench.training.programs.program.Program`)."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from bench.training.programs.chain import ChainStack
from bench.training.programs.loop import Single
from bench.training.programs.program import Program, StartProgram
from bench.training.programs.vmap import Stack

PROGRAMS: dict[str, StartProgram] = {"chain": ChainStack, "vmap": Stack, "loop": Single}


def member(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 1)).double()


def rows(seed: int = 0, count: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 3, generator=draw, dtype=torch.float64)
    return inputs, inputs.sum(1).sin()


def started(name: str, seeds: list[int], rate: float = 1e-2) -> Program:
    return PROGRAMS[name]([member(seed) for seed in seeds], [rate] * len(seeds))


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_has_the_written_surface(name: str) -> None:
    for method in ("__len__", "step", "predict", "state", "retain"):
        written = inspect.signature(getattr(Program, method))
        there = inspect.signature(getattr(PROGRAMS[name], method))
        assert list(there.parameters) == list(written.parameters), method


@pytest.mark.parametrize("name", PROGRAMS)
def test_losses_are_of_before_the_step_and_states_load_into_a_network(name: str) -> None:
    inputs, targets = rows()
    program, plain = started(name, [0]), member(0)
    assert len(program) == 1
    before = (plain(inputs).squeeze(-1) - targets).square().mean()
    losses = program.step(inputs, targets)
    assert losses.shape == (1,)
    torch.testing.assert_close(losses[0], before.detach())
    plain.load_state_dict(program.state(0))
    torch.testing.assert_close(program.predict(inputs)[0], plain(inputs).squeeze(-1).detach())
    kept = program.state(0)
    program.step(inputs, targets)
    assert any(not torch.equal(kept[key], value) for key, value in program.state(0).items())  # a copy stays


@pytest.mark.parametrize("name", ["chain", "vmap"])
@pytest.mark.parametrize("own_rows", [False, True])
def test_members_do_not_notice_who_leaves(name: str, own_rows: bool) -> None:
    """Three members, of which the middle one leaves after three steps; each alone gives the same."""
    seeds = [0, 1, 2]
    inputs, targets = rows()
    if own_rows:
        inputs, targets = (torch.stack(parts) for parts in zip(*(rows(seed) for seed in seeds), strict=True))
    program = started(name, seeds)
    for _ in range(3):
        program.step(inputs, targets)
    program.retain([0, 2])
    left = (inputs[[0, 2]], targets[[0, 2]]) if own_rows else (inputs, targets)
    for _ in range(3):
        program.step(*left)
    assert len(program) == 2
    for place, seed in enumerate((0, 2)):
        alone = started("loop", [seed])
        for _ in range(6):
            alone.step(*(rows(seed) if own_rows else rows()))
        for key, value in alone.state(0).items():
            torch.testing.assert_close(program.state(place)[key], value)
