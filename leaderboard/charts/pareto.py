"""Far error against growth: what a bound on growth costs, or saves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from bench.core.grammar import title_of
from leaderboard.charts.cells import drawn_of
from leaderboard.charts.drawing.labels import Box, PlotFrame, names_layers, place_names
from leaderboard.charts.drawing.style import GREY, listing, ordered, own_log_scale, titled
from leaderboard.charts.panels import SINGLE, SMALL, Row, Series, chart_of, coinciding, concatenate, tooltips
from leaderboard.ranking.cells import Method
from leaderboard.ranking.standings import ALL_TASKS, Board, Standing, standings
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import FAR_ERROR, MAX_GROWTH
from leaderboard.records.record import Record
from leaderboard.records.store.stored_records import Summarized, summarized

LEAST_GROWTH = 1e-2  # what grows less is drawn here: to answer with the training mean has growth 0
_APART = 0.005  # decades: points that are nearer lie on each other
_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "triangle-right", "triangle-left", "cross")


def pareto_chart(
    records: Iterable[Record] | Summarized,
    *,
    overall: bool = False,
    columns: int = 3,
    most: int | None = None,
    board: Board | None = None,
    own_tables: bool = False,
) -> Any:
    """Far error against max growth, both logarithmic: a point for each method, a panel for each task.

    A grey step joins the methods that no other beats in both. Hollow points are unbounded: their growth is only where
    probing ended. Estimators are grey, with their names, and hollow or filled as networks are.

    Args:
        records: of one protocol.
        overall: one panel with totals, of the methods that have every task, instead of one for each task.
        columns: panels in a row.
        most: panels; the first tasks have them.
        board: the standings of the records, where they are at hand.
        own_tables: a user's own tables enter totals beside other tasks; ``board`` says it, where it is given.

    Raises:
        InputError: nothing to draw, or several protocols.
    """
    source = summarized(records)
    selection = drawn_of(source)
    board = board or standings(source.summaries, own_tables)[0]
    references = {c.method for c in selection.cells if c.is_reference}
    rows = (
        board.overall if overall else [row for row in board.per_task if row.edition in (*board.editions, *board.apart)]
    )
    drawn = [row for row in rows if _finite(row) and not (overall and row.missing)]
    if all(row.method in references for row in drawn):
        references = set()  # nothing else to draw them beside
    points = [_point(row, references) for row in drawn]
    every = list(dict.fromkeys(p["panel"] for p in points))
    panels = every[:most]
    note = [f"{len(panels)} of {len(every)} tasks; plot pareto draws the others"] if panels != every else []
    points = [p for p in points if p["panel"] in panels]
    networks = [p for p in points if p["layer"] == "network"]
    single = len(panels) == 1
    norms = ordered(p["norm"] for p in networks)
    series = Series.of(norms, single, alike=_alike(networks, norms), points=True)
    shape = _shape(list(dict.fromkeys(p["architecture"] for p in networks)), single)
    layers = {}
    for panel in panels:
        mine = [p for p in points if p["panel"] == panel]
        layers[panel] = _layers(mine, series, shape, single)
    chart = concatenate(layers, columns)
    names = {id(row): f"{row.method.architecture} {row.method.norm}" for row in rows}
    left = sorted({names[id(row)] for row in rows} - {names[id(row)] for row in drawn})
    title = f"Far error against growth: {ALL_TASKS if overall else listing(selection.titles, 3)}"
    return titled(chart, title, [*selection.subtitle("means and 95% intervals over seeds"), *note, _key(points, left)])


def _alike(points: Sequence[Row], names: Sequence[str]) -> dict[str, str]:
    """Schemes whose points lie on another one's wherever both are drawn."""
    drawn: dict[str, dict[str, list[float]]] = {}
    for p in sorted(points, key=lambda p: names.index(p["norm"])):
        panel = drawn.setdefault(f"{p['panel']} {p['architecture']}", {})
        panel[p["norm"]] = [math.log10(max(p[name], 1e-9)) for name in ("growth", "error")]
    return coinciding(drawn, _APART)


def _finite(row: Standing) -> bool:
    numbers = (row.mean(FAR_ERROR), row.mean(MAX_GROWTH))
    return all(i is not None and math.isfinite(i.mean) for i in numbers)


def _point(row: Standing, references: set[Method]) -> Row:
    names: Row = {"panel": title_of(row.task), "norm": row.method.norm, "architecture": row.method.architecture}
    names["layer"] = "reference" if row.method in references else "network"
    names["bound"] = "unbounded" if row.unbounded else "bounded"
    return (
        names | {"verdict": row.said.text} | _ends("error", row.mean(FAR_ERROR)) | _ends("growth", row.mean(MAX_GROWTH))
    )


def _ends(name: str, interval: Interval | None) -> Row:
    least = LEAST_GROWTH if name == "growth" else 0.0
    if interval is None:
        return {}
    ends = (interval.mean, interval.low, interval.high)
    mean, low, high = (None if v is None else max(v, least) for v in ends)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


def _key(points: Sequence[Row], left: Sequence[str]) -> str:
    parts = [
        "filled: bounded",
        "hollow: unbounded, drawn where probing ended",
        "step: nobody is better in both",
    ]
    if any(p["growth"] <= LEAST_GROWTH for p in points):
        parts.append(f"least growth drawn: {LEAST_GROWTH:g}")
    parts += [f"not drawn (no finite number, or not every task): {listing(left, 3)}"] if left else []
    return " · ".join(parts)


def _front(points: Sequence[Row]) -> list[Row]:
    """The methods of a panel that no other beats in both numbers, by growth."""
    front: list[Row] = []
    for p in sorted(points, key=lambda p: (p["growth"], p["error"])):
        if not front or p["error"] < front[-1]["error"]:
            front.append({"growth": p["growth"], "error": p["error"], "layer": "front"})
    return front


def _around(values: Sequence[Row], name: str) -> list[float]:
    return [v for row in values for v in (row[name], row.get(f"{name}_low"), row.get(f"{name}_high")) if v]


def _layers(points: list[Row], series: Series, shape: Any, single: bool) -> list[Any]:
    """The layers of one panel."""
    import altair as alt

    across = own_log_scale(_around(points, "growth"), f"{MAX_GROWTH.title} over the ladder")
    upward = own_log_scale([1.0, *_around(points, "error")], FAR_ERROR.title, margin=0.12)
    frame = PlotFrame(SINGLE if single else SMALL, across["scale"].domain, upward["scale"].domain)
    front = _front(points)
    base = chart_of([*points, *front, *_labels(points, front, frame)])
    network, reference, step, label = (
        base.transform_filter(f"datum.layer == '{name}'") for name in ("network", "reference", "front", "label")
    )
    x, y = alt.X("growth:Q", **across), alt.Y("error:Q", **upward)
    tips = tooltips("architecture:N", "norm:N", "error:Q", "growth:Q", "verdict:N")
    fills = alt.Scale(domain=["bounded", "unbounded"], range=[1, 0])
    filling = alt.FillOpacity("bound:N", scale=fills, legend=None)
    bar = network.mark_rule(strokeWidth=1.2).encode(series.plain_color, series.stroke_opacity(0.5))
    return [
        step.mark_line(interpolate="step-after", color="#CCCCCC", strokeWidth=3).encode(x, y),
        step.mark_rule(strokeDash=[2, 3], color="#999999").encode(y=alt.YDatum(1)),
        bar.encode(x, alt.Y("error_low:Q", **upward), alt.Y2("error_high:Q")).add_params(series.shown),
        bar.encode(alt.X("growth_low:Q", **across), alt.X2("growth_high:Q"), y),
        reference.mark_point(size=50, strokeWidth=1.5, stroke=GREY, fill=GREY, opacity=1).encode(
            x, y, filling, tooltip=tips
        ),
        network.mark_point(size=70, strokeWidth=2).encode(
            x,
            y,
            series.color,
            alt.Fill("norm:N", scale=series.scale, legend=None),
            shape,
            filling,
            opacity=series.opacity(),
            tooltip=tips,
        ),
        *names_layers(label, x, y, "architecture:N"),
    ]


def _labels(points: Sequence[Row], front: Sequence[Row], frame: PlotFrame) -> list[Row]:
    """Where the names of estimators are written: one for those that lie on each other."""
    places: dict[tuple[int, int], list[Row]] = {}
    for p in points:
        if p["layer"] == "reference":
            spot = (round(2 * math.log10(p["growth"])), round(10 * math.log10(max(p["error"], 1e-9))))
            places.setdefault(spot, []).append(p)
    names = [
        (listing([p["architecture"] for p in group], 3), [(group[0]["growth"], group[0]["error"])])
        for group in places.values()
    ]
    marks = [Box.around(frame.pixel(p["growth"], p["error"]), 13, 13) for p in points]
    found = place_names(frame, names, marks, _lines(points, front, frame))
    return [
        {"layer": "label", "architecture": name, "growth": growth, "error": error}
        for (name, _), (growth, error) in zip(names, found, strict=True)
    ]


def _lines(points: Sequence[Row], front: Sequence[Row], frame: PlotFrame) -> list[Box]:
    """The bars, the step and the line at 1."""
    lines = frame.line((frame.x[0], 1.0), (frame.x[1], 1.0))
    for p in points:
        if p["error_low"] and p["error_high"]:
            lines += frame.line((p["growth"], p["error_low"]), (p["growth"], p["error_high"]))
        if p["growth_low"] and p["growth_high"]:
            lines += frame.line((p["growth_low"], p["error"]), (p["growth_high"], p["error"]))
    for a, b in pairwise(front):
        lines += frame.line((a["growth"], a["error"]), (b["growth"], a["error"]))
        lines += frame.line((b["growth"], a["error"]), (b["growth"], b["error"]))
    return lines


def _shape(architectures: Sequence[str], single: bool) -> Any:
    """A shape for each architecture, with a legend where there are several."""
    import altair as alt

    legend = alt.Legend(
        title="architecture",
        orient="right" if single else "bottom",
        columns=1 if single else 4,
        symbolFillColor="#CCCCCC",  # neither filled nor hollow
        symbolStrokeColor="#555555",
    )
    shapes = [_SHAPES[i % len(_SHAPES)] for i in range(len(architectures))]
    return alt.Shape(
        "architecture:N",
        scale=alt.Scale(domain=list(architectures), range=shapes),
        legend=legend if len(architectures) > 1 else None,
    )
