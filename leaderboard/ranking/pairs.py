"""Records in pairs of the same task and seed, and what their differences say: as arrays over many pairs of cells."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leaderboard.ranking.cells import Cells, Edition
from leaderboard.ranking.statistics import Estimates, Tests, combine, estimates, holm, moments, over_tasks
from leaderboard.records.arrays import Integers
from leaderboard.records.interval import Interval
from leaderboard.records.marked import mark_of
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import STATUSES, CellKey

By = Literal["norm", "architecture"]
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
        standard_error, freedom: of log_difference over seeds, and its degrees of freedom; ``None`` where it has no
            interval.
        tasks: how many have pairs.
        general_difference: mean over task means with its t-interval over tasks; ``None`` for no claim: of fewer than
            ``LEAST_TASKS`` tasks, or where a pair is lost or won.
        p_general: of no difference for tasks like these, corrected for all rows of the table.
    """

    metric: str
    log_difference: Interval | None
    p_value: float | None
    p_holm: float | None
    pairs: int
    lost: int
    won: int
    standard_error: float | None
    freedom: float
    tasks: int
    general_difference: Interval | None
    p_general: float | None

    @property
    def ratio(self) -> Interval | None:
        """Candidate / reference as a geometric mean, on these tasks."""
        return self.log_difference.map(math.exp) if self.log_difference else None

    @property
    def general(self) -> Interval | None:
        """The same for tasks like these."""
        return self.general_difference.map(math.exp) if self.general_difference else None


class Pairs:
    """The records of pairs of cells, paired by seed; a deterministic cell's record stands for every seed.

    Args:
        cells: of one protocol.
        matched: (pairs, 2) places of cells: reference and candidate.
    """

    def __init__(self, cells: Cells, matched: Integers) -> None:
        self._records = cells.records
        self._left, self._right, self._pair = _joined(cells, matched)
        self.counts = np.bincount(self._pair, minlength=len(matched))
        """(pairs,) records of each."""
        both = self._records.deterministic[self._left] & self._records.deterministic[self._right]
        self._exact = np.bincount(self._pair[~both], minlength=len(matched)) == 0

    def __len__(self) -> int:
        return len(self.counts)

    def outcomes(self, row: Integers, rows: int) -> list[Outcomes]:
        """How the pairs of records of each row ended, as ((reference's status, candidate's status), number)."""
        found: list[Counter[tuple[str, str]]] = [Counter() for _ in range(rows)]
        mine = row[self._pair]
        status = self._records.status
        for place, a, b in zip(mine.tolist(), status[self._left].tolist(), status[self._right].tolist(), strict=True):
            if place >= 0:
                found[place][STATUSES[a], STATUSES[b]] += 1
        return [tuple(sorted(counted.items())) for counted in found]

    def effects(self, quantity: Quantity, row: Integers, rows: int) -> list[Effect]:
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
        chosen = np.where(row >= 0, row, 0)
        tests = combine(each, chosen, rows)
        found = estimates(each, chosen, rows)
        counts = (np.bincount(of_record[use], minlength=rows).tolist(), lost, won)
        # a pair of cells in which only one number is infinite has no mean to claim anything from
        broken = np.bincount(self._pair[mine & (np.isinf(a) != np.isinf(b))], minlength=len(self)) > 0
        there = (each.count > 0) | (broken & (row >= 0))
        claims, tasks = over_tasks(np.where(broken, np.inf, each.mean)[there], chosen[there], rows)
        return _effects(quantity.name, tests, found, counts, claims, tasks.tolist())


def _effects(
    name: str, tests: Tests, found: Estimates, counts: tuple[list[int], ...], claims: Tests, tasks: list[int]
) -> list[Effect]:
    p_values = [None if p != p or not n else p for p, n in zip(tests.p_value.tolist(), counts[0], strict=True)]
    errors = np.where(found.known, np.sqrt(found.variance), np.nan).tolist()
    general = [None if i is None or i.low is None else i for i in claims.intervals()]
    columns = (
        tests.intervals(),
        p_values,
        holm(p_values),
        *counts,
        [None if error != error else error for error in errors],
        found.freedom.tolist(),
        tasks,
        general,
        holm([None if p != p else p for p in claims.p_value.tolist()]),
    )
    return [Effect(name, *column) for column in zip(*columns, strict=True)]


def _logs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms by the C library, one by one: the last digit does not depend on how many there are."""
    return np.array([math.log(value) for value in values.tolist()], dtype=np.float64)


def _joined(cells: Cells, matched: Integers) -> tuple[Integers, Integers, Integers]:
    """Places of records in pairs, left and right, and the number of the pair of cells each belongs to.

    Records are joined by seed. The only record of a cell without training randomness stands for every seed of the
    other.
    """
    codes = np.unique(cells.records.seed, return_inverse=True)[1].reshape(-1)
    seeds = int(codes.max()) + 1 if codes.size else 1
    order = cells.records.cell * seeds + codes  # ascending: records stand in order of cell and seed
    single = cells.exact & (cells.finished == 1)
    first = _first_ok(cells)
    base, other = matched[:, 0], matched[:, 1]
    turned = single[base] & ~single[other]  # those of the other are gone through, the base's stands for each
    leading = np.where(turned, other, base)
    sizes = np.diff(cells.starts)[leading]
    pair = np.repeat(np.arange(len(matched)), sizes)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    lead = cells.starts[leading][pair] + within
    follows = np.where(turned, base, other)[pair]
    wanted = follows * seeds + codes[lead]
    found = np.minimum(np.searchsorted(order, wanted), max(len(order) - 1, 0))
    stands = (turned | (single[other] & ~single[base]))[pair]
    partner = np.where(stands, first[follows], found)
    use = stands | (order[found] == wanted) if len(order) else stands
    lead, partner, pair, turned = lead[use], partner[use], pair[use], turned[pair[use]]
    return np.where(turned, partner, lead), np.where(turned, lead, partner), pair


def _first_ok(cells: Cells) -> Integers:
    """(cells,) the place of each cell's first finished record; -1 where it has none."""
    places = np.flatnonzero(cells.ok)[::-1]
    first = np.full(len(cells), -1)
    first[cells.records.cell[places]] = places
    return first


def part(key: CellKey, by: By) -> str:
    """What of a cell is compared: the norm, or the architecture."""
    return key.norm if by == "norm" else key.architecture


def matched_cells(cells: Cells, by: By, reference: str) -> Integers:
    """(pairs, 2) places of cells, reference and candidate, that share everything but what is compared."""
    newest = cells.newest.tolist()
    referring = [i for i, key in enumerate(cells.keys) if part(key, by) == reference]
    rest = [_rest(key, by) for key in cells.keys]
    bases = {rest[i]: i for i in sorted(referring, key=lambda i: newest[i])}  # of changed code the newest
    found = [(bases[rest[i]], i) for i, key in enumerate(cells.keys) if part(key, by) != reference and rest[i] in bases]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _rest(key: CellKey, by: By) -> tuple[object, ...]:
    if by == "norm":
        return Edition.of(key), key.architecture, key.source_hash, mark_of(key)
    return Edition.of(key), key.norm, key.norm_hash, mark_of(key)
