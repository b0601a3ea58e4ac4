"""Records that stay in their store until somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

from leaderboard.records.record import Record
from leaderboard.records.store.store import Store
from leaderboard.records.summary import Summaries


class StoredRecords(Sequence[Record]):
    """A sequence of records of which only the summaries are in memory.

    The first look at a record reads and validates them all; standings never look.

    Args:
        path: of the store.
        summaries: of the records, in order.

    Raises:
        InputError: on that first look, when the store or one of the records is gone or damaged.
    """

    def __init__(self, path: Path, summaries: Summaries) -> None:
        self.path, self.summaries = path, summaries

    @cached_property
    def _read(self) -> tuple[Record, ...]:
        with Store(self.path) as store:
            return tuple(store.read(self.summaries.digest))

    def __len__(self) -> int:
        return len(self.summaries)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._read)

    @overload
    def __getitem__(self, place: int) -> Record: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Record, ...]: ...

    def __getitem__(self, place: int | slice) -> Record | tuple[Record, ...]:
        return self._read[place]

    def __repr__(self) -> str:
        return f"<{len(self)} records in {self.path}>"
