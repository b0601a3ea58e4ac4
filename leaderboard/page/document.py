"""A page of standings: one HTML file that needs nothing else, neither a server nor a network.

Everything from records passes through Jinja's escaping, and the page's Content-Security-Policy lets only its own
script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from bench.core.errors import InputError
from leaderboard.page import parts as page_parts
from leaderboard.ranking.cells import cells_by_protocol
from leaderboard.ranking.comparison import compare
from leaderboard.ranking.conclusion import conclude
from leaderboard.ranking.standings import Board, standings
from leaderboard.records.record import Record
from leaderboard.records.store.stored_records import Summarized, summarized
from leaderboard.records.summary import Summaries
from leaderboard.tables.rendering import Scope, comparison_grids, conclusion_grid, standing_grids

MOST_PANELS = 9  # of a chart; tables have the rest
_SCOPES: tuple[Scope, ...] = ("overall", "tasks")
Settings = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class _Chart:
    number: int
    title: str
    text: str
    spec: dict[str, Any]


def render_page(
    records: Iterable[Record] | Summarized,
    *,
    title: str = "FarField standings",
    note: str = "",
    protocols: Settings | None = None,
    own_tables: bool = False,
) -> str:
    """The page as HTML: sortable standings, growth, far error against growth, comparison of schemes, provenance.

    Args:
        records: of any protocols; each has a section of its own. Of those in a store only the curves that are drawn
            are read; all else is made from their summaries.
        title: of the page.
        note: a sentence below it.
        protocols: what each protocol fixes, as (name, value) lines.
        own_tables: a user's own tables enter totals beside other tasks.

    Raises:
        InputError: there are no records.
    """
    every = summarized(records)
    summaries = every.summaries
    if not len(summaries):
        raise InputError("there are no records to show", hint="run something first, or choose other records")
    sections: list[dict[str, Any]] = []
    charts: list[_Chart] = []
    by_protocol = cells_by_protocol(summaries)
    for number, board in enumerate(standings(summaries, own_tables)):
        mine = every if len(by_protocol) == 1 else _of_protocol(every, board.protocol)
        drawn = _charts(mine, board, len(charts))
        charts += drawn
        sections.append(_section(f"board{number}", board, mine.summaries, drawn, own_tables))
    environments = page_parts.environments(summaries)
    script = _template_text("page.js")
    page: str = (
        _environment()
        .get_template("page.html")
        .render(
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
            blob=_blob(charts),
            script=_safe(script),
            script_hashes=_safe(_hash(script)),
        )
    )
    return page


def write_page(records: Iterable[Record] | Summarized, path: str | Path, **options: Any) -> Path:
    """Write :func:`render_page` to ``path``.

    Raises:
        InputError: there are no records, or the file cannot be written.
    """
    target = Path(path)
    text = render_page(records, **options)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the page cannot be written: {error.strerror}", where=str(target), hint="choose another file"
        ) from None
    return target


def _of_protocol(records: Summarized, protocol: str) -> Summarized:
    return records.where(lambda key: key.protocol == protocol)


def _section(name: str, board: Board, records: Summaries, charts: Sequence[_Chart], own_tables: bool) -> dict[str, Any]:
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
    return {
        "id": name,
        "protocol": board.protocol,
        "first": [page_parts.table(f"{name}-overall", overall), *conclusions],
        "charts": charts,
        "then": [page_parts.table(f"{name}-tasks", per_task, by_task=True), *compared],
    }


def _charts(records: Summarized, board: Board, first: int) -> list[_Chart]:
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
    return [
        _Chart(first + i, title, text, chart.to_dict(validate=False)) for i, (title, text, chart) in enumerate(made)
    ]


def _counts(summaries: Summaries, cells: int) -> dict[str, Any]:
    occurring = set(summaries.cell.tolist())
    return {
        "records": f"{len(summaries):,}",
        "cells": f"{cells:,}",
        "tasks": len({summaries.cells[cell].task for cell in occurring}),
        "troubles": ", ".join(f"{n} {status}" for status, n in sorted(summaries.counts.items()) if status != "ok"),
    }


def _blob(charts: Sequence[_Chart]) -> str:
    """Library and charts, compressed: three times smaller, and the page stays below a megabyte."""
    content = {"library": _library() if charts else "", "charts": {str(c.number): c.spec for c in charts}}
    return base64.b64encode(gzip.compress(json.dumps(content, allow_nan=False).encode(), mtime=0)).decode()


@cache
def _library() -> str:
    import vl_convert

    from leaderboard.charts.saving import vega_lite_version

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=vega_lite_version())


def _template_text(name: str) -> str:
    return resources.files("leaderboard.page").joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _safe(text: str) -> Any:
    """Our own text, which is not escaped."""
    import markupsafe

    return markupsafe.Markup(text)


def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
