"""Pictures that need a task's data beside the records: the board room knows records only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.core.errors import InputError, UnknownName
from leaderboard.charts import FarSetData, PictureSet, Points, far_chart, function_chart, task_chart
from leaderboard.charts.cells import drawn_of
from leaderboard.records.record import Details, Record, RecordKey

if TYPE_CHECKING:
    from tasks import StandardizedTask
    from tasks.data.samples import FarSet

REACH = 10.0  # of the line that is drawn, in R of its draw
POINTS = 401
DetailsOf = Callable[[RecordKey], Details]


def task_picture(task: StandardizedTask) -> Any:
    """Training and far inputs of ``task`` in two dimensions, by set and by target."""
    named = {"train": task.train} | {far.name: far.rows for far in task.far}
    same = {name: task.comparable(rows) for name, rows in named.items()}
    sets = [PictureSet(name, rows.inputs, task.target_to_raw(rows.targets)) for name, rows in same.items()]
    return task_chart(task.name, sets, target_name=_target_name(task), note=f"far: {task.card.far_rule}")


def function_picture(records: Sequence[Record], details_of: DetailsOf) -> Any:
    """Predictions along the line of a task with one input, with the training points of a draw and its truth.

    Every seed has a draw, a standardization and a line of its own. All are drawn in the units of the first seed's draw,
    as far as the shortest line reaches.
    """
    draws = _draws_of(records)
    task = draws[min(draws)]
    if task.problem.shape != (1,):
        raise InputError(f"{task.name} has more than one input", where="plot function", hint="choose a task with one")
    ends = [task.from_raw(t.to_raw(np.array([[-REACH], [REACH]]) * t.radius))[:, 0] for t in draws.values()]
    line = np.linspace(max(least for least, _ in ends), min(most for _, most in ends), POINTS)

    def in_common_units(key: RecordKey) -> Details:
        kept, mine = details_of(key), draws[key.seed]
        if not kept.get("function.x") or "function.y" not in kept:
            return kept
        x, y = (np.array(kept[name], dtype=np.float64) for name in ("function.x", "function.y"))
        x = task.from_raw(mine.to_raw(x[:, None]))[:, 0]
        y = (mine.target_to_raw(y) - task.target_mean) / task.target_scale
        return {**kept, "function.x": tuple(line.tolist()), "function.y": _numbers(np.interp(line, x, y))}

    truth = None
    if task.truth_function is not None:
        fine = np.linspace(line[0], line[-1], 2 * POINTS)
        values = np.asarray(task.truth_function(task.to_raw(fine[:, None]))).reshape(-1)
        truth = Points(fine, (values - task.target_mean) / task.target_scale)
    train = Points(task.train.inputs[:, 0], task.train.targets)
    return function_chart(records, in_common_units, train=train, truth=truth)


def far_picture(records: Sequence[Record], details_of: DetailsOf, far: str | None, feature: str | None) -> Any:
    """Predictions on a far set: histogram, and trend against ``feature`` (a column; else distance).

    Where the draws of the seeds have the same far rows (data from the world), predictions are averaged over seeds;
    where each has its own (computed tasks), the rows of all of them are drawn.

    Raises:
        InputError: no such far set or feature.
    """
    draws = _draws_of(records)
    first = draws[min(draws)]
    sets = [f.name for f in first.far]
    name = far or sets[-1]
    if name not in sets:
        raise UnknownName.among("far set", name, sets, where=first.name)
    rows = {seed: next(f for f in task.far if f.name == name) for seed, task in draws.items()}
    targets = {seed: draws[seed].target_to_raw(rows[seed].rows.last_targets) for seed in draws}
    features = {seed: _feature(draws[seed], rows[seed], feature) for seed in draws}
    inside = [draws[seed].target_to_raw(draws[seed].train.targets) for seed in draws]
    whole = targets[first.draw]
    same = all(len(t) == len(whole) and np.allclose(t, whole, rtol=1e-9, atol=1e-9) for t in targets.values())
    seeds = None if same else tuple(sorted(draws))
    drawn = (first.draw,) if seeds is None else seeds

    def in_raw_units(key: RecordKey) -> Details:
        kept, part = details_of(key), f"far.{name}.prediction"
        if not kept.get(part):
            return kept
        return {**kept, part: _numbers(draws[key.seed].target_to_raw(np.array(kept[part], dtype=np.float64)))}

    data = FarSetData(
        name=name,
        targets=np.concatenate([targets[seed] for seed in drawn]),
        feature=np.concatenate([features[seed][0] for seed in drawn]),
        feature_name=features[first.draw][1],
        target_name=_target_name(first),
        target_range=(float(min(map(np.min, inside))), float(max(map(np.max, inside)))),
        signed=features[first.draw][2],
        seeds=seeds,
    )
    return far_chart(records, in_raw_units, data)


def _numbers(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(value if np.isfinite(value) else None for value in values.tolist())


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


def _draws_of(records: Sequence[Record]) -> dict[int, StandardizedTask]:
    """The draws of the one task of the finished ``records`` by seed, with the very data that they were made with."""
    import tasks

    drawn = drawn_of(records)
    names = drawn.tasks
    if len(names) > 1:
        raise InputError(f"records of {len(names)} tasks", hint=f"choose one with --task: {', '.join(names[:8])}")
    task = tasks.resolve(names[0])
    found = {key.seed: key.data_hash for cell in drawn.cells for key in cell.keys}
    draws = {seed: task.load(seed) for seed in sorted(found)}
    if any(draws[seed].data_hash != data_hash for seed, data_hash in found.items()):
        raise InputError(f"{task.name} was measured with other data than are here", hint="run it again in a new --out")
    return draws


def _target_name(task: StandardizedTask) -> str:
    unit = "" if task.card.units == "1" else f" ({task.card.units})"
    return f"{task.card.target}{unit}"
