"""Boards and comparisons of a store that an earlier version made are, to the last bit, those that it made itself.

Verdicts are not: what they rest on today was not measured then.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from leaderboard.ranking.comparison import compare
from leaderboard.ranking.standings import standings
from leaderboard.records.record import Record
from leaderboard.records.store.store import Store
from leaderboard.records.store.stored_records import StoredRecords
from leaderboard.tables.rendering import render_comparison, render_standings

DATA = Path(__file__).parents[1] / "data"


def expected(what: str) -> Any:
    return json.loads(gzip.decompress((DATA / f"quick-schema-2.{what}.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredRecords:
    path = tmp_path_factory.mktemp("old") / "records.sqlite"
    path.write_bytes(gzip.decompress((DATA / "quick-schema-2.sqlite.gz").read_bytes()))
    with Store(path, "write") as store:
        return StoredRecords(path, store.summaries())


def known_part(found: Any, wanted: Any) -> Any:
    """``found`` without the columns that ``wanted`` does not have."""
    if isinstance(wanted, dict):
        return {name: known_part(found[name], value) for name, value in wanted.items()}
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict) and len(found) == len(wanted):
        return [known_part(one, other) for one, other in zip(found, wanted, strict=True)]
    return found


def without_verdicts(document: Any) -> Any:
    """The document without what follows from verdicts."""
    if isinstance(document, list):
        return [without_verdicts(one) for one in document]
    if isinstance(document, dict):
        return {name: without_verdicts(one) for name, one in document.items() if name not in ("verdict", "unbounded")}
    return document


@pytest.mark.parametrize("kind", ["summaries", "records"])
def test_numbers_are_what_they_were(stored: StoredRecords, kind: str) -> None:
    records: StoredRecords | list[Record] = stored if kind == "summaries" else list(stored)
    boards, comparisons = standings(records), compare(records, "norm")
    made = {
        "board": render_standings(boards, "json"),
        "tasks": render_standings(boards, "json", scope="tasks"),
        "compare": render_comparison(comparisons, "json"),
    }
    for what, text in made.items():
        wanted = without_verdicts(expected(what))
        assert len(wanted["tables"]) > 0
        assert known_part(json.loads(text), wanted) == wanted, what
