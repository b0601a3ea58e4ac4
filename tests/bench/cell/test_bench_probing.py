"""What is measured along rays and axes, and over balls."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tasks
from bench.cell import probing
from bench.cell.directions import AXES, SPARSE, axis_directions, directions
from bench.cell.worst import worst_growth
from leaderboard.records import metrics
from tasks.data.samples import StandardizedTask

KINDS = {"diabetes": 20, "digits-rotation": 256, "trend-sequence": 22}


class Of(nn.Module):
    """A network that is a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def search(task: StandardizedTask, module: nn.Module, **more: object) -> dict[float, float]:
    predict = probing.network_predict(module)
    return dict(worst_growth(module, predict, task, directions(task), axis_directions(task), **more))  # type: ignore[arg-type]


def test_worst_growth_knows_what_rays_met_inside_of_the_ball() -> None:
    task = tasks.resolve("sine-1d").load()
    # flat where the search begins, so that its gradient leads nowhere
    bump = Of(lambda x: ((x.abs() - 5 * task.radius).abs() < 0.1).to(x.dtype) * 7 + 0 * x)
    growth = probing.probe_rays(probing.network_predict(bump), task, directions(task)).growth
    known = list(zip(metrics.LADDER, growth, strict=True))
    assert list(search(task, bump, known=known).values()) == [pytest.approx(7 / task.target_max)] * 3
    lost = [*known[:2], (5.0, None), *known[3:]]
    assert search(task, bump, known=lost)[10.0] == math.inf
    later = [(r, None if r == 1e3 else g) for r, g in known]
    assert [math.isinf(g) for g in search(task, bump, known=later).values()] == [False, False, True]


@pytest.mark.parametrize("name", KINDS)
def test_axes_are_unit_directions_beside_the_rays(name: str) -> None:
    task = tasks.resolve(name).load()
    axes = axis_directions(task)
    assert np.allclose(task.distance(axes * task.radius), 1, rtol=1e-12)
    assert len(axes) == KINDS[name] + SPARSE <= 2 * AXES + SPARSE
    assert len(np.unique(axes.reshape(len(axes), -1), axis=0)) == len(axes)
    half = KINDS[name] // 2
    assert np.array_equal(axes[:half], -axes[half : 2 * half])
    filled = (axes[-SPARSE:].reshape(SPARSE, -1) != 0).sum(axis=1)
    assert filled.min() == 2
    assert filled.max() <= max(2, task.problem.size // 2)


def test_axes_of_tables_are_features_of_images_waves_and_pixels_of_sequences_steps_and_channels() -> None:
    table, image, sequence = (axis_directions(tasks.resolve(name).load()) for name in KINDS)
    assert np.array_equal((table[:10] != 0), np.eye(10) > 0)
    flat = image[:128].reshape(128, 64)
    assert np.ptp(flat[0]) == 0, "the lowest frequency is a constant"
    assert ((flat[64:] != 0).sum(axis=1) == 1).all()
    gram = flat[:64] @ flat[:64].T
    assert np.allclose(gram - np.diag(np.diag(gram)), 0, atol=1e-9 * gram.max()), "cosines are orthogonal"
    assert np.ptp(sequence[0]) == 0
    assert ((sequence[1:11] != 0).sum(axis=(1, 2)) == 1).all()


def narrow_cone(feature: int) -> nn.Module:
    """Bounded but for a cone along one feature."""

    def function(x: Tensor) -> Tensor:
        return x.sum(1).tanh() + 100 * (2 * x[:, feature] - x.abs().sum(1)).relu()

    return Of(function)


@pytest.mark.parametrize("feature", [0, 2, 9])
def test_a_narrow_cone_is_found_by_axes_and_by_the_search(feature: int) -> None:
    task = tasks.resolve("diabetes").load()
    module = narrow_cone(feature)
    predict = probing.network_predict(module)
    seen = probing.probe_beyond(predict, task, directions(task), axis_directions(task))
    assert seen.exponent == pytest.approx(0, abs=1e-3), "no ray meets it"
    assert seen.axis_exponent == pytest.approx(1, abs=1e-3)
    expected = 100 * task.radius / task.target_max
    assert [g / r for r, g in seen.axis_growth] == pytest.approx([expected] * 4, rel=1e-2)
    found = search(task, module)
    assert all(found[r] == pytest.approx(r * expected, rel=0.01) for r in found)


def test_a_search_finds_the_corner_of_a_ball_and_no_growth_that_is_not_there() -> None:
    task = tasks.resolve("diabetes").load()
    slope = torch.linspace(-1, 1, 10, dtype=torch.float64)
    linear = search(task, Of(lambda x: x @ slope))
    steepest = task.radius * float(slope.norm()) / task.target_max
    assert all(linear[r] == pytest.approx(r * steepest, rel=1e-3) for r in linear)
    bounded = search(task, Of(lambda x: torch.tanh(x @ slope) + 0.5 * torch.sin(x[:, 0])))
    assert bounded[1e4] / bounded[100.0] < metrics.SEARCHED_BELOW
    assert all(g <= 1.5 / task.target_max * (1 + 1e-9) for g in bounded.values())
    assert list(bounded.values()) == sorted(bounded.values())


def test_a_search_survives_what_has_no_slope_or_is_not_finite() -> None:
    task = tasks.resolve("diabetes").load()
    assert list(search(task, Of(lambda x: 0 * x[:, 0])).values()) == [0.0] * 3
    assert search(task, Of(lambda x: x[:, 0].exp()))[1e4] == math.inf
    kink = search(task, Of(lambda x: x[:, 0].clamp_min(0).sqrt()))  # its slope at 0 is infinite
    assert kink[1e4] == pytest.approx(math.sqrt(1e4 * task.radius) / task.target_max, rel=0.01)


@pytest.mark.parametrize("name", ["sine-1d", "digits-rotation"])
def test_sets_say_what_share_of_their_rows_lies_beyond_the_radius(name: str) -> None:
    task = tasks.resolve(name).load()
    test, *far = probing.evaluate(lambda inputs: np.zeros(len(inputs)), task)
    assert test.beyond == np.mean(task.distance(task.test.inputs) > 1)
    rows = [one.rows for one in far]
    assert np.average([one.beyond for one in far], weights=rows) == pytest.approx(task.beyond)  # type: ignore[misc]
