"""Standings as tables: where errors are shown for each kind of truth first, and the two statements stand apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Literal

from bench.core.grammar import title_of
from leaderboard.ranking.cells import Method
from leaderboard.ranking.standings import Board, Standing
from leaderboard.ranking.statistics import LEAST_TASKS
from leaderboard.records.interval import Interval
from leaderboard.records.protocols import named
from leaderboard.records.quantities import (
    BEYOND,
    FAR_ERROR,
    FAR_SATURATED,
    MAX_GROWTH,
    MEANS,
    QUANTITIES,
    RANGES,
    SUMS,
)
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import STATUSES, Status
from leaderboard.tables.grid import GAP, Column, Grid, clean

Scope = Literal["overall", "tasks", "both"]
PER_TASK_TITLE = "by task"


def standing_grids(board: Board, scope: Scope = "overall") -> list[Grid[Standing]]:
    """The tables of one board."""
    facts = {
        "protocol": board.protocol,
        **({"track": board.track} if board.track else {}),
        "editions": [{"task": e.task, "version": e.version, "data_hash": e.data_hash} for e in board.editions],
    }
    tasks = counted_tasks(len(board.editions)) if len(board.editions) > 1 else title_of(board.editions[0].task)
    truths = {row.truth for row in board.per_task if row.edition in board.editions}
    tasks += f" ({next(iter(truths))} truth{'s' * (len(board.editions) > 1)})" if len(truths) == 1 else ""
    head = f"{board.track}: standings" if board.track else "Standings"
    columns = _standing_columns(MethodNames.of(row.method for row in board.overall), _ambiguous_editions(board))
    parts = (
        ("overall", f"{head} over {tasks}, {named(board.protocol)}", board.overall, _unsaid(board)),
        ("tasks", f"{head} {PER_TASK_TITLE}, {named(board.protocol)}", board.per_task, _OF_SOME_TASKS | _OF_TASKS),
    )
    return [
        Grid(
            title, _standing_alone(without(columns, unseen)), rows, _statements(board, rows, name) + board.notes, facts,
            section=lambda row: row.edition,
        )
        for name, title, rows, unseen in parts
        if scope in (name, "both")
    ]  # fmt: skip


_OF_A_TRUTH = {q.name for q in QUANTITIES if q.truth}
_OF_A_FAR_KIND = {q.name for q in QUANTITIES if q.far_kind}
_OF_SOME_TASKS = _OF_A_TRUTH | _OF_A_FAR_KIND  # a task has one kind of each
_OF_TASKS = {"general", "told"}


def _unsaid(board: Board) -> set[str]:
    """Columns of totals that say nothing here: kinds of which there is one, claims that nobody can make."""
    here = [row for row in board.per_task if row.edition in board.editions]
    claims = {"general"} if all(row.general is None for row in board.overall) else set()
    claims |= {"told"} if all(row.told in ("first", "no claim") for row in board.overall) else set()
    kinds = _OF_A_TRUTH if len({row.truth for row in here}) == 1 else set()
    kinds |= _OF_A_FAR_KIND if len({row.far_kind for row in here} - {None}) <= 1 else set()
    several = {BEYOND.name} if len(board.editions) > 1 else set()  # a note says it of each task
    return {"task", "truth", "far_kind"} | claims | kinds | several


def _statements(board: Board, rows: Sequence[Standing], part: str) -> tuple[str, ...]:
    """How far the rows' places and ratios reach, each statement for itself."""
    here = "on this task" if part == "tasks" or len(board.editions) == 1 else "on these tasks"
    ranges = (
        f"{here}: # is the range of places that seeds leave open (pairs of rows by t-test, Holm over each row); "
        "rows stand in the order of far error"
        if any(row.rank_range for row in rows)
        else f"{here}: # is the place by far error; there are too many rows to tell how sure it is"
    )
    if part == "tasks":
        return (ranges,)
    if all(row.general is None and row.told in ("first", "no claim") for row in rows):
        return ranges, f"for tasks like these: {no_claim(len(board.editions))} (at least {LEAST_TASKS} are needed)"
    return ranges, (
        "for tasks like these: ratio is far error over that of the same architecture with norm none, with its 95% "
        "interval over task means; told from first: by the paired t-test over tasks (Holm), so that “no” and the "
        "first are one group"
    )


def counted_tasks(number: int) -> str:
    """``1 task``, ``6 tasks``."""
    return f"{number} task{'s' * (number != 1)}"


def no_claim(tasks: int) -> str:
    """What stands in place of a claim about tasks like these."""
    return f"{counted_tasks(tasks)}: no claim" if tasks < LEAST_TASKS else "not finite: no claim"


def without(columns: Sequence[Column[Any]], unseen: set[str]) -> list[Column[Any]]:
    """The columns, those named left to CSV and JSON."""
    return [replace(c, extra=c.extra or c.name in unseen) for c in columns]


def _standing_alone(columns: Sequence[Column[Standing]]) -> list[Column[Standing]]:
    """The columns where no kind of truth stands beside the far error, which a narrow terminal then keeps."""
    apart = any(c.name in _OF_A_TRUTH and not c.extra for c in columns)
    return [c if apart or c.name != FAR_ERROR.name else replace(c, spare=0) for c in columns]


def _ambiguous_editions(board: Board) -> frozenset[str]:
    """Tasks that were measured in several editions."""
    found = Counter(edition.task for edition in {row.edition for row in board.per_task} if edition)
    return frozenset(task for task, n in found.items() if n > 1)


@dataclass(frozen=True)
class MethodNames:
    """How methods are called: with the start of a source hash where names alone would mislead.

    Attributes:
        sources, norms: (architecture, norm) that occur with different code of the architecture, of the norm's kinds.
        marked: some carry a mark.
    """

    sources: frozenset[tuple[str, str]]
    norms: frozenset[tuple[str, str]]
    marked: bool = False

    @classmethod
    def of(cls, methods: Iterable[Method]) -> MethodNames:
        """The names of ``methods``."""
        given = list(methods)
        every = {replace(method, mark="") for method in given}
        sources = Counter((name, norm) for name, norm, _ in {(m.architecture, m.norm, m.source_hash) for m in every})
        norms = Counter((name, norm) for name, norm, _ in {(m.architecture, m.norm, m.norm_hash) for m in every})
        return cls(_several(sources), _several(norms), any(method.mark for method in given))

    def architecture(self, method: Method) -> str:
        """Its spelling."""
        several = (method.architecture, method.norm) in self.sources
        return f"{method.title} #{method.source_hash[:6]}" if several else method.title

    def norm(self, method: Method) -> str:
        """Its spelling."""
        several = (method.architecture, method.norm) in self.norms
        return f"{method.norm} #{method.norm_hash[:6]}" if several else method.norm


def _several(found: Counter[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """What occurs more than once."""
    return frozenset(name for name, n in found.items() if n > 1)


def _standing_columns(names: MethodNames, editions: frozenset[str]) -> list[Column[Standing]]:
    return [
        Column("rank", "#", lambda row: row.rank, show=_show_places),
        Column("rank_best", "best place", lambda row: row.rank_range[0] if row.rank_range else None, extra=True),
        Column("rank_worst", "worst place", lambda row: row.rank_range[1] if row.rank_range else None, extra=True),
        Column("task", "task", lambda row: row.task, show=lambda row: _task_name(row, editions)),
        Column("truth", "truth", lambda row: row.truth, spare=2),
        Column("far_kind", "far by", lambda row: row.far_kind, spare=3),
        Column("architecture", "architecture", lambda row: names.architecture(row.method)),
        *([Column[Standing]("mark", "mark", lambda row: row.method.mark or None, extra=True)] if names.marked else []),
        Column("norm", "norm", lambda row: names.norm(row.method)),
        *(column for quantity in MEANS for column in _mean_columns(quantity)),
        Column("verdict", "verdict", lambda row: row.verdict, show=lambda row: row.said.text, spare=-1),
        Column("grade", "grade", lambda row: row.grade, extra=True),
        Column("unbounded_seeds", "unbounded seeds", lambda row: row.said.unbounded_seeds, extra=True),
        Column("seeds", "seeds", lambda row: row.seeds[0], show=lambda row: show_range(row.seeds), spare=4),
        Column("seeds_most", "seeds at most", lambda row: row.seeds[1], extra=True),
        Column("remarks", "remarks", lambda row: show_troubles(row).replace(GAP, " "), show=show_troubles, spare=-2),
        *(_count_column(status) for status in STATUSES),
        Column("nonfinite", "non-finite", lambda row: row.nonfinite, extra=True),
        Column("unbounded", "unbounded", lambda row: row.unbounded, extra=True),
        Column("missing", "lacks", lambda row: row.missing, extra=True),
        Column("reasons", "reasons", lambda row: row.reasons, extra=True),
        *(column for quantity in RANGES for column in _range_columns(quantity)),
        *(_sum_column(quantity) for quantity in SUMS),
        Column("source_hash", "source", lambda row: row.method.source_hash, extra=True),
        Column("norm_hash", "source of the norm", lambda row: row.method.norm_hash, extra=True),
        Column("task_version", "task version", lambda row: row.edition.version if row.edition else None, extra=True),
        Column("data_hash", "data", lambda row: row.edition.data_hash if row.edition else None, extra=True),
    ]


def _show_places(row: Standing) -> str:
    return show_range(row.rank_range) if row.rank_range else f"{row.rank:,}"


def _mean_columns(quantity: Quantity) -> list[Column[Standing]]:
    """The quantity's column; after the last aggregate of far error, what it says of tasks like these."""
    column = _mean_column(quantity)
    return [column, *_claim_columns()] if quantity is FAR_SATURATED else [column]


def _claim_columns() -> list[Column[Standing]]:
    def shown(row: Standing) -> str | None:
        return (
            None if row.general or row.general_tasks is None else no_claim(row.general_tasks).replace(": ", f":{GAP}")
        )

    return [
        Column("general", f"tasks like these:{GAP}ratio to none ↓", lambda r: r.general, "lower", show=shown, spare=1),
        Column("general_tasks", "tasks with a ratio", lambda row: row.general_tasks, extra=True),
        Column("told", f"told from{GAP}first", lambda row: row.told, spare=2),
    ]


def _count_column(status: Status) -> Column[Standing]:
    return Column(f"{status}_records", status, lambda row: dict(row.counts)[status], extra=True)


def _task_name(row: Standing, editions: frozenset[str]) -> str:
    """The task, with version and data where it was measured in several editions."""
    if row.edition and row.task in editions:
        return clean(f"{title_of(row.task)} v{row.edition.version} {row.edition.data_hash[:6]}")
    return clean(title_of(row.task))


def _mean_column(quantity: Quantity) -> Column[Standing]:
    def value(row: Standing) -> Interval | None:
        return row.mean(quantity)

    def shown(row: Standing) -> str | None:
        mean = row.mean(quantity)
        if quantity is MAX_GROWTH and mean and row.unbounded:
            return "unbounded"
        return None if mean is None else _show_mean(quantity, mean)

    return Column(
        quantity.name,
        heading(quantity),
        value,
        quantity.direction,
        show=shown,
        extra=quantity.board is None,
        spare=quantity.board or 0,
    )


def _range_columns(quantity: Quantity) -> list[Column[Standing]]:
    def end(which: int) -> Callable[[Standing], int | None]:
        return lambda row: ends[which] if (ends := getattr(row, quantity.name)) else None

    return [
        Column(quantity.name, quantity.title, end(0), extra=True),
        Column(f"{quantity.name}_most", f"{quantity.title} at most", end(1), extra=True),
    ]


def _sum_column(quantity: Quantity) -> Column[Standing]:
    return Column(quantity.name, quantity.title, lambda row: getattr(row, quantity.name), extra=True)


def heading(quantity: Quantity, more: str = "") -> str:
    """With an arrow that says which values are better."""
    arrow = {"lower": " ↓", "higher": " ↑", None: ""}[quantity.direction]
    text = f"{quantity.title}\n{more}" if more else quantity.heading
    return text.replace("\n", GAP) + arrow


def _show_mean(quantity: Quantity, mean: Interval) -> str | None:
    """What reads otherwise than an interval does: bounds, and what has a fixed number of decimals."""
    if quantity.clip and mean.mean <= quantity.clip.least * (1 + 1e-9):
        return quantity.clip.least_text
    if quantity.decimals is None or not math.isfinite(mean.mean):
        return None
    middle, low, high = (None if v is None else _fixed(v, quantity.decimals) for v in astuple(mean))
    return middle if None in (low, high) or low == middle == high else f"{middle}{GAP}[{low}, {high}]"


def _fixed(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def show_range(ends: tuple[int, int] | None) -> str:
    """``5`` or ``3–5``."""
    if ends is None:
        return ""
    return f"{ends[0]:,}" if ends[0] == ends[1] else f"{ends[0]:,}–{ends[1]:,}"


def show_troubles(row: Standing) -> str:
    """Counts of every status but ok, of records with outputs that are not finite, of tasks that are lacking."""
    parts = [f"{n} {status}" for status, n in row.counts if n and status != "ok"]
    if row.nonfinite:
        parts.append(f"{row.nonfinite} non-finite")
    if row.missing and row.edition is None:
        parts.append(f"lacks {len(row.missing)} task{'s' * (len(row.missing) != 1)}")
    return f",{GAP}".join(parts)
