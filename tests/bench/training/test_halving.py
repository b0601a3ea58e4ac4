"""Successive halving, and seeds with rows of their own, against a reference that trains one member at a time."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import nn

from bench.plan.options import ProgramName
from bench.plan.protocol import Rung, Schedule, batch_indices, check_steps, halving_rungs
from bench.training.footprint import footprint
from bench.training.rows import TrainingData
from bench.training.train import Trained, train

RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
PROGRAMS: tuple[ProgramName, ...] = ("chain", "vmap", "loop")
SEEDS = [0, 1, 2, 5]


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 12), nn.LayerNorm(12), nn.ReLU(), nn.Linear(12, 1)).double()


def drawn(seed: int, rows: int = 30, held: int = 20) -> TrainingData:
    """A draw of its own for each seed."""
    draw = torch.Generator().manual_seed(100 + seed)
    x = torch.randn(rows + held, 3, generator=draw, dtype=torch.float64)
    z = (2 * x[:, 0]).sin() * x[:, 1] + 0.2 * torch.randn(rows + held, generator=draw, dtype=torch.float64)
    return TrainingData(x[:rows], z[:rows], x[rows:], z[rows:])


def schedule(batch: int | None = None, steps: int = 80, rates: tuple[float, ...] = RATES) -> Schedule:
    checks = check_steps(steps, 16)
    return Schedule(steps, batch, rates, checks, True, halving_rungs(checks, ((0.25, 3), (0.5, 2))))


def batches(plan: Schedule, data: dict[int, TrainingData]) -> dict[int, np.ndarray] | None:
    found = {seed: batch_indices("t", "a", seed, len(rows.inputs), plan) for seed, rows in data.items()}
    return {seed: rows for seed, rows in found.items() if rows is not None} or None


@dataclass
class Lone:
    """One member of the reference: what it found at each check."""

    rate: float
    errors: dict[int, float] = field(default_factory=dict)
    states: dict[int, dict[str, torch.Tensor]] = field(default_factory=dict)

    def best(self, until: int) -> tuple[float, int]:
        """The least error up to a step, and its step; infinite when it diverged before."""
        seen = {step: error for step, error in self.errors.items() if step <= until}
        if not all(map(math.isfinite, seen.values())):
            return math.inf, 0
        return min((error, step) for step, error in seen.items())


def lone(module: nn.Module, rate: float, rows: TrainingData, plan: Schedule, batch: np.ndarray | None) -> Lone:
    """Trains to the end whatever becomes of it: the textbook loop."""
    optimizer, found = torch.optim.Adam(module.parameters(), lr=rate), Lone(rate)
    for step in range(1, plan.steps + 1):
        chosen = slice(None) if batch is None else torch.from_numpy(batch[step - 1])
        module.train()
        optimizer.zero_grad()
        ((module(rows.inputs[chosen])[:, 0] - rows.targets[chosen]) ** 2).mean().backward()
        optimizer.step()
        if step in plan.checks:
            module.eval()
            with torch.no_grad():
                off = module(rows.validation_inputs)[:, 0] - rows.validation_targets
            found.errors[step] = float((off**2).mean())
            found.states[step] = {name: t.clone() for name, t in module.state_dict().items()}
    return found


def rows_of(kind: str) -> dict[int, TrainingData]:
    if kind == "shared":
        return dict.fromkeys(SEEDS, drawn(0))
    return {seed: drawn(seed, 30 + (seed == 2 and kind == "own, of two shapes")) for seed in SEEDS}


@functools.cache
def reference(seed: int, size: int | None, kind: str) -> tuple[Lone, int]:
    """Six to a quarter, three to a half, two to the end; then the least error seen."""
    plan, data = schedule(size), rows_of(kind)
    drawn_batches = batches(plan, data)
    batch = None if drawn_batches is None else drawn_batches[seed]
    members = [lone(network(seed), rate, data[seed], plan, batch) for rate in plan.learning_rates]
    quarter, half = (min(plan.checks, key=lambda c: abs(c - plan.steps * share)) for share in (0.25, 0.5))
    three = sorted(members, key=lambda m: m.best(quarter)[0])[:3]
    two = sorted(three, key=lambda m: m.best(half)[0])[:2]
    chosen = min(two, key=lambda m: m.best(plan.steps)[0])
    return chosen, chosen.best(plan.steps)[1]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("kind", ["own", "own, of two shapes", "shared"])
def test_every_program_selects_what_the_reference_selects(program: ProgramName, batch: int | None, kind: str) -> None:
    data, plan = rows_of(kind), schedule(batch)
    results = train(network, SEEDS, data, plan, batches(plan, data), program=program)
    assert [result.seed for result in results] == SEEDS
    for result in results:
        chosen, step = reference(result.seed, batch, kind)
        assert (result.learning_rate, result.best_step) == (chosen.rate, step)
        assert result.edge_of_steps is (step == plan.steps)
        assert result.edge_of_grid is (chosen.rate in (RATES[0], RATES[-1]))
        assert result.curve.steps == plan.checks
        assert result.curve.validation == pytest.approx(list(chosen.errors.values()), rel=1e-7)
        assert result.state is not None
        for name, tensor in chosen.states[step].items():
            torch.testing.assert_close(result.state[name], tensor, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("program", PROGRAMS)
def test_members_do_not_depend_on_other_seeds_or_how_they_are_stacked(program: ProgramName) -> None:
    data = {seed: drawn(seed) for seed in SEEDS}
    plan = schedule(8)
    rows = batches(plan, data)
    together = {result.seed: result for result in train(network, SEEDS, data, plan, rows, program=program)}
    one = footprint(network(0), data[0].inputs).bytes(8)
    ways = [train(network, [5], data, plan, rows, program=program)]
    ways += [train(network, SEEDS[::-1], data, plan, rows, program=program, limit=n * one) for n in (1, 4, 16)]
    for result in (result for results in ways for result in results):
        same_choice(result, together[result.seed])


def same_choice(one: Trained, other: Trained) -> None:
    assert (one.learning_rate, one.best_step) == (other.learning_rate, other.best_step)
    assert one.curve.validation == pytest.approx(other.curve.validation, rel=1e-7)


def test_random_networks_draw_the_same_through_a_pause() -> None:
    """Dropout: a rate that halving lets through learns what it learns without rungs."""

    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 12), nn.Dropout(0.3), nn.ReLU(), nn.Linear(12, 1)).double()

    plan = schedule()
    halved = train(build, [0, 1], {seed: drawn(seed) for seed in (0, 1)}, plan, program="loop")
    for result in halved:
        assert result.learning_rate is not None
        alone = schedule(rates=(result.learning_rate,))
        (whole,) = train(build, [result.seed], {result.seed: drawn(result.seed)}, alone, program="loop")
        assert whole.curve == result.curve


class Scripted(nn.Module):
    """Its answer is off by a number that depends on how far its weight moved: Adam moves it by the rate a step.

    Args:
        errors: of the distance moved (steps times rate): the validation error.
    """

    def __init__(self, error: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.moved = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            return (self.moved - 1e3).expand(len(x), 1)  # a steady gradient: towards 1e3 by the rate at each step
        return self.error(self.moved.detach()).expand(len(x), 1)


def scripted(error: Callable[[torch.Tensor], torch.Tensor], plan: Schedule) -> Trained:
    zeros = torch.zeros(4, dtype=torch.float64)
    rows = TrainingData(torch.zeros(4, 1, dtype=torch.float64), zeros, torch.zeros(4, 1, dtype=torch.float64), zeros)
    (result,) = train(lambda seed: Scripted(error), [0], {0: rows}, plan, program="loop")
    return result


def few(*rates: float) -> Schedule:
    return Schedule(8, None, rates, tuple(range(1, 9)), True, (Rung(2, 2), Rung(4, 1)))


def test_a_tie_goes_to_the_smaller_rate() -> None:
    flat = scripted(lambda moved: torch.ones_like(moved), few(0.01, 0.02, 0.04))
    assert (flat.learning_rate, flat.best_step) == (0.01, 1)
    assert len(flat.curve.steps) == 8


def test_a_rate_that_diverges_after_a_rung_is_not_replaced() -> None:
    """0.05 leads at the rung and diverges at step 3; 0.01, stopped at step 2, would have been perfect at step 7."""

    def error(moved: torch.Tensor) -> torch.Tensor:
        perfect = torch.where((moved - 0.07).abs() < 0.005, 0.0, 1 - moved)
        return torch.where((moved - 0.15).abs() < 0.005, torch.nan, perfect)

    result = scripted(error, few(0.01, 0.02, 0.05))
    assert (result.learning_rate, result.best_step, result.edge_of_steps) == (0.02, 8, True)


def test_a_rate_that_was_stopped_counts_when_all_that_went_on_diverged() -> None:
    result = scripted(lambda moved: torch.where(moved > 0.11, torch.nan, 1 - moved), few(0.01, 0.02, 0.04))
    assert (result.learning_rate, result.best_step, result.edge_of_steps) == (0.01, 2, False)
    assert result.curve.steps == (1, 2)
