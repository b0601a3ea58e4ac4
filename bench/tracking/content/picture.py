"""The picture of one cell: growth and departure against distance, a line for each seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.charts.drawing.schemes import look_of
from leaderboard.charts.drawing.style import decades, log_axis, seeds_text, titled
from leaderboard.charts.panels import chart_of
from leaderboard.records.record import Record

_MEASURES = ("growth", "departure")
_LEAST = 1e-6  # where growth is floored; a logarithmic axis has no place for 0


def cell_chart(records: Sequence[Record]) -> Any | None:
    """Growth G(r) and departure (RMS of the output at r) against r on log-log axes.

    Args:
        records: of one cell; a line ends where outputs are no longer finite.

    Returns:
        An Altair chart, or None when nothing was probed.
    """
    rows = [row for record in records for row in _rows(record)]
    if not rows:
        return None
    import altair as alt

    cell = records[0].key.cell
    color = look_of(cell.norm).color
    domain, ticks = decades([1.0, *(row["value"] for row in rows)], least=_LEAST)
    rungs = [r for record in records for r in record.ladder]
    x = alt.X(
        "r:Q",
        scale=alt.Scale(type="log", domain=[min(rungs), max(rungs)], nice=False),
        axis=log_axis("distance r (1 = the training data's edge)", decades(rungs)[1]),
    )
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=log_axis("growth G(r), departure", ticks),
    )
    seeds = f"protocol {cell.protocol}, {seeds_text([len(records)])}"
    reading = "a line for each seed; it ends where an output is not finite"
    lines = (
        chart_of(rows)
        .mark_line(strokeWidth=1.5, point=alt.OverlayMarkDef(size=14), clip=True)
        .encode(
            x,
            y,
            alt.StrokeDash(
                "measure:N",
                scale=alt.Scale(domain=list(_MEASURES), range=[[1, 0], [4, 2]]),
                legend=alt.Legend(title=None, symbolType="stroke", symbolSize=400, symbolStrokeColor=color),
            ),
            detail="seed:N",
            color=alt.value(color),
        )
        .properties(width=460, height=300)
    )
    return titled(lines, f"{cell.task}: {cell.architecture} {cell.norm}", [seeds, reading])


def _rows(record: Record) -> list[dict[str, Any]]:
    rungs = zip(record.ladder, record.growth, record.departure, strict=True)
    pairs = [(r, measure, value) for r, *values in rungs for measure, value in zip(_MEASURES, values, strict=True)]
    return [
        {"seed": record.key.seed, "r": r, "measure": measure, "value": max(value, _LEAST)}
        for r, measure, value in pairs
        if value is not None
    ]
