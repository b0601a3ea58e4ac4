"""What a trained network answers far away: rays, worst case, far sets. Everything runs in float64.

Rays go out from the training mean (the origin of standardized inputs) in unit directions; a probe at distance r
stands at ``r R d`` where R is the task's radius.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bench.core.seeding import generator
from bench.plan.protocol import DIRECTIONS
from leaderboard.records import metrics
from leaderboard.records.record import Role, SetResult
from tasks.data.samples import Rows, StandardizedTask

Predict = Callable[[np.ndarray], np.ndarray]
"""Standardized inputs (n, *shape) to standardized outputs (n,)."""

WORST_RADII: tuple[float, ...] = (10.0, 100.0)
"""Radii, in units of R, of the balls in which the worst case is searched."""


def directions(task: StandardizedTask) -> np.ndarray:
    """Unit directions of the task's rays, shape (64, *shape), or (2, 1) in one dimension: -1 and +1.

    Half point towards training inputs drawn without replacement, half are isotropic. The unit is the task's own
    measure of distance divided by R, so that ``distance(R * d) = 1``. The draw depends on the task alone.
    """
    if task.problem.size == 1:
        return np.array([-1.0, 1.0]).reshape(2, *task.problem.shape)
    draw = generator("rays", task.name)
    inputs = task.train.inputs.astype(np.float64, copy=False)
    moved = inputs[task.distance(inputs) > 0]
    towards = moved[draw.permutation(len(moved))[: DIRECTIONS // 2]]
    isotropic = draw.standard_normal((DIRECTIONS - len(towards), *task.problem.shape))
    rays = np.concatenate([towards, isotropic])
    lengths = task.distance(rays) * task.radius
    return rays / lengths.reshape(-1, *[1] * (rays.ndim - 1))


def probe_rays(predict: Predict, task: StandardizedTask, rays: np.ndarray) -> metrics.LadderResult:
    """Growth and departure of every ray at every distance of the ladder."""
    outputs = np.stack([predict(distance * task.radius * rays) for distance in metrics.LADDER])
    return metrics.ladder_result(outputs, task.target_max)


def evaluate(predict: Predict, task: StandardizedTask) -> tuple[SetResult, ...]:
    """Errors on the test set and on every labelled far set, in that order."""
    named: list[tuple[str, Role, Rows]] = [("test", "test", task.test)]
    named += [(far.name, "far", far.rows) for far in task.far]
    return tuple(
        metrics.set_result(
            name,
            role,
            predict(rows.inputs),
            rows.targets,
            target_scale=task.target_scale,
            distance=task.distance(rows.inputs),
        )
        for name, role, rows in named
    )


def finite(value: float) -> float | None:
    """``value``, or None when it is not finite."""
    return float(value) if math.isfinite(value) else None


def network_predict(module: nn.Module, device: torch.device | str = "cpu", most: int = 500_000) -> Predict:
    """A float64 prediction function of ``module``, which is put into evaluation mode and float64."""
    module = module.double().eval().to(device)

    def predict(inputs: np.ndarray) -> np.ndarray:
        length = max(64, most // max(1, math.prod(inputs.shape[1:])))
        pieces = []
        with torch.no_grad():
            for start in range(0, len(inputs), length):
                piece = torch.as_tensor(inputs[start : start + length], dtype=torch.float64, device=device)
                pieces.append(module(piece).reshape(len(piece)).cpu().numpy())
        return np.concatenate(pieces)

    return predict


def worst_growth(
    module: nn.Module,
    task: StandardizedTask,
    rays: np.ndarray,
    steps: int = 20,
    growth: Sequence[float | None] | None = None,
) -> tuple[tuple[float, float], ...]:
    """Worst-case growth ``max over |x| <= r R of |z(x)| / max |z_train|`` for each radius of ``WORST_RADII``.

    Searched by projected gradient ascent on ``|z|`` in float64: starts are the rays at r; each step goes a tenth of the
    ball's radius along the normalized gradient and back onto the ball. What is found is a lower bound of
    the true maximum, never below the ``growth`` along the rays anywhere inside the ball.

    Args:
        module: in float64 and evaluation mode.
        rays: unit directions, shape (n, *shape).
        growth: along these rays at the distances of the ladder, None where it is infinite.
    """
    results = []
    for distance in WORST_RADII:
        reach = distance * task.radius
        starts = torch.as_tensor(rays * reach, dtype=torch.float64)
        best = _ascend(module, starts, reach, task, steps)
        found = best / task.target_max if task.target_max else math.inf
        # growth need not rise with distance: the largest may lie well inside, where no search began
        along = [] if growth is None else list(zip(metrics.LADDER, growth, strict=True))
        results.append((distance, max([found, *(math.inf if g is None else g for r, g in along if r <= distance)])))
    return tuple(results)


def _ascend(module: nn.Module, points: Tensor, reach: float, task: StandardizedTask, steps: int) -> float:
    """Greatest ``|z|`` met; not finite as soon as one output is not."""
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    points = points.to(device)
    best = torch.zeros((), dtype=torch.float64, device=device)
    for _ in range(steps):
        points = points.detach().requires_grad_()
        outputs = module(points).reshape(len(points)).abs()
        best = torch.maximum(best, outputs.detach().max())
        if not torch.isfinite(outputs).all():
            return math.inf
        if not outputs.requires_grad:  # a network of steps: there is no slope to follow
            break
        (slope,) = torch.autograd.grad(outputs.sum(), points, materialize_grads=True)
        with torch.no_grad():
            points = points + 0.1 * reach * slope / _length(slope, task).clamp_min(1e-300)
            points = points * (reach / _length(points, task).clamp_min(reach))
    with torch.no_grad():
        last = module(points).abs().max()
    return float(torch.maximum(best, last)) if torch.isfinite(last) else math.inf


def _length(points: Tensor, task: StandardizedTask) -> Tensor:
    """The task's norm of each point (RMS per element for sequences), shaped to divide ``points``."""
    flat = points.flatten(1)
    length = flat.square().mean(1).sqrt() if task.problem.kind == "sequence" else flat.norm(dim=1)
    return length.reshape(-1, *[1] * (points.dim() - 1))
