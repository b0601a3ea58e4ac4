"""What bounds each scheme, and how far down from it a search and rays get: proved, searched and seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from leaderboard.charts.cells import drawn_of, networks_and_references
from leaderboard.charts.drawing.schemes import color_scale
from leaderboard.charts.drawing.style import GREY, listing, ordered, own_log_scale, titled
from leaderboard.charts.panels import Row, chart_of, panel_of, panel_title, panels_of, tooltips
from leaderboard.ranking.standings import Standing, standings
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import CERTIFICATE, MAX_GROWTH, WORST_GROWTH_FAR
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import Record
from leaderboard.records.store.stored_records import Summarized

_SEEN = {
    "G on rays, 1–1e4 R": (MAX_GROWTH, "circle"),
    "worst growth found in the ball of 1e4 R": (WORST_GROWTH_FAR, "diamond"),
    "certificate: proved for all inputs": (CERTIFICATE, "triangle-left"),
}
_WIDTH = {True: 420, False: 250}  # of a single panel, of one of several
_STEP = 34  # pixels a scheme
_LEAST = MAX_GROWTH.clip.least if MAX_GROWTH.clip else 0.0


def bounds_chart(records: Iterable[Record] | Summarized, *, columns: int = 2) -> Any:
    """Certificate, worst growth found and growth on rays of each norm scheme: a panel a task and architecture.

    Points are geometric means over seeds, bars 95% t-intervals; hollow ones are of an unbounded cell, where they say
    only where probing ended. The verdict stands right of each scheme.

    Args:
        records: of one protocol.
        columns: panels in a row.

    Returns:
        An Altair chart; :func:`leaderboard.charts.saving.save` writes it.

    Raises:
        InputError: nothing to draw, or several protocols.
    """
    drawn = drawn_of(records)
    networks, _ = networks_and_references(drawn.cells)
    rows = {(row.task, row.method): row for row in standings(drawn.source.summaries)[0].per_task}
    panels: dict[str, list[Standing]] = {panel: [] for panel in panels_of(networks)}
    for cell in networks:
        panels[panel_of(cell)].append(rows[cell.key.task, cell.method])
    import altair as alt

    single = len(panels) == 1
    colors = color_scale(ordered(c.key.norm for c in networks))  # one scale: Vega joins those of all panels
    charts = [_panel(panel, several, single, colors) for panel, several in panels.items()]
    lines = drawn.subtitle("point: geometric mean", "bar: 95% interval over seeds", "hollow: unbounded")
    chart = charts[0] if single else alt.concat(*charts, columns=columns, spacing=30)
    key = (
        "a proof lies right of what a search finds, and this right of what rays meet · 1 = the furthest training target"
    )
    return titled(chart, f"Proved, searched, seen: {listing(drawn.tasks, 3)}", [*lines, key])


def _panel(panel: str, standing: Sequence[Standing], single: bool, colors: Any) -> Any:
    import altair as alt

    names = ordered(row.method.norm for row in standing)
    values: list[Row] = []
    for row in standing:
        points = [_point(row, kind, quantity) for kind, (quantity, _) in _SEEN.items()]
        values += [point for point in points if point is not None]
        values.append({"layer": "verdict", "norm": row.method.norm, "verdict": row.said.text})
    around = [v for row in values for v in (row.get("mean"), row.get("low"), row.get("high")) if v] + [1.0]
    axis = own_log_scale(around, "growth")
    base = chart_of(values)
    point, verdict = (base.transform_filter(f"datum.layer == '{name}'") for name in ("point", "verdict"))
    y = alt.Y("norm:N", sort=names, title=None, axis=alt.Axis(labelLimit=0, grid=True), scale=alt.Scale(domain=names))
    offset = alt.YOffset("kind:N", sort=list(_SEEN), scale=alt.Scale(domain=list(_SEEN)))
    x = alt.X("mean:Q", **axis)
    color = alt.Color("norm:N", scale=colors, legend=None)
    shapes = alt.Scale(domain=list(_SEEN), range=[shape for _, shape in _SEEN.values()])
    fill = alt.FillOpacity("bound:N", scale=alt.Scale(domain=["bounded", "unbounded"], range=[1, 0]), legend=None)
    tips = tooltips("norm:N", "kind:N", "mean:Q", "low:Q", "high:Q", "said:N")
    edge, beside = (alt.XValue(_WIDTH[single] + more) for more in (0, 6))  # type: ignore[no-untyped-call]
    layers = [
        base.mark_rule(strokeDash=[2, 3], color="#999999").encode(x=alt.XDatum(1)),
        point.mark_rule(strokeWidth=2).encode(alt.X("low:Q", **axis), y, x2="high:Q", yOffset=offset, color=color),
        point.transform_filter("!datum.infinite")
        .mark_point(size=55, strokeWidth=1.6)
        .encode(x, y, offset, color, alt.Fill("norm:N", scale=colors, legend=None), fill, tips, shape=_shape(shapes)),
        point.transform_filter("datum.infinite")
        .mark_point(shape="cross", angle=45, size=60, filled=True)
        .encode(edge, y, offset, color, tooltip=tips),
        verdict.mark_text(align="left", fontSize=10, color=GREY).encode(beside, y, text="verdict:N"),
    ]
    title = alt.TitleParams(panel_title(panel, _WIDTH[single]), anchor="middle", fontSize=12, frame="group")
    return alt.layer(*layers).properties(width=_WIDTH[single], height=_STEP * len(names), title=title)


def _shape(scale: Any) -> Any:
    import altair as alt

    legend = alt.Legend(title=None, orient="bottom", columns=1, symbolStrokeColor="#555555")
    return alt.Shape("kind:N", scale=scale, legend=legend)


def _point(row: Standing, kind: str, quantity: Quantity) -> Row | None:
    """What is drawn of one number of a row; ``None`` where nobody measured it."""
    mean: Interval | None = row.mean(quantity)
    if mean is None:
        return None
    finite = math.isfinite(mean.mean)
    low, high = (None if v is None or not math.isfinite(v) else max(v, _LEAST) for v in (mean.low, mean.high))
    return {
        "layer": "point",
        "norm": row.method.norm,
        "kind": kind,
        "mean": max(mean.mean, _LEAST) if finite else None,
        "low": low if high is not None else None,
        "high": high if low is not None else None,
        "infinite": not finite,
        "bound": "unbounded" if row.unbounded and quantity is not CERTIFICATE else "bounded",
        "said": row.said.text,
    }
