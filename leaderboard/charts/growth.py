"""How far from the training mean a network answers, against how far from the training data it is asked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.core.grammar import title_of
from leaderboard.charts.cells import DrawnCell, DrawnCells, drawn_of, networks_and_references
from leaderboard.charts.drawing.schemes import solid_first
from leaderboard.charts.drawing.style import GREY, decades, listing, log_axis, ordered, titled
from leaderboard.charts.panels import (
    Row,
    Series,
    chart_of,
    coinciding,
    facet,
    foremost,
    merged_labels,
    panel_of,
    panels_of,
    tooltips,
)
from leaderboard.ranking.standings import Board, standings
from leaderboard.ranking.statistics import Sample, log_t_intervals
from leaderboard.records.quantities import MAX_GROWTH
from leaderboard.records.record import CellKey, Record
from leaderboard.records.store.stored_records import Summarized

_APART = 0.006  # of a panel's height: curves that are nearer lie on each other


def growth_chart(
    records: Iterable[Record] | Summarized, *, columns: int = 3, most: int | None = None, board: Board | None = None
) -> Any:
    """G(r) against r on log-log axes: a panel for each task and architecture, a curve for each norm scheme.

    The curve is the geometric mean over seeds and the band its 95% t-interval; estimators are grey. Where an output
    was not finite a cross stands at the upper edge and the curve ends.

    Args:
        records: of one protocol.
        columns: panels in a row.
        most: panels; where there are more, those of the architectures that rank first, task by task.
        board: the standings of the records, where they are at hand.

    Returns:
        An Altair chart; :func:`leaderboard.charts.saving.save` writes it.

    Raises:
        InputError: nothing to draw, or several protocols.
    """
    drawn = drawn_of(records)
    networks, references = networks_and_references(drawn.cells)
    panels, note = foremost(panels_of(networks), most, lambda: board or standings(drawn.source.summaries)[0])
    networks = [c for c in networks if panel_of(c) in panels]
    references = [c for c in references if c.key.task in panels.values()]
    names = ordered(c.key.norm for c in networks)
    below = solid_first(names)
    networks.sort(key=lambda c: below.index(c.key.norm))  # what is drawn first lies below
    curves = _curves(drawn, [*networks, *references])
    rows = [row | {"panel": panel_of(c), "norm": c.key.norm} for c in networks for row in curves[c.key]]
    domain, ticks = decades([1.0, *(row["mean"] for row in rows if row["mean"])])
    greys, outside = _references(references, curves, panels, domain)
    values = [row | {"layer": "network", "top": domain[1]} for row in rows]
    values += [row | {"layer": "grey"} for row in greys]
    for panel in panels:
        ends = _ends([row for row in greys if row["panel"] == panel])
        values += [row | {"layer": "label"} for row in merged_labels(ends, domain, len(panels))]
    alike = coinciding(_logs(rows, names), _APART * math.log10(domain[1] / domain[0]))
    series = Series.of(names, len(panels) == 1, alike=alike)
    chart = facet(_layers(values, series, domain, ticks), list(panels), columns)
    lines = [*drawn.subtitle("line: geometric mean", "band: 95% interval over seeds"), *note]
    return titled(chart, f"Growth far away: {listing(drawn.titles, 3)}", [*lines, _key(values, outside)])


def _curves(drawn: DrawnCells, cells: Sequence[DrawnCell]) -> dict[CellKey, list[Row]]:
    """For each cell a row for each rung that every finished seed of it has."""
    records = drawn.read(cells)
    places: list[tuple[DrawnCell, float]] = []
    samples: list[Sample] = []
    least = MAX_GROWTH.clip.least if MAX_GROWTH.clip else 0.0
    for cell in cells:
        mine = records[cell.key]
        for r in sorted(set.intersection(*(set(record.ladder) for record in mine))):
            values = (record.growth_at(r) for record in mine)
            samples.append(Sample(tuple(max(v, least) for v in values if v is not None), cell.exact))
            places.append((cell, r))
    curves: dict[CellKey, list[Row]] = {cell.key: [] for cell in cells}
    for (cell, r), sample, interval in zip(places, samples, log_t_intervals(samples), strict=True):
        finite = math.isfinite(interval.mean)
        row: Row = {"r": r, "mean": interval.mean if finite else None, "low": interval.low, "high": interval.high}
        curves[cell.key].append(row | {"infinite": not finite, "seeds": len(sample.values)})
    return curves


def _logs(rows: Sequence[Row], names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """The logarithms of the curves by panel and scheme, in the order of ``names``."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in sorted(rows, key=lambda row: names.index(row["norm"])):
        curve = found.setdefault(row["panel"], {}).setdefault(row["norm"], [])
        curve.append(math.log10(row["mean"]) if row["mean"] else math.inf)
    return found


def _references(
    cells: Sequence[DrawnCell],
    curves: Mapping[CellKey, Sequence[Row]],
    panels: Mapping[str, str],
    domain: Sequence[float],
) -> tuple[list[Row], dict[str, list[str]]]:
    """Grey curves for each panel of their task, and by name the tasks where they leave the picture."""
    greys: list[Row] = []
    outside: dict[str, list[str]] = {}
    for cell in cells:
        curve = curves[cell.key]
        if any(row["mean"] is not None and domain[0] <= row["mean"] <= domain[1] for row in curve):
            places = [panel for panel, task in panels.items() if task == cell.key.task]
            greys += [row | {"panel": panel, "name": cell.key.architecture} for panel in places for row in curve]
        else:
            outside.setdefault(cell.key.architecture, []).append(title_of(cell.key.task))
    return greys, outside


def _ends(greys: Sequence[Row]) -> list[Row]:
    """The last drawn point of each grey curve of a panel."""
    return list({row["name"]: row for row in greys if row["mean"] is not None}.values())


def _key(rows: Sequence[Row], outside: Mapping[str, Sequence[str]]) -> str:
    """What 1, a cross and an absent curve mean."""
    parts = ["1 = as far from the training mean as the furthest training target"]
    parts += ["× = an output was not finite"] if any(row["infinite"] for row in rows) else []
    names = [f"{name} on {listing(tasks, 1)}" for name, tasks in outside.items()]
    parts += [f"below the picture: {listing(names, 2)}"] if names else []
    return " · ".join(parts)


def _layers(values: list[Row], series: Series, domain: list[float], ticks: list[float]) -> list[Any]:
    """From the bottom up: bands, the line at 1, estimators, networks, crosses, names of estimators."""
    import altair as alt

    base = chart_of(values)
    network, grey, label = (base.transform_filter(f"datum.layer == '{name}'") for name in ("network", "grey", "label"))
    rungs = [row["r"] for row in values]
    reach = [min(rungs), max(rungs)]
    y_scale = alt.Scale(type="log", domain=domain, nice=False)
    x = alt.X(
        "r:Q",
        scale=alt.Scale(type="log", domain=reach, nice=False),
        axis=log_axis("distance r (1 = edge of the training data)", decades(reach, margin=0)[1]),
    )
    y = alt.Y("mean:Q", scale=y_scale, axis=log_axis("growth G(r)", ticks))
    tips = tooltips("norm:N", "r:Q", "mean:Q", "low:Q", "high:Q", "seeds:Q")
    look = {"opacity": series.opacity(), "tooltip": tips}
    band = network.mark_area(clip=True, opacity=1).encode(
        x, alt.Y("low:Q", scale=y_scale), alt.Y2("high:Q"), series.plain_color, series.fill_opacity(0.18)
    )
    curve = network.mark_line(strokeWidth=2, clip=True, point=alt.OverlayMarkDef(size=16))
    cross = network.transform_filter("datum.infinite").mark_point(shape="cross", angle=45, size=60, filled=True)
    return [
        band.add_params(series.shown),
        base.mark_rule(strokeDash=[2, 3], color="#999999").encode(y=alt.YDatum(1)),
        grey.mark_line(color=GREY, strokeWidth=1.5, strokeDash=[5, 3], clip=True).encode(x, y, detail="name:N"),
        curve.encode(x, y, series.color, series.dash, **look),
        cross.encode(x, alt.Y("top:Q", scale=y_scale), series.color, **look),
        label.mark_text(align="right", dx=-4, dy=-8, color=GREY, fontSize=11).encode(x, y, text="name:N"),
    ]
