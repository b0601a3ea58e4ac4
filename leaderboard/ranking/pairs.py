"""Records in pairs of the same task and seed, and what their differences say: as arrays over many pairs of cells."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.ranking.cells import Cells
from leaderboard.ranking.statistics import Tests, combine, holm, moments
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import Quantity
from leaderboard.records.record import STATUSES

Whole = NDArray[np.int64]
Outcomes = tuple[tuple[tuple[str, str], int], ...]


@dataclass(frozen=True)
class Effect:
    """What the candidate does to one quantity.

    Attributes:
        metric: its name.
        log_difference: mean of log(candidate) − log(reference), with the 95% interval; ``None`` without pairs.
        p_value, p_holm: two-sided, of no difference; the second corrected for all rows of the table.
        pairs: how many pairs of finite numbers it rests on.
        lost, won: pairs where only the candidate's (only the reference's) number is infinite: they are in no mean.
    """

    metric: str
    log_difference: Interval | None
    p_value: float | None
    p_holm: float | None
    pairs: int
    lost: int
    won: int

    @property
    def ratio(self) -> Interval | None:
        """Candidate / reference as a geometric mean."""
        return self.log_difference.map(math.exp) if self.log_difference else None


class Pairs:
    """The records of pairs of cells, paired by seed; a deterministic cell's record stands for every seed.

    Args:
        cells: of one protocol.
        matched: (pairs, 2) places of cells: reference and candidate.
    """

    def __init__(self, cells: Cells, matched: Whole) -> None:
        self._records = cells.records
        seeds, starts = cells.records.seed.tolist(), cells.starts.tolist()
        first_ok = _first_ok(cells)
        single = (cells.exact & (cells.finished > 0)).tolist()
        left: list[int] = []
        right: list[int] = []
        pair: list[int] = []
        for number, (base, other) in enumerate(matched.tolist()):
            a, b = ({seeds[i]: i for i in range(starts[cell], starts[cell + 1])} for cell in (base, other))
            if single[base] and not single[other]:
                a = dict.fromkeys(b, first_ok[base])
            elif single[other] and not single[base]:
                b = dict.fromkeys(a, first_ok[other])
            shared = sorted(a.keys() & b.keys())
            left += [a[seed] for seed in shared]
            right += [b[seed] for seed in shared]
            pair += [number] * len(shared)
        self._left, self._right, self._pair = (np.array(places, dtype=np.int64) for places in (left, right, pair))
        self.counts = np.bincount(self._pair, minlength=len(matched))
        """(pairs,) records of each."""
        both = self._records.deterministic[self._left] & self._records.deterministic[self._right]
        self._exact = np.bincount(self._pair[~both], minlength=len(matched)) == 0

    def __len__(self) -> int:
        return len(self.counts)

    def outcomes(self, row: Whole, rows: int) -> list[Outcomes]:
        """How the pairs of records of each row ended, as ((reference's status, candidate's status), number)."""
        found: list[Counter[tuple[str, str]]] = [Counter() for _ in range(rows)]
        mine = row[self._pair]
        status = self._records.status
        for place, a, b in zip(mine.tolist(), status[self._left].tolist(), status[self._right].tolist(), strict=True):
            if place >= 0:
                found[place][STATUSES[a], STATUSES[b]] += 1
        return [tuple(sorted(counted.items())) for counted in found]

    def effects(self, quantity: Quantity, row: Whole, rows: int) -> list[Effect]:
        """The effect on ``quantity`` in each row of a table.

        Args:
            quantity: on a logarithmic scale.
            row: (pairs,) which row each pair of cells belongs to; -1 for none.
            rows: how many.
        """
        values = np.where(self._records.status == STATUSES.index("ok"), self._records.number(quantity), np.nan)
        values = quantity.clipped(values)
        a, b = values[self._left], values[self._right]
        of_record = row[self._pair]
        mine = of_record >= 0
        lost, won = (
            np.bincount(of_record[mine & np.isfinite(x) & np.isinf(y)], minlength=rows).tolist()
            for x, y in ((a, b), (b, a))
        )
        use = mine & np.isfinite(a) & np.isfinite(b)
        differences = _logs(b[use]) - _logs(a[use])
        each = moments(differences, self._pair[use], self._exact)
        tests = combine(each, np.where(row >= 0, row, 0), rows)
        return _effects(quantity.name, tests, np.bincount(of_record[use], minlength=rows).tolist(), lost, won)


def _effects(name: str, tests: Tests, pairs: list[int], lost: list[int], won: list[int]) -> list[Effect]:
    p_values = [None if p != p or not n else p for p, n in zip(tests.p_value.tolist(), pairs, strict=True)]
    columns = zip(tests.intervals(), p_values, holm(p_values), pairs, lost, won, strict=True)
    return [Effect(name, *column) for column in columns]


def _logs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms by the C library, one by one: the last digit does not depend on how many there are."""
    return np.array([math.log(value) for value in values.tolist()], dtype=np.float64)


def _first_ok(cells: Cells) -> list[int]:
    """(cells,) the place of each cell's first finished record; -1 where it has none."""
    places = np.flatnonzero(cells.ok)[::-1]
    first = np.full(len(cells), -1)
    first[cells.records.cell[places]] = places
    return first.tolist()
