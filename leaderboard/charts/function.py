"""What a network with one input answers, far outside of the data it was trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bench.core.errors import InputError
from bench.core.grammar import title_of
from leaderboard.charts.cells import drawn_of, only
from leaderboard.charts.drawing.schemes import solid_first
from leaderboard.charts.drawing.style import ordered, titled
from leaderboard.charts.panels import Row, Series, chart_of, coinciding, concatenate
from leaderboard.records.record import Details, Record, RecordKey
from leaderboard.records.store.stored_records import Summarized

_APART = 0.006  # of the panel's height: curves that are nearer lie on each other
NEAR = 1.6  # how far the left panel reaches, in radii of the training data


@dataclass(frozen=True)
class Points:
    """Pairs (x, y) in the units of the chart."""

    x: ArrayLike
    y: ArrayLike

    def rows(self, layer: str, **more: Any) -> list[Row]:
        """Rows of a chart's data, without pairs that are not finite."""
        x, y = (np.asarray(v, dtype=np.float64).reshape(-1) for v in (self.x, self.y))
        keep = np.isfinite(x) & np.isfinite(y)
        return [{"layer": layer, "x": float(a), "y": float(b), **more} for a, b in zip(x[keep], y[keep], strict=True)]


def function_chart(
    records: Iterable[Record] | Summarized,
    details_of: Callable[[RecordKey], Details],
    *,
    train: Points,
    truth: Points | None = None,
    x_title: str = "standardized input",
    y_title: str = "standardized target",
) -> Any:
    """Predictions of one task and one architecture: thin lines are seeds, thick ones their mean.

    The left panel shows the training data's surroundings, the right one everything that was predicted.

    Args:
        records: of one protocol, task and architecture; the task has one input.
        details_of: the details stored beside a record (``store.details``); ``function.x`` and ``function.y`` are drawn.
        train: training points, in the units of the details (standardized).
        truth: the noise-free function.
        x_title, y_title: of the axes.

    Raises:
        InputError: several tasks or architectures, or no record has such details.
    """
    selection = drawn_of(records)
    task, architecture = (
        only(selection.tasks, "task", "--task"),
        only(selection.architectures, "architecture", "--arch"),
    )
    curves, bad = [], 0
    names = ordered(c.key.norm for c in selection.cells)
    below = solid_first(names)
    for cell in sorted(selection.cells, key=lambda c: below.index(c.key.norm)):
        seeds, lost = _curves([details_of(key) for key in cell.keys])
        bad += lost
        curves += [row | {"norm": cell.key.norm} for row in seeds]
    if not curves:
        raise InputError(f"no predictions along a line are stored for {task}", hint="choose a task with one input")
    edge = float(np.max(np.abs(np.asarray(train.x, dtype=np.float64))))
    rows = curves + train.rows("train") + (truth.rows("truth") if truth else [])
    series = Series.of(names, single=True, alike=_alike(curves, names, edge))
    near = [row for row in rows if abs(row["x"]) <= NEAR * edge]
    layers = {
        "around the training data": _layers(near, series, edge, x_title, y_title, full=False),
        "as far as was asked": _layers(rows, series, edge, x_title, y_title, full=True),
    }
    lines = selection.subtitle("thin: a seed", "thick: their mean", "dots: training data of the first seed")
    lines += ["dashed: the truth"] if truth else []
    lines += [f"{bad} predictions were not finite and are not drawn"] if bad else []
    return titled(concatenate(layers, 2), f"Answers far outside of the data: {title_of(task)} · {architecture}", lines)


def _alike(curves: Sequence[Row], names: Sequence[str], edge: float) -> dict[str, str]:
    """Schemes whose mean cannot be told from another one's, in either panel."""
    panels: dict[str, dict[str, list[float]]] = {}
    for panel, reach in (("near", NEAR * edge), ("far", math.inf)):
        means = [row for row in curves if row["layer"] == "mean" and abs(row["x"]) <= reach]
        low, high = _reach(means)
        drawn = {name: [row["y"] / (high - low) for row in means if row["norm"] == name] for name in names}
        panels[panel] = {name: values for name, values in drawn.items() if values}
    return coinciding(panels, _APART)


def _curves(details: Sequence[Details]) -> tuple[list[Row], int]:
    """A thin line for each seed and a thick one for their mean; and how many predictions were not finite."""
    lines = [(d["function.x"], d["function.y"]) for d in details if d.get("function.x") and "function.y" in d]
    if not lines:
        return [], 0
    x = np.array(lines[0][0], dtype=np.float64)
    same = [np.array(y, dtype=np.float64) for grid, y in lines if tuple(grid) == tuple(lines[0][0])]
    rows = [row for i, y in enumerate(same) for row in Points(x, y).rows("seed", seed=i)]
    rows += Points(x, np.mean(same, axis=0)).rows("mean", seed=-1)
    return rows, int(sum(np.sum(~np.isfinite(y)) for y in same))


def _layers(rows: list[Row], series: Series, edge: float, x_title: str, y_title: str, full: bool) -> list[Any]:
    import altair as alt

    base = chart_of(rows)
    seed, mean, train, truth = (
        base.transform_filter(f"datum.layer == '{name}'") for name in ("seed", "mean", "train", "truth")
    )
    low, high = _reach([row for row in rows if full or row["layer"] in ("train", "truth")])
    air = 0.06 * (high - low) if full else 0.5 * (high - low)
    y_scale = alt.Scale(domain=[low - air, high + air], nice=False)
    x = alt.X("x:Q", scale=alt.Scale(nice=False), axis=alt.Axis(title=x_title, tickCount=6))
    y = alt.Y("y:Q", scale=y_scale, axis=alt.Axis(title=y_title, tickCount=6))
    domain = chart_of([{"a": -edge, "b": edge}]).mark_rect(color="#EFEFEF")
    line: Row = {"clip": True, "interpolate": "monotone"}
    return [
        domain.encode(alt.X("a:Q"), alt.X2("b:Q")),
        seed.mark_line(strokeWidth=0.7, **line).encode(
            x, y, series.plain_color, series.stroke_opacity(0.45), detail=["seed:N", "norm:N"]
        ),
        mean.mark_line(strokeWidth=2.2, **line)
        .encode(x, y, series.color, series.dash, opacity=series.opacity(), tooltip=["norm:N", "x:Q", "y:Q"])
        .add_params(series.shown),
        truth.mark_line(color="#555555", strokeDash=[4, 3], strokeWidth=1.6, **line).encode(x, y),
        train.mark_point(size=9 if full else 16, filled=True, color="#555555", opacity=0.7).encode(x, y),
    ]


def _reach(rows: Sequence[Row]) -> tuple[float, float]:
    values = [row["y"] for row in rows if row["layer"] != "seed"] or [0.0]
    return min(values), max(max(values), min(values) + 1e-9)
