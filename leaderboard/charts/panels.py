"""Small multiples: the same layers for each task and architecture, a curve for each norm scheme."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.core.grammar import title_of
from leaderboard.charts.cells import DrawnCell
from leaderboard.charts.drawing.schemes import color_scale, dash_scale, marker_scale, scheme_legend
from leaderboard.charts.drawing.style import in_lines, listing
from leaderboard.ranking.standings import Board

Row = dict[str, Any]
SINGLE = (460, 320)
SMALL = (250, 170)


def panel_of(cell: DrawnCell) -> str:
    """The panel that a network is drawn in."""
    return f"{title_of(cell.key.task)} · {cell.key.architecture}"


def panels_of(networks: Iterable[DrawnCell]) -> dict[str, tuple[str, str]]:
    """Panels in order, each with its task and architecture."""
    return {panel_of(c): (c.key.task, c.key.architecture) for c in networks}


def foremost(
    panels: Mapping[str, tuple[str, str]], most: int | None, board: Callable[[], Board]
) -> tuple[dict[str, str], list[str]]:
    """At most ``most`` panels with their tasks, in order, and a note where some are left out.

    Each task in turn has its next architecture drawn, in the order in which architectures first appear on the board.

    Args:
        panels: with task and architecture.
        most: panels; None is all.
        board: the standings, if they are needed.
    """
    chosen = {panel: task for panel, (task, _) in panels.items()}
    if most is None or len(panels) <= most:
        return chosen, []
    rank: dict[str, int] = {}
    for place, row in enumerate(board().overall):
        rank.setdefault(row.method.architecture, place)
    turns: dict[str, int] = {}
    order = []
    for panel in sorted(panels, key=lambda panel: rank[panels[panel][1]]):
        turn = turns[chosen[panel]] = turns.get(chosen[panel], -1) + 1
        order.append((turn, panel))
    first = {panel for _, panel in sorted(order, key=lambda item: item[0])[:most]}
    note = (
        f"{most} of {len(panels)} panels: of each task the architectures that rank first; plot growth draws the others"
    )
    return {panel: task for panel, task in chosen.items() if panel in first}, [note]


def merged_labels(rows: Iterable[Row], domain: Sequence[float], panels: int) -> list[Row]:
    """One label for grey curves whose own labels would lie on each other; ``first`` is the name of one of them.

    Args:
        rows: the ends of the curves of a panel, with ``mean`` and ``name``.
        domain: of the logarithmic y axis.
        panels: how many there are.
    """
    height = (SINGLE if panels == 1 else SMALL)[1]
    factor = (domain[1] / domain[0]) ** (14 / height)
    groups: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: row["mean"]):
        if groups and row["mean"] < factor * groups[-1][0]["mean"]:
            groups[-1].append(row)
        else:
            groups.append([row])
    return [
        group[0] | {"first": group[0]["name"], "name": listing([row["name"] for row in group], 3)} for group in groups
    ]


@dataclass(frozen=True)
class Series:
    """How norm schemes are told apart: encodings that every layer shares. The legend switches curves in HTML."""

    names: tuple[str, ...]
    scale: Any
    color: Any
    plain_color: Any
    dash: Any
    marker: Any
    shown: Any

    @classmethod
    def of(
        cls, names: Sequence[str], single: bool, *, alike: Mapping[str, str] | None = None, points: bool = False
    ) -> Series:
        """Encodings for ``names``; the legend is right of a single chart and below several panels.

        Args:
            names: schemes, in the order of the legend.
            single: there is room at the right.
            alike: schemes whose curves lie on another one's, which the legend names (:func:`coinciding`).
            points: the legend shows markers instead of lines.
        """
        import altair as alt

        labels = {name: f"{name} = {other}" for name, other in (alike or {}).items()}
        legend = scheme_legend(names, labels, right=single, points=points)
        scale = color_scale(names)
        return cls(
            names=tuple(names),
            scale=scale,
            color=alt.Color("norm:N", scale=scale, legend=legend),
            plain_color=alt.Color("norm:N", scale=scale, legend=legend),
            dash=alt.StrokeDash("norm:N", scale=dash_scale(names), legend=None if points else legend),
            marker=alt.Shape("norm:N", scale=marker_scale(names), legend=legend if points else None),
            shown=alt.selection_point(fields=["norm"], bind="legend", name="shown"),
        )

    def opacity(self, full: float = 1.0) -> Any:
        """Full for a curve that is switched on, faint else."""
        import altair as alt

        return alt.condition(self.shown, alt.value(full), alt.value(0.06 * full))

    def stroke_opacity(self, full: float) -> Any:
        """As :meth:`opacity`, for thin lines beside the main mark, without paling the legend."""
        import altair as alt

        return alt.StrokeOpacityValue(0.06 * full, condition={"param": self.shown.name, "value": full})

    def fill_opacity(self, full: float) -> Any:
        """As :meth:`stroke_opacity`, for areas."""
        import altair as alt

        return alt.FillOpacityValue(0.06 * full, condition={"param": self.shown.name, "value": full})


def coinciding(curves: Mapping[str, Mapping[str, Sequence[float]]], tolerance: float) -> dict[str, str]:
    """Schemes whose curve lies on that of a scheme before it, in every panel that draws both: each with that one.

    Args:
        curves: by panel and scheme, the values along the panel's axis, in units in which ``tolerance`` is what an eye
            cannot tell apart.
        tolerance: largest difference.
    """
    names = list(dict.fromkeys(name for panel in curves.values() for name in panel))
    found: dict[str, str] = {}
    for place, name in enumerate(names):
        for other in names[:place]:
            pairs = [(panel[name], panel[other]) for panel in curves.values() if name in panel and other in panel]
            if other not in found and pairs and all(_on_each_other(*pair, tolerance) for pair in pairs):
                found[name] = other
                break
    return found


def _on_each_other(one: Sequence[float], other: Sequence[float], tolerance: float) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def chart_of(rows: Iterable[Row]) -> Any:
    """A chart without marks over ``rows``. They are a tuple, which Altair does not copy with every layer and panel.

    Any row is good data: Altair would hold each of them against its schema, which takes longer than the drawing.
    """
    import altair as alt

    with alt.utils.schemapi.debug_mode(False):
        data = alt.InlineData(values=tuple(rows))
    return alt.Chart(data)


def tooltips(*fields: str) -> list[Any]:
    """What appears under the mouse; numbers (``name:Q``) with three digits."""
    import altair as alt

    return [alt.Tooltip(f, format=".3~g") if f.endswith(":Q") else alt.Tooltip(f) for f in fields]


def panel_title(panel: str, width: float) -> str | list[str]:
    """The title of a panel, whole: in lines where it is wider than the panel."""
    lines = in_lines(panel, width, font=13)
    return lines if len(lines) > 1 else lines[0]


def facet(layers: Sequence[Any], panels: Sequence[str], columns: int) -> Any:
    """One large chart for one panel, else small ones with common axes, by the column ``panel`` of the layers' data.

    Args:
        layers: Altair charts over one data set.
        panels: in order.
        columns: panels in a row.
    """
    import altair as alt

    chart = alt.layer(*layers)
    if len(panels) == 1:
        return chart.properties(width=SINGLE[0], height=SINGLE[1])
    titles = {panel: in_lines(panel, SMALL[0], font=13) for panel in panels}
    header = alt.Header(labelExpr=f"{json.dumps(titles)}[datum.label]")
    return chart.properties(width=SMALL[0], height=SMALL[1]).facet(
        alt.Facet("panel:N", title=None, sort=list(panels), header=header), columns=columns
    )


def concatenate(layers: Mapping[str, Sequence[Any]], columns: int) -> Any:
    """As :func:`facet`, for panels that have their own axes.

    Args:
        layers: of each panel, in order.
        columns: panels in a row.
    """
    import altair as alt

    width, height = SINGLE if len(layers) == 1 else SMALL
    charts = [
        alt.layer(*parts).properties(
            width=width,
            height=height,
            title=alt.TitleParams(panel_title(panel, width), anchor="middle", fontSize=12, frame="group"),
        )
        for panel, parts in layers.items()
    ]
    if len(charts) == 1:
        return charts[0].properties(title="")
    with warnings.catch_warnings():
        # one legend that switches the curves of every panel is just what is wanted
        warnings.filterwarnings(
            "ignore", message="Automatically deduplicated selection parameter", category=UserWarning
        )
        return alt.concat(*charts, columns=columns)
