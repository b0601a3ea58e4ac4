"""Records put together as they may be compared: never across protocols, task versions, data or source code."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.core.registry import natural
from leaderboard.records.metrics import GROWTH_FLOOR, clip_error
from leaderboard.records.record import CellKey, Record, Truth
from leaderboard.records.summary import measured_id_error


@dataclass(frozen=True)
class Edition:
    """A task as it was measured: another version or other data is another edition."""

    task: str
    version: str
    data_hash: str

    @classmethod
    def of(cls, key: CellKey) -> Edition:
        """The edition that a cell belongs to."""
        return cls(key.task, key.task_version, key.data_hash)


@dataclass(frozen=True)
class Method:
    """What is ranked: an architecture (its source code too) with a norm scheme."""

    architecture: str
    norm: str
    source_hash: str

    @classmethod
    def of(cls, key: CellKey) -> Method:
        """The method that a cell belongs to."""
        return cls(key.architecture, key.norm, key.source_hash)

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key: natural order of the names."""
        return natural(self.architecture), natural(self.norm), self.source_hash


@dataclass(frozen=True)
class CellRecords:
    """The records of one cell, ordered by seed."""

    key: CellKey
    records: tuple[Record, ...]

    @property
    def edition(self) -> Edition:
        """Which task."""
        return Edition.of(self.key)

    @property
    def method(self) -> Method:
        """Which method."""
        return Method.of(self.key)

    @property
    def truth(self) -> Truth:
        """How the true target behaves far away."""
        return self.records[0].truth

    @property
    def ok(self) -> tuple[Record, ...]:
        """The records that finished."""
        return tuple(r for r in self.records if r.status == "ok")

    @property
    def exact(self) -> bool:
        """No training randomness in any of them."""
        return all(r.deterministic for r in self.ok)


Quantity = Callable[[Record], float | None]
"""A number of a finished record, ready for its statistics; infinite where growth is, ``None`` where not measured."""


def id_error_of(record: Record) -> float | None:
    """id_error clipped to [1e-3, 1e3] like every error of which a logarithm is taken; infinite if not finite."""
    error = measured_id_error(record)
    return error if error is None or error == math.inf else clip_error(error)


def max_growth_of(record: Record) -> float | None:
    """Max growth, floored at 1e-6."""
    growth = record.max_growth
    return None if growth is None else max(growth, GROWTH_FLOOR)


def group_cells(records: Iterable[Record]) -> list[CellRecords]:
    """Cells in natural order of protocol, task, architecture and norm.

    Raises:
        ValueError: a key occurs twice, or the records of a cell disagree about the truth.
    """
    by_cell: dict[CellKey, list[Record]] = defaultdict(list)
    for record in records:
        by_cell[record.key.cell].append(record)
    cells = []
    for key, members in by_cell.items():
        members.sort(key=lambda r: r.key.seed)
        if len({r.key.seed for r in members}) < len(members):
            raise ValueError(f"a seed of {key} is given twice")
        if len({r.truth for r in members}) > 1:
            raise ValueError(f"the records of {key} disagree about the truth")
        cells.append(CellRecords(key, tuple(members)))
    return sorted(cells, key=lambda c: (c.key.protocol, natural(c.key.task), c.edition.version, c.method.order))


def by_protocol(cells: Sequence[CellRecords]) -> dict[str, list[CellRecords]]:
    """Cells of each protocol; they are never ranked together."""
    groups: dict[str, list[CellRecords]] = defaultdict(list)
    for cell in cells:
        groups[cell.key.protocol].append(cell)
    return dict(groups)


def current_editions(cells: Sequence[CellRecords]) -> dict[str, Edition]:
    """For each task the edition whose newest record is the newest: the one that enters totals over tasks."""
    newest: dict[str, tuple[str, Edition]] = {}
    for cell in cells:
        stamp = max(r.created for r in cell.records), cell.edition
        if cell.key.task not in newest or stamp[0] > newest[cell.key.task][0]:
            newest[cell.key.task] = stamp
    return {task: edition for task, (_, edition) in sorted(newest.items(), key=lambda item: natural(item[0]))}
