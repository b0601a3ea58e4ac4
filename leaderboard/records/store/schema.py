"""The tables of a store, and how a store of an older schema becomes one of this schema.

``PRAGMA user_version`` holds the schema of a file. ``MIGRATIONS[v]`` turns schema ``v`` into ``v + 1``; the first one
creates the tables of schema 1 in an empty file, so that a new store and a migrated one are made by the same steps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress

from bench.core.errors import InputError
from leaderboard.records.record import Record
from leaderboard.records.store import summary_table

APPLICATION_ID = 0x46617246  # "FarF", so that another program's database is not taken for a store

Migration = Callable[[sqlite3.Connection], None]


def _create(connection: sqlite3.Connection) -> None:
    """Schema 1. The index holds all that planning asks for; details go with their record."""
    connection.execute(
        """CREATE TABLE records (
            id INTEGER PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,
            status TEXT NOT NULL,
            protocol TEXT NOT NULL,
            task TEXT NOT NULL,
            architecture TEXT NOT NULL,
            norm TEXT NOT NULL,
            seed INTEGER NOT NULL,
            body TEXT NOT NULL
        ) STRICT"""
    )
    connection.execute("CREATE INDEX records_by_status ON records (status, digest)")
    connection.execute("CREATE INDEX records_by_name ON records (protocol, task, architecture, norm, seed)")
    connection.execute(
        """CREATE TABLE details (
            record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            numbers BLOB NOT NULL,
            PRIMARY KEY (record, name)
        ) STRICT, WITHOUT ROWID"""
    )


def _summarize(connection: sqlite3.Connection) -> None:
    """Schema 2 added summaries of the records. They follow from the records: the end of :func:`migrate` makes them."""


def _upgrade(connection: sqlite3.Connection) -> None:
    """Schemas 3 and 4: records of schemas 2 and 3.

    With schema 2 keys name the code of the norm's kinds, and so have other digests.

    A record that cannot be read stays as it is; :meth:`leaderboard.records.store.store.Store.check` names it.
    """
    for number, body in connection.execute("SELECT id, body FROM records").fetchall():
        with suppress(InputError):
            record = Record.from_json(body)
            values = (record.key.digest(), record.to_json(), number)
            connection.execute("UPDATE records SET digest = ?, body = ? WHERE id = ?", values)


MIGRATIONS: tuple[Migration, ...] = (_create, _summarize, _upgrade, _upgrade)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema of the file: 0 when it is empty.

    Raises:
        InputError: it is the database of some other program.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application != APPLICATION_ID and (tables or version or application):
        raise InputError("this is a database, but not a FarField store", hint="choose another file")
    return version


def is_current(connection: sqlite3.Connection) -> bool:
    """The file has this schema, and summaries as they are made today."""
    return version_of(connection) == len(MIGRATIONS) and summary_table.is_current(connection)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] | None = None) -> int:
    """Bring the file to schema ``len(migrations)`` in one transaction; returns the schema it had.

    With ``MIGRATIONS``, summaries that are not as they are made today are made anew.

    Args:
        connection: to the store's file.
        migrations: ``MIGRATIONS`` unless given.

    Raises:
        InputError: the file has a newer schema.
    """
    whole = migrations is None
    migrations = MIGRATIONS if migrations is None else migrations
    version = version_of(connection)
    if version > len(migrations):
        raise InputError(
            f"this store has schema {version}, and this FarField knows schemas up to {len(migrations)}",
            hint="upgrade FarField, or choose another --out",
        )
    if version == len(migrations) and (not whole or summary_table.is_current(connection)):
        return version
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in migrations[version:]:
            step(connection)
        if whole:
            summary_table.refresh(connection, anew=version < len(migrations))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return version
