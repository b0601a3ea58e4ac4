"""The proven bound of a trained network's growth, held against everything that was measured of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from architectures.analysis.certificate import certificate
from architectures.analysis.graph_reading import Reader
from bench.cell.probing import Predict
from bench.core.errors import ReasonCode
from leaderboard.records import metrics
from tasks.data.samples import Rows, StandardizedTask

FAR_ROWS = 64
"""Rows of each labelled set on which the bound's reading of the network is held against the network."""

ROUNDING = 1e-6
"""How much a float64 evaluation may exceed a bound on real arithmetic, relative to it."""


def proven_growth(
    module: nn.Module,
    task: StandardizedTask,
    rays: np.ndarray,
    measured: Iterable[float | None],
    reader: Reader | None = None,
) -> tuple[float | None, ReasonCode | None]:
    """A bound of G over all inputs; or None, and why where one was found that a measurement exceeds.

    Whatever goes wrong with it never costs a trained network its record.

    Args:
        module: in float64.
        rays: unit directions, shape (n, *shape).
        measured: growths, wherever they were measured; None where an answer was not finite.
        reader: one that has read networks like it, of other seeds.
    """
    try:
        bound = certificate(module, probes(task, rays), reader)
    except Exception:
        return None, None
    if bound is None or not task.target_max:
        return None, None
    growth = bound / task.target_max
    within = growth * (1 + ROUNDING)
    holds = all(one is not None and one <= within for one in measured)
    return (growth, None) if holds else (None, "contradiction")


def probes(task: StandardizedTask, rays: np.ndarray) -> Sequence[Tensor]:
    """The batches on which the network is probed: every direction at every distance, and rows of each labelled set.

    A bound is one of inputs of the training length: what it says of longer sequences is nothing.
    """
    batches = [distance * task.radius * rays for distance in metrics.LADDER]
    batches += [rows.inputs[:FAR_ROWS] for rows in labelled_sets(task)]
    batches.append(task.test.inputs[:1])
    return [torch.as_tensor(np.ascontiguousarray(batch), dtype=torch.float64) for batch in batches if len(batch)]


def labelled_sets(task: StandardizedTask) -> list[Rows]:
    """Test rows and far sets, but for sequences of another length than those of training."""
    every = (task.test, *(far.rows for far in task.far))
    return [rows for rows in every if rows.inputs.shape[1:] == task.problem.shape]


def far_growths(predict: Predict, task: StandardizedTask) -> list[float | None]:
    """The largest growth on each labelled set of the training length; None where an answer is not finite."""
    found: list[float | None] = []
    for rows in labelled_sets(task):
        most = float(np.abs(predict(rows.inputs)).max(initial=0.0)) / task.target_max if task.target_max else math.inf
        found.append(most if math.isfinite(most) else None)
    return found
