"""Kernels of wide networks as pictures: heat maps over one input, and how finite networks approach the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.core.errors import InputError
from leaderboard.charts.drawing.schemes import color_scale, dash_scale, scheme_legend
from leaderboard.charts.drawing.style import in_lines, own_log_scale, titled
from leaderboard.charts.panels import SINGLE, Row, tooltips

_SIDE = 250  # pixels of a map


@dataclass(frozen=True)
class KernelMap:
    """A kernel over pairs of inputs.

    Attributes:
        name: its panel's title, a norm scheme.
        points: inputs, evenly spaced, (n,).
        values: ``k(points[i], points[j])``, (n, n).
    """

    name: str
    points: ArrayLike
    values: ArrayLike


@dataclass(frozen=True)
class ConvergenceCurve:
    """Distance of finite networks from the limit.

    Attributes:
        name: norm scheme.
        widths: of the networks, (n,).
        distances: root mean square over pairs and seeds, relative to the diagonal, (n,).
        slope: exponent of the distance in the width.
    """

    name: str
    widths: Sequence[int]
    distances: Sequence[float]
    slope: float


def kernel_chart(maps: Sequence[KernelMap], title: str, lines: Sequence[str] = (), columns: int = 3) -> Any:
    """Heat maps, each with its own colours: values of different schemes lie orders of magnitude apart.

    Args:
        maps: in order.
        title: of the chart.
        lines: below it.
        columns: maps in a row.

    Raises:
        InputError: nothing to draw, or values that do not fit their points.
    """
    import altair as alt

    if not maps:
        raise InputError("no kernel to draw", hint="give at least one norm scheme")
    charts = [_map(one) for one in maps]
    joined = charts[0] if len(charts) == 1 else alt.concat(*charts, columns=columns).resolve_scale(color="independent")
    return titled(joined, title, [*lines, "each map has its own colours"] if len(maps) > 1 else lines)


def convergence_chart(curves: Sequence[ConvergenceCurve], title: str, lines: Sequence[str] = ()) -> Any:
    """Distance from the limit against width on log-log axes, with a line that falls as 1/√width.

    Args:
        curves: one a norm scheme, of the same widths.
        title: of the chart.
        lines: below it.

    Raises:
        InputError: nothing to draw.
    """
    import altair as alt

    if not curves or not all(len(c.widths) for c in curves):
        raise InputError("no network to draw", hint="give at least one width")
    names = [c.name for c in curves]
    labels = {c.name: f"{c.name} (slope {c.slope:.2f})".replace("-0", "−0") for c in curves}
    rows: list[Row] = [
        {"norm": name, "width": int(w), "distance": float(d)}
        for name, c in zip(names, curves, strict=True)
        for w, d in zip(c.widths, c.distances, strict=True)
    ]
    widths = sorted({row["width"] for row in rows})
    start = max(row["distance"] for row in rows if row["width"] == widths[0])
    guide: list[Row] = [{"width": w, "distance": start * (widths[0] / w) ** 0.5} for w in (widths[0], widths[-1])]
    x = alt.X(
        "width:Q",
        scale=alt.Scale(type="log", domain=[widths[0], widths[-1]], nice=False),
        axis=alt.Axis(title="width", values=widths, format="d"),
    )
    y = alt.Y("distance:Q", **own_log_scale([row["distance"] for row in [*rows, *guide]], "distance from the limit"))
    legend = scheme_legend(names, labels, right=True)
    curve = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=30))
        .encode(
            x,
            y,
            alt.Color("norm:N", scale=color_scale(names), legend=legend, sort=names),
            alt.StrokeDash("norm:N", scale=dash_scale(names), legend=legend, sort=names),
            tooltip=tooltips("norm:N", "width:Q", "distance:Q"),
        )
    )
    falling = alt.Chart(alt.InlineData(values=guide)).mark_line(strokeDash=[2, 3], color="#999999").encode(x, y)
    chart = alt.layer(falling, curve).properties(width=SINGLE[0], height=SINGLE[1])
    return titled(chart, title, [*lines, "dotted: 1/√width"])


def _map(one: KernelMap) -> Any:
    import altair as alt

    points, values = np.asarray(one.points, np.float64), np.asarray(one.values, np.float64)
    if len(points) < 2 or values.shape != (len(points),) * 2:
        raise InputError(f"the kernel {one.name!r} has {len(points)} points and values {values.shape}")
    half = (points[1] - points[0]) / 2
    wide = 2.2 * half  # each square a little under the next ones, so that no seams show
    cells = (
        alt.Chart(alt.InlineData(values=_cells(points - half, values)))
        .transform_calculate(x2=f"datum.x + {wide}", y2=f"datum.y + {wide}")
        .mark_rect(clip=True)
    )
    reach = alt.Scale(domain=[points[0] - half, points[-1] + half], nice=False)
    scale, ticks = _colors(values)
    legend = alt.Legend(title=None, gradientLength=_SIDE, format=",.2~r", values=ticks)
    return cells.encode(
        alt.X("x:Q", scale=reach, axis=alt.Axis(title="x", grid=False)),
        alt.X2("x2:Q"),
        alt.Y("y:Q", scale=reach, axis=alt.Axis(title="x'", grid=False)),
        alt.Y2("y2:Q"),
        alt.Color("k:Q", scale=scale, legend=legend),
    ).properties(
        width=_SIDE,
        height=_SIDE,
        title=alt.TitleParams(in_lines(one.name, _SIDE, font=13), anchor="middle", fontSize=12, frame="group"),
    )


def _cells(edges: NDArray[np.float64], values: NDArray[np.float64]) -> list[Row]:
    """A square for each pair, by its lower left corner; three digits are more than an eye can tell."""
    places = [round(float(edge), 6) for edge in edges]
    return [
        {"x": x, "y": y, "k": float(f"{value:.3g}")}
        for x, row in zip(places, values.tolist(), strict=True)
        for y, value in zip(places, row, strict=True)
    ]


def _colors(values: NDArray[np.float64]) -> tuple[Any, list[float]]:
    import altair as alt

    low, high = float(values.min()), float(values.max())
    if high <= low:
        low, high = low - 1, high + 1
    return alt.Scale(scheme="viridis", domain=[low, high], nice=False), [low + (high - low) * i / 4 for i in range(5)]
