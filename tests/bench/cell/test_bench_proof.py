"""What a certificate is held against, and what becomes of one that a measurement exceeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tasks
from bench.cell import probing
from bench.cell.directions import directions
from bench.cell.proof import far_growths, probes, proven_growth
from leaderboard.records import metrics
from tasks.data.samples import StandardizedTask


@pytest.fixture(scope="module")
def task() -> StandardizedTask:
    return tasks.resolve("sine-1d").load()


def bounded() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double().eval()


class Late(nn.Module):
    """Is bounded for its first thousand calls."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = bounded()
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        return 1e3 * x if len(self.seen) > 1000 else self.inner(x)


class Broken(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise SystemError("not for the proof")


def test_a_bound_that_holds_is_given_in_units_of_growth(task: StandardizedTask) -> None:
    network, rays = bounded(), directions(task)
    ladder = probing.probe_rays(probing.network_predict(network), task, rays)
    growth, code = proven_growth(network, task, rays, ladder.growth)
    head = network.get_submodule("2")
    assert isinstance(head, nn.Linear)
    expected = (head.weight.abs().sum() + head.bias.abs().sum()).item()
    assert code is None
    assert growth == pytest.approx(expected / task.target_max)


@pytest.mark.parametrize("more", [1e6, None, math.inf, math.nan])
def test_a_measurement_above_the_bound_takes_it_away(task: StandardizedTask, more: float | None) -> None:
    assert proven_growth(bounded(), task, directions(task), [0.5, more]) == (None, "contradiction")


def test_a_network_that_changes_later_is_caught_by_what_is_measured(task: StandardizedTask) -> None:
    network, rays = Late(), directions(task)
    network.eval()
    assert proven_growth(network, task, rays, [])[0] is not None
    network.seen += [1] * 1000
    predict = probing.network_predict(network)
    measured = [*probing.probe_rays(predict, task, rays).growth, *far_growths(predict, task)]
    network.seen.clear()
    assert proven_growth(network, task, rays, measured) == (None, "contradiction")


def test_a_fault_in_the_proof_costs_nothing(task: StandardizedTask) -> None:
    assert proven_growth(Broken(), task, directions(task), [1.0]) == (None, None)


def test_every_direction_at_every_distance_is_probed(task: StandardizedTask) -> None:
    rays = directions(task)
    batches = probes(task, rays)
    for distance, batch in zip(metrics.LADDER, batches, strict=False):
        np.testing.assert_allclose(batch.numpy(), distance * task.radius * rays)
    assert 1 in {len(batch) for batch in batches}
    assert len(batches) == len(metrics.LADDER) + 2 + len(task.far)
