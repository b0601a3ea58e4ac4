"""The columns of a record, from its summary: for lists, CSV, data frames and Weights & Biases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from leaderboard.records.quantities import OF_RECORDS
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import CELL_PARTS, STATUSES, CellKey, SetResult
from leaderboard.records.summary import Summaries

Plain = str | int | float | bool | None

KEY_COLUMNS = ("id", *("data_hash" if part == "edition" else part for part in CELL_PARTS), "seed")
_BEFORE = ("truth", "far_kind", "deterministic")
_AFTER = ("program", "origin", "created", "reason_code", "reason")
WORDS = (*KEY_COLUMNS, "status", "truth", "far_kind", *_AFTER)
NUMBER_COLUMNS = tuple(q.name for q in OF_RECORDS)
COLUMNS = (*KEY_COLUMNS, "status", *_BEFORE, *NUMBER_COLUMNS, *_AFTER)
_MEASURES = ("name", "role", "rows", "relative_error", "rmse", "mae", "r2", "nonfinite")
SET_COLUMNS = (*_MEASURES, "distance_05", "distance_50", "distance_95", "beyond")
_PLACES = {quantity.name: place for place, quantity in enumerate(OF_RECORDS)}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What a record's summary says.

    Attributes:
        digest: of the key: the record's id.
        cell, seed: of the record.
        data_hash: of the seed's draw.
        status: of the record.
        facts: other words of the record, by column.
        numbers: a value for each of ``OF_RECORDS``; infinite where an output was not finite, ``None`` where nothing
            was measured.
    """

    digest: str
    cell: CellKey
    data_hash: str
    seed: int
    status: str
    facts: dict[str, Plain]
    numbers: tuple[float | int | bool | None, ...]

    def number(self, quantity: Quantity) -> float | int | bool | None:
        """The value of one quantity."""
        return self.numbers[_PLACES[quantity.name]]

    def key_values(self) -> tuple[Plain, ...]:
        """A value for each of ``KEY_COLUMNS``."""
        parts = (self.data_hash if part == "edition" else getattr(self.cell, part) for part in CELL_PARTS)
        return (self.digest, *parts, self.seed)

    def values(self) -> dict[str, Plain]:
        """Everything, by the names in ``COLUMNS``."""
        before, after = ([self.facts[name] for name in names] for names in (_BEFORE, _AFTER))
        every = (*self.key_values(), self.status, *before, *self.numbers, *after)
        return dict(zip(COLUMNS, every, strict=True))


def record_rows(summaries: Summaries) -> Iterator[RecordRow]:
    """A row for each record, in order."""
    kinds = [quantity.kind for quantity in OF_RECORDS]
    names = (*_BEFORE, *_AFTER)
    columns = [column.tolist() if hasattr(column := getattr(summaries, name), "tolist") else column for name in names]
    status, seed = summaries.status.tolist(), summaries.seed.tolist()
    for place, cell in enumerate(summaries.cell.tolist()):
        yield RecordRow(
            summaries.digest[place],
            summaries.cells[cell],
            summaries.data_hash[place],
            seed[place],
            STATUSES[status[place]],
            {name: column[place] for name, column in zip(names, columns, strict=True)},
            tuple(_plain(n, kind) for n, kind in zip(summaries.numbers[place].tolist(), kinds, strict=True)),
        )


def _plain(number: float, kind: str) -> float | int | bool | None:
    if math.isnan(number):
        return None
    if kind == "real" or math.isinf(number):
        return number
    return bool(number) if kind == "flag" else int(number)


def set_values(one: SetResult) -> list[Any]:
    """A value for each of ``SET_COLUMNS``."""
    return [*(getattr(one, name) for name in _MEASURES), *(one.distance or (None, None, None)), one.beyond]
