"""The records of published entries, as a store beside one's own, and which of them are today's."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bench.core.errors import InputError
from bench.core.origin import VERSIONED
from bench.core.seeding import edition_of
from bench.plan.options import SuiteFilterOptions
from bench.plan.protocol import PROTOCOLS
from bench.plan.scope import SuiteScope
from bench.plan.suite import list_suites, load_suite
from bench.sweep.options import STORE_NAME
from bench.sweep.query import PUBLISHED, NoRecords, chosen_records
from bench.sweep.remembering import guest_entries, scope_guests
from leaderboard.publishing.entry import CellBlock, Entry, MeasuredTask, cell_key
from leaderboard.publishing.reading import FOLDER_VARIABLE, Entries, published_entries, read_entries, records_in
from leaderboard.records.record import CellKey
from leaderboard.records.store.store import Store
from leaderboard.records.store.stored_records import GivenRecords, StoredRecords, Summarized

NOTHING = "no results are published with this FarField yet"


@dataclass(frozen=True)
class Published:
    """Entries, and their records in a store of their own.

    Attributes:
        entries: by name.
        older: cells that this code would write under another key: not today's numbers.
    """

    entries: Entries
    older: frozenset[CellKey]
    _folder: Path | None

    def records(self, chosen: SuiteFilterOptions | None = None) -> StoredRecords:
        """The published records that ``chosen`` asks for, wherever its own are; all of them by default.

        Raises:
            NoRecords: nothing is published, or nothing that matches.
        """
        if self._folder is None:
            raise NoRecords(NOTHING, hint="farfield run first, or name a folder of results")
        asked = replace(chosen or SuiteFilterOptions(), out=self._folder)
        try:
            return chosen_records(asked)
        except NoRecords as error:
            raise NoRecords(error.what, where=PUBLISHED, hint="ask for less") from None

    def of_suite(self, suite: SuiteScope) -> Summarized:
        """Today's records of a suite: of its cells, and of what is published as put on it; perhaps none.

        Args:
            suite: under the protocol that is meant. Its guests are those of another store, and count for nothing here.
        """
        if self._folder is None:
            return GivenRecords(())
        path = self._folder / STORE_NAME
        with Store(path) as store:
            everything = StoredRecords(path, store.summaries())
            scope = replace(suite, guests=frozenset(scope_guests(store, suite.name)))
        return everything.where(lambda key: key not in self.older and scope.holds(key))


def published(against: str = PUBLISHED) -> Published:
    """What is published.

    Args:
        against: ``published`` for the entries that come with FarField (or those in ``FARFIELD_ENTRIES``), else an
            entry's file or a folder of entries.

    Raises:
        InputError: an entry cannot be read or is not valid.
    """
    if against == PUBLISHED:
        named = os.environ.get(FOLDER_VARIABLE) or ""
        return _published(named, _stamps(Path(named)) if named else ())
    return _kept(read_entries(Path(against)))


def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file in the folder does."""
    files = sorted(folder.glob("*.json"))
    return tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)


@cache
def _published(folder: str, stamps: tuple[tuple[str, int, int], ...]) -> Published:
    return _kept(published_entries())


def _kept(entries: Entries) -> Published:
    """Entries with a store of their records, which is there as long as what this returns."""
    records = records_in(entries)
    if not records:
        return Published(entries, frozenset(), None)
    folder = Path(tempfile.mkdtemp(prefix="farfield-published-"))
    older = frozenset(key for entry in entries.values() for key in older_cells(entry))
    made = Published(entries, older, folder)
    weakref.finalize(made, shutil.rmtree, folder, ignore_errors=True)
    with Store(folder / STORE_NAME, "write") as store:
        store.add_together((record, {}) for record in records)
        for entry in entries.values():
            _remember_guests(store, entry)
    return made


def _remember_guests(store: Store, entry: Entry) -> None:
    """What was handed in on a suite is on the suite's board, though it is none of its cells."""
    if entry.suite is None or entry.suite.name not in list_suites():
        return
    own = SuiteScope.of(load_suite(entry.suite.name)).cells
    methods = {(c.architecture, c.norm) for c in entry.cells if (c.task, c.architecture, c.norm) not in own}
    store.remember(guest_entries(entry.suite.name, methods))


def older_cells(entry: Entry, data: bool = False) -> list[CellKey]:
    """The cells of an entry whose records this code would write under another key.

    Args:
        entry: any.
        data: load the draws of its tasks and compare data hashes too, which takes a while.

    Raises:
        InputError: with ``data``: those of a task are not here.
    """
    changed = _changed_data(entry) if data else {}
    found = []
    for cell in entry.cells:
        draws = {draw.seed: draw.data_hash for draw in entry.task_of(cell).draws}
        older = not _is_current(entry, cell)
        for seed in (record.seed for record in cell.records):
            if older or seed in changed.get(cell.task, ()):
                key = cell_key(entry, cell, edition_of(draws[seed]))
                found += [] if key in found else [key]
    return found


def _is_current(entry: Entry, cell: CellBlock) -> bool:
    """What can be said without loading data. Code that is not built in stands in the entry, so it has not changed."""
    return (
        entry.protocol in PROTOCOLS
        and _is_current_task(entry, entry.task_of(cell))
        and (cell.origin not in (*VERSIONED, None) or _is_current_architecture(cell))
        and _is_current_norm(entry, cell)
    )


def _is_current_task(entry: Entry, measured: MeasuredTask) -> bool:
    import tasks

    try:
        task = tasks.resolve(measured.task)
    except InputError:
        return bool(entry.sources)
    return (task.name, task.card.keyed_version) == (measured.task, measured.version)


def _is_current_architecture(cell: CellBlock) -> bool:
    import architectures  # boards without published results do without

    try:
        architecture = architectures.resolve(cell.architecture)
    except InputError:
        return False
    return (architecture.name, architecture.source_hash) == (cell.architecture, cell.source_hash)


def _is_current_norm(entry: Entry, cell: CellBlock) -> bool:
    import architectures

    try:
        scheme = architectures.parse_scheme(cell.norm)
    except InputError:
        return bool(entry.sources)
    return bool(scheme.outside) or (str(scheme), scheme.source_hash) == (cell.norm, cell.norm_hash)


def _changed_data(entry: Entry) -> dict[str, set[int]]:
    """For each task the seeds whose draw has other data today; of tasks that are not known here, nothing is said."""
    import tasks

    found: dict[str, set[int]] = {}
    for measured in entry.tasks:
        try:
            task = tasks.resolve(measured.task)
        except InputError:
            continue
        today = task.data_hashes(draw.seed for draw in measured.draws)
        odd = {draw.seed for draw, now in zip(measured.draws, today, strict=True) if draw.data_hash != now}
        found |= {measured.task: odd} if odd else {}
    return found
