"""Records with their summaries: those that stay in their store until somebody looks at them, and those at hand.

Standings, comparisons, charts and pages take either. They look at the summaries; only a chart of whole curves reads
records, and of these only the ones that it draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, overload

from leaderboard.records.record import CellKey, Record
from leaderboard.records.store.store import Store
from leaderboard.records.summary import Summaries


class Summarized(Protocol):
    """Records and their summaries."""

    @property
    def summaries(self) -> Summaries:
        """Of the records, in order."""
        ...

    def read(self, digests: Iterable[str]) -> list[Record]:
        """The records of the keys with these digests, in that order."""
        ...

    def where(self, wanted: Callable[[CellKey], bool]) -> Summarized:
        """Those of the cells for which ``wanted`` is true."""
        ...


class StoredRecords(Sequence[Record]):
    """A sequence of records of which only the summaries are in memory.

    The first look at a record by its place reads and validates them all; standings never look.

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
        return tuple(self.read(self.summaries.digest))

    def read(self, digests: Iterable[str]) -> list[Record]:
        """The records of the keys with these digests, in that order, and no others."""
        with Store(self.path) as store:
            return list(store.read(digests))

    def where(self, wanted: Callable[[CellKey], bool]) -> StoredRecords:
        """Those of the cells for which ``wanted`` is true."""
        mine = [wanted(key) for key in self.summaries.cells]
        chosen = [place for place, cell in enumerate(self.summaries.cell.tolist()) if mine[cell]]
        return StoredRecords(self.path, self.summaries.take(chosen))

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


class GivenRecords:
    """Records at hand."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = tuple(records)
        self.summaries = Summaries.of(self._records)

    def read(self, digests: Iterable[str]) -> list[Record]:
        """The records of the keys with these digests, in that order."""
        places = {digest: place for place, digest in enumerate(self.summaries.digest)}
        return [self._records[places[digest]] for digest in digests]

    def where(self, wanted: Callable[[CellKey], bool]) -> GivenRecords:
        """Those of the cells for which ``wanted`` is true."""
        return GivenRecords(record for record in self._records if wanted(record.key.cell))


def summarized(records: Iterable[Record] | Summarized) -> Summarized:
    """``records`` with their summaries; those of a store are not read for that."""
    return records if isinstance(records, StoredRecords | GivenRecords) else GivenRecords(records)  # type: ignore[arg-type]


def cells_of(records: Iterable[Record] | Summarized) -> dict[CellKey, int]:
    """The cells that ``records`` are of, each with the number of its records."""
    if isinstance(records, StoredRecords | GivenRecords):
        keys, places = records.summaries.cells, records.summaries.cell.tolist()
        return dict(Counter(keys[place] for place in places))
    return dict(Counter(record.key.cell for record in records))  # type: ignore[union-attr]
