"""Standings, comparisons and checks as objects that print as tables, in a terminal and in a notebook."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.checking.findings import CheckReport
from bench.checking.rendering import report_grids
from leaderboard.ranking.comparison import Comparison
from leaderboard.ranking.standings import Board
from leaderboard.records.interval import Interval
from leaderboard.tables.grid import Column, Grid
from leaderboard.tables.rendering import Scope, comparison_grids, comparison_report, standing_grids
from leaderboard.tables.writing import Format, render

if TYPE_CHECKING:
    import pandas


class Printed:
    """Something that prints as tables."""

    def grids(self) -> list[Grid[Any]]:
        """The tables: typed columns and rows."""
        return []

    def text(self, form: Format = "table") -> str:
        """The tables as ``table``, ``markdown``, ``csv`` or ``json``."""
        return render(self._alike() if form == "csv" else self.grids(), form)

    def frame(self) -> pandas.DataFrame:
        """The rows of all tables, with every column that CSV has; an interval takes three (its mean, low and high)."""
        import pandas

        rows = [_values(grid.columns, row, grid.facts or {}) for grid in self._alike() for row in grid.rows]
        return pandas.DataFrame(rows)

    def _alike(self) -> list[Grid[Any]]:
        """The tables that share their columns."""
        return self.grids()

    def __str__(self) -> str:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        return render(self.grids(), "table", width=width).rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return self.text("markdown")


def _values(columns: Sequence[Column[Any]], row: Any, facts: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"protocol": facts["protocol"]} if "protocol" in facts else {}
    for column in columns:
        value = column.value(row)
        if isinstance(value, Interval):
            values |= {column.name: value.mean, f"{column.name}_low": value.low, f"{column.name}_high": value.high}
        else:
            values[column.name] = "; ".join(value) if isinstance(value, tuple) else value
    return values


@dataclass(frozen=True, repr=False)
class Standings(Printed):
    """Who answers how well, near and far.

    Attributes:
        boards: one for each protocol; protocols are never ranked together.
        scope: what is printed: ``overall`` (totals over tasks), ``tasks`` (a row for each task) or ``both``.
    """

    boards: tuple[Board, ...]
    scope: Scope

    def grids(self) -> list[Grid[Any]]:
        """One or two tables a board."""
        return [grid for board in self.boards for grid in standing_grids(board, self.scope)]

    def __iter__(self) -> Iterator[Board]:
        return iter(self.boards)

    def __len__(self) -> int:
        return len(self.boards)


@dataclass(frozen=True, repr=False)
class Comparisons(Printed):
    """What candidates change against a reference, in pairs that share task and seed.

    Attributes:
        comparisons: one for each protocol.
        scope: what is printed: ``overall``, ``tasks`` or ``both``.
    """

    comparisons: tuple[Comparison, ...]
    scope: Scope

    def grids(self) -> list[Grid[Any]]:
        """The tables of each protocol, its conclusion last."""
        return [grid for comparison in self.comparisons for grid in comparison_report(comparison, self.scope)]

    def _alike(self) -> list[Grid[Any]]:
        return [grid for comparison in self.comparisons for grid in comparison_grids(comparison, self.scope)]

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.comparisons)

    def __len__(self) -> int:
        return len(self.comparisons)


@dataclass(frozen=True, repr=False)
class Checked(Printed):
    """What was found of a file that registers something.

    Attributes:
        report: every finding.
    """

    report: CheckReport

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed."""
        return self.report.passed

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that failed."""
        return self.report.failed

    def grids(self) -> list[Grid[Any]]:
        """The checks, then what the network is under each scheme that was tried."""
        return report_grids(self.report)

    def _alike(self) -> list[Grid[Any]]:
        return self.grids()[:1]
