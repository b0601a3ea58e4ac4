"""Standings: who answers how well near and far, on every task and over all of them.

Ranked by far_error, then id_error, then max growth. A method that lacks tasks ranks after those that lack fewer; one
with a diverged, failed, timed-out or non-finite record ranks after those; one without any result is last. None is left
out. Totals over tasks are geometric means (of errors and growth) that weigh every task the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import shorten

from leaderboard.grouping import (
    CellRecords,
    Edition,
    Method,
    Quantity,
    by_protocol,
    current_editions,
    exponent_of,
    far_error_of,
    group_cells,
    growth_at,
    id_error_of,
    max_growth_of,
)
from leaderboard.record import STATUSES, Record, Status, Truth
from leaderboard.statistics import UNBOUNDED, Interval, Sample, stratified_log_interval, stratified_test, verdict

ALL_TASKS = "all tasks"
MIXED = "mixed"


@dataclass(frozen=True)
class Standing:
    """A row: one method on one task, or over all tasks of the board (then ``edition`` is ``None``).

    Attributes:
        rank: 1 is best; rows with equal numbers share a rank.
        far_error, far_error_bounded, far_error_growing: over all far sets, and apart by what the truth does far away.
        id_error, max_growth, growth_10, growth_100: geometric means with intervals over seeds.
        exponent: mean with interval.
        verdict: of the cell; over tasks their common one, or "mixed".
        verdicts: how many tasks have which verdict.
        counts: records of each status. ``nonfinite``: ok records with an output that was not finite.
        seeds: least and greatest number of ok seeds over the tasks.
        missing: tasks of the board without any ok record.
        parameters: least and greatest over the tasks.
        seconds: the sum over all records.
        reasons: why records are not ok, each once.
    """

    protocol: str
    method: Method
    edition: Edition | None
    truth: Truth | None
    rank: int
    far_error: Interval | None
    far_error_bounded: Interval | None
    far_error_growing: Interval | None
    id_error: Interval | None
    max_growth: Interval | None
    growth_10: Interval | None
    growth_100: Interval | None
    exponent: Interval | None
    verdict: str
    verdicts: tuple[tuple[str, int], ...]
    counts: tuple[tuple[Status, int], ...]
    nonfinite: int
    seeds: tuple[int, int]
    missing: tuple[str, ...]
    parameters: tuple[int, int] | None
    seconds: float | None
    reasons: tuple[str, ...]

    @property
    def task(self) -> str:
        """The task's name, or "all tasks"."""
        return self.edition.task if self.edition else ALL_TASKS

    @property
    def unbounded(self) -> bool:
        """The verdict of some task is that growth goes on: the maximum over the ladder is only where probing ended."""
        return any(name in UNBOUNDED for name, _ in self.verdicts)

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
        overall: a row a method, over all of ``editions``.
        per_task: a row a method for each edition, older ones too, each task ranked for itself.
        notes: what a reader must know, one line each.
    """

    protocol: str
    editions: tuple[Edition, ...]
    overall: tuple[Standing, ...]
    per_task: tuple[Standing, ...]
    notes: tuple[str, ...]


def standings(records: Iterable[Record]) -> list[Board]:
    """A board for each protocol among ``records``."""
    return [_board(protocol, cells) for protocol, cells in by_protocol(group_cells(records)).items()]


def _board(protocol: str, cells: Sequence[CellRecords]) -> Board:
    current = current_editions(cells)
    editions = tuple(current.values())
    overall = []
    for method in sorted({c.method for c in cells}, key=lambda m: m.order):
        mine = [c for c in cells if c.method == method and c.edition == current[c.key.task]]
        missing = tuple(e.task for e in editions if e not in {c.edition for c in mine if c.ok})
        overall.append(_row(protocol, method, None, mine, missing))
    every = sorted({c.edition for c in cells}, key=lambda e: [c.edition for c in cells].index(e))
    per_task = []
    for edition in every:
        mine = [c for c in cells if c.edition == edition]
        per_task += _ranked([_row(protocol, c.method, edition, [c], () if c.ok else (edition.task,)) for c in mine])
    return Board(protocol, editions, tuple(_ranked(overall)), tuple(per_task), _notes(cells, current, overall))


def _row(
    protocol: str, method: Method, edition: Edition | None, cells: Sequence[CellRecords], missing: tuple[str, ...]
) -> Standing:
    records = [r for c in cells for r in c.records]
    ok = [c for c in cells if c.ok]
    verdicts: Counter[str] = Counter(verdict([r.exponent for r in c.ok], c.exact) for c in ok)
    statuses = Counter(r.status for r in records)
    sizes = [r.parameters for r in records if r.parameters is not None]
    times = [r.seconds for r in records if r.seconds is not None]
    return Standing(
        protocol=protocol,
        method=method,
        edition=edition,
        truth=cells[0].truth if edition else None,
        rank=0,
        far_error=_geometric(ok, far_error_of),
        far_error_bounded=_geometric([c for c in ok if c.truth == "bounded"], far_error_of),
        far_error_growing=_geometric([c for c in ok if c.truth == "growing"], far_error_of),
        id_error=_geometric(ok, id_error_of),
        max_growth=_geometric(ok, max_growth_of),
        growth_10=_geometric(ok, growth_at(10)),
        growth_100=_geometric(ok, growth_at(100)),
        exponent=_arithmetic(ok, exponent_of),
        verdict=_common(verdicts),
        verdicts=tuple(sorted(verdicts.items())),
        counts=tuple((status, statuses[status]) for status in STATUSES),
        nonfinite=sum(not r.is_finite for c in ok for r in c.ok),
        seeds=(min((len(c.ok) for c in cells), default=0), max((len(c.ok) for c in cells), default=0)),
        missing=missing,
        parameters=(min(sizes), max(sizes)) if sizes else None,
        seconds=math.fsum(times) if times else None,
        reasons=tuple(dict.fromkeys(r.reason for r in records if r.reason)),
    )


def _samples(cells: Sequence[CellRecords], quantity: Quantity) -> list[Sample]:
    return [s for s in (c.sample(quantity) for c in cells) if s is not None]


def _geometric(cells: Sequence[CellRecords], quantity: Quantity) -> Interval | None:
    samples = _samples(cells, quantity)
    return stratified_log_interval(samples) if samples else None


def _arithmetic(cells: Sequence[CellRecords], quantity: Quantity) -> Interval | None:
    samples = _samples(cells, quantity)
    return stratified_test(samples).interval if samples else None


def _common(verdicts: Counter[str]) -> str:
    if not verdicts:
        return "none"
    return next(iter(verdicts)) if len(verdicts) == 1 else MIXED


def _ranked(rows: Sequence[Standing]) -> list[Standing]:
    """The rows in order of rank; equal ones share it, in natural order of their names."""
    ordered = sorted(rows, key=lambda row: (_merit(row), row.method.order))
    ranks: list[int] = []
    for place, row in enumerate(ordered):
        tied = place > 0 and _merit(row) == _merit(ordered[place - 1])
        ranks.append(ranks[-1] if tied else place + 1)
    return [replace(row, rank=rank) for row, rank in zip(ordered, ranks, strict=True)]


def _merit(row: Standing) -> tuple[float, ...]:
    """Less is better: soundness, how many tasks are lacking, then the numbers."""
    numbers = (math.inf if i is None else i.mean for i in (row.far_error, row.id_error, row.max_growth))
    return _class(row), len(row.missing), *numbers


def _class(row: Standing) -> int:
    """0 sound, 1 lacks tasks, 2 has records that diverged, failed or are not finite, 3 has no result."""
    if row.id_error is None:
        return 3
    if row.trouble:
        return 2
    return 1 if row.missing else 0


def _notes(cells: Sequence[CellRecords], current: dict[str, Edition], overall: Sequence[Standing]) -> tuple[str, ...]:
    notes = []
    for task, edition in current.items():
        others = {c.edition for c in cells if c.key.task == task} - {edition}
        if others:
            notes.append(
                f"{task}: {len(others)} older edition(s) (another version or other data) are ranked by themselves"
                f" and not in totals; totals use version {edition.version}, data {edition.data_hash[:8]}"
            )
    sources = Counter((row.method.architecture, row.method.norm) for row in overall)
    if any(n > 1 for n in sources.values()):
        notes.append("rows with the same name and different source code are kept apart")
    if any(row.seeds[1] < 2 and row.exponent and row.exponent.low is None and row.seeds[1] for row in overall):
        notes.append("one seed gives neither an interval nor a verdict: run more with --seeds")
    return (*notes, *_reasons(cells))


def _reasons(cells: Sequence[CellRecords], most: int = 4) -> list[str]:
    """Why records are not ok: the most frequent reasons, and how many there are besides."""
    counted = Counter((r.status, r.reason) for c in cells for r in c.records if r.reason)
    lines = [f"{n} {status}: {shorten(reason or '', 200)}" for (status, reason), n in counted.most_common(most)]
    left = len(counted) - len(lines)
    return [*lines, f"and {left} other reasons"] if left else lines
