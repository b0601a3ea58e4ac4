"""How wrong a network is on each labelled set, from the test set outwards."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from leaderboard.charts.cells import DrawnCell, drawn_of, networks_and_references
from leaderboard.charts.drawing.labels import Box, Place, PlotFrame, names_layers, place_names
from leaderboard.charts.drawing.style import GREY, listing, ordered, own_log_scale, titled
from leaderboard.charts.panels import (
    SINGLE,
    SMALL,
    Row,
    Series,
    chart_of,
    concatenate,
    merged_labels,
    panel_of,
    panels_of,
    tooltips,
)
from leaderboard.ranking.statistics import Sample, log_t_intervals
from leaderboard.records.metrics import clip_error
from leaderboard.records.quantities import ERRORS
from leaderboard.records.record import CellKey, Record, SetResult
from leaderboard.records.store.stored_records import Summarized

_APART = 0.3  # of the distance between two sets
_AIR = 34  # pixels left and right of the outermost points: half of a set's label


def error_chart(records: Iterable[Record] | Summarized, *, columns: int = 3) -> Any:
    """Relative error on the test set and on each far set, ordered by distance: a panel for each task and architecture.

    Points are geometric means over seeds (errors clipped to ``ERRORS``), bars 95% t-intervals. Below each set stand
    the median of its rows' distance and, in brackets, the quantiles 0.05 and 0.95.

    Args:
        records: of one protocol.
        columns: panels in a row.

    Raises:
        InputError: nothing to draw, or several protocols.
    """
    selection = drawn_of(records)
    networks, references = networks_and_references(selection.cells)
    points = _points(selection.read(selection.cells), selection.cells)
    names = ordered(c.key.norm for c in networks)
    networks.sort(key=lambda c: names.index(c.key.norm))
    panels = panels_of(networks)
    series = Series.of(names, len(panels) == 1, points=True)
    drawn: list[Row] = []
    layers = {}
    for panel, (task, _) in panels.items():
        rows = [row | {"norm": c.key.norm} for c in networks if panel_of(c) == panel for row in points[c.key]]
        greys = [
            row | {"name": c.key.architecture}
            for c in references
            if c.key.task == task and not _is_mean(points[c.key])
            for row in points[c.key]
        ]
        layers[panel] = _panel(rows, greys, series, len(panels))
        drawn += rows
    lines = selection.subtitle("point: geometric mean", "bar: 95% interval over seeds")
    title = f"Error near and far: {listing(selection.titles, 3)}"
    return titled(concatenate(layers, columns), title, [*lines, _key(drawn)])


def _panel(rows: list[Row], greys: list[Row], series: Series, panels: int) -> list[Any]:
    """The layers of one panel; schemes stand side by side, so that their bars can be told apart."""
    ticks = sorted({(row["place"], row["set"]) for row in rows + greys})
    shift = {norm: i for i, norm in enumerate(ordered(row["norm"] for row in rows))}
    around = [v for row in rows + greys for v in (row["mean"], row["low"], row["high"]) if v] + [1.0]
    apart = [
        row | {"place": row["place"] + (shift[row["norm"]] - (len(shift) - 1) / 2) * _APART / len(shift)}
        for row in rows
    ]
    size = SINGLE if panels == 1 else SMALL
    axis = own_log_scale(around, "relative error")
    across = _across([*(row["place"] for row in apart), ticks[-1][0], 0], size[0])
    frame = PlotFrame(size, across, axis["scale"].domain, log_x=False)
    values = [row | {"layer": "network"} for row in apart]
    values += [row | {"layer": "grey"} for row in greys]
    values += _names(apart, greys, frame, panels)
    values += [{"layer": "axis", "place": place, "set": name} for place, name in ticks]
    return _layers(values, series, across, axis)


def _across(places: Sequence[float], width: float) -> tuple[float, float]:
    """The domain of the horizontal axis: room for half a set's label at either end."""
    low, high = min(places), max(places)
    air = (high - low) * _AIR / (width - 2 * _AIR) or 1.0
    return low - air, high + air


def _names(rows: Sequence[Row], greys: Sequence[Row], frame: PlotFrame, panels: int) -> list[Row]:
    """The names of grey curves, each beside its curve, where no point is."""
    curves = {n: [(g["place"], g["mean"]) for g in greys if g["name"] == n and g["mean"]] for n in _of(greys, "name")}
    ends = merged_labels(
        [{"name": name, "mean": curve[-1][1]} for name, curve in curves.items() if curve], frame.y, panels
    )
    anchors = [_anchors(curves[end["first"]]) for end in ends]
    drawn = [row for row in rows if row["mean"]]
    marks = [Box.around(frame.pixel(row["place"], row["mean"]), 9, 9) for row in drawn]
    lines = frame.line((frame.x[0], 1.0), (frame.x[1], 1.0))
    for row in drawn:
        if row["low"] and row["high"]:
            lines += frame.line((row["place"], row["low"]), (row["place"], row["high"]))
    networks = [[(r["place"], r["mean"]) for r in drawn if r["norm"] == norm] for norm in _of(drawn, "norm")]
    for curve in [*curves.values(), *networks]:
        lines += [box for a, b in pairwise(curve) for box in frame.line(a, b)]
    names = [(end["name"], places) for end, places in zip(ends, anchors, strict=True)]
    found = place_names(frame, names, marks, lines)
    return [
        {"layer": "label", "name": name, "place": place, "mean": mean}
        for (name, _), (place, mean) in zip(names, found, strict=True)
    ]


def _anchors(curve: Sequence[Place]) -> list[Place]:
    """The points of a curve from its end, and between them those half-way."""
    backwards = curve[::-1]
    anchors = [backwards[0]]
    for (a, b), (c, d) in pairwise(backwards):
        anchors += [((a + c) / 2, math.sqrt(b * d)), (c, d)]
    return anchors


def _of(rows: Sequence[Row], key: str) -> list[str]:
    """The different values of ``key`` in order."""
    return list(dict.fromkeys(row[key] for row in rows))


def _is_mean(points: Sequence[Row]) -> bool:
    """It answers with the training mean, or no better: the line at 1 says that already."""
    return all(row["mean"] is not None and abs(math.log(row["mean"])) < 0.03 for row in points)


def _points(records: Mapping[CellKey, Sequence[Record]], cells: Sequence[DrawnCell]) -> dict[CellKey, list[Row]]:
    """For each cell a row for each set, by its median distance, the test set first."""
    places: list[tuple[DrawnCell, int, SetResult]] = []
    samples: list[Sample] = []
    for cell in cells:
        mine = records[cell.key]
        sets = sorted(mine[0].sets, key=lambda s: (s.role == "far", s.distance[1] if s.distance else 0.0))
        for place, one in enumerate(sets):
            found = [s for record in mine if (s := record.set_named(one.name))]
            errors = [math.inf if s.nonfinite else s.relative_error for s in found]
            known = tuple(clip_error(e) if math.isfinite(e) else e for e in errors if e is not None)
            if known:
                places.append((cell, place, one))
                samples.append(Sample(known, cell.exact))
    points: dict[CellKey, list[Row]] = {cell.key: [] for cell in cells}
    for (cell, place, one), sample, interval in zip(places, samples, log_t_intervals(samples), strict=True):
        finite = math.isfinite(interval.mean)
        row: Row = {"set": _set_label(one), "place": place, "seeds": len(sample.values), "infinite": not finite}
        row |= {"mean": interval.mean if finite else None, "low": interval.low, "high": interval.high}
        points[cell.key].append(row)
    return points


def _set_label(one: SetResult) -> str:
    """Three lines: name, median distance, its range."""
    if one.distance is None:
        return one.name
    low, median, high = (f"{d:.2g}" for d in one.distance)
    return f"{one.name}|r = {median}|({low}–{high})"


def _key(rows: Sequence[Row]) -> str:
    parts = ["1 = no better than answering with the training mean"]
    parts += ["× = a prediction was not finite"] if any(row["infinite"] for row in rows) else []
    means = [row["mean"] for row in rows if row["mean"]]
    if means and (min(means) <= ERRORS.least * 1.001 or max(means) >= ERRORS.most / 1.001):
        parts.append(f"errors are clipped to {ERRORS.least:g}–{ERRORS.most:g}")
    return " · ".join(parts)


def _layers(values: list[Row], series: Series, across: tuple[float, float], axis: dict[str, Any]) -> list[Any]:
    import altair as alt

    base = chart_of(values)
    network, grey, label, below = (
        base.transform_filter(f"datum.layer == '{name}'") for name in ("network", "grey", "label", "axis")
    )
    x = alt.X("place:Q", scale=alt.Scale(domain=list(across), nice=False, zero=False), axis=None)
    y = alt.Y("mean:Q", **axis)
    tips = tooltips("norm:N", "set:N", "mean:Q", "low:Q", "high:Q", "seeds:Q")
    look = {"opacity": series.opacity(), "tooltip": tips}
    cross = network.transform_filter("datum.infinite").mark_point(shape="cross", angle=45, size=60, filled=True)
    bar = network.mark_rule(strokeWidth=1.8, clip=True).encode(
        x, alt.Y("low:Q", **axis), alt.Y2("high:Q"), series.plain_color, series.stroke_opacity(0.6)
    )
    names = below.mark_text(baseline="top", dy=6, fontSize=10, lineBreak="|", color="#333333")
    return [
        below.mark_rule(strokeDash=[2, 3], color="#999999").encode(y=alt.YDatum(1)),
        grey.mark_line(color=GREY, strokeWidth=1.2, strokeDash=[5, 3]).encode(x, y, detail="name:N"),
        network.mark_line(strokeWidth=1, clip=True).encode(x, y, series.plain_color, series.stroke_opacity(0.5)),
        bar.add_params(series.shown),
        network.mark_point(size=34, filled=True).encode(x, y, series.color, series.marker, **look),
        cross.encode(x, series.color, y=alt.value(0), **look),
        names.encode(x, y=alt.value("height"), text="set:N"),
        *names_layers(label, x, y, "name:N"),
    ]
