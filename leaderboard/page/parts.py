"""What stands on the page: cells of its tables, and where each row comes from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bench.core.grammar import title_of
from leaderboard.charts.drawing.style import seeds_text
from leaderboard.ranking.cells import Cells
from leaderboard.ranking.statistics import LEAST_TASKS
from leaderboard.ranking.verdicts import VERDICT_RULE
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import (
    BEST_STEP,
    EDGE_OF_GRID,
    LEARNING_RATE,
    PARAMETERS,
    QUANTITIES,
    RANKED,
    SECONDS,
)
from leaderboard.records.summary import Summaries
from leaderboard.tables.grid import GAP, Column, Grid, show_number
from leaderboard.tables.record_columns import RecordRow, record_rows

WORDS = (
    ("distance", "‖x̃‖ / R: the norm of the standardized input over the 99th percentile of it among training inputs."),
    (
        "relative error",
        "RMSE of the model over RMSE of answering with the training mean, on the same rows: 0 is perfect, 1 no better.",
    ),
    ("G(r), growth", "Largest |output| at distance r over the largest |standardized training target|."),
    *((quantity.title, quantity.meaning) for quantity in QUANTITIES if quantity.board is not None),
    ("verdict", VERDICT_RULE),
    (
        "#, places",
        f"Rows stand in the order of {', then '.join(quantity.title for quantity in RANKED)}; who lacks tasks, or has"
        " records that are not ok, after those who do not. # is the range of places that seeds leave open on these"
        " tasks: 1 + the number of rows significantly better to N − the number significantly worse (t-tests, Holm over"
        " the row's comparisons). A bounded network cannot do much worse than 1, so kinds of truth stand apart.",
    ),
    (
        "far by distance, length, shift",
        "By distance: at least half of the far rows lie beyond R. By length: sequences longer than any in training."
        " By shift: other rows (another group, time or angle), most of them not beyond R.",
    ),
    (
        "on these tasks",
        "95% t-intervals over seeds, of the logarithm for errors and growth. Seed k has draw k of a"
        " computed task or split k of a table: they cover training and the draw. Splits of one table overlap: for a"
        " new table they are too narrow, by a factor of about 1.27 with five splits. They say nothing of other tasks.",
    ),
    (
        "for tasks like these",
        f"95% t-intervals over the means of tasks, from {LEAST_TASKS} tasks on: they cover the choice of tasks. A row"
        " is told from the first by the paired t-test over tasks, with Holm's correction.",
    ),
    (
        "equivalent, undecided",
        "Equivalent: the ratio's interval lies inside 1/1.05…1.05. Undecided: it neither does, nor is the difference"
        " significant. Could show: the smallest ratio that these seeds would have shown four times in five.",
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
    columns = [(column, _is_numeric(column, grid)) for column in grid.visible()]
    rows = [
        {
            "task": title_of(row.task) if by_task else None,
            "cells": [_cell(column, row, numeric) for column, numeric in columns],
        }
        for row in grid.rows
    ]
    return {
        "id": name,
        "title": grid.title,
        "columns": [{"heading": c.heading.replace(GAP, " "), "numeric": numeric} for c, numeric in columns],
        "rows": rows,
        "notes": list(grid.notes),
        "choices": list(dict.fromkeys(title_of(row.task) for row in grid.rows)) if by_task else [],
    }


def _is_numeric(column: Column[Any], grid: Grid[Any]) -> bool:
    return any(isinstance(column.value(row), int | float | Interval) for row in grid.rows)


def _cell(column: Column[Any], row: Any, numeric: bool) -> dict[str, str]:
    """The text, the interval below it, and what it is sorted by."""
    value = column.value(row)
    if not numeric:
        text = column.text(row)
        return {"text": text, "ends": "", "sort": _sort_key(value), "kind": _kind(text)}
    text, _, ends = column.text(row, gap=GAP).partition(GAP)
    return {"text": text, "ends": ends, "sort": _sort_key(value), "kind": "number"}


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


def environments(summaries: Summaries) -> list[dict[str, Any]]:
    """The different environments, the most frequent first; ``place`` is that among those of the summaries."""
    counted = np.bincount(summaries.environment, minlength=len(summaries.environments)).tolist()
    order = sorted((place for place, count in enumerate(counted) if count), key=lambda place: -counted[place])
    return [
        {"id": f"E{n}", "records": f"{counted[place]:,}", "lines": list(summaries.environments[place]), "place": place}
        for n, place in enumerate(order, start=1)
    ]


def provenance(cells: Cells, known: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Everything that each cell's numbers depend on, and what the protocol chose.

    Args:
        cells: of one protocol.
        known: from :func:`environments`.
    """
    rows: list[list[RecordRow]] = [[] for _ in range(len(cells))]
    used: list[set[int]] = [set() for _ in range(len(cells))]
    for row, cell, place in zip(
        record_rows(cells.records), cells.records.cell.tolist(), cells.records.environment.tolist(), strict=True
    ):
        rows[cell].append(row)
        used[cell].add(place)
    names = {environment["place"]: environment["id"] for environment in known}
    return [_provenance(mine, sorted(names[place] for place in there)) for mine, there in zip(rows, used, strict=True)]


def _provenance(rows: Sequence[RecordRow], environments: Sequence[str]) -> dict[str, Any]:
    """Of one cell."""
    key = rows[0].cell
    ok = [row for row in rows if row.status == "ok"]
    statuses = Counter(row.status for row in rows)
    edges = sum(bool(row.number(EDGE_OF_GRID)) for row in ok)
    created = [str(row.facts["created"]) for row in rows]
    lines = [
        ("task version", key.task_version),
        ("data (SHA-256)", _data(rows)),
        ("source code (SHA-256)", key.source_hash),
        ("source code of the norm (SHA-256)", key.norm_hash),
        ("seeds", ", ".join(str(row.seed) for row in rows)),
        ("training programs", _distinct(row.facts["program"] for row in ok)),
        ("learning rates", _listed(row.number(LEARNING_RATE) for row in ok)),
        ("best steps", _listed(row.number(BEST_STEP) for row in ok)),
        ("at the edge of the rates", f"{edges} of {len(ok)} seeds"),
        ("trained parameters", _listed(sorted({n for row in ok if (n := row.number(PARAMETERS)) is not None}))),
        ("seconds", show_number(sum(float(row.number(SECONDS) or 0.0) for row in rows))),
        ("created", " to ".join(dict.fromkeys((min(created), max(created))))),
        ("environment", ", ".join(environments)),
        *(("reason", str(reason)) for reason in dict.fromkeys(row.facts["reason"] for row in rows) if reason),
    ]
    summary = seeds_text([len(rows)])
    if set(statuses) != {"ok"}:
        summary += ": " + ", ".join(f"{n} {status}" for status, n in sorted(statuses.items()))
    names = {"task": key.task, "architecture": key.architecture, "norm": key.norm, "protocol": key.protocol}
    return names | {"summary": summary, "lines": [(name, value) for name, value in lines if value]}


def _data(rows: Sequence[RecordRow]) -> str:
    """The data hashes of the draws: in whole where there is one, else what they share and how each goes on."""
    hashes = list(dict.fromkeys(row.data_hash for row in rows))
    if len(hashes) == 1:
        return hashes[0]
    start = len(rows[0].cell.edition)
    return f"{rows[0].cell.edition}, then {', '.join(name[start : start + 8] for name in hashes)}"


def _listed(values: Iterable[float | int | None]) -> str:
    return ", ".join(f"{v:g}" if isinstance(v, float) else f"{v:,}" for v in values if v is not None)


def _distinct(words: Iterable[object]) -> str:
    return ", ".join(str(word) for word in dict.fromkeys(words) if word)
