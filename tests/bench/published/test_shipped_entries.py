"""The entries that come with FarField are what this code would write, and small."""

from __future__ import annotations

import importlib.resources

import pytest

from bench.sweep.entries import older_cells
from leaderboard.publishing.reading import MOST_BYTES_TOGETHER, read_entries, records_in

FOLDER = importlib.resources.files("leaderboard") / "entries"


def test_they_are_valid_distinct_canonical_and_small() -> None:
    entries = read_entries(FOLDER)
    assert len(records_in(entries)) == sum(map(len, entries.values()))
    texts = {file.name.removesuffix(".json"): file.read_text("utf-8") for file in FOLDER.iterdir()}
    assert all(texts[name] == entry.to_json() for name, entry in entries.items())
    assert sum(len(text.encode()) for text in texts.values()) < MOST_BYTES_TOGETHER
    assert set(texts) == {"schema", *entries}, "leaderboard/entries holds entries and their schema only"


def test_no_name_or_hash_of_them_is_older() -> None:
    assert [key for entry in read_entries(FOLDER).values() for key in older_cells(entry)] == []


@pytest.mark.slow
def test_none_of_their_data_is_older() -> None:
    """Loads every draw of every task that is published."""
    assert [key for entry in read_entries(FOLDER).values() for key in older_cells(entry, data=True)] == []
