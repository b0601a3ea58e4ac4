"""What a trained network answers far away: along rays and axes, and on far sets. Everything runs in float64.

Rays go out from the training mean (the origin of standardized inputs) in unit directions; a probe at distance r
stands at ``r R d`` where R is the task's radius. Sequences are probed at the length of training; where each step is
answered, growth and departure are read at the last one, which has seen the whole sequence. Far sets have lengths of
their own, and their errors are means over all steps that they ask for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from bench.core.seeding import generator
from leaderboard.records import metrics
from leaderboard.records.record import Role, SetResult
from tasks.data.samples import Rows, StandardizedTask

Predict = Callable[[np.ndarray], np.ndarray]
"""Standardized inputs (n, *shape) to standardized outputs (n,), or (n, steps) where each step is answered."""

_ROWS = {"features": 512, "sequence": 512, "image": 64}  # at once; convolutions in float64 are fastest on few


def probe_rays(predict: Predict, task: StandardizedTask, rays: np.ndarray) -> metrics.LadderResult:
    """Growth and departure of every ray at every distance of the ladder."""
    outputs = np.stack([predict(distance * task.radius * rays) for distance in metrics.LADDER])
    return metrics.ladder_result(outputs, task.target_max)


@dataclass(frozen=True)
class Beyond:
    """What is read beside the ladder: fields of a record."""

    exponent: float | None
    local_exponent: float | None
    axis_growth: tuple[tuple[float, float | None], ...]
    axis_exponent: float | None
    nonfinite: int


def probe_beyond(predict: Predict, task: StandardizedTask, rays: np.ndarray, axes: np.ndarray) -> Beyond:
    """The exponents along ``rays``, and growth along ``axes``.

    Two distances would read a bounded function that oscillates as a growing one, or one that grows as x sin x as
    superlinear. Where the slope along axes would by itself decide the verdict, it is therefore read again as the
    exponent is, over the same radii, along the 64 axes with the largest outputs furthest out. In one dimension the axes
    are the rays, and the exponent is theirs.
    """
    one = task.problem.size == 1
    a_rung = metrics.RADII_A_RUNG_OF_TWO_RAYS if one else metrics.RADII_A_RUNG
    far, local = (
        metrics.probe_radii(span, generator("radii", task.name, f"{span[0]:g}"), a_rung)
        for span in (metrics.FAR_SPAN, metrics.LOCAL_SPAN)
    )
    outputs = _outputs(predict, task, axes, np.array(metrics.AXIS_RADII))
    curve, lost = _growth(predict, task, rays, far)
    near, lost_near = _growth(predict, task, rays, local)
    on_axes, lost_on_axes = metrics.growth(outputs, task.target_max)
    axis_growth = tuple((r, finite(g)) for r, g in zip(metrics.AXIS_RADII, on_axes.tolist(), strict=True))
    exponent = metrics.exponent(far, curve)
    axis_exponent = exponent if one else metrics.axis_exponent(axis_growth)
    if (
        axis_exponent is not None
        and exponent is not None
        and metrics.growth_kind(axis_exponent) > metrics.growth_kind(exponent)
    ):
        foremost = axes[np.argsort(-np.abs(outputs[-1]), kind="stable")[: len(rays)]]
        again, lost_again = _growth(predict, task, foremost, far)
        axis_exponent, lost = metrics.exponent(far, again), lost + lost_again
    nonfinite = lost + lost_near + int(lost_on_axes.sum())
    return Beyond(exponent, metrics.exponent(local, near), axis_growth, axis_exponent, nonfinite)


def _growth(predict: Predict, task: StandardizedTask, lines: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, int]:
    """G over ``lines`` at each of ``radii``, infinite where an output is not finite, and how many are not."""
    growth, counts = metrics.growth(_outputs(predict, task, lines, radii), task.target_max)
    return growth, int(counts.sum())


def _outputs(predict: Predict, task: StandardizedTask, lines: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """ẑ at each of ``radii`` along each of ``lines``, shape (radii, lines)."""
    rows = max(1, _ROWS[task.problem.kind] // len(lines))  # radii at once
    parts = []
    for start in range(0, len(radii), rows):
        several = radii[start : start + rows] * task.radius
        points = several.reshape(-1, *[1] * lines.ndim) * lines
        parts.append(predict(points.reshape(-1, *task.problem.shape)).reshape(len(several), len(lines)))
    return np.concatenate(parts)


def evaluate(predict: Predict, task: StandardizedTask) -> tuple[SetResult, ...]:
    """Errors on the test set and on every labelled far set, in that order."""
    named: list[tuple[str, Role, Rows]] = [("test", "test", task.test)]
    named += [(far.name, "far", far.rows) for far in task.far]
    return tuple(
        metrics.set_result(
            name,
            role,
            asked_for(predict(rows.inputs), rows.targets),
            rows.targets,
            target_scale=task.target_scale,
            distance=task.distance(rows.inputs),
        )
        for name, role, rows in named
    )


def asked_for(answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Of answers at each step, (n, steps), those of the last k, where the targets are (n, k)."""
    return answers[:, -targets.shape[1] :] if targets.ndim == 2 else answers


def at_the_last(predict: Predict) -> Predict:
    """``predict``, of answers at each step the last one alone: (n,)."""

    def predict_last(inputs: np.ndarray) -> np.ndarray:
        answers = predict(inputs)
        return answers[:, -1] if answers.ndim == 2 else answers

    return predict_last


class LastStep(nn.Module):
    """A network that answers at each step, asked for the last one alone: (N, steps, channels) to (N, 1)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, steps, channels) to (N, 1)."""
        answers: torch.Tensor = self.network(x)
        return answers[:, -1:]


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
                answers = module(piece)
                pieces.append((answers if answers.shape[1:].numel() > 1 else answers.reshape(len(piece))).cpu().numpy())
        return np.concatenate(pieces)

    return predict
