"""Standings: who answers how well near and far, on every task and over all of them.

In the order of the numbers of ``RANKED``: far error, then id error, then max growth. A method that lacks tasks stands
after those that lack fewer; one with a diverged, failed, timed-out or non-finite record after those; one without any
result is last. None is left out. Totals over tasks are geometric means (of errors and growth) that weigh every task the
same.

Two statements are made and never mixed. On *these tasks*: the places that seeds leave open (``rank_range``). For *tasks
like these*, from six tasks on: the ratio to the same architecture without normalization (``general``), and who is not
told from the first row (``told``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.grammar import title_of
from leaderboard.ranking.cells import Cells, Edition, Method, cells_by_protocol
from leaderboard.ranking.far_kinds import far_kinds
from leaderboard.ranking.statements.claims import Told, claims_of
from leaderboard.ranking.statements.places import displacements, lines
from leaderboard.ranking.statements.rank_ranges import rank_ranges
from leaderboard.ranking.tally import Measured, Tally
from leaderboard.ranking.verdicts import Verdict, difference_note, row_verdicts
from leaderboard.records.arrays import Integers
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import (
    EXPONENT,
    FAR_ERROR,
    FAR_SATURATED,
    ID_ERROR,
    LOCAL_EXPONENT,
    MEANS,
    RANGES,
    RANKED,
    SUMS,
)
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import STATUSES, CellKey, FarKind, Record, Status, Truth
from leaderboard.records.store.stored_records import summarized
from leaderboard.records.summary import Summaries

ALL_TASKS = "all tasks"
_TROUBLES = [place for place, status in enumerate(STATUSES) if status not in ("ok", "unsupported")]


_PLACES = {
    quantity.name: (kind, place)
    for kind, several in (("means", MEANS), ("ranges", RANGES), ("sums", SUMS))
    for place, quantity in enumerate(several)
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A row: one method on one task, or over all tasks of the board (then ``edition`` is ``None``).

    Attributes:
        rank: in the order of the board, 1 first; rows with equal numbers share a rank.
        rank_range: the places it can hold on these tasks (:mod:`leaderboard.ranking.statements.rank_ranges`); ``None``
            where there are too many rows to tell.
        means: of each of ``MEANS`` in order, with intervals over seeds: geometric on a logarithmic scale.
        ranges: of each of ``RANGES`` in order, the least and the greatest.
        sums: of each of ``SUMS`` in order, over all records.
        said: the verdict on its cells.
        counts: records of each status. ``nonfinite``: ok records with an output that was not finite.
        seeds: least and greatest number of ok seeds over the tasks.
        missing: tasks of the board without any ok record.
        reasons: why records are not ok, each once.
        general: far error over that of the same architecture with norm ``none``, for tasks like these; ``None`` for
            no claim.
        general_tasks: how many tasks that rests on, or would; ``None`` where there is no such reference.
        told: whether a row over all tasks is told from the first, for tasks like these.

    Each quantity is an attribute too: ``row.far_error`` is its mean with the interval.
    """

    protocol: str
    method: Method
    edition: Edition | None
    truth: Truth | None
    far_kind: FarKind | None
    rank: int
    means: tuple[Interval | None, ...]
    ranges: tuple[tuple[int, int] | None, ...]
    sums: tuple[float | None, ...]
    said: Verdict
    counts: tuple[tuple[Status, int], ...]
    nonfinite: int
    seeds: tuple[int, int]
    missing: tuple[str, ...]
    reasons: tuple[str, ...]
    rank_range: tuple[int, int] | None = None
    general: Interval | None = None
    general_tasks: int | None = None
    told: Told = "no claim"

    def mean(self, quantity: Quantity) -> Interval | None:
        """The mean of one of ``MEANS``."""
        return self.means[_PLACES[quantity.name][1]]

    def __getattr__(self, name: str) -> Any:
        """A quantity by its name."""
        place = _PLACES.get(name)
        if place is None:
            raise AttributeError(f"a row of standings has no {name!r}")
        return getattr(self, place[0])[place[1]]

    @property
    def task(self) -> str:
        """The task's name, or "all tasks"."""
        return self.edition.task if self.edition else ALL_TASKS

    @property
    def verdict(self) -> str:
        """The verdict's word; over tasks their common one, "unbounded" or "mixed"."""
        return self.said.word

    @property
    def grade(self) -> str | None:
        """What "bounded" rests on: proved, searched, along rays, growth found; the weakest over tasks."""
        return self.said.grade

    @property
    def unbounded(self) -> bool:
        """Growth of some seed goes on: the maximum over the ladder is only where probing ended."""
        return self.said.unbounded

    @property
    def trouble(self) -> int:
        """Records that are neither finite nor merely unsupported."""
        return self.nonfinite + sum(n for status, n in self.counts if status not in ("ok", "unsupported"))


@dataclass(frozen=True)
class Board:
    """The standings of one protocol.

    Attributes:
        protocol: which.
        editions: the tasks that totals go over, as they were measured.
        apart: a user's own tables, where they stand beside those and totals leave them out.
        overall: a row a method, over all of ``editions``.
        per_task: a row a method for each edition, older ones too, each task ranked for itself.
        notes: what a reader must know, one line each.
        track: of a suite, whose tasks these are; "" for none.
    """

    protocol: str
    editions: tuple[Edition, ...]
    apart: tuple[Edition, ...]
    overall: tuple[Standing, ...]
    per_task: tuple[Standing, ...]
    notes: tuple[str, ...]
    track: str = ""


def standings(records: Iterable[Record] | Summaries, own_tables: bool = False) -> list[Board]:
    """A board for each protocol among ``records``.

    Args:
        records: any. Of those in a store (``StoredRecords``) only the summaries are looked at.
        own_tables: a user's own tables enter totals beside other tasks.

    Raises:
        ValueError: a key occurs twice, or the records of a cell disagree about the truth.
    """
    summaries = records if isinstance(records, Summaries) else summarized(records).summaries
    return [_board(protocol, cells, own_tables) for protocol, cells in cells_by_protocol(summaries).items()]


def verdicts_by_cell(records: Iterable[Record] | Summaries) -> dict[CellKey, Verdict]:
    """The verdict on each cell; its word is "none" where no record is finished."""
    summaries = records if isinstance(records, Summaries) else summarized(records).summaries
    found: dict[CellKey, Verdict] = {}
    for cells in cells_by_protocol(summaries).values():
        each = row_verdicts(Measured(cells).verdicts, np.arange(len(cells)), len(cells), cells.finished > 0)
        found |= dict(zip(cells.keys, each, strict=True))
    return found


def _board(protocol: str, cells: Cells, own_tables: bool) -> Board:
    measured, current = Measured(cells), cells.total_editions(own_tables)
    apart = tuple(cells.editions[e] for e in cells.current_editions().tolist() if e not in current)
    missing = _missing(cells, current)
    if apart:  # what was tried on those alone has no place in totals of others
        alone = {edition.task for edition in apart}
        elsewhere = {Method.of(key) for key in cells.keys if key.task not in alone}
        missing = {method: tasks for method, tasks in missing.items() if method in elsewhere}
    names = [_Name(method, None, None, None, tasks) for method, tasks in missing.items()]
    rows = {name.method: place for place, name in enumerate(names)}
    row = np.array([rows.get(method, -1) for method in cells.methods], dtype=np.int64)
    totals = np.where(np.isin(cells.edition, current), row[cells.method], -1)
    overall = _rows(protocol, measured, totals, names)
    claims = claims_of(measured, totals, overall[0].method, [name.method for name in names]) if overall else {}
    overall = tuple(
        replace(row, general=claim.ratio, general_tasks=claim.tasks, told=claim.told)
        for row in overall
        for claim in (claims[row.method],)
    )
    names = [
        _Name(cells.methods[m], cells.editions[e], truth, far_kind, () if n else (cells.editions[e].task,))
        for m, e, truth, far_kind, n in zip(
            *_lists(cells.method, cells.edition), cells.truth, cells.far_kind, *_lists(cells.finished), strict=True
        )
    ]
    per_task = _rows(protocol, measured, np.arange(len(cells)), names, cells.edition)
    editions = tuple(cells.editions[e] for e in current.tolist())
    notes = (*far_kinds(cells, current), *_moved(measured, current, overall), *_notes(measured, current, overall))
    if apart:
        titles = ", ".join(title_of(edition.task) for edition in apart)
        notes = (f"not in totals: own tables ({shorten(titles, 200)}); --own-tables takes them in", *notes)
    return Board(protocol, editions, apart, overall, per_task, notes)


def _moved(measured: Measured, current: Integers, overall: Sequence[Standing]) -> list[str]:
    """The rows, of those that have all tasks and no trouble, that few tasks have moved."""
    cells = measured.cells
    sound = {row.method: place for place, row in enumerate(overall) if not row.missing and not row.trouble}
    row = np.array([sound.get(method, -1) for method in cells.methods], dtype=np.int64)[cells.method]
    column = {edition: place for place, edition in enumerate(current.tolist())}
    task = np.array([column.get(edition, -1) for edition in cells.edition.tolist()], dtype=np.int64)
    use = (row >= 0) & (task >= 0)
    tables = []
    for quantity in (FAR_ERROR, FAR_SATURATED):
        table = np.full((len(overall), len(current)), np.nan)
        table[row[use], task[use]] = measured.moments[quantity.name].mean[use]
        tables.append(table)
    kept = np.flatnonzero(np.isfinite(tables[0]).all(axis=1))
    methods = [overall[place].method for place in kept.tolist()]
    found = displacements(*(table[kept] for table in tables))
    tasks = [title_of(cells.editions[edition].task) for edition in current.tolist()]
    return lines(found, [f"{method.title} {method.norm}" for method in methods], tasks)


@dataclass(frozen=True)
class _Name:
    """What a row speaks of."""

    method: Method
    edition: Edition | None
    truth: Truth | None
    far_kind: FarKind | None
    missing: tuple[str, ...]


def _missing(cells: Cells, current: Integers) -> dict[Method, tuple[str, ...]]:
    """For each method the tasks, among the editions ``current``, of which it has no finished record."""
    done = cells.finished > 0
    there = set(zip(*_lists(cells.method[done], cells.edition[done]), strict=True))
    wanted = [(e, cells.editions[e].task) for e in current.tolist()]
    return {m: tuple(task for e, task in wanted if (i, e) not in there) for i, m in enumerate(cells.methods)}


def _rows(
    protocol: str, measured: Measured, row: Integers, names: Sequence[_Name], section: Integers | None = None
) -> tuple[Standing, ...]:
    """Rows in order of section and rank.

    Args:
        row: (cells,) the row of each; -1 for none.
        names: of the rows, in natural order within a section.
        section: (rows,) which are ranked together; by default all.
    """
    sections = np.zeros(len(names), dtype=np.int64) if section is None else section
    tally = measured.tally(row, len(names))
    merit = _merit(tally, names)
    order, rank = _ranked(merit, sections)
    tier = np.unique(merit[:, :2], axis=0, return_inverse=True)[1].reshape(-1)
    lacks: dict[tuple[str, ...], int] = {}
    kind = np.array([lacks.setdefault(name.missing, len(lacks)) for name in names], dtype=np.int64)
    ranges = rank_ranges(measured.estimates(FAR_ERROR, row, len(names)), tier, kind, sections)
    columns: dict[str, Sequence[Any]] = {
        "means": list(zip(*(tally.intervals[q.name].intervals() for q in MEANS), strict=True)),
        "ranges": list(zip(*(_ranges(tally.ranges[q.name]) for q in RANGES), strict=True)),
        "sums": list(zip(*([None if t != t else t for t in tally.sums[q.name].tolist()] for q in SUMS), strict=True)),
        "said": tally.verdicts,
        "counts": [tuple(zip(STATUSES, row, strict=True)) for row in tally.counts.tolist()],
        "nonfinite": tally.nonfinite.tolist(),
        "seeds": list(zip(*_lists(tally.least_seeds, tally.most_seeds), strict=True)),
        "reasons": tally.reasons,
        "rank_range": ranges,
    }
    return tuple(
        Standing(
            protocol=protocol,
            rank=rank,
            **vars(names[place]),
            **{name: column[place] for name, column in columns.items()},
        )
        for place, rank in zip(order.tolist(), rank.tolist(), strict=True)
    )


def _ranges(ends: NDArray[np.float64]) -> list[tuple[int, int] | None]:
    return [None if a != a else (int(a), int(b)) for a, b in ends.tolist()]


def _lists(*arrays: NDArray[Any]) -> list[list[Any]]:
    return [array.tolist() for array in arrays]


def _merit(tally: Tally, names: Sequence[_Name]) -> NDArray[np.float64]:
    """(rows, keys) Less is better: soundness, how many tasks are lacking, then the numbers.

    Soundness is 0, or 1 of what lacks tasks, 2 with records that diverged, failed or are not finite, 3 without result.
    """
    lacking = np.array([len(name.missing) for name in names])
    means = [tally.intervals[q.name].mean for q in RANKED]
    none = np.isnan(tally.intervals[ID_ERROR.name].mean)
    trouble = tally.nonfinite + tally.counts[:, _TROUBLES].sum(axis=1)
    soundness = np.select([none, trouble > 0, lacking > 0], [3, 2, 1], 0)
    return np.stack([soundness, lacking, *(np.where(np.isnan(m), np.inf, m) for m in means)], axis=1)


def _ranked(merit: NDArray[np.float64], section: Integers) -> tuple[Integers, Integers]:
    """Places of the rows in order of section and merit, and their ranks in the section; equal ones share a rank."""
    order = np.lexsort((*merit.T[::-1], section))
    merit, section = merit[order], section[order]
    place = np.arange(len(order))
    new = np.diff(section, prepend=-1) != 0
    differs = new | np.any(merit != np.roll(merit, 1, axis=0), axis=1)
    start = np.maximum.accumulate(np.where(new, place, 0))
    first = np.maximum.accumulate(np.where(differs, place, 0))
    return order, first - start + 1


def _notes(measured: Measured, current: Integers, overall: Sequence[Standing]) -> tuple[str, ...]:
    cells = measured.cells
    editions = Counter(edition.task for edition in cells.editions)
    notes = [
        f"{edition.task}: {editions[edition.task] - 1} older edition(s) (another version or other data) are ranked by"
        f" themselves and not in totals; totals use version {edition.version}, data {edition.data_hash[:8]}"
        for edition in (cells.editions[e] for e in current.tolist())
        if editions[edition.task] > 1
    ]
    sources = Counter((row.method.title, row.method.norm) for row in overall)
    if any(n > 1 for n in sources.values()):
        notes.append("rows with the same name and different source code are kept apart")
    if any(row.seeds[1] == 1 and _is_open(row.mean(EXPONENT)) for row in overall):
        notes.append("one seed gives no interval, and a verdict on itself alone: run more with --seeds")
    return (*notes, *_growing_otherwise(measured), *_reasons(cells.records))


def _growing_otherwise(measured: Measured) -> list[str]:
    """Where growth close by and far away differ."""
    names = [f"{key.architecture}, {key.norm}, {key.task}" for key in measured.cells.keys]
    local, far = (measured.moments[quantity.name].mean for quantity in (LOCAL_EXPONENT, EXPONENT))
    return difference_note(measured.cells, names, local, far)


def _is_open(interval: Interval | None) -> bool:
    return interval is not None and interval.low is None


def _reasons(records: Summaries, most: int = 4) -> list[str]:
    """Why records are not ok: the most frequent reasons, and how many there are besides."""
    told = zip(records.status.tolist(), records.reason, strict=True)
    counted = Counter((STATUSES[status], reason) for status, reason in told if reason)
    lines = [f"{n} {status}: {shorten(reason, 200)}" for (status, reason), n in counted.most_common(most)]
    left = len(counted) - len(lines)
    return [*lines, f"and {left} other reasons"] if left else lines
