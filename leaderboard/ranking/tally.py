"""The numbers of standings, as arrays over rows: a row is one cell, or all cells of a method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from leaderboard.ranking.cells import Cells
from leaderboard.ranking.statistics import Estimates, Moments, Tests, combine, estimates, moments
from leaderboard.ranking.verdicts import CellVerdicts, Verdict, cell_verdicts, row_verdicts
from leaderboard.records.arrays import Floats, Integers
from leaderboard.records.quantities import MEANS, RANGES, SUMS
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import STATUSES


@dataclass(frozen=True, eq=False)
class Tally:
    """What stands in ``rows`` rows.

    Args:
        intervals: of each of ``MEANS``, by name.
        counts: (rows, statuses) records.
        nonfinite: (rows,) finished records with an output that was not finite.
        least_seeds, most_seeds: (rows,) finished records of a cell.
        verdicts: of each row.
        ranges: of each of ``RANGES``, by name, (rows, 2) least and greatest; NaN where nobody measured it.
        sums: of each of ``SUMS``, by name, (rows,) over all records; NaN where nobody measured it.
        reasons: of each row, why records are not ok, each once.
    """

    intervals: dict[str, Tests]
    counts: Integers
    nonfinite: Integers
    least_seeds: Integers
    most_seeds: Integers
    verdicts: list[Verdict]
    ranges: dict[str, Floats]
    sums: dict[str, Floats]
    reasons: list[tuple[str, ...]]


class Measured:
    """Cells with the moments of every quantity, from which rows of any kind are made.

    Args:
        cells: of one protocol.
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    @cached_property
    def moments(self) -> dict[str, Moments]:
        """Of each of ``MEANS``, over the finished records of each cell in which it was measured."""
        truths = np.array(self.cells.truth, dtype=np.str_)
        far_kinds = np.array([kind or "" for kind in self.cells.far_kind], dtype=np.str_)
        by_column: dict[str, Moments] = {}
        found = {}
        for quantity in MEANS:
            if quantity.column not in by_column:
                by_column[quantity.column] = self._moments(quantity)
            every = by_column[quantity.column]
            mine = np.ones(len(truths), dtype=np.bool_) if quantity.truth is None else truths == quantity.truth
            if quantity.far_kind is not None:
                mine = far_kinds == quantity.far_kind
            found[quantity.name] = replace(every, count=np.where(mine, every.count, 0))
        return found

    def _moments(self, quantity: Quantity) -> Moments:
        values = self.cells.records.number(quantity)
        use = self.cells.ok & ~np.isnan(values)
        return moments(quantity.scaled(values[use]), self.cells.records.cell[use], self.cells.exact)

    @cached_property
    def verdicts(self) -> CellVerdicts:
        """On each cell."""
        return cell_verdicts(self.cells)

    def tally(self, row: Integers, rows: int) -> Tally:
        """Put cells together.

        Args:
            row: (cells,) which row each cell belongs to; -1 for none.
            rows: how many.
        """
        cells = self.cells
        of_record = row[cells.records.cell]
        least, most = _ends(cells.finished.astype(np.float64), row, rows)
        pairs = of_record * len(STATUSES) + cells.records.status
        return Tally(
            intervals={quantity.name: self._tests(quantity, row, rows) for quantity in MEANS},
            counts=_count(pairs[of_record >= 0], rows * len(STATUSES)).reshape(rows, -1),
            nonfinite=_count(of_record[(of_record >= 0) & cells.ok & ~cells.records.finite], rows),
            least_seeds=np.nan_to_num(least).astype(np.int64),
            most_seeds=np.nan_to_num(most).astype(np.int64),
            verdicts=row_verdicts(self.verdicts, row, rows, cells.finished > 0),
            ranges={q.name: np.stack(_ends(cells.records.number(q), of_record, rows), axis=1) for q in RANGES},
            sums={q.name: _sum(cells.records.number(q), of_record, rows) for q in SUMS},
            reasons=self._reasons(of_record, rows),
        )

    def estimates(self, quantity: Quantity, row: Integers, rows: int) -> Estimates:
        """The mean of a quantity, its logarithm on a logarithmic scale, over each row's cells, and its variance."""
        every = self.moments[quantity.name]
        return estimates(replace(every, count=np.where(row >= 0, every.count, 0)), row, rows)

    def _tests(self, quantity: Quantity, row: Integers, rows: int) -> Tests:
        every = self.moments[quantity.name]
        tests = combine(replace(every, count=np.where(row >= 0, every.count, 0)), row, rows)
        return tests.exponentials() if quantity.scale == "log" else tests

    def _reasons(self, row: Integers, rows: int) -> list[tuple[str, ...]]:
        found: list[dict[str, None]] = [{} for _ in range(rows)]
        for place, reason in enumerate(self.cells.records.reason):
            if reason is not None and row[place] >= 0:
                found[row[place]][reason] = None
        return [tuple(reasons) for reasons in found]


def shown_verdicts(tally: Tally) -> list[tuple[str, str]]:
    """Of each row its verdict for people, and the grade: what it rests on, empty where there is none."""
    return [(verdict.text, verdict.grade or "") for verdict in tally.verdicts]


def _count(places: Integers, size: int) -> Integers:
    return np.bincount(places, minlength=size)


def _sum(values: Floats, row: Integers, rows: int) -> Floats:
    """The sum over each row; NaN where a row has none."""
    use = (row >= 0) & ~np.isnan(values)
    total = np.bincount(row[use], weights=values[use], minlength=rows)
    return np.where(_count(row[use], rows) > 0, total, np.nan)


def _ends(values: Floats, row: Integers, rows: int) -> tuple[Floats, Floats]:
    """Least and greatest value of each row; NaN where a row has none."""
    use = (row >= 0) & ~np.isnan(values)
    least, most = np.full(rows, np.inf), np.full(rows, -np.inf)
    np.minimum.at(least, row[use], values[use])
    np.maximum.at(most, row[use], values[use])
    return np.where(np.isinf(least), np.nan, least), np.where(np.isinf(most), np.nan, most)
