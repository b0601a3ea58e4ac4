"""The tables of a store that hold the summaries of its records: a row a record, a row a cell, a row an environment.

They say nothing that the records do not say; they are written in the same transaction, and :meth:`Store.check` holds
them against each other. Their columns are those of :mod:`leaderboard.records.summary`: where a store was made with
others, :func:`refresh` makes its summaries anew from its records.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress

from pydantic import ValidationError

from bench.core.errors import InputError
from leaderboard.records.quantities import OF_RECORDS
from leaderboard.records.record import CELL_PARTS, CellKey, Record
from leaderboard.records.summary import FACTS, ROWS_AT_ONCE, SUMMARY_FIELDS, Summaries, Summary, SummaryBuilder

EDITION = 3  # of what the columns mean: another number has every store summarize its records anew

_TYPES = {"seed": "INTEGER NOT NULL", "deterministic": "INTEGER NOT NULL"}
_TYPES |= dict.fromkeys(("reason", "reason_code", "origin", "program", "far_kind"), "TEXT")
_TYPES |= {"environment": "INTEGER NOT NULL REFERENCES environments (id)"}
_PARTS = ", ".join(CELL_PARTS)
_FIELDS = ", ".join(SUMMARY_FIELDS)
_READ = ", ".join("content" if name == "environment" else f"summaries.{name}" for name in SUMMARY_FIELDS)
_FROM = "summaries JOIN cells ON cells.id = summaries.cell JOIN environments ON environments.id = summaries.environment"


def _definitions() -> dict[str, str]:
    """What makes each table."""
    parts = ", ".join(f"{name} TEXT NOT NULL" for name in CELL_PARTS)
    facts = ", ".join(f"{name} {_TYPES.get(name, 'TEXT NOT NULL')}" for name in FACTS)
    numbers = ", ".join(f"{q.name} {'REAL' if q.kind == 'real' else 'INTEGER'}" for q in OF_RECORDS)
    return {
        "cells": f"CREATE TABLE cells (id INTEGER PRIMARY KEY, {parts}, UNIQUE ({_PARTS})) STRICT",
        "environments": ("CREATE TABLE environments (id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE) STRICT"),
        "summaries": (
            f"CREATE TABLE summaries (/* edition {EDITION} */ "
            "record INTEGER PRIMARY KEY REFERENCES records (id) ON DELETE CASCADE, "
            f"cell INTEGER NOT NULL REFERENCES cells (id), {facts}, {numbers}) STRICT"
        ),
    }


def is_current(connection: sqlite3.Connection) -> bool:
    """The tables are there, made as they are made today."""
    return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).items() >= (
        _definitions().items()
    )


def refresh(connection: sqlite3.Connection, anew: bool = False) -> None:
    """Make the tables anew, with a summary of every record, unless they are as they would be made.

    A record that cannot be read gets none; :meth:`leaderboard.records.store.store.Store.check` names it.

    Args:
        connection: in a transaction.
        anew: in any case: the records themselves have changed.
    """
    if is_current(connection) and not anew:
        return
    definitions = _definitions()
    for name in ("summaries", "environments", "cells"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    for definition in definitions.values():
        connection.execute(definition)
    for number, body in connection.execute("SELECT id, body FROM records"):
        with suppress(InputError):
            insert(connection, number, Record.from_json(body))


def insert(connection: sqlite3.Connection, number: int, record: Record) -> None:
    """Add the summary of ``record``, whose row in the table of records is ``number``."""
    key = record.key.cell
    values = tuple(getattr(key, name) for name in CELL_PARTS)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT OR IGNORE INTO cells ({_PARTS}) VALUES ({marks})", values)
    (cell,) = connection.execute(f"SELECT id FROM cells WHERE ({_PARTS}) = ({marks})", values).fetchone()
    summary = Summary.of(record)
    content = (summary.environment,)
    connection.execute("INSERT OR IGNORE INTO environments (content) VALUES (?)", content)
    (environment,) = connection.execute("SELECT id FROM environments WHERE content = ?", content).fetchone()
    fields = dict(zip(SUMMARY_FIELDS, summary.values(), strict=True)) | {"environment": environment}
    row = (number, cell, *fields.values())
    connection.execute(f"INSERT INTO summaries (record, cell, {_FIELDS}) VALUES ({', '.join('?' * len(row))})", row)


def forget_what_none_has(connection: sqlite3.Connection) -> None:
    """Remove cells and environments that no record is of any more."""
    connection.execute("DELETE FROM cells WHERE id NOT IN (SELECT cell FROM summaries)")
    connection.execute("DELETE FROM environments WHERE id NOT IN (SELECT environment FROM summaries)")


def read(connection: sqlite3.Connection, where: str, values: Iterable[str | int]) -> Summaries:
    """The summaries of the records that a WHERE clause over key parts, seed and status asks for, in order of key.

    Raises:
        InputError: they are damaged, or not there for every record.
    """
    connection.execute("BEGIN")  # all that is read is of one moment, whoever writes meanwhile
    try:
        records, known = connection.execute(
            "SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM summaries)"
        ).fetchone()
        if records != known:
            raise _damaged(f"there are {known} of {records} records")
        keys = connection.execute(f"SELECT id, {_PARTS} FROM cells").fetchall()
        places = {row[0]: place for place, row in enumerate(keys)}
        environments: dict[object, object] = dict(connection.execute("SELECT id, content FROM environments"))
        builder = SummaryBuilder()
        query = f"SELECT {_FIELDS}, cell FROM summaries JOIN cells ON cells.id = summaries.cell{where}"
        cursor = connection.execute(query, tuple(values))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            builder.add([places[row[-1]] for row in rows], rows)
        return builder.build(tuple([CellKey(*row[1:]) for row in keys]), environments).in_order()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _damaged(f"{CELL_PARTS[int(first['loc'][0])]} of a cell: {first['msg']}") from None
    except (ValueError, KeyError) as error:
        raise _damaged(str(error)) from None
    finally:
        connection.execute("COMMIT")


def stored(connection: sqlite3.Connection, number: int) -> tuple[object, ...] | None:
    """What is stored as the summary of the record in row ``number``: its cell's parts and its fields."""
    parts = ", ".join(f"cells.{name}" for name in CELL_PARTS)
    query = f"SELECT {parts}, {_READ} FROM {_FROM} WHERE record = ?"
    row: tuple[object, ...] | None = connection.execute(query, (number,)).fetchone()
    return row


def expected(record: Record) -> tuple[object, ...]:
    """What :func:`stored` must be."""
    key = record.key.cell
    return (*(getattr(key, name) for name in CELL_PARTS), *Summary.of(record).values())


def _damaged(what: str) -> InputError:
    return InputError(
        f"the summaries of this store are damaged: {what[:300]}", hint="restore a copy, or use another --out"
    )
