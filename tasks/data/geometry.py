"""Sizes and distances of standardized inputs."""

from __future__ import annotations

import numpy as np

from bench.core.problem import InputKind

RADIUS_PERCENTILE = 99.0
DISTANCE_QUANTILES = (0.05, 0.5, 0.95)


def size(inputs: np.ndarray, kind: InputKind) -> np.ndarray:
    """Size (n,) of standardized inputs (n, *shape).

    The Euclidean norm over all elements; for sequences the root mean square per element instead, so that a
    longer sequence is not farther away.
    """
    flat = inputs.reshape(len(inputs), -1)
    squares = np.einsum("ij,ij->i", flat, flat, dtype=np.float64)
    return np.asarray(np.sqrt(squares / flat.shape[1] if kind == "sequence" else squares))


def radius(train_inputs: np.ndarray, kind: InputKind) -> float:
    """R: the 99th percentile of the size over standardized training inputs (n, *shape).

    The maximum is no measure: one row of ``protein`` lies eight times further out than the rest.
    """
    return float(np.percentile(size(train_inputs, kind), RADIUS_PERCENTILE))


def distance(inputs: np.ndarray, kind: InputKind, task_radius: float) -> np.ndarray:
    """Distance (n,) of standardized inputs (n, *shape): their size in units of R."""
    return size(inputs, kind) / task_radius


def last_steps(inputs: np.ndarray, steps: int) -> np.ndarray:
    """The last ``steps`` steps of sequences (n, any, channels), those that are missing at the front 0 (the mean)."""
    kept = inputs[:, -steps:]
    return np.pad(kept, ((0, 0), (steps - kept.shape[1], 0), (0, 0)))


def share_beyond(inputs: np.ndarray, kind: InputKind, task_radius: float) -> float:
    """Share of inputs (n, *shape) whose distance is above 1."""
    return float(np.mean(distance(inputs, kind, task_radius) > 1))


def distance_quantiles(inputs: np.ndarray, kind: InputKind, task_radius: float) -> tuple[float, ...]:
    """The 5th, 50th and 95th percentile of the distance."""
    quantiles = np.quantile(distance(inputs, kind, task_radius), DISTANCE_QUANTILES)
    return tuple(float(quantile) for quantile in quantiles)
