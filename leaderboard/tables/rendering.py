"""Standings and comparisons as tables for people and files for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from leaderboard.ranking.comparison import Comparison
from leaderboard.ranking.standings import Board
from leaderboard.ranking.tracks import Place
from leaderboard.tables.grid import Grid
from leaderboard.tables.rendering_comparison import comparison_grids, comparison_report, conclusion_grid
from leaderboard.tables.rendering_standings import Scope, standing_grids
from leaderboard.tables.writing import Format, render

__all__ = [
    "Scope",
    "comparison_grids",
    "comparison_report",
    "conclusion_grid",
    "render_comparison",
    "render_standings",
    "standing_grids",
]


def render_standings(
    boards: Sequence[Board],
    form: Format = "table",
    *,
    scope: Scope = "overall",
    width: int | None = None,
    color: bool = False,
    places: Sequence[Place] = (),
    beside: Sequence[Grid[Any]] = (),
) -> str:
    """The standings as text.

    Args:
        boards: from :func:`leaderboard.ranking.standings.standings`.
        form: ``table``, ``markdown``, ``csv`` or ``json``.
        scope: totals over tasks, a row for each task, or both.
        width, color: of the terminal, for ``table``.
        places: where methods stand; sentences below the tables, ``places`` in JSON, nothing in CSV.
        beside: tables that follow.
    """
    grids: list[Grid[Any]] = [grid for board in boards for grid in standing_grids(board, scope)]
    grids += beside
    more = {"places": _places(places)} if places else {}
    text = render(grids, form, width=width, color=color, more=more)
    if form not in ("table", "markdown") or not places:
        return text
    mark = "- " if form == "markdown" else ""
    return text + "\n" + "".join(f"{mark}{place.sentence}\n" for place in places)


def _places(places: Sequence[Place]) -> dict[str, list[dict[str, object]]]:
    """By track, "all tasks" for a suite without tracks."""
    found: dict[str, list[dict[str, object]]] = {}
    for place in places:
        row = asdict(place) | {"troubles": dict(place.troubles), "sentence": place.sentence}
        del row["track"]
        found.setdefault(place.track or "all tasks", []).append(row)
    return found


def render_comparison(
    comparisons: Sequence[Comparison],
    form: Format = "table",
    *,
    scope: Scope = "both",
    width: int | None = None,
    color: bool = False,
) -> str:
    """Paired comparisons as text, each with its conclusion at the end; CSV has the comparisons alone.

    Arguments as for :func:`render_standings`.
    """
    tables = comparison_grids if form == "csv" else comparison_report
    grids = [grid for comparison in comparisons for grid in tables(comparison, scope)]
    return render(grids, form, width=width, color=color)
