"""Pictures that need a task's data beside the records: the board room knows records only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.core.errors import InputError, UnknownName
from leaderboard.charts import FarSetData, PictureSet, Points, far_chart, function_chart, task_chart
from leaderboard.records.record import Details, Record, RecordKey
from leaderboard.records.store.stored_records import cells_of

if TYPE_CHECKING:
    from tasks import StandardizedTask

DetailsOf = Callable[[RecordKey], Details]


def task_picture(task: StandardizedTask) -> Any:
    """Training and far inputs of ``task`` in two dimensions, by set and by target."""
    named = {"train": task.train} | {far.name: far.rows for far in task.far}
    same = {name: task.comparable(rows) for name, rows in named.items()}
    sets = [PictureSet(name, rows.inputs, task.target_to_raw(rows.targets)) for name, rows in same.items()]
    return task_chart(task.name, sets, target_name=_target_name(task), note=f"far: {task.card.far_rule}")


def function_picture(records: Sequence[Record], details_of: DetailsOf) -> Any:
    """Predictions along the line of a task with one input, with its training points and its truth."""
    task = _task_of(records)
    if task.problem.shape != (1,):
        raise InputError(f"{task.name} has more than one input", where="plot function", hint="choose a task with one")
    truth = None
    if task.truth_function is not None:
        line = np.linspace(-10 * task.radius, 10 * task.radius, 801)
        values = np.asarray(task.truth_function(task.to_raw(line[:, None]))).reshape(-1)
        truth = Points(line, (values - task.target_mean) / task.target_scale)
    train = Points(task.train.inputs[:, 0], task.train.targets)
    return function_chart(records, details_of, train=train, truth=truth)


def far_picture(records: Sequence[Record], details_of: DetailsOf, far: str | None, feature: str | None) -> Any:
    """Predictions on a far set: histogram, and trend against ``feature`` (a column; else distance).

    Raises:
        InputError: no such far set or feature.
    """
    task = _task_of(records)
    sets = {f.name: f for f in task.far}
    name = far or task.far[-1].name
    if name not in sets:
        raise UnknownName.among("far set", name, sets, where=task.name)
    rows = sets[name].rows
    values, title = _feature(task, rows.inputs, feature)
    low, high = (float(v) for v in task.target_to_raw(np.array([task.train.targets.min(), task.train.targets.max()])))
    data = FarSetData(
        name=name,
        targets=task.target_to_raw(rows.last_targets),
        feature=values,
        feature_name=title,
        target_name=_target_name(task),
        scale=task.target_scale,
        mean=task.target_mean,
        target_range=(low, high),
    )
    return far_chart(records, details_of, data)


def _feature(task: StandardizedTask, inputs: np.ndarray, name: str | None) -> tuple[np.ndarray, str]:
    if name is None:
        return task.distance(inputs), "distance (radii of the training data)"
    names = list(task.feature_names) if task.problem.kind == "features" else []
    if name not in names:
        raise UnknownName.among("feature", name, names, where=f"--feature, task {task.name}")
    return task.to_raw(inputs)[:, names.index(name)], name


def _task_of(records: Sequence[Record]) -> StandardizedTask:
    """The one task of ``records``, with the very data that they were made with."""
    import tasks

    found = {(cell.task, cell.data_hash) for cell in cells_of(records)}
    names = sorted({name for name, _ in found})
    if len(names) > 1:
        raise InputError(f"records of {len(names)} tasks", hint=f"choose one with --task: {', '.join(names[:8])}")
    task = tasks.resolve(names[0]).load()
    if found != {(task.name, task.data_hash)}:
        raise InputError(f"{task.name} was measured with other data than are here", hint="run it again in a new --out")
    return task


def _target_name(task: StandardizedTask) -> str:
    unit = "" if task.card.units == "1" else f" ({task.card.units})"
    return f"{task.card.target}{unit}"
