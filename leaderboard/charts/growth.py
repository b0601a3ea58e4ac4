"""How far from the training mean a network answers, against how far from the training data it is asked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from leaderboard.charts.selecting import networks_and_references, select
from leaderboard.charts.style import (
    GREY,
    color_scale,
    dash_scale,
    decades,
    listing,
    log_axis,
    ordered,
    switch,
    switching_legend,
    titled,
)
from leaderboard.grouping import CellRecords
from leaderboard.metrics import GROWTH_FLOOR
from leaderboard.record import Record
from leaderboard.statistics import log_t_interval

Row = dict[str, Any]


def growth_chart(records: Iterable[Record], *, columns: int = 3) -> Any:
    """G(r) against r on log-log axes: a panel for each task and architecture, a curve for each norm scheme.

    The curve is the geometric mean over seeds and the band its 95% t-interval; estimators are grey. Where an output
    was not finite a cross stands at the upper edge and the curve ends.

    Args:
        records: of one protocol.
        columns: panels in a row.

    Returns:
        An Altair chart; :func:`leaderboard.charts.saving.save` writes it.

    Raises:
        InputError: nothing to draw, or several protocols.
    """
    selection = select(records)
    networks, references = networks_and_references(selection.cells)
    names = ordered(c.key.norm for c in networks)
    networks.sort(key=lambda c: names.index(c.key.norm))  # what is drawn first lies below
    panels = list(dict.fromkeys((c.key.task, c.key.architecture) for c in sorted(networks, key=selection.cells.index)))
    rows = [
        row | {"panel": _panel(c.key.task, c.key.architecture), "norm": c.key.norm}
        for c in networks
        for row in _curve(c)
    ]
    domain, ticks = decades([1.0, *(row["mean"] for row in rows if row["mean"])])
    greys, outside = [], []
    for cell in references:
        curve = _curve(cell)
        seen = any(row["mean"] is not None and domain[0] <= row["mean"] <= domain[1] for row in curve)
        if not seen:
            outside.append(f"{cell.key.architecture} on {cell.key.task}")
            continue
        places = [_panel(*panel) for panel in panels if panel[0] == cell.key.task]
        greys += [row | {"panel": p, "name": cell.key.architecture} for p in places for row in curve]
    lines = selection.subtitle("line: geometric mean", "band: 95% interval over seeds")
    lines.append(_legend_text(rows + greys, outside))
    chart = _panels(rows, greys, names, [_panel(*p) for p in panels], columns, (domain, ticks))
    return titled(chart, f"Growth far away: {listing(selection.tasks, 3)}", lines)


def _panel(task: str, architecture: str) -> str:
    return f"{task} · {architecture}"


def _legend_text(rows: Sequence[Row], outside: Sequence[str]) -> str:
    parts = ["1 = as far from the training mean as the furthest training target"]
    parts += ["× = an output was not finite"] if any(row["infinite"] for row in rows) else []
    parts += [f"below the picture: {listing(outside, 3)}"] if outside else []
    return " · ".join(parts)


def _curve(cell: CellRecords) -> list[Row]:
    """A row for each rung that every finished seed of the cell has."""
    rungs = sorted(set.intersection(*(set(r.ladder) for r in cell.ok)))
    rows = []
    for r in rungs:
        values = [max(v, GROWTH_FLOOR) for record in cell.ok if (v := record.growth_at(r)) is not None]
        interval = log_t_interval(values, cell.exact)
        finite = math.isfinite(interval.mean)
        mean = interval.mean if finite else None
        rows.append(
            {
                "r": r,
                "mean": mean,
                "low": interval.low,
                "high": interval.high,
                "infinite": not finite,
                "seeds": len(values),
            }
        )
    return rows


def _labels(greys: Sequence[Row]) -> list[Row]:
    """The names of grey curves at their last point, those that would lie on each other in one label."""
    ends: dict[str, list[Row]] = {}
    for row in greys:
        if row["mean"] is not None and row["r"] == max(g["r"] for g in greys if g["name"] == row["name"]):
            ends.setdefault(row["panel"], []).append(row)
    labels: list[Row] = []
    for rows in ends.values():
        group: list[Row] = []
        for row in sorted(rows, key=lambda row: row["mean"]):
            if group and row["mean"] < 3 * group[-1]["mean"]:
                group.append(row)
                labels[-1]["name"] = listing([g["name"] for g in group], 3)
            else:
                group = [row]
                labels.append(dict(row))
    return labels


def _panels(
    rows: list[Row],
    greys: list[Row],
    names: Sequence[str],
    panels: Sequence[str],
    columns: int,
    domain_ticks: tuple[list[float], list[float]],
) -> Any:
    """The layers, for one panel or each of several; one data set with a column that says which layer a row is for."""
    import altair as alt

    domain, ticks = domain_ticks
    single = len(panels) == 1
    values = [row | {"layer": "network", "top": domain[1]} for row in rows]
    values += [row | {"layer": "grey"} for row in greys] + [row | {"layer": "label"} for row in _labels(greys)]
    base = alt.Chart(alt.Data(values=values))
    layer = {name: base.transform_filter(f"datum.layer == '{name}'") for name in ("network", "grey", "label")}
    furthest = max(row["r"] for row in rows)
    x_scale = alt.Scale(type="log", domain=[min(row["r"] for row in rows), furthest], nice=False)
    y_scale = alt.Scale(type="log", domain=domain, nice=False)
    x = alt.X(
        "r:Q",
        scale=x_scale,
        axis=log_axis("distance r (1 = edge of the training data)", decades([furthest])[1] + decades([1, furthest])[1]),
    )
    y = alt.Y("mean:Q", scale=y_scale, axis=log_axis("growth G(r)", ticks))
    shown = switch("norm")
    color = alt.Color("norm:N", scale=color_scale(names), legend=switching_legend("norm scheme", single))
    dash = alt.StrokeDash("norm:N", scale=dash_scale(names), legend=None)
    visible = alt.condition(shown, alt.value(1.0), alt.value(0.06))
    tips = [
        alt.Tooltip("norm:N"),
        alt.Tooltip("r:Q", format="~g"),
        *_tips(("mean", "low", "high")),
        alt.Tooltip("seeds:Q"),
    ]
    layers = [
        layer["network"]
        .mark_area(clip=True)
        .encode(
            x,
            alt.Y("low:Q", scale=y_scale),
            alt.Y2("high:Q"),
            color.copy(),
            opacity=alt.condition(shown, alt.value(0.18), alt.value(0.02)),
        ),
        base.mark_rule(strokeDash=[2, 3], color="#999999").encode(y=alt.YDatum(1)),
        layer["grey"]
        .mark_line(color=GREY, strokeWidth=1.5, strokeDash=[5, 3], clip=True)
        .encode(x, y, detail="name:N"),
        layer["network"]
        .mark_line(strokeWidth=2, clip=True, point=alt.OverlayMarkDef(size=16))
        .encode(x, y, color, strokeDash=dash, opacity=visible, tooltip=tips),
        layer["network"]
        .transform_filter("datum.infinite")
        .mark_point(shape="cross", angle=45, size=60, filled=True)
        .encode(x, alt.Y("top:Q", scale=y_scale), color, opacity=visible, tooltip=tips),
        layer["label"].mark_text(align="right", dx=-4, dy=-8, color=GREY, fontSize=11).encode(x, y, text="name:N"),
    ]
    layers[0] = layers[0].add_params(shown)
    chart = alt.layer(*layers)
    if single:
        return chart.properties(width=460, height=320)
    return chart.properties(width=250, height=170).facet(
        alt.Facet("panel:N", title=None, sort=list(panels)), columns=columns
    )


def _tips(names: Sequence[str]) -> list[Any]:
    import altair as alt

    return [alt.Tooltip(f"{name}:Q", format=".3~g") for name in names]
