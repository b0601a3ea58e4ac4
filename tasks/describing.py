"""Everything that can be told about a task with its data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.card import FarKind, TaskCard
from tasks.data.samples import StandardizedTask
from tasks.farness import HowFar, how_far
from tasks.task import Task


@dataclass(frozen=True)
class TaskDescription:
    """What is shown of a task.

    Args:
        name: canonical spelling.
        card: in words.
        shape: of one input.
        sizes: rows of each set by name (train, validation, test, far sets).
        radius: R.
        target_mean, target_scale: of the training targets, in their units.
        target_range: least and greatest training target, in their units.
        far_target_range: the same over all far sets.
        far_kind: how the far rows are far.
        beyond: share of all far rows that lie beyond R.
        sets: how far the test rows and each far set are.
        feature_names: of table columns.
        notes: what was counted when the data were built.
        data_hash: of the data.
    """

    name: str
    card: TaskCard
    shape: tuple[int, ...]
    sizes: dict[str, int]
    radius: float
    target_mean: float
    target_scale: float
    target_range: tuple[float, float]
    far_target_range: tuple[float, float]
    far_kind: FarKind
    beyond: float
    sets: tuple[HowFar, ...]
    feature_names: tuple[str, ...]
    notes: tuple[str, ...]
    data_hash: str


def describe(task: Task | StandardizedTask) -> TaskDescription:
    """Load the task if need be, and measure how far its far sets are (a second or two).

    Raises:
        InputError: its data are not to be had.
    """
    loaded = task.load() if isinstance(task, Task) else task
    inside = {"train": loaded.train, "validation": loaded.validation, "test": loaded.test}
    away = {far.name: far.rows for far in loaded.far}
    far_targets = np.concatenate([rows.targets.ravel() for rows in away.values()])
    return TaskDescription(
        name=loaded.name,
        card=loaded.card,
        shape=loaded.problem.shape,
        sizes={name: len(rows) for name, rows in (inside | away).items()},
        radius=loaded.radius,
        target_mean=loaded.target_mean,
        target_scale=loaded.target_scale,
        target_range=_range(loaded, loaded.train.targets),
        far_target_range=_range(loaded, far_targets),
        far_kind=loaded.far_kind,
        beyond=loaded.beyond,
        sets=how_far(loaded),
        feature_names=loaded.feature_names,
        notes=loaded.notes,
        data_hash=loaded.data_hash,
    )


def _range(task: StandardizedTask, targets: np.ndarray) -> tuple[float, float]:
    least, most = task.target_to_raw(np.array([targets.min(), targets.max()]))
    return float(least), float(most)
