"""The tables of a store that hold the summaries of its records: a row a record, and a row a cell.

They say nothing that the records do not say; they are written in the same transaction, and :meth:`Store.check` holds
them against each other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from pydantic import ValidationError

from bench.core.errors import InputError
from leaderboard.records.record import CELL_PARTS, CellKey, Record
from leaderboard.records.summary import SUMMARY_FIELDS, Summaries, Summary

_TYPES = {"digest": "TEXT NOT NULL", "seed": "INTEGER NOT NULL", "status": "TEXT NOT NULL", "truth": "TEXT NOT NULL"}
_TYPES |= {"deterministic": "INTEGER NOT NULL", "created": "TEXT NOT NULL", "reason": "TEXT"}
_TYPES |= {"finite": "INTEGER NOT NULL", "parameters": "INTEGER"}
_PARTS = ", ".join(CELL_PARTS)
_FIELDS = ", ".join(SUMMARY_FIELDS)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make both tables."""
    parts = ", ".join(f"{name} TEXT NOT NULL" for name in CELL_PARTS)
    columns = ", ".join(f"{name} {_TYPES.get(name, 'REAL')}" for name in SUMMARY_FIELDS)
    connection.execute(f"CREATE TABLE cells (id INTEGER PRIMARY KEY, {parts}, UNIQUE ({_PARTS})) STRICT")
    connection.execute(
        f"""CREATE TABLE summaries (
            record INTEGER PRIMARY KEY REFERENCES records (id) ON DELETE CASCADE,
            cell INTEGER NOT NULL REFERENCES cells (id),
            {columns}
        ) STRICT"""
    )


def drop_tables(connection: sqlite3.Connection) -> None:
    """Remove both tables, if they are there."""
    connection.execute("DROP TABLE IF EXISTS summaries")
    connection.execute("DROP TABLE IF EXISTS cells")


def insert(connection: sqlite3.Connection, number: int, record: Record) -> None:
    """Add the summary of ``record``, whose row in the table of records is ``number``."""
    values = tuple(getattr(record.key, name) for name in CELL_PARTS)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT OR IGNORE INTO cells ({_PARTS}) VALUES ({marks})", values)
    (cell,) = connection.execute(f"SELECT id FROM cells WHERE ({_PARTS}) = ({marks})", values).fetchone()
    row = (number, cell, *Summary.of(record).values())
    connection.execute(f"INSERT INTO summaries (record, cell, {_FIELDS}) VALUES ({', '.join('?' * len(row))})", row)


def forget_empty_cells(connection: sqlite3.Connection) -> None:
    """Remove cells that no record is of any more."""
    connection.execute("DELETE FROM cells WHERE id NOT IN (SELECT cell FROM summaries)")


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
        keys = connection.execute(f"SELECT id, {_PARTS} FROM cells").fetchall()
        query = f"SELECT {_FIELDS}, cell FROM summaries JOIN cells ON cells.id = summaries.cell{where}"
        rows = connection.execute(query, tuple(values)).fetchall()
    finally:
        connection.execute("COMMIT")
    if records != known:
        raise _damaged(f"there are {known} of {records} records")
    places = {row[0]: place for place, row in enumerate(keys)}
    try:
        cells = [CellKey(*row[1:]) for row in keys]
        return Summaries.from_rows(cells, [places[row[-1]] for row in rows], rows).in_order()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _damaged(f"{CELL_PARTS[int(first['loc'][0])]} of a cell: {first['msg']}") from None
    except ValueError as error:
        raise _damaged(str(error)) from None


def stored(connection: sqlite3.Connection, number: int) -> tuple[object, ...] | None:
    """What is stored as the summary of the record in row ``number``: its cell's parts and its fields."""
    query = f"SELECT {_PARTS}, {_FIELDS} FROM summaries JOIN cells ON cells.id = cell WHERE record = ?"
    row: tuple[object, ...] | None = connection.execute(query, (number,)).fetchone()
    return row


def expected(record: Record) -> tuple[object, ...]:
    """What :func:`stored` must be."""
    return (*(getattr(record.key, name) for name in CELL_PARTS), *Summary.of(record).values())


def _damaged(what: str) -> InputError:
    return InputError(
        f"the summaries of this store are damaged: {what[:300]}", hint="restore a copy, or use another --out"
    )
