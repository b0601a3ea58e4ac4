"""The columns of a record, from its summary: for lists, CSV, data frames and Weights & Biases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leaderboard.records.quantities import OF_RECORDS, Quantity
from leaderboard.records.record import CELL_PARTS, STATUSES, CellKey
from leaderboard.records.summary import Summaries

Plain = str | int | float | bool | None

KEY_COLUMNS = ("id", *CELL_PARTS, "seed")
FACT_COLUMNS = ("status", "truth", "deterministic")
LAST_COLUMNS = ("created", "reason")
COLUMNS = (*KEY_COLUMNS, *FACT_COLUMNS, *(q.name for q in OF_RECORDS), *LAST_COLUMNS)


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What a record's summary says.

    Attributes:
        digest: of the key: the record's id.
        cell, seed: the key.
        facts: values of ``FACT_COLUMNS``.
        numbers: a value for each of ``OF_RECORDS``; infinite where an output was not finite, ``None`` where nothing
            was measured.
        last: values of ``LAST_COLUMNS``.
    """

    digest: str
    cell: CellKey
    seed: int
    facts: tuple[Plain, ...]
    numbers: tuple[float | int | bool | None, ...]
    last: tuple[Plain, ...]

    def number(self, quantity: Quantity) -> float | int | bool | None:
        """The value of one quantity."""
        return self.numbers[OF_RECORDS.index(quantity)]

    def values(self) -> dict[str, Plain]:
        """All of ``COLUMNS``."""
        parts = (getattr(self.cell, name) for name in CELL_PARTS)
        return dict(zip(COLUMNS, (self.digest, *parts, self.seed, *self.facts, *self.numbers, *self.last), strict=True))


def record_rows(summaries: Summaries) -> Iterator[RecordRow]:
    """A row for each record, in order."""
    kinds = [q.kind for q in OF_RECORDS]
    for place, cell in enumerate(summaries.cell.tolist()):
        numbers = summaries.numbers[place].tolist()
        yield RecordRow(
            summaries.digest[place],
            summaries.cells[cell],
            int(summaries.seed[place]),
            (STATUSES[summaries.status[place]], str(summaries.truth[place]), bool(summaries.deterministic[place])),
            tuple(_plain(number, kind) for number, kind in zip(numbers, kinds, strict=True)),
            (summaries.created[place], summaries.reason[place]),
        )


def _plain(number: float, kind: str) -> float | int | bool | None:
    if np.isnan(number):
        return None
    if kind == "real" or np.isinf(number):
        return number
    return bool(number) if kind == "flag" else int(number)
