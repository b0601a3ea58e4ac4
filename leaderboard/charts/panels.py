"""Small multiples: the same layers for each task and architecture, a curve for each norm scheme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.charts.selecting import Selection
from leaderboard.charts.style import color_scale, dash_scale, listing
from leaderboard.grouping import CellRecords

Row = dict[str, Any]
SINGLE = (460, 320)
SMALL = (250, 170)


def panel_of(cell: CellRecords) -> str:
    """The panel that a network is drawn in."""
    return f"{cell.key.task} · {cell.key.architecture}"


def panels_of(selection: Selection, networks: Iterable[CellRecords]) -> dict[str, str]:
    """Panels in order, each with its task."""
    members = {id(c) for c in networks}
    return {panel_of(c): c.key.task for c in selection.cells if id(c) in members}


def merged_labels(rows: Iterable[Row], factor: float) -> list[Row]:
    """One label for grey curves of a panel that end within ``factor`` of each other.

    Args:
        rows: the ends of the curves, with ``panel``, ``mean`` and ``name``.
        factor: how far apart two labels can be read.
    """
    labels: list[Row] = []
    group: list[Row] = []
    for row in sorted(rows, key=lambda row: (row["panel"], row["mean"])):
        if group and row["panel"] == group[-1]["panel"] and row["mean"] < factor * group[-1]["mean"]:
            group.append(row)
            labels[-1]["name"] = listing([g["name"] for g in group], 3)
        else:
            group = [row]
            labels.append(dict(row))
    return labels


@dataclass(frozen=True)
class Series:
    """How norm schemes are told apart: encodings that every layer shares. The legend switches curves in HTML."""

    color: Any
    plain_color: Any
    dash: Any
    shown: Any

    @classmethod
    def of(cls, names: Sequence[str], single: bool, field: str = "norm", title: str = "norm scheme") -> Series:
        """Encodings for ``names``; the legend is right of a single chart and below several panels."""
        import altair as alt

        legend = alt.Legend(
            title=title,
            orient="right" if single else "bottom",
            columns=1 if single else 6,
            symbolType="stroke",
            symbolOpacity=1,
            symbolSize=250,
        )
        scale = color_scale(names)
        return cls(
            color=alt.Color(f"{field}:N", scale=scale, legend=legend),
            plain_color=alt.Color(f"{field}:N", scale=scale),
            dash=alt.StrokeDash(f"{field}:N", scale=dash_scale(names), legend=None),
            shown=alt.selection_point(fields=[field], bind="legend", name="shown"),
        )

    def opacity(self, full: float = 1.0) -> Any:
        """Full for a curve that is switched on, faint else."""
        import altair as alt

        return alt.condition(self.shown, alt.value(full), alt.value(0.06 * full))


def tooltips(*fields: str) -> list[Any]:
    """What appears under the mouse; numbers (``name:Q``) with three digits."""
    import altair as alt

    return [alt.Tooltip(f, format=".3~g") if f.endswith(":Q") else alt.Tooltip(f) for f in fields]


def arrange(layers: Sequence[Any], panels: Sequence[str], columns: int, *, own_x: bool = False) -> Any:
    """One large chart for one panel, else a facet on the column ``panel`` of the layers' common data.

    Args:
        layers: Altair charts over one data set.
        panels: in order.
        columns: panels in a row.
        own_x: each panel has its own x axis.
    """
    import altair as alt

    chart = alt.layer(*layers)
    if len(panels) == 1:
        return chart.properties(width=SINGLE[0], height=SINGLE[1])
    faceted = chart.properties(width=SMALL[0], height=SMALL[1]).facet(
        alt.Facet("panel:N", title=None, sort=list(panels)), columns=columns
    )
    return faceted.resolve_scale(x="independent") if own_x else faceted
