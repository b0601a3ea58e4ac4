"""The store: every record of a sweep in one SQLite file; the records of a cell are one transaction.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> with Store(folder.name + "/records.sqlite", "write") as store:
...     len(store)
0
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from bench.core.errors import InputError
from leaderboard.records.record import FINAL_STATUSES, STATUSES, Details, Record, RecordKey, Status
from leaderboard.records.store import memory, summary_table
from leaderboard.records.store.locking import store_lock
from leaderboard.records.store.opening import explained, open_reading, open_writing
from leaderboard.records.summary import Summaries

__all__ = ["RecordFilter", "Store", "store_lock"]

Mode = Literal["read", "write"]
_ROWS_AT_ONCE = 256
_MOST_NUMBERS = 10_000_000  # in one detail


@dataclass(frozen=True)
class RecordFilter:
    """Which records: within a field any of the patterns may match, and every field that has some must.

    Patterns are SQLite's GLOB: ``*``, ``?`` and ``[...]``, case-sensitive, on canonical spellings.
    """

    protocol: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    architecture: tuple[str, ...] = ()
    norm: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    seed: tuple[int, ...] = ()

    def sql(self) -> tuple[str, list[str | int]]:
        """A WHERE clause (or nothing) and its values."""
        clauses, values = [], []
        for f in fields(self):
            wanted = getattr(self, f.name)
            if wanted:
                operator = "=" if f.name == "seed" else "GLOB"
                clauses.append("(" + " OR ".join(f"{f.name} {operator} ?" for _ in wanted) + ")")
                values.extend(wanted)
        return (" WHERE " + " AND ".join(clauses) if clauses else ""), values


class Store:
    """Records by key. A context manager; in mode ``write`` it holds the store's lock from beginning to end.

    Args:
        path: the file; its folder is made when writing.
        mode: ``read`` changes nothing and works on read-only mounts and beside a writer.

    Raises:
        InputError: no store there, a newer schema, somebody else is writing, not a store, not accessible.
    """

    def __init__(self, path: str | Path, mode: Mode = "read") -> None:
        if mode not in ("read", "write"):
            raise ValueError(f"mode must be 'read' or 'write', not {mode!r}")
        self.path, self.mode = Path(path), mode
        with ExitStack() as keep, explained(self.path):
            if mode == "write":
                self.path.parent.mkdir(parents=True, exist_ok=True)
                keep.enter_context(store_lock(self.path))
                self._connection = open_writing(self.path)
            else:
                self._connection = open_reading(self.path, keep)
            keep.callback(self._connection.close)
            self._keep = keep.pop_all()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and free the lock; closing twice is harmless."""
        with explained(self.path):
            self._keep.close()

    def add(self, record: Record, details: Details | None = None) -> bool:
        """Store ``record`` and its details, both or neither, on disk when this returns.

        A final record is never replaced: then nothing happens and ``False`` is returned. A ``failed`` or ``timeout``
        one is.

        Raises:
            InputError: the store is open for reading, or cannot be written (a full disk); nothing is half stored.
        """
        return self.add_together([(record, details or {})]) == 1

    def add_together(self, pairs: Iterable[tuple[Record, Details]]) -> int:
        """Store records that were made together in one transaction, all or none; returns how many were new.

        The seeds of a cell train as one program, so a sweep that is killed must find all of them or none: trained in
        other company, the rest would round differently.

        Raises:
            InputError: as :meth:`add`.
        """
        packed = [(r, [(name, _pack(name, numbers)) for name, numbers in d.items()]) for r, d in pairs]
        with self._transaction() as connection:
            return sum(self._insert(connection, record, details) for record, details in packed)

    def _insert(self, connection: sqlite3.Connection, record: Record, details: list[tuple[str, bytes]]) -> bool:
        digest, key = record.key.digest(), record.key
        found = connection.execute("SELECT id, status FROM records WHERE digest = ?", (digest,)).fetchone()
        if found and found[1] in FINAL_STATUSES:
            return False
        if found:
            connection.execute("DELETE FROM records WHERE id = ?", (found[0],))
        cursor = connection.execute(
            "INSERT INTO records (digest, status, protocol, task, architecture, norm, seed, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (digest, record.status, key.protocol, key.task, key.architecture, key.norm, key.seed, record.to_json()),
        )
        number = cursor.lastrowid
        assert number is not None
        summary_table.insert(connection, number, record)
        rows = ((number, name, blob) for name, blob in details)
        connection.executemany("INSERT INTO details (record, name, numbers) VALUES (?, ?, ?)", rows)
        return True

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self.mode != "write":
            raise InputError("the store is open for reading only", where=str(self.path))
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def get(self, key: RecordKey) -> Record | None:
        """The record of ``key``, or ``None``."""
        rows = self._select("SELECT body FROM records WHERE digest = ?", (key.digest(),))
        return next((self._read(body) for (body,) in rows), None)

    def __len__(self) -> int:
        return int(next(self._select("SELECT count(*) FROM records"))[0])

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, RecordKey):
            return False
        return any(self._select("SELECT 1 FROM records WHERE digest = ?", (key.digest(),)))

    def finished(self, retry: bool = False) -> frozenset[str]:
        """Digests of the keys that need not run: all that have a record, or with ``retry`` a final one."""
        wanted = sorted(FINAL_STATUSES) if retry else list(STATUSES)
        marks = ", ".join("?" * len(wanted))
        return frozenset(d for (d,) in self._select(f"SELECT digest FROM records WHERE status IN ({marks})", wanted))

    def counts(self, which: RecordFilter | None = None) -> dict[Status, int]:
        """How many records have each status; every status is named."""
        where, values = (which or RecordFilter()).sql()
        found = dict(self._select(f"SELECT status, count(*) FROM records{where} GROUP BY status", values))
        return {status: int(found.get(status, 0)) for status in STATUSES}

    def records(self, which: RecordFilter | None = None) -> Iterator[Record]:
        """Records one after the other, ordered by protocol, task, architecture, norm and seed."""
        where, values = (which or RecordFilter()).sql()
        order = " ORDER BY protocol, task, architecture, norm, seed, digest"
        for (body,) in self._select(f"SELECT body FROM records{where}{order}", values):
            yield self._read(body)

    def read(self, digests: Iterable[str]) -> Iterator[Record]:
        """The records of the keys with these digests, in that order.

        Raises:
            InputError: one is not there, or damaged.
        """
        for digest in digests:
            body = next(self._select("SELECT body FROM records WHERE digest = ?", (digest,)), None)
            if body is None:
                raise InputError(f"record {digest[:12]} is gone", where=str(self.path), hint="give the command again")
            yield self._read(*body)

    def summaries(self, which: RecordFilter | None = None) -> Summaries:
        """Summaries of :meth:`records`, in their order: what standings need, far quicker to read."""
        with explained(self.path):
            return summary_table.read(self._connection, *(which or RecordFilter()).sql())

    def keys(self, which: RecordFilter | None = None) -> list[RecordKey]:
        """The keys of :meth:`records`."""
        return [record.key for record in self.records(which)]

    def find(self, digest: str, most: int = 100) -> list[Record]:
        """Records whose key's digest begins with ``digest`` (hexadecimal), at most ``most`` of them."""
        query = "SELECT body FROM records WHERE digest >= ? AND digest < ? ORDER BY digest LIMIT ?"
        return [self._read(body) for (body,) in self._select(query, (digest, digest + "g", most))]

    def details(self, key: RecordKey, *names: str) -> dict[str, tuple[float | None, ...]]:
        """The details stored beside a record: all, or those in ``names`` that there are."""
        query = "SELECT d.name, d.numbers FROM details d JOIN records r ON r.id = d.record WHERE r.digest = ?"
        found: Mapping[str, bytes] = dict(self._select(query, (key.digest(),)))
        with explained(self.path):
            return {name: _unpack(blob) for name, blob in found.items() if not names or name in names}

    def delete(self, keys: Iterable[RecordKey]) -> int:
        """Remove the records of ``keys`` with their details, all or none; returns how many there were."""
        digests = [(key.digest(),) for key in keys]
        if not digests:
            return 0
        with self._transaction() as connection:
            deleted = connection.executemany("DELETE FROM records WHERE digest = ?", digests).rowcount
            summary_table.forget_what_none_has(connection)
        return deleted

    def remember(self, entries: Iterable[memory.Remembered]) -> None:
        """Keep what is said of plug-ins and suites beside the records, all or nothing.

        Raises:
            InputError: as :meth:`add`.
        """
        with self._transaction() as connection:
            memory.remember(connection, entries)

    def recall(self, kind: memory.Kind, name: str | None = None) -> list[memory.Remembered]:
        """What is remembered of a kind (and a name), the newest first.

        Raises:
            InputError: it is damaged.
        """
        with explained(self.path):
            return list(memory.recall(self._connection, kind, name))

    def check(self) -> tuple[str, ...]:
        """What is wrong with the file, one line each: nothing when it is sound. Reads every record."""
        problems = [str(row[0]) for row in self._select("PRAGMA integrity_check") if row[0] != "ok"]
        for number, digest, status, body in self._select("SELECT id, digest, status, body FROM records"):
            try:
                record = Record.from_json(body)
            except InputError as error:
                problems.append(f"record {number}: {error}")
                continue
            if record.key.digest() != digest or record.status != status:
                problems.append(f"record {number}: its columns do not agree with its body")
            elif summary_table.stored(self._connection, number) != summary_table.expected(record):
                problems.append(f"record {number}: its summary does not agree with its body")
        return tuple(problems)

    def _select(self, query: str, values: Iterable[str | int] = ()) -> Iterator[tuple[Any, ...]]:
        with explained(self.path):
            cursor = self._connection.execute(query, tuple(values))
        while True:
            with explained(self.path):  # not around the yield: who stops reading must not meet a closed file
                rows = cursor.fetchmany(_ROWS_AT_ONCE)
            if not rows:
                return
            yield from rows

    def _read(self, body: str) -> Record:
        try:
            return Record.from_json(body)
        except InputError as error:
            raise error.at(str(self.path)) from None


def _pack(name: str, numbers: tuple[float | None, ...]) -> bytes:
    """Little-endian float64, deflated; ``None`` (not finite) becomes NaN."""
    array = np.array(numbers, dtype="<f8")  # None becomes NaN
    if not name or len(name) > 200 or array.ndim != 1 or len(array) > _MOST_NUMBERS:
        raise ValueError(f"a detail is a name and up to {_MOST_NUMBERS:,} numbers, not {name[:50]!r} of {array.shape}")
    if np.isinf(array).any() or np.isnan(array).sum() != numbers.count(None):
        raise ValueError(f"detail {name!r} holds numbers that are not finite: write None")
    return zlib.compress(array.tobytes(), level=1)  # higher levels save a tenth, and take twice as long


def _unpack(blob: bytes) -> tuple[float | None, ...]:
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(blob, 8 * _MOST_NUMBERS)
    except zlib.error as error:
        raise InputError(f"a stored detail is damaged: {error}", hint="delete its record and run it again") from None
    if len(raw) % 8 or reader.unconsumed_tail:
        raise InputError("a stored detail is damaged", hint="delete its record and run it again")
    array = np.frombuffer(raw, dtype="<f8")
    return tuple(None if missing else float(n) for n, missing in zip(array, np.isnan(array), strict=True))
