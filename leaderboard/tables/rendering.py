"""Standings and comparisons as tables for people and files for programs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Literal

from bench.core.grammar import title_of
from leaderboard.ranking.cells import Method
from leaderboard.ranking.comparison import Comparison, Difference
from leaderboard.ranking.standings import Board, Standing
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import COMPARED, MAX_GROWTH, MEANS, QUANTITIES, RANGES, SUMS, Quantity
from leaderboard.records.record import STATUSES, Status
from leaderboard.tables.grid import GAP, Column, Grid, clean, show_number, show_value
from leaderboard.tables.writing import Format, render

Scope = Literal["overall", "tasks", "both"]
_PER_TASK_TITLE = "by task"


def render_standings(
    boards: Sequence[Board],
    form: Format = "table",
    *,
    scope: Scope = "overall",
    width: int | None = None,
    color: bool = False,
) -> str:
    """The standings as text.

    Args:
        boards: from :func:`leaderboard.ranking.standings.standings`.
        form: ``table``, ``markdown``, ``csv`` or ``json``.
        scope: totals over tasks, a row for each task, or both.
        width, color: of the terminal, for ``table``.
    """
    grids = [grid for board in boards for grid in standing_grids(board, scope)]
    return render(grids, form, width=width, color=color)


def standing_grids(board: Board, scope: Scope = "overall") -> list[Grid[Standing]]:
    """The tables of one board."""
    facts = {
        "protocol": board.protocol,
        "editions": [{"task": e.task, "version": e.version, "data_hash": e.data_hash} for e in board.editions],
    }
    tasks = f"{len(board.editions)} tasks" if len(board.editions) > 1 else title_of(board.editions[0].task)
    columns = _standing_columns(MethodNames.of(row.method for row in board.overall), _ambiguous_editions(board))
    parts = (
        ("overall", f"Standings over {tasks}, protocol {board.protocol}", board.overall, {"task", "truth"}),
        ("tasks", f"Standings {_PER_TASK_TITLE}, protocol {board.protocol}", board.per_task, _OF_SOME_TASKS),
    )
    return [
        Grid(title, _without(columns, unseen), rows, board.notes, facts, section=lambda row: row.edition)
        for name, title, rows, unseen in parts
        if scope in (name, "both")
    ]


_OF_SOME_TASKS = {q.name for q in QUANTITIES if q.truth}  # one task has one truth


def _without(columns: Sequence[Column[Any]], unseen: set[str]) -> list[Column[Any]]:
    """The columns, those named left to CSV and JSON."""
    return [replace(c, extra=c.extra or c.name in unseen) for c in columns]


def _ambiguous_editions(board: Board) -> frozenset[str]:
    """Tasks that were measured in several editions."""
    found = Counter(edition.task for edition in {row.edition for row in board.per_task} if edition)
    return frozenset(task for task, n in found.items() if n > 1)


@dataclass(frozen=True)
class MethodNames:
    """How methods are called: with the start of a source hash where names alone would mislead.

    Attributes:
        sources, norms: (architecture, norm) that occur with different code of the architecture, of the norm's kinds.
    """

    sources: frozenset[tuple[str, str]]
    norms: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, methods: Iterable[Method]) -> MethodNames:
        """The names of ``methods``."""
        every = set(methods)
        sources = Counter((name, norm) for name, norm, _ in {(m.architecture, m.norm, m.source_hash) for m in every})
        norms = Counter((name, norm) for name, norm, _ in {(m.architecture, m.norm, m.norm_hash) for m in every})
        return cls(*(frozenset(name for name, n in found.items() if n > 1) for found in (sources, norms)))

    def architecture(self, method: Method) -> str:
        """Its spelling."""
        several = (method.architecture, method.norm) in self.sources
        return f"{method.architecture} #{method.source_hash[:6]}" if several else method.architecture

    def norm(self, method: Method) -> str:
        """Its spelling."""
        several = (method.architecture, method.norm) in self.norms
        return f"{method.norm} #{method.norm_hash[:6]}" if several else method.norm


def _standing_columns(names: MethodNames, editions: frozenset[str]) -> list[Column[Standing]]:
    return [
        Column("rank", "#", lambda row: row.rank),
        Column("task", "task", lambda row: row.task, show=lambda row: _task_name(row, editions)),
        Column("truth", "truth", lambda row: row.truth, spare=2),
        Column("architecture", "architecture", lambda row: names.architecture(row.method)),
        Column("norm", "norm", lambda row: names.norm(row.method)),
        *(_mean_column(quantity) for quantity in MEANS),
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


def _count_column(status: Status) -> Column[Standing]:
    return Column(f"{status}_records", status, lambda row: dict(row.counts)[status], extra=True)


def _task_name(row: Standing | Difference, editions: frozenset[str]) -> str:
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
        _heading(quantity),
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


def _heading(quantity: Quantity, more: str = "") -> str:
    """With an arrow that says which values are better."""
    arrow = {"lower": " ↓", "higher": " ↑", None: ""}[quantity.direction]
    heading = f"{quantity.title}\n{more}" if more else quantity.heading
    return heading.replace("\n", GAP) + arrow


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


def render_comparison(
    comparisons: Sequence[Comparison],
    form: Format = "table",
    *,
    scope: Scope = "both",
    width: int | None = None,
    color: bool = False,
) -> str:
    """Paired comparisons as text; arguments as for :func:`render_standings`."""
    grids = [grid for comparison in comparisons for grid in comparison_grids(comparison, scope)]
    return render(grids, form, width=width, color=color)


def comparison_grids(comparison: Comparison, scope: Scope = "both") -> list[Grid[Difference]]:
    """The tables of one comparison: ratios candidate / reference, below 1 where the candidate's number is smaller."""
    facts = {"protocol": comparison.protocol, "by": comparison.by, "reference": comparison.reference}
    columns = _difference_columns("architecture" if comparison.by == "norm" else "norm", comparison.by)
    notes = [
        f"ratios to {comparison.reference}, paired by task and seed, with 95% intervals over seeds; "
        "* p < 0.05 after Holm's correction over this table"
    ]
    if any(e.lost or e.won for row in comparison.per_task for e in row.effects):
        notes.append("lost, won: pairs in which only this one's, or only the reference's, number is infinite")
    start = f"Against {comparison.by} {comparison.reference}, protocol {comparison.protocol}"
    parts = (
        ("overall", f"{start}, over all tasks", comparison.overall, {"task"}),
        ("tasks", f"{start}, {_PER_TASK_TITLE}", comparison.per_task, {"tasks"}),
    )
    return [
        Grid(title, _without(columns, unseen), rows, notes, facts, section=lambda row: row.edition)
        for name, title, rows, unseen in parts
        if scope in (name, "both")
    ]


def _difference_columns(fixed: str, by: str) -> list[Column[Difference]]:
    return [
        Column("task", "task", lambda row: row.task, show=lambda row: clean(title_of(row.task))),
        Column("tasks", "tasks", lambda row: row.tasks, spare=3),
        Column(fixed, fixed, lambda row: row.fixed),
        Column(by, by, lambda row: row.candidate),
        *(column for quantity in COMPARED for column in _effect_columns(quantity)),
        Column("outcomes", "remarks", show_outcomes, spare=-2),
        Column("source_hash", "source", lambda row: row.source_hash, extra=True),
        Column("norm_hash", "source of the norm", lambda row: row.norm_hash, extra=True),
    ]


def _effect_columns(quantity: Quantity) -> list[Column[Difference]]:
    metric = quantity.name

    def ratio(row: Difference) -> Interval | None:
        return row.effect(metric).ratio

    def shown(row: Difference) -> str:
        effect = row.effect(metric)
        mark = " *" if effect.p_holm is not None and effect.p_holm < 0.05 else ""
        extra = "".join(f", {n} {word}" for word, n in (("lost", effect.lost), ("won", effect.won)) if n)
        mean, gap, ends = show_value(effect.ratio, GAP).partition(GAP)
        return f"{mean}{mark}{gap}{ends}{extra}"

    first = quantity is COMPARED[0]
    heading = _heading(quantity, "ratio")
    return [
        Column(f"{metric}_ratio", heading, ratio, quantity.direction, show=shown, spare=quantity.compared or 0),
        Column(f"{metric}_p", "p", lambda row: row.effect(metric).p_value, extra=True, show=_p(metric, "p_value")),
        Column(
            f"{metric}_p_holm", "p (Holm)", lambda row: row.effect(metric).p_holm, extra=True, show=_p(metric, "p_holm")
        ),
        Column(f"{metric}_pairs", "pairs", lambda row: row.effect(metric).pairs, extra=not first, spare=2),
        Column(f"{metric}_lost", "lost", lambda row: row.effect(metric).lost, extra=True),
        Column(f"{metric}_won", "won", lambda row: row.effect(metric).won, extra=True),
    ]


def _p(metric: str, which: str) -> Any:
    def shown(row: Difference) -> str:
        value = getattr(row.effect(metric), which)
        return "–" if value is None else "<0.001" if value < 0.001 else show_number(value)

    return shown


def show_outcomes(row: Difference) -> str:
    """Pairs in which either record is not ok, as "reference/candidate: number"."""
    return ", ".join(f"{n} {a}/{b}" for (a, b), n in row.outcomes if (a, b) != ("ok", "ok"))
