"""``plot far`` against signed distance: left and right of the training data are different places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tasks
from bench import task_charts
from leaderboard.records.metrics import AXIS_RADII, LADDER
from leaderboard.records.record import Record, RecordKey, SetResult

Row = dict[str, Any]


def record_of(task: Any, norm: str = "none") -> Record:
    key = RecordKey("1", task.name, task.card.version, task.data_hash, "mlp", "a" * 8, norm, 0)
    flat = (1.0,) * len(LADDER)
    return Record(
        key=key,
        status="ok",
        truth=task.card.truth,
        created="2026-01-01T00:00:00+00:00",
        learning_rate=1e-3,
        sets=(SetResult("test", "test", 10, 0.1, 0.1, 0.1, 0.9, 0), SetResult("far", "far", 10, 1.0, 1.0, 1.0, 0.0, 0)),
        id_error=0.1,
        far_error=1.0,
        ladder=LADDER,
        growth=flat,
        departure=flat,
        nonfinite=(0,) * len(LADDER),
        exponent=0.0,
        local_exponent=0.0,
        axis_growth=tuple((r, 1.0) for r in AXIS_RADII),
        axis_exponent=0.0,
        probe_nonfinite=0,
        parameters=10,
        seconds=1.0,
        best_step=1,
        edge_of_grid=False,
    )


def drawn(name: str, predicted: Callable[[np.ndarray], np.ndarray], far: str | None = None) -> tuple[Any, list[Row]]:
    """The chart of a network that answers ``predicted`` of standardized inputs, and the rows of its trend."""
    task = tasks.resolve(name).load()
    sets = {f.name: f.rows.inputs for f in task.far}

    def details(key: RecordKey) -> dict[str, tuple[float | None, ...]]:
        return {f"far.{n}.prediction": tuple(predicted(inputs).tolist()) for n, inputs in sets.items()}

    spec = task_charts.far_picture([record_of(task)], details, far, None).to_dict()
    rows = [row for values in spec["datasets"].values() for row in values]
    return spec, [row for row in rows if row.get("norm") == "none" and "side" in row]


def titles(spec: Any) -> str:
    (axis,) = {
        str(layer["encoding"]["x"]["axis"]["title"])
        for layer in spec["concat"][1]["layer"]
        if "axis" in layer.get("encoding", {}).get("x", {})
    }
    return axis


def test_left_and_right_do_not_average_out() -> None:
    """An odd answer in one dimension: over the distance its trend is 0, over the signed distance it is itself."""
    spec, rows = drawn("sine-1d", lambda inputs: inputs[:, 0])
    sides = {side: [row for row in rows if row["side"] == side] for side in ("left", "right")}
    assert {row["side"] for row in rows} == {"left", "right"}
    assert all(row["x"] < -4.9 and row["y"] < -1 for row in sides["left"])
    assert all(row["x"] > 4.9 and row["y"] > 1 for row in sides["right"])
    assert "signed distance" in titles(spec)


def test_a_far_rule_on_one_column_is_drawn_along_it() -> None:
    task = tasks.resolve("diabetes").load()
    column = task.feature_names.index("bmi")
    edge = np.percentile(np.abs(task.train.inputs[:, column]), 99)
    spec, rows = drawn("diabetes", lambda inputs: inputs[:, column])
    assert "along bmi" in titles(spec)
    places = np.array([row["x"] for row in rows])
    values = (np.array([row["y"] for row in rows]) - task.target_mean) / task.target_scale
    assert values == pytest.approx(places * edge, abs=1e-6)  # the answer is the column itself: a straight line


@pytest.mark.parametrize("name", ["trend-sequence", "digits-rotation"])
def test_a_distance_without_a_side_says_so(name: str) -> None:
    spec, rows = drawn(name, lambda inputs: inputs.reshape(len(inputs), -1).mean(axis=1))
    assert "no side" in titles(spec).replace("', '", " ")
    assert {row["side"] for row in rows} == {"both"}
