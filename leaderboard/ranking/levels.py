"""The numbers themselves behind a comparison: how large errors are near and far, and how outputs grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.core.registry import natural
from leaderboard.ranking.pairs import By, part
from leaderboard.ranking.tally import Measured, shown_verdicts
from leaderboard.records.arrays import Integers
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import FAR_ERROR, ID_ERROR
from leaderboard.records.record import STATUSES, Truth

Names = tuple[str, str, str, str]


@dataclass(frozen=True)
class Level:
    """One scheme (or architecture) over the tasks of one kind of truth on which it is compared.

    Attributes:
        fixed, name: what it shares with the reference, and what is compared.
        source_hash, norm_hash: of its code and that of its norm's kinds.
        is_reference: it is what the others are compared with.
        tasks: their names, in natural order.
        seeds: least and greatest number of finished records over the tasks.
        id_error, far_error: geometric means with intervals over seeds.
        verdict, grade: how it grows, and what that rests on.
        counts: records of each status.
    """

    truth: Truth
    fixed: str
    name: str
    source_hash: str
    norm_hash: str
    is_reference: bool
    tasks: tuple[str, ...]
    seeds: tuple[int, int]
    id_error: Interval | None
    far_error: Interval | None
    verdict: str
    grade: str
    counts: tuple[tuple[str, int], ...]

    @property
    def names(self) -> Names:
        """What identifies it beside the truth."""
        return self.fixed, self.name, self.source_hash, self.norm_hash


def levels_of(measured: Measured, by: By, rows: Sequence[tuple[Truth, str, Integers]]) -> tuple[Level, ...]:
    """The levels of candidates, each in its own row, and of the references that they were compared with.

    Args:
        measured: cells of one protocol.
        by: what is compared.
        rows: a candidate each: kind of truth, what it shares with the reference, and its (pairs, 2) places of cells.
    """
    groups: dict[tuple[Truth, str, bool, tuple[str, str, str]], set[int]] = {}
    keys = measured.cells.keys
    for truth, fixed, matched in rows:
        for side, cells in enumerate(matched.T.tolist()):
            for cell in cells:
                key = keys[cell]
                names = (part(key, by), key.source_hash, key.norm_hash)
                groups.setdefault((truth, fixed, not side, names), set()).add(cell)
    if not groups:
        return ()
    cell = np.array([place for group in groups.values() for place in sorted(group)], dtype=np.int64)
    row = np.full(len(keys), -1)
    row[cell] = np.repeat(np.arange(len(groups)), [len(group) for group in groups.values()])
    tally = measured.tally(row, len(groups))
    far, near = (tally.intervals[quantity.name].intervals() for quantity in (FAR_ERROR, ID_ERROR))
    verdicts = shown_verdicts(tally)
    return tuple(
        Level(
            truth,
            fixed,
            *names,
            is_reference,
            tuple(sorted({keys[place].task for place in group}, key=natural)),
            (int(tally.least_seeds[place]), int(tally.most_seeds[place])),
            near[place],
            far[place],
            *verdicts[place],
            tuple(zip(STATUSES, tally.counts[place].tolist(), strict=True)),
        )
        for place, ((truth, fixed, is_reference, names), group) in enumerate(groups.items())
    )
