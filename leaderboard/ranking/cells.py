"""Summaries put together by cell, as they may be compared: never across protocols, task versions, data or code.

The seeds of a cell have other data each (seed k draw k of its task), and other data hashes, which begin alike. Where
the same draw was measured with two data hashes (the way to draw it changed, and its data at draw 0 did not), the newer
one counts, for every method: records of the older one stand in cells and editions of their own. So two records of one
edition and seed were always measured on the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bench.core.grammar import is_own
from bench.core.registry import natural
from leaderboard.records.arrays import Booleans, Integers
from leaderboard.records.marked import mark_of
from leaderboard.records.record import STATUSES, CellKey, FarKind, Truth
from leaderboard.records.summary import Summaries

OK = STATUSES.index("ok")


@dataclass(frozen=True)
class Edition:
    """A task as it was measured: another version or other data is another edition.

    ``data_hash`` is what the data hashes of all its draws begin with; of a superseded draw, the whole.
    """

    task: str
    version: str
    data_hash: str

    @classmethod
    def of(cls, key: CellKey) -> Edition:
        """The edition that a cell belongs to."""
        return cls(key.task, key.task_version, key.edition)


@dataclass(frozen=True)
class Method:
    """What is ranked: an architecture with a norm scheme, each with its source code.

    ``mark`` says whose it is where several may have measured the same (:mod:`leaderboard.records.marked`).
    """

    architecture: str
    norm: str
    source_hash: str
    norm_hash: str = ""
    mark: str = ""

    @classmethod
    def of(cls, key: CellKey) -> Method:
        """The method that a cell belongs to."""
        return cls(key.architecture, key.norm, key.source_hash, key.norm_hash, mark_of(key))

    @property
    def title(self) -> str:
        """The architecture, and its mark."""
        return f"{self.architecture} ({self.mark})" if self.mark else self.architecture

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key: natural order of the names."""
        return natural(self.architecture), natural(self.norm), self.source_hash, self.norm_hash, self.mark


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one protocol, in natural order of task and method.

    Args:
        records: in order of cell and seed; ``records.cell`` counts the cells here.
        editions: in order of the cells.
        methods: in natural order.
        edition, method: (cells,) places in these.
        truth: (cells,) how the true target behaves far away.
        far_kind: (cells,) how far rows are far; ``None`` where no record says it.
        exact: (cells,) no training randomness in any finished record.
        finished: (cells,) how many records are ok.
    """

    records: Summaries
    editions: tuple[Edition, ...]
    methods: tuple[Method, ...]
    edition: Integers
    method: Integers
    truth: tuple[Truth, ...]
    far_kind: tuple[FarKind | None, ...]
    exact: Booleans
    finished: Integers

    def __len__(self) -> int:
        return len(self.edition)

    @property
    def ok(self) -> Booleans:
        """(records,) which are finished."""
        return np.equal(self.records.status, OK)

    @property
    def keys(self) -> tuple[CellKey, ...]:
        """(cells,) in order."""
        return self.records.cells

    @cached_property
    def starts(self) -> Integers:
        """(cells + 1,) where the records of each cell begin, and the number of records."""
        return np.searchsorted(self.records.cell, np.arange(len(self) + 1))

    @cached_property
    def newest(self) -> Integers:
        """(cells,) how new the newest record of each is, as a rank."""
        stamps = {stamp: rank for rank, stamp in enumerate(sorted(set(self.records.created)))}
        found = np.full(len(self), -1)
        np.maximum.at(found, self.records.cell, np.array([stamps[c] for c in self.records.created], dtype=np.int64))
        return found

    def current_editions(self) -> Integers:
        """For each task, in natural order, the edition whose newest record is the newest: it enters totals."""
        newest = np.full(len(self.editions), -1)
        np.maximum.at(newest, self.edition, self.newest)
        chosen: dict[str, int] = {}
        for place, edition in enumerate(self.editions):
            before = chosen.setdefault(edition.task, place)
            if newest[place] > newest[before]:
                chosen[edition.task] = place
        return np.array([chosen[task] for task in sorted(chosen, key=natural)], dtype=np.int64)

    def total_editions(self, own_tables: bool = False) -> Integers:
        """Those of :meth:`current_editions` that totals go over.

        A user's own tables are no part of anybody else's totals: they count only with ``own_tables``, or where there is
        nothing else.
        """
        current = self.current_editions()
        own = np.array([is_own(self.editions[place].task) for place in current.tolist()], dtype=bool)
        return current if own_tables or own.all() else current[~own]


def cells_by_protocol(summaries: Summaries) -> dict[str, Cells]:
    """The cells of each protocol; they are never ranked together.

    Raises:
        ValueError: a key occurs twice, or the records of a cell disagree about the truth.
    """
    if not len(summaries):
        return {}
    protocols = np.array([key.protocol for key in summaries.cells], dtype=np.str_)
    mine = protocols[summaries.cell]
    names = np.unique(mine).tolist()
    if len(names) == 1:
        return {names[0]: _cells(summaries)}
    return {p: _cells(summaries.take(np.flatnonzero(mine == p))) for p in names}


def _without_superseded(summaries: Summaries) -> Summaries:
    """``summaries`` with the records of superseded draws in cells of their own."""
    numbers: dict[object, int] = {}
    hashes: dict[str, int] = {}
    edition = np.array([numbers.setdefault(Edition.of(key), len(numbers)) for key in summaries.cells], dtype=np.int64)
    found = np.array([hashes.setdefault(name, len(hashes)) for name in summaries.data_hash], dtype=np.int64)
    seed = np.unique(summaries.seed, return_inverse=True)[1].reshape(-1)
    draw = edition[summaries.cell] * (len(seed) + 1) + seed
    order = np.lexsort((found, draw))
    again = np.diff(draw[order], prepend=-1) == 0
    if not (again & (np.diff(found[order], prepend=-1) != 0)).any():
        return summaries
    newest: dict[int, tuple[str, int]] = {}
    for mine in zip(draw.tolist(), summaries.created, found.tolist(), strict=True):
        newest[mine[0]] = max(newest.get(mine[0], mine[1:]), mine[1:])
    cells = {key: place for place, key in enumerate(summaries.cells)}
    cell = summaries.cell.copy()
    for place, (one, data) in enumerate(zip(draw.tolist(), found.tolist(), strict=True)):
        if data != newest[one][1]:
            key = replace(summaries.cells[cell[place]], edition=summaries.data_hash[place])
            cell[place] = cells.setdefault(key, len(cells))
    return replace(summaries, cells=tuple(cells), cell=cell)


def _cells(summaries: Summaries) -> Cells:
    summaries = _without_superseded(summaries)
    occurring, place = np.unique(summaries.cell, return_inverse=True)
    keys = [summaries.cells[i] for i in occurring.tolist()]
    order = _order(keys)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    keys = [keys[i] for i in order.tolist()]
    cell = rank[place]
    sort = np.lexsort((summaries.seed, cell))
    records = replace(summaries.take(sort), cells=tuple(keys), cell=cell[sort])
    editions: dict[Edition, int] = {}
    edition = [editions.setdefault(Edition.of(key), len(editions)) for key in keys]
    found = [Method.of(key) for key in keys]
    methods = {m: place for place, m in enumerate(sorted(set(found), key=lambda m: m.order))}
    return Cells(
        records=records,
        editions=tuple(editions),
        methods=tuple(methods),
        edition=np.array(edition, dtype=np.int64),
        method=np.array([methods[m] for m in found], dtype=np.int64),
        truth=_truths(records),
        far_kind=_far_kinds(records, len(keys)),
        exact=np.bincount(records.cell[(records.status == OK) & ~records.deterministic], minlength=len(keys)) == 0,
        finished=np.bincount(records.cell[records.status == OK], minlength=len(keys)),
    )


def _order(keys: Sequence[CellKey]) -> Integers:
    """Places of ``keys`` in order of task, version, architecture, norm, their sources, data and marks."""
    columns = [
        _ranks(mark_of(key) for key in keys),
        _ranks(key.edition for key in keys),
        _ranks(key.norm_hash for key in keys),
        _ranks(key.source_hash for key in keys),
        _ranks(key.norm for key in keys),
        _ranks(key.architecture for key in keys),
        _ranks(key.task_version for key in keys),
        _ranks(key.task for key in keys),
    ]
    return np.lexsort(columns)


def _ranks(names: Iterable[str]) -> Integers:
    """The place of each name in natural order."""
    every = list(names)
    ranks = {name: rank for rank, name in enumerate(sorted(set(every), key=lambda name: (natural(name), name)))}
    return np.array([ranks[name] for name in every], dtype=np.int64)


def _far_kinds(records: Summaries, cells: int) -> tuple[FarKind | None, ...]:
    """Of each cell, as its first record that says it: those that never saw the data do not."""
    found: list[FarKind | None] = [None] * cells
    for cell, kind in zip(records.cell.tolist(), records.far_kind, strict=True):
        if found[cell] is None:
            found[cell] = kind
    return tuple(found)


def _truths(records: Summaries) -> tuple[Truth, ...]:
    """The truth of each cell; checks that records agree and that none is there twice."""
    first = np.flatnonzero(np.diff(records.cell, prepend=-1))
    again = np.flatnonzero((np.diff(records.cell) == 0) & (np.diff(records.seed) == 0))
    if again.size:
        raise ValueError(f"a seed of {records.cells[records.cell[again[0]]]} is given twice")
    odd = np.flatnonzero(records.truth != records.truth[first][records.cell])
    if odd.size:
        raise ValueError(f"the records of {records.cells[records.cell[odd[0]]]} disagree about the truth")
    return tuple(records.truth[first].tolist())
