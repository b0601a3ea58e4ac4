"""A page of standings: one HTML file that needs nothing else, neither a server nor a network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.core.errors import InputError
from leaderboard.page import parts as page_parts
from leaderboard.page.shell import Chart, rendered, written
from leaderboard.ranking.cells import cells_by_protocol
from leaderboard.ranking.comparison import compare
from leaderboard.ranking.conclusion import conclude
from leaderboard.ranking.standings import Board
from leaderboard.ranking.tracks import Tracks, track_boards
from leaderboard.records.protocols import named
from leaderboard.records.record import Record
from leaderboard.records.store.stored_records import Summarized, summarized
from leaderboard.records.summary import Summaries
from leaderboard.tables.rendering import Scope, comparison_grids, conclusion_grid, standing_grids

MOST_PANELS = 9  # of a chart; tables have the rest
_SCOPES: tuple[Scope, ...] = ("overall", "tasks")
Settings = Mapping[str, Sequence[tuple[str, str]]]


def render_page(
    records: Iterable[Record] | Summarized,
    *,
    title: str = "FarField standings",
    note: str = "",
    protocols: Settings | None = None,
    own_tables: bool = False,
    tracks: Tracks | None = None,
) -> str:
    """The page as HTML: sortable standings, growth, far error against growth, comparison of schemes, provenance.

    Args:
        records: of any protocols; each has a section of its own. Of those in a store only the curves that are drawn
            are read; all else is made from their summaries.
        title: of the page.
        note: a sentence below it.
        protocols: what each protocol fixes, as (name, value) lines.
        own_tables: a user's own tables enter totals beside other tasks.
        tracks: of a suite, the tasks of each; each has a section of its own.

    Raises:
        InputError: there are no records.
    """
    every = summarized(records)
    summaries = every.summaries
    if not len(summaries):
        raise InputError("there are no records to show", hint="run something first, or choose other records")
    sections: list[dict[str, Any]] = []
    charts: list[Chart] = []
    by_protocol = cells_by_protocol(summaries)
    for number, board in enumerate(track_boards(summaries, tracks, own_tables)):
        mine = every if len(by_protocol) == 1 else _of_protocol(every, board.protocol)
        mine = _of_tasks(mine, (tracks or {})[board.track]) if board.track else mine
        drawn = _charts(mine, board, len(charts))
        charts += drawn
        sections.append(_section(f"board{number}", board, mine.summaries, drawn, own_tables))
    environments = page_parts.environments(summaries)
    return rendered(
        "page.html",
        charts,
        title=title,
        note=note,
        version=metadata.version("farfield"),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        counts=_counts(summaries, sum(map(len, by_protocol.values()))),
        boards=sections,
        protocols={name: lines for name, lines in (protocols or {}).items() if name in by_protocol},
        environments=environments,
        cells=[row for cells in by_protocol.values() for row in page_parts.provenance(cells, environments)],
        words=page_parts.WORDS,
    )


def write_page(records: Iterable[Record] | Summarized, path: str | Path, **options: Any) -> Path:
    """Write :func:`render_page` to ``path``.

    Raises:
        InputError: there are no records, or the file cannot be written.
    """
    return written(render_page(records, **options), path)


def _of_protocol(records: Summarized, protocol: str) -> Summarized:
    return records.where(lambda key: key.protocol == protocol)


def _of_tasks(records: Summarized, names: Collection[str]) -> Summarized:
    return records.where(lambda key: key.task in names)


def _section(name: str, board: Board, records: Summaries, charts: Sequence[Chart], own_tables: bool) -> dict[str, Any]:
    overall, per_task = standing_grids(board, "both")
    try:
        comparisons = compare(records, "norm", own_tables=own_tables)
    except InputError:
        comparisons = []  # a single scheme: nothing to compare
    conclusions = [
        page_parts.table(f"{name}-conclusion{i}", conclusion_grid(conclude(comparison)))
        for i, comparison in enumerate(comparisons)
    ]
    compared = [
        page_parts.table(f"{name}-norms{i}-{scope}", grid, by_task=scope == "tasks")
        for i, comparison in enumerate(comparisons)
        for scope in _SCOPES
        for grid in comparison_grids(comparison, scope)
    ]
    protocol = named(board.protocol)
    return {
        "id": name,
        "heading": f"{board.track}, {protocol}" if board.track else protocol.replace("p", "P", 1),
        "first": [page_parts.table(f"{name}-overall", overall), *conclusions],
        "charts": charts,
        "then": [page_parts.table(f"{name}-tasks", per_task, by_task=True), *compared],
    }


def _charts(records: Summarized, board: Board, first: int) -> list[Chart]:
    """The few that matter most: each has at most ``MOST_PANELS`` panels."""
    from leaderboard.charts import growth_chart, pareto_chart

    if not records.summaries.counts.get("ok"):
        return []
    switch = "Click a scheme in the legend to see it alone; with Shift, several."
    pareto = "What a bound on growth costs or saves"
    made = [
        (
            "Growth",
            f"How far from the training mean the networks answer, at growing distance. {switch}",
            growth_chart(records, most=MOST_PANELS, board=board),
        ),
        ("Far error against growth", f"{pareto}. {switch}", pareto_chart(records, most=MOST_PANELS, board=board)),
    ]
    if len(board.editions) > MOST_PANELS:
        total = pareto_chart(records, overall=True, board=board)
        made.insert(1, ("Far error against growth, over all tasks", f"{pareto}, in all. {switch}", total))
    # tests hold the charts against Vega-Lite's schema; here that would take as long as everything else
    return [Chart(first + i, title, text, chart.to_dict(validate=False)) for i, (title, text, chart) in enumerate(made)]


def _counts(summaries: Summaries, cells: int) -> dict[str, Any]:
    occurring = set(summaries.cell.tolist())
    return {
        "records": f"{len(summaries):,}",
        "cells": f"{cells:,}",
        "tasks": len({summaries.cells[cell].task for cell in occurring}),
        "troubles": ", ".join(f"{n} {status}" for status, n in sorted(summaries.counts.items()) if status != "ok"),
    }
