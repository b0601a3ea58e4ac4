"""A sweep: plan, leave out what is finished, run the rest, store each record before anything else hears of it."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bench.cell.outcome import Outcome
from bench.plan.arranging import arrange
from bench.plan.jobs import Cell, Job, make_plan
from bench.plan.scope import Method, SuiteScope
from bench.sweep.forecast import Forecast, at_start, forecast
from bench.sweep.options import RunOptions
from bench.sweep.workers.pool import LocalExecutor, start_fork_server
from leaderboard.ranking.cells import Edition
from leaderboard.ranking.cells import Method as MethodKey
from leaderboard.ranking.tracks import Place, places_of
from leaderboard.records.marked import joined
from leaderboard.records.record import FINAL_STATUSES, CellKey, Status
from leaderboard.records.store.memory import Remembered
from leaderboard.records.store.store import Store
from leaderboard.records.store.stored_records import StoredRecords, Summarized, cells_of
from leaderboard.tables.frame import frame_rows

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Results:
    """The records of every cell that was asked for, whether run now or found in the store.

    Args:
        records: a sequence, read from the store when somebody looks into one.
        store: the store's file.
        fresh: how many were run now.
        seconds: it took.
        suite: of the suite that was run, which stored records are its; None without a suite.
        named: what was asked for by name on the suite, as (architecture, norm).
    """

    records: StoredRecords
    store: Path
    fresh: int
    seconds: float
    suite: SuiteScope | None = None
    named: frozenset[Method] = frozenset()

    @property
    def counts(self) -> dict[Status, int]:
        """How many records have each status."""
        return self.records.summaries.counts

    @property
    def complete(self) -> bool:
        """No record is failed or timed out."""
        return FINAL_STATUSES.issuperset(self.counts)

    def board_records(self) -> StoredRecords:
        """What the boards of the run show: the records that were asked for; where something was put on a suite, all
        that the store has of the suite.
        """
        if self.suite is None or not self.named & self.suite.guests:
            return self.records
        with Store(self.store) as store:
            everything = StoredRecords(self.store, store.summaries())
        return everything.where(self.suite.holds)

    def places(self) -> tuple[Place, ...]:
        """Where what was asked for by name stands on the suite's boards.

        It stands among all records that the store has of the suite and those that are published of it
        (:mod:`bench.sweep.entries`), each cell by the store's records if there are any. In a suite without tracks it
        stands among the methods that have results on all tasks which it was put on.

        Raises:
            InputError: a published entry cannot be read or is not valid.
        """
        if self.suite is None or not self.named:
            return ()
        on: dict[MethodKey, tuple[str, ...]] = {}
        for key in cells_of(self.records):
            if (key.architecture, key.norm) in self.named:
                on[MethodKey.of(key)] = (*on.get(MethodKey.of(key), ()), key.task)
        with Store(self.store) as store:
            own = StoredRecords(self.store, store.summaries()).where(self.suite.holds)
        others = self._published(self.suite, own, on)
        everything, theirs = joined([own.summaries, others.summaries]), frozenset(cells_of(others))
        if self.suite.tracks:
            return places_of(everything, self.suite.tracks, on, published=theirs)
        alike: dict[frozenset[str], list[MethodKey]] = {}
        for method, names in on.items():
            alike.setdefault(frozenset(names), []).append(method)
        return tuple(
            place
            for names, mine in alike.items()
            for place in places_of(everything, {"": names}, mine, published=theirs)
        )

    def _published(self, suite: SuiteScope, own: StoredRecords, mine: Collection[MethodKey]) -> Summarized:
        """What is published of the suite and measured on the data of this run: of no cell that is among ``own``, and
        nothing of the methods ``mine``, whose places tell of what was run here.
        """
        from bench.sweep.entries import published  # other runs need nothing of it

        had = cells_of(own)
        data = {Edition.of(key) for key in cells_of(self.records)}
        tasks = {edition.task for edition in data}

        def counts(key: CellKey) -> bool:
            same_data = key.task not in tasks or Edition.of(key) in data
            return same_data and key not in had and MethodKey.of(key) not in mine

        return published().of_suite(suite).where(counts)

    def frame(self) -> pandas.DataFrame:
        """One row a record: key, every number, the measures of each labelled set, the verdict on its cell.

        Numbers are infinite where an output was not finite, and NaN where nothing was measured.
        """
        import pandas

        return pandas.DataFrame(list(frame_rows(self.records)))


class Watcher(Protocol):
    """Somebody who is told of a sweep's course; a record is stored before they hear of it."""

    def begin(self, jobs: Sequence[Job], finished: int) -> None:
        """The plan: jobs to run, and how many records were there already."""
        ...

    def done(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """A job's records are stored."""
        ...


@runtime_checkable
class Expecting(Protocol):
    """A watcher that wants to know how long a sweep will take; only for such a one is it estimated."""

    def expect(self, foreseen: Forecast) -> None:
        """The estimate, before the sweep begins."""
        ...


def run_cells(
    cells: Sequence[Cell],
    seeds: Sequence[int],
    options: RunOptions,
    watchers: Sequence[Watcher] = (),
    memory: Sequence[Remembered] = (),
) -> Results:
    """Run what is not finished of ``cells`` and return all their records.

    Args:
        cells, seeds: what is asked for.
        options: how it runs.
        watchers: told of its course.
        memory: kept in the store beside the records, from the beginning.

    Raises:
        InputError: data missing, store locked, newer or not writable.
        Interrupted: SIGTERM or SIGHUP; ``KeyboardInterrupt`` for Ctrl-C. What is stored stays.
    """
    started = time.perf_counter()
    with Store(options.store, "write") as store, interruptible():
        if memory:
            store.remember(memory)
        finished = store.finished(retry=options.retry)
        if len(finished) < len(cells) * len(seeds):
            start_fork_server(options.settings)  # there is work: workers get ready while tasks are read
        plan = make_plan(cells, seeds, finished)
        jobs = arrange(plan.jobs, seeds, len(cells), options.processes)
        fresh = sum(len(job.keys) for job in jobs)
        expecting = [watcher for watcher in watchers if isinstance(watcher, Expecting)]
        if jobs and expecting:
            foreseen = forecast(jobs, options, at_start(len(jobs)))
            for each in expecting:
                each.expect(foreseen)
        for watcher in watchers:
            watcher.begin(jobs, len(plan.digests) - fresh)
        if jobs:
            _run_jobs(jobs, store, options, watchers)
        records = StoredRecords(options.store, store.summaries().take_digests(plan.digests))
    return Results(records, options.store, fresh, time.perf_counter() - started)


def _run_jobs(jobs: Sequence[Job], store: Store, options: RunOptions, watchers: Sequence[Watcher]) -> None:
    workers = min(options.processes, len(jobs))
    settings = dataclasses.replace(options.settings, workers=options.processes)
    with LocalExecutor(workers, settings, options.limits, options.plugins) as executor:
        for batch in executor.run(jobs):
            store.add_together((outcome.record, outcome.details) for _, outcomes in batch for outcome in outcomes)
            for job, outcomes in batch:
                for watcher in watchers:
                    watcher.done(job, outcomes)


class Interrupted(BaseException):
    """A signal other than Ctrl-C asked the sweep to stop."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"stopped by {signal.Signals(number).name}")


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into :class:`Interrupted`, so that a sweep stops as cleanly as on Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's business
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    previous = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
