"""Standings and comparisons as tables for people and files for programs."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.ranking.comparison import Comparison
from leaderboard.ranking.standings import Board
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
) -> str:
    """The standings as text.

    Args:
        boards: from :func:`leaderboard.ranking.standings.standings`.
        form: ``table``, ``markdown``, ``csv`` or ``json``.
        scope: totals over tasks, a row for each task, or both.
        width, color: of the terminal, for ``table``.
    """
    grids = [grid for board in boards for grid in standing_grids(board, scope)]
    return render(grids, form, width=width, color=color)


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
