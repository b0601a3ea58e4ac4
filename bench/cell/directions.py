"""Directions in which networks are looked at far away: the rays that define growth, and axes that lie beside them.

The unit is the task's own measure of distance divided by R, so that ``distance(R * d) = 1``. What is drawn depends
on the task and its draw alone.
"""

from __future__ import annotations

import numpy as np

from bench.core.seeding import generator, numbered
from bench.plan.protocol import DIRECTIONS
from tasks.data.samples import StandardizedTask

AXES = 128
"""Axes a task at most, each in both senses."""
SPARSE = 192
"""Sparse directions beside them; with the rays these are 512."""


def directions(task: StandardizedTask) -> np.ndarray:
    """Unit directions of the task's rays, shape (64, *shape), or (2, 1) in one dimension: -1 and +1.

    Half point towards training inputs drawn without replacement, half are isotropic. They alone define G.
    """
    if task.problem.size == 1:
        return np.array([-1.0, 1.0]).reshape(2, *task.problem.shape)
    draw = generator("rays", task.name, *numbered(task.draw))
    inputs = task.train.inputs.astype(np.float64, copy=False)
    moved = inputs[task.distance(inputs) > 0]
    towards = moved[draw.permutation(len(moved))[: DIRECTIONS // 2]]
    isotropic = draw.standard_normal((DIRECTIONS - len(towards), *task.problem.shape))
    return _unit(np.concatenate([towards, isotropic]), task)


def axis_directions(task: StandardizedTask) -> np.ndarray:
    """Unit directions that G leaves out, shape (n, *shape) with n at most 448: ± axes, then sparse ones.

    Axes are features of tables; channels (the same at every step) and single steps of sequences; low frequencies
    (cosines, the same in every channel) and single pixels of images. Where there are more than 128, they are drawn or
    evenly spread. Sparse directions have normal entries at 2 to size / 2 places, how many log-uniform. In one dimension
    the axes are the rays.
    """
    if task.problem.size == 1:
        return directions(task)
    draw = generator("axes", task.name, *numbered(task.draw))
    shape = task.problem.shape
    made = {"features": _features, "sequence": _steps, "image": _waves_and_pixels}[task.problem.kind]
    axes = made(shape, draw).reshape(-1, *shape)
    sparse = _sparse(task.problem.size, draw).reshape(-1, *shape)
    return _unit(np.concatenate([axes, -axes, sparse]), task)


def _unit(rays: np.ndarray, task: StandardizedTask) -> np.ndarray:
    lengths = task.distance(rays) * task.radius
    return np.asarray(rays / lengths.reshape(-1, *[1] * (rays.ndim - 1)))


def _features(shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    (features,) = shape
    return np.eye(features)[np.sort(draw.permutation(features)[:AXES])]


def _steps(shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    steps, channels = shape
    constant = np.broadcast_to(np.eye(channels)[:, None], (channels, steps, channels))
    constant = constant[np.sort(draw.permutation(channels)[: AXES // 2])]
    places = np.unique(np.linspace(0, steps * channels - 1, AXES - len(constant)).round().astype(np.int64))
    return np.concatenate([constant.reshape(len(constant), -1), np.eye(steps * channels)[places]])


def _waves_and_pixels(shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    channels, height, width = shape
    pairs = sorted(((u, v) for u in range(height) for v in range(width)), key=lambda pair: (sum(pair), pair))
    along = {size: np.cos(np.pi * (np.arange(size)[:, None] + 0.5) * np.arange(size) / size) for size in shape[1:]}
    waves = [np.outer(along[height][:, u], along[width][:, v]).ravel() for u, v in pairs[: AXES // 2]]
    pixels = np.eye(height * width)[np.sort(draw.permutation(height * width)[: AXES - len(waves)])]
    return np.tile(np.concatenate([np.stack(waves), pixels]), (1, channels))


def _sparse(size: int, draw: np.random.Generator) -> np.ndarray:
    most = max(2, size // 2)
    counts = np.exp(draw.uniform(np.log(2), np.log(most), SPARSE)).round().astype(np.int64)
    order = draw.random((SPARSE, size)).argsort(axis=1).argsort(axis=1)
    return np.where(order < counts[:, None], draw.standard_normal((SPARSE, size)), 0.0)
