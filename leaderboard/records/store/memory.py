"""What a store remembers beside its records: where plug-ins lay, and which suites were run.

It is what was said when records were made, so that reading them needs neither the files nor their code. It is data:
nothing of it is executed, and a store from elsewhere may say anything, so it is checked and bounded.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from bench.core.errors import InputError

Kind = Literal["plug-in", "suite", "guest"]
_TABLE = """CREATE TABLE IF NOT EXISTS memory (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (kind, name, sha256)
) STRICT"""
_MOST_CHARACTERS = 4_000_000  # of one entry
_MOST_ENTRIES = 10_000


@dataclass(frozen=True)
class Remembered:
    """An entry.

    Args:
        kind: a plug-in file; a suite; an architecture and a norm that were put on a suite.
        name: the file's path; the suite's name.
        sha256: tells entries of one kind and name apart.
        content: what JSON holds.
    """

    kind: Kind
    name: str
    sha256: str
    content: Mapping[str, Any]


def remember(connection: sqlite3.Connection, entries: Iterable[Remembered]) -> None:
    """Add ``entries``; one that is there already becomes the newest. The table is made when there is something."""
    given = list(entries)
    if not given:
        return
    connection.execute(_TABLE)
    for entry in given:
        row = (entry.kind, entry.name, entry.sha256)
        content = json.dumps(entry.content, sort_keys=True, ensure_ascii=False)
        connection.execute("DELETE FROM memory WHERE (kind, name, sha256) = (?, ?, ?)", row)
        connection.execute("INSERT INTO memory (kind, name, sha256, content) VALUES (?, ?, ?, ?)", (*row, content))


def recall(connection: sqlite3.Connection, kind: Kind, name: str | None = None) -> Iterator[Remembered]:
    """The entries of a kind (and a name), the newest first.

    Raises:
        InputError: one is damaged.
    """
    assert kind in get_args(Kind)
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'memory'").fetchone()
    if there is None:
        return
    where, values = ("WHERE kind = ? AND name = ?", (kind, name)) if name is not None else ("WHERE kind = ?", (kind,))
    query = f"SELECT name, sha256, content FROM memory {where} ORDER BY number DESC LIMIT {_MOST_ENTRIES}"
    for found, sha256, content in connection.execute(query, values).fetchall():
        yield Remembered(kind, found, sha256, _read(kind, found, content))


def _read(kind: Kind, name: str, content: str) -> dict[str, Any]:
    try:
        if len(content) > _MOST_CHARACTERS:
            raise ValueError(f"{len(content):,} characters")
        read = json.loads(content)
        if not isinstance(read, dict):
            raise ValueError("no mapping")
    except (ValueError, RecursionError) as error:
        what = f"what the store remembers of the {kind} {name[:100]!r} is damaged: {error}"
        raise InputError(what, hint="run it again, or restore a copy") from None
    return read
