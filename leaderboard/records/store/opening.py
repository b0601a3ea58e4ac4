"""Opening the file of a store: to write it, or to read it wherever it lies, also where nothing can be written."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench.core.errors import InputError
from leaderboard.records.store import schema

_BUSY_SECONDS = 30.0


def open_writing(path: Path, vfs: str | None = None) -> sqlite3.Connection:
    """A connection that writes: WAL, or TRUNCATE where WAL cannot work; every commit reaches the disk.

    Args:
        path: of the store; made if missing, with its folder.
        vfs: SQLite's file layer; ``None`` is its default for the platform.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    options = "?mode=rwc" + (f"&vfs={vfs}" if vfs else "")
    connection = sqlite3.connect(_uri(path) + options, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        schema.version_of(connection)  # before anything is changed
        connection.execute("PRAGMA foreign_keys = ON")
        _choose_journal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        schema.migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _choose_journal(connection: sqlite3.Connection) -> None:
    """WAL lets others read during a run, but needs memory shared between processes: some file systems have none."""
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    except sqlite3.OperationalError:
        mode = "none"
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = TRUNCATE")


def open_reading(path: Path, keep: ExitStack) -> sqlite3.Connection:
    """A connection that reads and changes nothing, whatever the mount allows.

    What must live as long as the connection (a copy of a store that has unmerged changes on a read-only mount) is
    entered into ``keep``. A store of an older schema, or with other summaries, is migrated in memory.
    """
    if not path.is_file():
        raise InputError("there is no store", where=str(path), hint="run something first, or give its folder as --out")
    connection = _connect_reading(path, keep)
    try:
        return _current(connection)
    except BaseException:
        connection.close()
        raise


def _connect_reading(path: Path, keep: ExitStack) -> sqlite3.Connection:
    plain = sqlite3.connect(f"{_uri(path)}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        plain.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return plain
    except sqlite3.OperationalError as error:
        plain.close()
        if "unable to open" not in str(error) and "readonly" not in str(error):
            raise
    # A WAL store needs a writable folder even to be read. Nobody can be writing here, so it may be taken as it is;
    # only changes that a killed run left in the log have to be merged first, in a copy.
    log = path.with_name(path.name + "-wal")
    if log.is_file() and log.stat().st_size > 0:
        folder = Path(keep.enter_context(tempfile.TemporaryDirectory(prefix="farfield-store-")))
        copy = folder / path.name
        shutil.copyfile(path, copy)
        shutil.copyfile(log, folder / log.name)
        return sqlite3.connect(_uri(copy), uri=True, isolation_level=None)
    return sqlite3.connect(f"{_uri(path)}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _current(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection itself, or one to a migrated copy in memory when the schema or the summaries are older."""
    if schema.is_current(connection) or schema.version_of(connection) > len(schema.MIGRATIONS):
        schema.migrate(connection)  # refuses a newer one
        return connection
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with closing(connection):
        connection.backup(memory)
    schema.migrate(memory)
    return memory


def _uri(path: Path) -> str:
    return path.absolute().as_uri()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into one line for a user.

    Raises:
        InputError: instead of any ``sqlite3.Error`` or ``OSError``.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise InputError(f"the store cannot be used: {error}", where=str(path), hint=_cure(str(error))) from error
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"this is no store, or it is damaged: {error}", where=str(path), hint="restore a copy, or use another --out"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the store cannot be used: {reason}", where=str(path), hint=_cure(reason)) from error
    except InputError as error:
        raise error.at(str(path)) from error.__cause__


_CURES = {
    "disk is full": "free some space and give the same command again; what was stored is safe",
    "No space left": "free some space and give the same command again; what was stored is safe",
    "locked": "another program is writing to it; try again when it is done",
    "readonly": "make it writable, or choose another --out",
    "Read-only": "make it writable, or choose another --out",
    "denied": "make it readable and writable, or choose another --out",
}


def _cure(message: str) -> str:
    found = [cure for word, cure in _CURES.items() if word in message]
    return found[0] if found else "look at the file and its folder, or choose another --out"
