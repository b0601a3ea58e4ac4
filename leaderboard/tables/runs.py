"""Looking after the records of a store: listing, showing, exporting, finding what to delete."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args

from bench.core.errors import InputError, UnknownName
from leaderboard.records.record import CellKey, Record, SetResult
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.tables.grid import Column, Grid, clean, show_number
from leaderboard.tables.writing import Format, render

ExportFormat = Literal["jsonl", "csv", "sets-csv"]
SHORT = 12  # characters of a digest that lists show


def find_record(store: Store, digest: str) -> Record:
    """The record whose digest begins with ``digest``.

    Raises:
        InputError: none does, or several do.
    """
    if not re.fullmatch(r"[0-9a-f]{4,64}", digest):
        raise InputError(
            f"{digest[:70]!r} is no record id", hint="give 4 to 64 hexadecimal digits, as `runs list` shows"
        )
    found = store.find(digest, most=2)
    if not found:
        raise InputError(f"no record has an id that begins with {digest}", hint="see `farfield runs list`")
    if len(found) > 1:
        raise InputError(f"several records have ids that begin with {digest}", hint="give more digits")
    return found[0]


def render_runs(
    records: Iterable[Record], form: Format = "table", *, width: int | None = None, color: bool = False
) -> str:
    """A row for each record, with its id.

    Args:
        records: in order.
        form: ``table``, ``markdown``, ``csv`` or ``json``.
        width, color: of the terminal, for ``table``.
    """
    rows = list(records)
    return render([Grid(f"{len(rows):,} records", _LIST, rows)], form, width=width, color=color)


def _max_growth(record: Record) -> float | None:
    return record.max_growth


_LIST: list[Column[Record]] = [
    Column("id", "id", lambda r: r.key.digest(), show=lambda r: r.key.digest()[:SHORT]),
    Column("protocol", "protocol", lambda r: r.key.protocol, spare=2),
    Column("task", "task", lambda r: r.key.task),
    Column("architecture", "architecture", lambda r: r.key.architecture),
    Column("norm", "norm", lambda r: r.key.norm),
    Column("seed", "seed", lambda r: r.key.seed),
    Column("status", "status", lambda r: r.status, spare=-1),
    Column("far_error", "far error", lambda r: r.far_error, "lower", spare=1),
    Column("id_error", "id error", lambda r: r.id_error, "lower", spare=3),
    Column("max_growth", "max growth", _max_growth, "lower", spare=4),
    Column("exponent", "exponent", lambda r: r.exponent, spare=5),
    Column("seconds", "seconds", lambda r: r.seconds, spare=6),
    Column("created", "created", lambda r: r.created, spare=7),
    Column("reason", "reason", lambda r: r.reason, spare=2),
]


def render_run(record: Record, details: dict[str, tuple[float | None, ...]] | None = None) -> str:
    """Everything in one record, for people."""
    lines: list[tuple[str, Any]] = [("id", record.key.digest()), ("status", record.status), ("reason", record.reason)]
    lines += [(name, getattr(record.key.cell, name)) for name in CellKey.__dataclass_fields__]
    lines += [("seed", record.key.seed), ("deterministic", record.deterministic)]
    lines += [(n, getattr(record, n)) for n in ("truth", "id_error", "far_error", "exponent", "certificate")]
    lines += [(f"set {s.name}", _describe(s)) for s in record.sets]
    for r, growth, departure, count in zip(
        record.ladder, record.growth, record.departure, record.nonfinite, strict=True
    ):
        values = f"growth {_show(growth)}, departure {_show(departure)}" + (f", {count} not finite" if count else "")
        lines.append((f"r = {r:g}", values))
    lines += [(f"worst growth within {r:g}", _show(g)) for r, g in record.worst_growth]
    made = ("learning_rate", "best_step", "edge_of_grid", "parameters", "step_operations", "seconds", "created")
    lines += [(name, getattr(record, name)) for name in made]
    lines += [(f"environment {name}", value) for name, value in sorted(record.environment.items())]
    lines += [(f"kept {name}", f"{len(numbers):,} numbers") for name, numbers in sorted((details or {}).items())]
    shown = [
        (clean(name), clean(value if isinstance(value, str) else _show(value)))
        for name, value in lines
        if value is not None
    ]
    wide = max(len(name) for name, _ in shown)
    return "".join(f"{name:<{wide}}  {value}\n" for name, value in shown)


def _describe(one: SetResult) -> str:
    parts = [f"{one.rows:,} rows", f"relative error {_show(one.relative_error)}", f"RMSE {_show(one.rmse)}"]
    parts += [f"MAE {_show(one.mae)}", f"R² {_show(one.r2)}"]
    parts += [f"{one.nonfinite} not finite"] if one.nonfinite else []
    parts += ["distance " + " / ".join(f"{d:.3g}" for d in one.distance)] if one.distance else []
    return ", ".join(parts)


def _show(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return show_number(value) if isinstance(value, float) else str(value)


def export(
    store: Store, which: RecordFilter | None = None, form: ExportFormat = "jsonl", details: bool = False
) -> Iterator[str]:
    """Lines (each with its end) of an export, one record after the other, so that any number fits into memory.

    Args:
        store: open.
        which: the records; all of them by default.
        form: ``jsonl``: a record a line, as stored. ``csv``: a row a record. ``sets-csv``: a row a labelled set.
        details: ``jsonl`` only: the details beside each record, as ``{"record": …, "details": …}``.

    Raises:
        InputError: an unknown form, or details with CSV.
    """
    if form not in get_args(ExportFormat):
        raise UnknownName.among("export format", form, get_args(ExportFormat))
    if details and form != "jsonl":
        raise InputError(f"{form} has no room for details", hint="use jsonl")
    return _json_lines(store, which, details) if form == "jsonl" else _csv_lines(store, which, form)


def _json_lines(store: Store, which: RecordFilter | None, details: bool) -> Iterator[str]:
    for record in store.records(which):
        text = record.to_json()
        if details:
            kept = json.dumps(store.details(record.key), allow_nan=False)
            text = f'{{"record": {text}, "details": {kept}}}'
        yield text + "\n"


def _csv_lines(store: Store, which: RecordFilter | None, form: ExportFormat) -> Iterator[str]:
    yield _csv_line(_HEAD + (_SET if form == "sets-csv" else _BODY))
    for record in store.records(which):
        head = _head(record)
        rows = [_row_of_set(s) for s in record.sets] if form == "sets-csv" else [_row_of_record(record)]
        yield from (_csv_line([*head, *row]) for row in rows)


_KEY = (*CellKey.__dataclass_fields__, "seed")
_HEAD = ["id", *_KEY, "status"]
_PLAIN = ("truth", "deterministic", "learning_rate", "best_step", "edge_of_grid", "id_error", "far_error", "exponent")
_LAST = ("certificate", "parameters", "step_operations", "seconds", "created", "reason")
_GROWTH = ("max_growth", "growth_10", "growth_100")
_BODY = [*_PLAIN, *_GROWTH, "nonfinite", *_LAST]
_MEASURES = ("name", "role", "rows", "relative_error", "rmse", "mae", "r2", "nonfinite")
_SET = [*_MEASURES, "distance_05", "distance_50", "distance_95"]


def _head(record: Record) -> list[Any]:
    return [record.key.digest(), *(getattr(record.key, name) for name in _KEY), record.status]


def _row_of_record(record: Record) -> list[Any]:
    growth = [record.max_growth, record.growth_at(10), record.growth_at(100)]
    count = sum(record.nonfinite) + sum(s.nonfinite for s in record.sets)
    return [*(getattr(record, n) for n in _PLAIN), *growth, count, *(getattr(record, n) for n in _LAST)]


def _row_of_set(one: SetResult) -> list[Any]:
    return [*(getattr(one, name) for name in _MEASURES), *(one.distance or (None, None, None))]


def _csv_line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    texts = [
        "" if v is None else repr(v) if isinstance(v, float) else str(v).lower() if isinstance(v, bool) else v
        for v in values
    ]
    csv.writer(out, lineterminator="\n").writerow(texts)
    return out.getvalue()
