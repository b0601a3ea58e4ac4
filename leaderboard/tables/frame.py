"""Rows of a data frame: all that is measured of a record, and the verdict on its cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from leaderboard.ranking.standings import verdicts_by_cell
from leaderboard.records.record import Record
from leaderboard.records.store.stored_records import Summarized, summarized
from leaderboard.tables.record_columns import WORDS, record_rows

_OF_A_SET = ("relative_error", "rmse", "mae", "r2")
_AT_ONCE = 1000


def frame_rows(records: Iterable[Record] | Summarized) -> Iterator[dict[str, Any]]:
    """A row for each record: the columns of lists and CSV, ``verdict`` and ``grade`` of its cell, and
    ``<set>.<measure>`` of each labelled set.

    Words that there are not are ``None``, numbers that were not measured NaN.
    """
    collection = summarized(records)
    verdicts = verdicts_by_cell(collection.summaries)
    digests = collection.summaries.digest
    rows = record_rows(collection.summaries)
    for start in range(0, len(digests), _AT_ONCE):
        for record, row in zip(collection.read(digests[start : start + _AT_ONCE]), rows, strict=False):
            values: dict[str, Any] = row.values() | {
                "verdict": verdicts[row.cell].word,
                "grade": verdicts[row.cell].grade,
            }
            for one in record.sets:
                values |= {f"{one.name}.{measure}": getattr(one, measure) for measure in _OF_A_SET}
            yield {name: math.nan if value is None and name not in WORDS else value for name, value in values.items()}
