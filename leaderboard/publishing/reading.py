"""The entries that come with FarField: ``leaderboard/entries/*.json``, or those of the folder ``FARFIELD_ENTRIES``."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

from bench.core.errors import InputError
from leaderboard.publishing.entry import MOST_BYTES, Entry
from leaderboard.publishing.packing import records_of
from leaderboard.records.record import Record

FOLDER_VARIABLE = "FARFIELD_ENTRIES"
SCHEMA = "schema.json"
MOST_BYTES_TOGETHER = 6_000_000
"""Of all entries that come with FarField."""

Entries = Mapping[str, Entry]
"""Entries by the names of their files, without ``.json``."""


def published_entries() -> Entries:
    """The entries that come with FarField, or those of the folder that ``FARFIELD_ENTRIES`` names.

    Raises:
        InputError: one cannot be read or is not valid; the file is named.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    return read_entries(Path(folder) if folder else importlib.resources.files("leaderboard") / "entries")


def read_entries(place: Path | Traversable) -> Entries:
    """The entries of a folder, in order of their names, or that of one file.

    Raises:
        InputError: there is no such place, or an entry cannot be read or is not valid; the file is named.
    """
    if place.is_file():
        return {place.name.removesuffix(".json"): read_entry(place)}
    if not place.is_dir():
        raise InputError("there is no such folder or file of entries", where=str(place), hint="check the path")
    names = sorted(file.name for file in place.iterdir() if file.name.endswith(".json") and file.name != SCHEMA)
    return {name.removesuffix(".json"): read_entry(place / name) for name in names}


def read_entry(file: Path | Traversable) -> Entry:
    """The entry in a file.

    Raises:
        InputError: it cannot be read, is too large, or is not valid; the file is named.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file), hint="check the path") from None
    except UnicodeDecodeError:
        raise InputError("an entry is UTF-8, and this is not", where=str(file), hint="name an entry") from None
    if len(content) > MOST_BYTES:
        raise InputError("an entry of too many bytes", where=str(file), hint=f"at most {MOST_BYTES:,}")
    try:
        return Entry.from_json(text)
    except InputError as error:
        place = f"{file}, {error.where}" if error.where else str(file)
        raise InputError(error.what, where=place, hint=error.hint) from None


def records_in(entries: Entries) -> tuple[Record, ...]:
    """The records of several entries.

    Raises:
        InputError: one of them is no valid record, or two entries have the same; the entries are named.
    """
    found: dict[str, str] = {}
    every: list[Record] = []
    for name, entry in entries.items():
        try:
            mine = records_of(entry)
        except InputError as error:
            raise InputError(error.what, where=f"{name}, {error.where}", hint=error.hint) from None
        for digest in _digests(mine):
            other = found.setdefault(digest, name)
            if other != name:
                raise InputError(f"{other} and {name} hold the same record", where=digest[:12], hint="leave one out")
        every += mine
    return tuple(every)


def _digests(records: Iterable[Record]) -> Iterable[str]:
    return (record.key.digest() for record in records)
