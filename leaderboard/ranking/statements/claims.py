"""What standings say of tasks like these: a ratio to no normalization, and who is not told from the first row.

Both rest on the means of each task, so that their intervals hold the choice of tasks; seeds alone say nothing of other
tasks, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leaderboard.ranking.cells import Method
from leaderboard.ranking.pairs import Pairs, matched_cells
from leaderboard.ranking.statistics import holm, over_tasks
from leaderboard.ranking.tally import Measured
from leaderboard.records.arrays import Integers
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import FAR_ERROR

Told = Literal["first", "no", "yes", "no claim"]

REFERENCE = "none"
LEVEL = 0.05


@dataclass(frozen=True)
class Claim:
    """Of one row over all tasks.

    Attributes:
        ratio: its far error over the reference's: exp(d̄ ± t(0.975, T − 1) s_d / √T) over the T task means d of the
            paired differences of logarithms; ``None`` for no claim.
        tasks: T; ``None`` without a reference.
        told: it is told from the first row, by the t-test over tasks with Holm's correction; "no" puts it in the first
            row's group. "no claim" below six tasks that both have, and where an error is not finite.
    """

    ratio: Interval | None
    tasks: int | None
    told: Told


def claims_of(measured: Measured, row: Integers, first: Method, methods: Sequence[Method]) -> dict[Method, Claim]:
    """The claims of every row.

    Args:
        measured: cells of one protocol.
        row: (cells,) which row each belongs to; -1 for none.
        first: the method in the first row.
        methods: of the rows.
    """
    ratios = _ratios(measured, row, len(methods))
    told = _told(measured, row, methods.index(first), len(methods))
    return {method: Claim(*ratio, answer) for method, ratio, answer in zip(methods, ratios, told, strict=True)}


def _ratios(measured: Measured, row: Integers, rows: int) -> list[tuple[Interval | None, int | None]]:
    cells = measured.cells
    matched = matched_cells(cells, "norm", REFERENCE)
    matched = matched[row[matched[:, 1]] >= 0]
    if not len(matched):
        return [(None, None)] * rows
    effects = Pairs(cells, matched).effects(FAR_ERROR, row[matched[:, 1]], rows)
    there = np.bincount(row[matched[:, 1]], minlength=rows) > 0
    return [(e.general, e.tasks) if some else (None, None) for e, some in zip(effects, there.tolist(), strict=True)]


def _told(measured: Measured, row: Integers, first: int, rows: int) -> list[Told]:
    """Each row against the first, over the tasks that both have."""
    cells, every = measured.cells, measured.moments[FAR_ERROR.name]
    mean = np.full(len(cells.editions), np.nan)
    leading = (row == first) & (every.count > 0)
    mean[cells.edition[leading]] = every.mean[leading]
    use = (row >= 0) & (row != first) & (every.count > 0) & ~np.isnan(mean[cells.edition])
    with np.errstate(invalid="ignore"):
        difference = (every.mean - mean[cells.edition])[use]
    tests, _ = over_tasks(np.where(np.isnan(difference), np.inf, difference), row[use], rows)
    corrected = holm([None if p != p else p for p in tests.p_value.tolist()])
    return [
        "first" if place == first else "no claim" if p is None else "yes" if p < LEVEL else "no"
        for place, p in enumerate(corrected)
    ]
