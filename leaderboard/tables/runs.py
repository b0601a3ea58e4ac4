"""Looking after the records of a store: listing, showing, exporting, finding what to delete."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args

from bench.core.errors import InputError, UnknownName
from bench.core.grammar import title_of
from leaderboard.records.quantities import OF_RECORDS
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import Record, SetResult
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.records.store.stored_records import summarized
from leaderboard.records.summary import Summaries
from leaderboard.tables.grid import Column, Grid, clean, show_number
from leaderboard.tables.record_columns import (
    COLUMNS,
    KEY_COLUMNS,
    NUMBER_COLUMNS,
    SET_COLUMNS,
    RecordRow,
    record_rows,
    set_values,
)
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
    records: Iterable[Record] | Summaries, form: Format = "table", *, width: int | None = None, color: bool = False
) -> str:
    """A row for each record, with its id.

    Args:
        records: in order, or their summaries.
        form: ``table``, ``markdown``, ``csv`` or ``json``.
        width, color: of the terminal, for ``table``.
    """
    summaries = records if isinstance(records, Summaries) else summarized(records).summaries
    rows = list(record_rows(summaries))
    return render([Grid(f"{len(rows):,} records", _list_columns(), rows)], form, width=width, color=color)


def _list_columns() -> list[Column[RecordRow]]:
    return [
        Column("id", "id", lambda row: row.digest, show=lambda row: row.digest[:SHORT]),
        Column("protocol", "protocol", lambda row: row.cell.protocol, spare=2),
        Column("task", "task", lambda row: row.cell.task, show=lambda row: title_of(row.cell.task)),
        Column("architecture", "architecture", lambda row: row.cell.architecture),
        Column("norm", "norm", lambda row: row.cell.norm),
        Column("seed", "seed", lambda row: row.seed),
        Column("status", "status", lambda row: row.status, spare=-1),
        *(_number_column(quantity) for quantity in OF_RECORDS),
        *(_fact_column(name, extra=True) for name in ("program", "origin", "reason_code")),
        _fact_column("created", spare=7),
        _fact_column("reason", spare=2),
    ]


def _number_column(quantity: Quantity) -> Column[RecordRow]:
    return Column(
        quantity.name,
        quantity.title,
        lambda row: row.number(quantity),
        quantity.direction,
        extra=quantity.listed is None,
        spare=quantity.listed or 0,
    )


def _fact_column(name: str, extra: bool = False, spare: int = 0) -> Column[RecordRow]:
    return Column(name, name.replace("_", " "), lambda row: row.facts[name], extra=extra, spare=spare)


def render_run(record: Record, details: dict[str, tuple[float | None, ...]] | None = None) -> str:
    """Everything in one record, for people."""
    lines: list[tuple[str, Any]] = [("id", record.key.digest()), ("status", record.status), ("reason", record.reason)]
    lines += [(name, getattr(record.key, name)) for name in KEY_COLUMNS[1:-1]]
    facts = ("reason_code", "origin", "program", "truth", "far_kind", "deterministic")
    lines += [(name, getattr(record, name)) for name in facts]
    lines += [("seed", record.key.seed), *_numbers(record)]
    lines += [(f"set {s.name}", _describe(s)) for s in record.sets]
    for r, growth, departure, count in zip(
        record.ladder, record.growth, record.departure, record.nonfinite, strict=True
    ):
        values = f"growth {_show(growth)}, departure {_show(departure)}" + (f", {count} not finite" if count else "")
        lines.append((f"r = {r:g}", values))
    lines += [(f"along axes, r = {r:g}", _show(g)) for r, g in record.axis_growth]
    lines += [(f"worst growth within {r:g}", _show(g)) for r, g in record.worst_growth]
    lines.append(("no certificate", record.certificate_reason))
    lines.append(("created", record.created))
    lines += [(f"environment {name}", value) for name, value in sorted(record.environment.items())]
    lines += [(f"kept {name}", f"{len(numbers):,} numbers") for name, numbers in sorted((details or {}).items())]
    shown = [
        (clean(name), clean(value if isinstance(value, str) else _show(value)))
        for name, value in lines
        if value is not None
    ]
    wide = max(len(name) for name, _ in shown)
    return "".join(f"{name:<{wide}}  {value}\n" for name, value in shown)


def _numbers(record: Record) -> list[tuple[str, Any]]:
    row = next(record_rows(Summaries.of([record])))
    return list(zip(NUMBER_COLUMNS, row.numbers, strict=True))


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
    if form == "jsonl":
        return _json_lines(store, which, details)
    return _csv_rows(store, which) if form == "csv" else _csv_sets(store, which)


def _json_lines(store: Store, which: RecordFilter | None, details: bool) -> Iterator[str]:
    for record in store.records(which):
        text = record.to_json()
        if details:
            kept = json.dumps(store.details(record.key), allow_nan=False)
            text = f'{{"record": {text}, "details": {kept}}}'
        yield text + "\n"


def _csv_rows(store: Store, which: RecordFilter | None) -> Iterator[str]:
    yield _csv_line(COLUMNS)
    for row in record_rows(store.summaries(which)):
        yield _csv_line(row.values().values())


def _csv_sets(store: Store, which: RecordFilter | None) -> Iterator[str]:
    yield _csv_line([*KEY_COLUMNS, "status", *SET_COLUMNS])
    for record in store.records(which):
        key = record.key
        head = [key.digest(), *(getattr(key, name) for name in KEY_COLUMNS[1:]), record.status]
        yield from (_csv_line([*head, *set_values(one)]) for one in record.sets)


def _csv_line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    texts = [
        "" if v is None else repr(v) if isinstance(v, float) else str(v).lower() if isinstance(v, bool) else v
        for v in values
    ]
    csv.writer(out, lineterminator="\n").writerow(texts)
    return out.getvalue()
