"""Stacked training against the plain loop that anybody would write, and members against their neighbours."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import architectures
from architectures.building import build
from bench.core.problem import Problem
from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule, batch_indices, check_steps
from bench.training.footprint import footprint
from bench.training.program import (
    BOUNDS,
    VMAP_MEMBERS,
    choose_program,
    in_runs,
    most_together,
)
from bench.training.programs.loop import Single
from bench.training.programs.vmap import Stack
from bench.training.rows import TrainingData
from bench.training.train import Trained, train


def network(seed: int, norm: str = "layer") -> nn.Module:
    torch.manual_seed(seed)
    layers = {"layer": nn.LayerNorm(16), "batch": nn.BatchNorm1d(16), "none": nn.Identity()}
    return nn.Sequential(nn.Linear(3, 16), layers[norm], nn.ReLU(), nn.Linear(16, 1)).double()


def data(rows: int = 60) -> TrainingData:
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 3, generator=draw, dtype=torch.float64)
    z = x[:, 0] * x[:, 1] + 0.1 * torch.randn(rows, generator=draw, dtype=torch.float64)
    return TrainingData(x[: rows // 2], z[: rows // 2], x[rows // 2 :], z[rows // 2 :])


def trained(
    build: Callable[[int], nn.Module], seeds: list[int], rows: TrainingData, *more: Any, **how: Any
) -> list[Trained]:
    """All seeds on the same rows."""
    return train(build, seeds, dict.fromkeys(seeds, rows), *more, **how)


def schedule(steps: int = 40, batch: int | None = None, rates: tuple[float, ...] = (1e-3, 1e-2)) -> Schedule:
    return Schedule(steps, batch, rates, check_steps(steps, 8), selects=True)


def batches(plan: Schedule, rows: int, seeds: list[int]) -> dict[int, np.ndarray] | None:
    if plan.batch_size is None:
        return None
    return {seed: found for seed in seeds if (found := batch_indices("t", "a", seed, rows, plan)) is not None}


def plain_loop(
    seed: int, rate: float, norm: str, plan: Schedule, rows: np.ndarray | None
) -> tuple[float, int, nn.Module]:
    """Lone training, the textbook way; returns best validation error, its step and the last module."""
    module, stock = network(seed, norm), data()
    optimizer = torch.optim.Adam(module.parameters(), lr=rate)
    best = (float("inf"), 0)
    for step in range(1, plan.steps + 1):
        x, z = (
            (stock.inputs, stock.targets)
            if rows is None
            else (stock.inputs[rows[step - 1]], stock.targets[rows[step - 1]])
        )
        module.train()
        optimizer.zero_grad()
        ((module(x)[:, 0] - z) ** 2).mean().backward()
        optimizer.step()
        if step in plan.checks:
            module.eval()
            with torch.no_grad():
                error = float(((module(stock.validation_inputs)[:, 0] - stock.validation_targets) ** 2).mean())
            best = min(best, (error, step))
    return *best, module


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("program", ["chain", "vmap", "loop"])
def test_training_equals_the_plain_loop(norm: str, batch: int | None, program: ProgramName) -> None:
    plan = schedule(batch=batch)
    rows = batches(plan, 30, [0, 1])
    results = trained(lambda seed: network(seed, norm), [0, 1], data(), plan, rows, program=program)
    for result in results:
        own = rows[result.seed] if rows else None
        runs = {rate: plain_loop(result.seed, rate, norm, plan, own) for rate in plan.learning_rates}
        rate = min(runs, key=lambda r: runs[r][0])
        assert result.learning_rate == rate
        assert result.best_step == runs[rate][1]
        assert min(result.curve.validation) == pytest.approx(runs[rate][0], rel=1e-9)
        assert result.edge_of_grid is True  # both rates of a grid of two are at its edge


def test_the_kept_weights_are_those_of_the_best_check() -> None:
    plan = schedule()
    (result,) = trained(network, [3], data(), plan)
    module = network(3)
    assert result.state is not None
    module.load_state_dict(result.state)
    module.eval()
    stock = data()
    with torch.no_grad():
        error = float(((module(stock.validation_inputs)[:, 0] - stock.validation_targets) ** 2).mean())
    assert error == pytest.approx(min(result.curve.validation), rel=1e-9)
    assert result.curve.steps[int(np.argmin(result.curve.validation))] == result.best_step


def test_a_member_does_not_depend_on_its_neighbours() -> None:
    plan = schedule(batch=8, rates=(1e-3, 3e-3, 1e-2))
    rows = batches(plan, 30, [0, 1, 2, 3])
    together = trained(network, [0, 1, 2, 3], data(), plan, rows)
    (alone,) = trained(network, [2], data(), plan, rows)
    assert alone.learning_rate == together[2].learning_rate
    assert alone.curve.validation == pytest.approx(together[2].curve.validation, rel=1e-10)
    assert alone.state is not None
    assert together[2].state is not None
    for name, tensor in alone.state.items():
        torch.testing.assert_close(tensor, together[2].state[name], rtol=1e-9, atol=1e-12)


class Explosive(nn.Module):
    """Answers with NaN once its weight has moved beyond a limit."""

    def __init__(self, seed: int, limit: float) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.linear = nn.Linear(3, 1).double()
        self.register_buffer("start", self.linear.weight.detach().clone())
        self.register_buffer("limit", torch.tensor(limit, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        moved = (self.linear.weight - self.start).abs().max()  # type: ignore[operator]
        return self.linear(x) + torch.where(moved > self.limit, torch.nan, 0.0)


def test_a_diverged_rate_is_out_and_the_others_go_on_as_if_it_had_never_been() -> None:
    plan = schedule(rates=(1e-3, 3e-3, 1e-1))
    build = lambda seed: Explosive(seed, limit=0.5)  # noqa: E731
    with_failure = trained(build, [0, 1], data(), plan)
    without = trained(build, [0, 1], data(), schedule(rates=(1e-3, 3e-3)))
    for mixed, clean in zip(with_failure, without, strict=True):
        assert mixed.learning_rate == clean.learning_rate
        assert mixed.curve.validation == pytest.approx(clean.curve.validation, rel=1e-10)


def test_a_seed_whose_every_rate_diverged_says_so() -> None:
    results = trained(lambda seed: Explosive(seed, limit=1e-9 if seed == 1 else 1e9), [0, 1, 2], data(), schedule())
    assert [r.state is None for r in results] == [False, True, False]
    assert results[1].learning_rate is None
    assert results[1].best_step is None
    assert len(results[1].curve.train) == 1  # it left the stack at the first check


def test_frozen_parameters_stay_and_unused_ones_do_no_harm() -> None:
    def build(seed: int) -> nn.Module:
        module = network(seed)
        module[0].weight.requires_grad_(False)
        module.register_parameter("unused", nn.Parameter(torch.ones(2, dtype=torch.float64)))
        return module

    results = trained(build, [0, 1], data(), schedule())
    for result in results:
        assert result.state is not None
        assert torch.equal(result.state["0.weight"], network(result.seed)[0].weight)
        assert torch.equal(result.state["unused"], torch.ones(2, dtype=torch.float64))


def test_retaining_keeps_the_moments() -> None:
    stock = data()
    three = Stack([network(s) for s in (0, 1, 2)], [1e-3, 1e-3, 1e-2])
    two = Stack([network(s) for s in (0, 2)], [1e-3, 1e-2])
    for step in range(10):
        if step == 5:
            three.retain([0, 2])
        losses = three.step(stock.inputs, stock.targets)
        expected = two.step(stock.inputs, stock.targets)
    torch.testing.assert_close(losses, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("spelling", "scheme", "program"),
    [
        ("mlp", "none", "chain"),
        ("mlp", "layer@all", "chain"),
        ("mlp(activation=gelu)", "rms@last", "chain"),
        ("mlp", "layer@input", "vmap"),
        ("mlp", "batch@first", "chain"),
        ("mlp(activation=erf)", "dyt@all+batch@hidden2.post", "chain"),
        ("mlp(activation=sine)", "clip@input+scale@all", "chain"),
        ("mlp(parameterization=ntk)", "none", "vmap"),
        ("mlp(clamp=true)", "none", "vmap"),
        ("resmlp", "none", "vmap"),
    ],
)
def test_how_a_cell_trains(spelling: str, scheme: str, program: ProgramName) -> None:
    problem = Problem("features", (4,))
    module = build(architectures.resolve(spelling), architectures.parse_scheme(scheme), problem, 0)
    assert choose_program(module, torch.zeros(8, 4), 256, 10) == program


def test_networks_that_cannot_be_stacked_train_one_by_one() -> None:
    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 1)).double()

    stock = data()
    assert choose_program(build(0), stock.inputs, 30, 10) == "loop"
    plan = schedule()
    together = trained(build, [0, 1], stock, plan, program="loop")
    (alone,) = trained(build, [1], stock, plan, program="loop")
    assert alone.curve == together[1].curve  # its noise is seeded by its own seed


def test_stacking_agrees_over_twenty_steps_of_float32() -> None:
    stock = data()
    single = TrainingData(
        *(t.float() for t in (stock.inputs, stock.targets, stock.validation_inputs, stock.validation_targets))
    )
    plan = schedule(steps=20)
    build = lambda seed: network(seed).float()  # noqa: E731
    for one, other in zip(
        trained(build, [0, 1], single, plan), trained(build, [0, 1], single, plan, program="loop"), strict=True
    ):
        assert one.curve.validation == pytest.approx(other.curve.validation, rel=1e-4)


def test_members_that_do_not_fit_together_train_in_groups() -> None:
    one = footprint(network(0), data().inputs)
    whole = trained(network, [0, 1, 2], data(), schedule())
    split = trained(network, [0, 1, 2], data(), schedule(), limit=2 * one.bytes(30) + 1)
    alone = trained(network, [0, 1, 2], data(), schedule(), limit=1)
    for results in (split, alone):
        for one_by_one, together in zip(results, whole, strict=True):
            assert one_by_one.curve.validation == pytest.approx(together.curve.validation, rel=1e-10)


@pytest.mark.parametrize("members", [1, 5, 6, 20])
@pytest.mark.parametrize("rows", [1, 30, 100_000])
@pytest.mark.parametrize("most", [1, 2, 7, None])
def test_groups_hold_every_member_once_and_fit(members: int, rows: int, most: int | None) -> None:
    one = footprint(network(0), data().inputs)
    limit = None if most is None else most * one.bytes(rows) + 1
    groups = in_runs(range(members), most_together(one, rows, torch.device("cpu"), limit))
    assert [member for group in groups for member in group] == list(range(members))
    sizes = {len(group) for group in groups}
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= (most or members)
    assert max(sizes) == 1 or max(sizes) * one.largest * rows <= BOUNDS["cpu"].together


@pytest.mark.parametrize("device", BOUNDS)
def test_what_grows_too_large_trains_alone(device: str) -> None:
    inputs, bounds = torch.zeros(8, 4), BOUNDS[device]

    def chosen(module: nn.Module, rows: int, members: int) -> str:
        return choose_program(module, inputs, rows, members, device)

    chain = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
    assert chosen(chain, bounds.chain // 64, 1) == "chain"
    assert chosen(chain, bounds.chain // 64 + 1, 10) == "loop"
    other = nn.Sequential(nn.Linear(4, 64), nn.Softplus(), nn.Linear(64, 1))
    assert chosen(other, bounds.vmap // 64, VMAP_MEMBERS) == "vmap"
    assert chosen(other, bounds.vmap // 64 + 1, VMAP_MEMBERS) == "loop"
    assert chosen(other, bounds.vmap // 64, VMAP_MEMBERS - 1) == "loop"


class Layouts(TorchDispatchMode):
    """Whether gradients reach activations in the order that their images lie in."""

    def __init__(self) -> None:
        super().__init__()
        self.alike: list[bool] = []

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if call is torch.ops.aten.threshold_backward.default:
            self.alike.append(args[0].stride() == args[1].stride())
        return call(*args, **(kwargs or {}))


def test_gradients_of_images_lie_as_the_images_do() -> None:
    """A mean over positions gives one that lies otherwise, which costs an activation forty times its time."""
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
    module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1))
    single = Single([module], [1e-3])
    inputs, targets = torch.randn(4, 1, 6, 6), torch.randn(4)
    single.step(inputs, targets)
    with Layouts() as seen:
        single.step(inputs, targets)
    assert seen.alike == [True, True]


def test_a_convolution_trained_alone_equals_a_stacked_one() -> None:
    """Whatever order of channels in memory the programs prefer."""

    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        layers = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten(), nn.LazyLinear(1)
        module = nn.Sequential(*layers).double()
        with torch.no_grad():
            module(torch.zeros(2, 3, 8, 8, dtype=torch.float64))
        return module

    draw = torch.Generator().manual_seed(0)
    x = torch.randn(24, 3, 8, 8, generator=draw, dtype=torch.float64)
    z = x.mean((1, 2, 3))
    images = TrainingData(x, z, x[:8], z[:8])
    together, alone = (trained(build, [0, 1], images, schedule(steps=20), program=m) for m in ("vmap", "loop"))
    for one, other in zip(together, alone, strict=True):
        assert one.curve.validation == pytest.approx(other.curve.validation, rel=1e-8)
        assert one.state is not None
        assert other.state is not None
        for name, tensor in one.state.items():
            torch.testing.assert_close(other.state[name], tensor, rtol=1e-6, atol=1e-9)
            assert other.state[name].is_contiguous()


def test_the_estimate_of_memory_is_of_the_right_size() -> None:
    """Against what is allocated in fact: torch's own count over a step of a wide stack."""
    wide = [nn.Sequential(nn.Linear(8, 512), nn.LayerNorm(512), nn.ReLU(), nn.Linear(512, 1)) for _ in range(4)]
    x, z = torch.randn(2000, 8), torch.randn(2000)
    estimate = 4 * footprint(wide[0], x).bytes(2000)
    resource_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stack = Stack(wide, [1e-3] * 4)
    for _ in range(3):
        stack.step(x, z)
    used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resource_before) * 1024
    assert used < 2 * estimate


def test_without_selection_the_last_weights_are_kept() -> None:
    plan = Schedule(40, None, (1e-2,), check_steps(40, 8), selects=False)
    (result,) = trained(network, [0], data(), plan)
    assert result.best_step == 40
    assert (result.edge_of_grid, result.edge_of_steps) == (False, False)
