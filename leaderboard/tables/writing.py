"""Grids written for a terminal, as Markdown, as CSV or as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from bench.core.errors import UnknownName
from leaderboard.records.interval import Interval
from leaderboard.tables.grid import GAP, Column, Grid, Value, clean
from leaderboard.tables.terminal import write_tables

Format = Literal["table", "markdown", "csv", "json"]


def render(
    grids: Sequence[Grid[Any]],
    form: Format,
    *,
    width: int | None = None,
    color: bool = False,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Write ``grids`` in the format ``form``, with a newline at the end.

    Args:
        grids: tables; CSV needs them to share their columns.
        form: ``table``, ``markdown``, ``csv`` or ``json``.
        width: of the terminal, for ``table``; None where there is none, and nothing is left out.
        color: terminal colours, for ``table``.
        more: beside the tables in JSON; nowhere else.

    Raises:
        InputError: an unknown format.
    """
    if form not in get_args(Format):
        raise UnknownName.among("format", form, get_args(Format))
    if form == "table":
        return write_tables(grids, width, color)
    if form == "json":
        return _json(grids, more or {})
    return {"markdown": _markdown, "csv": _csv}[form](grids)


def _markdown(grids: Sequence[Grid[Any]]) -> str:
    blocks = []
    for grid in grids:
        columns = grid.visible()
        lines = [f"### {_escape(grid.title)}", ""]
        lines.append("| " + " | ".join(_escape(c.heading.replace(GAP, " ")) for c in columns) + " |")
        lines.append("|" + "---|" * len(columns))
        lines += ["| " + " | ".join(_escape(c.text(row)) for c in columns) + " |" for row in grid.rows]
        lines += ["", *(f"- {_escape(note)}" for note in grid.notes)]
        blocks.append("\n".join(lines).rstrip())
    return "\n\n".join(blocks) + "\n"


def _escape(text: str) -> str:
    """Text that Markdown and the HTML inside it take literally."""
    for character in "\\`*_|":
        text = text.replace(character, "\\" + character)
    return clean(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("](", "]\\("))


def _csv(grids: Sequence[Grid[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header: list[str] | None = None
    for grid in grids:
        names = [name for column in grid.columns for name in _csv_names(column, grid.rows)]
        if header is None:
            header = names
            writer.writerow(header)
        for row in grid.rows:
            values = {}
            for column in grid.columns:
                values.update(_csv_values(column, row))
            writer.writerow([values.get(name, "") for name in header])
    return out.getvalue()


def _csv_names(column: Column[Any], rows: Sequence[Any]) -> list[str]:
    spread = column.direction is not None or any(isinstance(column.value(row), Interval) for row in rows)
    return [column.name, f"{column.name}_low", f"{column.name}_high"] if spread else [column.name]


def _csv_values(column: Column[Any], row: Any) -> dict[str, str]:
    value = column.value(row)
    if not isinstance(value, Interval):
        return {column.name: _csv_text(value)}
    ends = {f"{column.name}_low": _csv_text(value.low), f"{column.name}_high": _csv_text(value.high)}
    return {column.name: _csv_text(value.mean), **ends}


def _csv_text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _json(grids: Sequence[Grid[Any]], more: Mapping[str, Any]) -> str:
    directions = {c.name: c.direction for grid in grids for c in grid.columns if c.direction}
    tables = [
        {
            "title": grid.title,
            **(grid.facts or {}),
            "notes": list(grid.notes),
            "rows": [{c.name: _json_value(c.value(row)) for c in grid.columns} for row in grid.rows],
        }
        for grid in grids
    ]
    content = {"better": directions, "confidence": 0.95, "tables": tables, **more}
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _json_value(value: Value) -> Any:
    """JSON has no infinity: such a number is null, and ``infinite`` says so."""
    if isinstance(value, Interval):
        ends = {"mean": _finite(value.mean), "low": _finite(value.low), "high": _finite(value.high)}
        return ends | ({"infinite": True} if math.isinf(value.mean) else {})
    if isinstance(value, tuple):
        return list(value)
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
