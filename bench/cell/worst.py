"""The worst case over a whole ball, searched. What is found is a lower bound of the true maximum."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bench.cell.probing import Predict
from bench.core.seeding import generator, numbered
from tasks.data.samples import StandardizedTask

WORST_RADII: tuple[float, ...] = (10.0, 100.0, 1e4)
"""Radii, in units of R, of the balls that are searched."""
_STARTS = {"rays": 32, "axes": 24, "carried": 8}  # the best of each kind
_STEPS = 15
_STRIDE = 0.1  # of the ball's radius, in the first round
_RESTARTS = 16  # the best points once more and as many fresh ones
_FINE = 0.03


def worst_growth(
    module: nn.Module,
    predict: Predict,
    task: StandardizedTask,
    rays: np.ndarray,
    axes: np.ndarray,
    known: Sequence[tuple[float, float | None]] = (),
) -> tuple[tuple[float, float], ...]:
    """Worst-case growth ``max over |x| <= r R of |z(x)| / max |z_train|`` for each radius of ``WORST_RADII``.

    Searched by projected gradient ascent on ``|z|`` in float64. It starts from the best of the rays, of the axes and of
    what the ball before found, scaled; each step goes a tenth of the ball's radius along the normalized gradient and
    back onto the ball. Then the best points go on in finer steps, beside fresh ones drawn inside of the ball. What the
    largest ball found is tried in the smaller ones too, so that luck in one of them is not read as growth.

    Args:
        module: in float64 and evaluation mode.
        predict: its predictions.
        rays, axes: unit directions, shape (n, *shape).
        known: (r, G met at this distance), None where it is infinite: no result is below those inside its ball.
    """
    draw = generator("worst", task.name, *numbered(task.draw))
    carried = np.empty((0, *task.problem.shape))
    best: list[float] = []
    for distance in WORST_RADII:
        reach = distance * task.radius
        starts = [
            _foremost(predict, points * reach, _STARTS[kind])
            for kind, points in (("rays", rays), ("axes", axes), ("carried", carried))
        ]
        first, ends = _ascend(module, np.concatenate(starts), reach, task, _STRIDE)
        fresh = _inside(rays, draw) * reach
        again = np.concatenate([_foremost(predict, ends, _RESTARTS), fresh])
        second, finer = _ascend(module, again, reach, task, _FINE)
        best.append(max(first, second))
        carried = _foremost(predict, np.concatenate([ends, finer]), _STARTS["carried"]) / reach
    scale = task.target_max or math.nan
    for place, distance in enumerate(WORST_RADII):
        tried = np.abs(predict(carried * distance * task.radius)) if len(carried) else np.zeros(1)
        met = [math.inf if g is None else g for r, g in known if r <= distance * (1 + 1e-9)]
        inside = best[place - 1 : place] if place else []
        found = max(best[place], float(tried.max()) if np.isfinite(tried).all() else math.inf)
        best[place] = max([found / scale, *met, *inside])
    return tuple(zip(WORST_RADII, best, strict=True))


def _foremost(predict: Predict, points: np.ndarray, most: int) -> np.ndarray:
    """The ``most`` points with the largest ``|z|``; what is not finite is largest."""
    if len(points) <= most:
        return points
    size = np.abs(predict(points))
    return points[np.argsort(np.where(np.isfinite(size), -size, -math.inf), kind="stable")[:most]]


def _inside(rays: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Points of the unit ball: some rays mixed with each other, at distances drawn log-uniformly from 0.01 to 1."""
    weights = draw.standard_normal((_RESTARTS, len(rays))) / math.sqrt(len(rays))
    mixed = np.tensordot(weights, rays, axes=1)
    share = np.exp(draw.uniform(math.log(0.01), 0.0, _RESTARTS))
    largest = np.sqrt(np.square(rays.reshape(len(rays), -1)).sum(axis=1).max())
    lengths = np.sqrt(np.square(mixed.reshape(_RESTARTS, -1)).sum(axis=1)).clip(1e-12)
    return np.asarray(mixed * (share * largest / lengths).reshape(-1, *[1] * (rays.ndim - 1)))


def _ascend(
    module: nn.Module, starts: np.ndarray, reach: float, task: StandardizedTask, stride: float
) -> tuple[float, np.ndarray]:
    """Greatest ``|z|`` met, infinite as soon as one output is not finite, and where each point ended."""
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    points = torch.as_tensor(starts, dtype=torch.float64, device=device)
    best = torch.zeros((), dtype=torch.float64, device=device)
    for _ in range(_STEPS):
        points = points.detach().requires_grad_()
        outputs = module(points).reshape(len(points)).abs()
        best = torch.maximum(best, outputs.detach().max())
        if not torch.isfinite(outputs).all():
            return math.inf, points.detach().cpu().numpy()
        if not outputs.requires_grad:  # a network of steps: there is no slope to follow
            break
        (slope,) = torch.autograd.grad(outputs.sum(), points, materialize_grads=True)
        with torch.no_grad():
            slope = torch.where(torch.isfinite(slope), slope, 0.0)  # an edge without a slope: the point stays
            points = points + stride * reach * slope / _length(slope, task).clamp_min(1e-300)
            points = points * (reach / _length(points, task).clamp_min(reach))
    with torch.no_grad():
        last = module(points).abs().max()
    found = float(torch.maximum(best, last)) if torch.isfinite(last) else math.inf
    return found, points.detach().cpu().numpy()


def _length(points: Tensor, task: StandardizedTask) -> Tensor:
    """The task's norm of each point (RMS per element for sequences), shaped to divide ``points``."""
    flat = points.flatten(1)
    length = flat.square().mean(1).sqrt() if task.problem.kind == "sequence" else flat.norm(dim=1)
    return length.reshape(-1, *[1] * (points.dim() - 1))
