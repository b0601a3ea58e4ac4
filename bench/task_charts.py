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
    from tasks.data.samples import FarSet

DetailsOf = Callable[[RecordKey], Details]


def task_picture(task: StandardizedTask) -> Any:
    """Training and far inputs of ``task`` in two dimensions, by set and by target."""
    sets = [PictureSet("train", task.train.inputs, task.target_to_raw(task.train.targets))]
    sets += [PictureSet(f.name, f.rows.inputs, task.target_to_raw(f.rows.targets)) for f in task.far]
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
    values, title, signed = _feature(task, sets[name], feature)
    low, high = (float(v) for v in task.target_to_raw(np.array([task.train.targets.min(), task.train.targets.max()])))
    data = FarSetData(
        name=name,
        targets=task.target_to_raw(rows.targets),
        feature=values,
        feature_name=title,
        target_name=_target_name(task),
        scale=task.target_scale,
        mean=task.target_mean,
        target_range=(low, high),
        signed=signed,
    )
    return far_chart(records, details_of, data)


def _feature(task: StandardizedTask, far: FarSet, name: str | None) -> tuple[np.ndarray, str, bool]:
    """What trends are drawn against, its title, and whether it has two sides: ``name``, or else :func:`_distance`."""
    inputs = far.rows.inputs
    if name is None:
        return _distance(task, far)
    names = list(task.feature_names) if task.problem.kind == "features" else []
    if name not in names:
        raise UnknownName.among("feature", name, names, where=f"--feature, task {task.name}")
    return task.to_raw(inputs)[:, names.index(name)], name, False


def _distance(task: StandardizedTask, far: FarSet) -> tuple[np.ndarray, str, bool]:
    """How far the rows are, in training edges, with a sign where there is one: left and right are different places.

    With one input the sign is that of x̃, and the edge is R. Where one column alone tells the set from training rows
    (a far rule on that column), it is the standardized column, in units of the 99th percentile of its training
    values; a set on one side of the training rows needs one trend. Else it is the distance, which has no sign.
    """
    inputs = far.rows.inputs
    if task.problem.shape == (1,):
        values = np.sign(inputs[:, 0]) * task.distance(inputs)
        return values, "signed distance (−1 and 1: edges of the training data)", bool(np.ptp(np.sign(values)) == 2)
    column = _telling(task, far)
    if column is None:
        return task.distance(inputs), "distance (1: edge of the training data; it has no side)", False
    edge = float(np.percentile(np.abs(task.train.inputs[:, column]), 99)) or 1.0
    title = f"signed distance along {task.feature_names[column]} (1: edge of the training data)"
    return inputs[:, column] / edge, title, False


def _telling(task: StandardizedTask, far: FarSet) -> int | None:
    """The column that lies on one side of all training rows in every row of the set; of several the one it names."""
    train, inputs = task.train.inputs, far.rows.inputs
    if task.problem.kind != "features" or len(task.feature_names) != inputs.shape[1]:
        return None
    beyond = (inputs.min(axis=0) > train.max(axis=0)) | (inputs.max(axis=0) < train.min(axis=0))
    found = np.flatnonzero(beyond & (np.ptp(inputs, axis=0) > 0)).tolist()  # a truth value is no axis
    return next((i for i in found if task.feature_names[i] in far.label), found[0] if found else None)


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
