"""What a board says of how its tasks are far: by distance, by length, by shift, and what share lies beyond R."""

from __future__ import annotations

from textwrap import shorten
from typing import get_args

import numpy as np

from bench.core.grammar import title_of
from leaderboard.ranking.cells import Cells
from leaderboard.records.arrays import Integers
from leaderboard.records.quantities import BEYOND
from leaderboard.records.record import FarKind


def far_kinds(cells: Cells, editions: Integers) -> list[str]:
    """One line, where several tasks are on the board and their records say it.

    Args:
        cells: of one protocol.
        editions: places of the tasks that totals go over.
    """
    if len(editions) < 2:
        return []
    shares = _shares(cells)
    parts = []
    for kind in get_args(FarKind):
        mine = [e for e in editions.tolist() if _kind(cells, e) == kind]
        if mine:
            titles = ", ".join(f"{title_of(cells.editions[e].task)} {shares[e]:.0%}" for e in mine)
            parts.append(f"by {kind}: {shorten(titles, 300, placeholder=' …')}")
    return [f"how far rows are far, with their share beyond R: {'; '.join(parts)}"] if parts else []


def _kind(cells: Cells, edition: int) -> FarKind | None:
    places = np.flatnonzero(cells.edition == edition).tolist()
    return next((cells.far_kind[place] for place in places if cells.far_kind[place]), None)


def _shares(cells: Cells) -> list[float]:
    """(editions,) the median over records of the share of far rows beyond R; NaN where none was measured."""
    values = cells.records.number(BEYOND)
    edition = cells.edition[cells.records.cell]
    known = ~np.isnan(values)
    return [
        float(np.median(values[mine])) if (mine := known & (edition == e)).any() else float("nan")
        for e in range(len(cells.editions))
    ]
