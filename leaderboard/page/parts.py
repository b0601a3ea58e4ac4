"""What stands on the page: cells of its tables, and where each row comes from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from leaderboard.charts.style import seeds_text
from leaderboard.ranking.grouping import CellRecords
from leaderboard.ranking.statistics import Interval
from leaderboard.records.record import Record
from leaderboard.tables.grid import GAP, Column, Grid, show_number

WORDS = (
    ("distance", "‖x̃‖ / R: the norm of the standardized input over the 99th percentile of it among training inputs."),
    (
        "relative error",
        "RMSE of the model over RMSE of answering with the training mean, on the same rows: 0 is perfect, 1 no better.",
    ),
    ("id error", "Relative error on the test set, which is like the training data."),
    ("far error", "Geometric mean over the far sets of relative errors clipped to 0.001–1000. Ranks are by it."),
    (
        "bounded, growing truths",
        "What the true target does far away. A bounded network cannot do much worse than 1, so both stand apart too.",
    ),
    ("G(r), growth", "Largest |output| at distance r over the largest |standardized training target|."),
    ("max growth", "Maximum of G over the distances probed, 1 to 10,000; “unbounded” where the verdict says so."),
    ("exponent", "Theil–Sen slope of log G against log r from r = 100 on: 0 is bounded, 1 linear."),
    (
        "verdict",
        "From the exponent's 95% interval: bounded below 0.05, sublinear 0.05–0.95, linear 0.95–1.05, superlinear"
        " above; else undecided. It speaks of the distances probed: a logarithm reads about 0.15.",
    ),
    (
        "intervals",
        "95% t-intervals over seeds, of the logarithm for errors and growth. They cover the randomness of training,"
        " not that of the data.",
    ),
    (
        "not ok",
        "Records that diverged, failed, timed out, make no sense (unsupported) or are not finite. None is dropped.",
    ),
)


def table(name: str, grid: Grid[Any], by_task: bool = False) -> dict[str, Any]:
    """A grid as the template wants it.

    Args:
        name: the id in the page.
        grid: a table.
        by_task: offer a choice of tasks.
    """
    columns = grid.visible()
    rows = [
        {"task": row.task if by_task else None, "cells": [_cell(c, row, grid) for c in columns]} for row in grid.rows
    ]
    return {
        "id": name,
        "title": grid.title,
        "columns": [{"heading": c.heading.replace(GAP, " "), "numeric": _is_numeric(c, grid)} for c in columns],
        "rows": rows,
        "notes": list(grid.notes),
        "choices": list(dict.fromkeys(row.task for row in grid.rows)) if by_task else [],
    }


def _is_numeric(column: Column[Any], grid: Grid[Any]) -> bool:
    return any(isinstance(column.value(row), int | float | Interval) for row in grid.rows)


def _cell(column: Column[Any], row: Any, grid: Grid[Any]) -> dict[str, str]:
    """The text, the interval below it, and what it is sorted by."""
    text, _, ends = column.text(row, gap=GAP).partition(GAP)
    value = column.value(row)
    numeric = _is_numeric(column, grid)
    if not numeric:
        text, ends = column.text(row), ""
    return {"text": text, "ends": ends, "sort": _sort_key(value), "kind": "number" if numeric else _kind(text)}


def _kind(text: str) -> str:
    """Long texts may break into lines."""
    return "words long" if len(text) > 24 else "words"


def _sort_key(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Interval):
        value = value.mean
    if isinstance(value, float):
        return "Infinity" if math.isinf(value) else repr(value)
    return str(value)


def environments(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The different environments, the most frequent first."""
    counted = Counter(tuple(sorted(r.environment.items())) for r in records)
    return [
        {"id": f"E{number}", "records": f"{count:,}", "lines": list(lines)}
        for number, (lines, count) in enumerate(counted.most_common(), start=1)
    ]


def provenance(cell: CellRecords, known: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Everything that a cell's numbers depend on, and what the protocol chose."""
    key = cell.key
    places = {tuple(e["lines"]): e["id"] for e in known}
    statuses = Counter(r.status for r in cell.records)
    used = sorted({places[tuple(sorted(r.environment.items()))] for r in cell.records})
    lines = [
        ("task version", key.task_version),
        ("data (SHA-256)", key.data_hash),
        ("source code (SHA-256)", key.source_hash),
        ("seeds", ", ".join(str(r.key.seed) for r in cell.records)),
        ("learning rates", _listed([r.learning_rate for r in cell.ok])),
        ("best steps", _listed([r.best_step for r in cell.ok])),
        ("at the edge of the rates", f"{sum(bool(r.edge_of_grid) for r in cell.ok)} of {len(cell.ok)} seeds"),
        ("trained parameters", _listed(sorted({r.parameters for r in cell.ok if r.parameters is not None}))),
        ("seconds", show_number(sum(r.seconds or 0.0 for r in cell.records))),
        ("created", " to ".join(dict.fromkeys(f(r.created for r in cell.records) for f in (min, max)))),
        ("environment", ", ".join(used)),
        *(("reason", reason) for reason in dict.fromkeys(r.reason for r in cell.records if r.reason)),
    ]
    summary = seeds_text([len(cell.records)])
    if set(statuses) != {"ok"}:
        summary += ": " + ", ".join(f"{n} {status}" for status, n in sorted(statuses.items()))
    names = {"task": key.task, "architecture": key.architecture, "norm": key.norm, "protocol": key.protocol}
    return names | {"summary": summary, "lines": [(name, value) for name, value in lines if value]}


def _listed(values: Sequence[float | int | None]) -> str:
    return ", ".join(f"{v:g}" if isinstance(v, float) else f"{v:,}" for v in values if v is not None)
