"""Mirrors a sweep to W&B from a thread and a process of its own: the sweep never waits for it and never fails by it."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.tracking.content.description import RunDescription, describe_cell, describe_sweep
from bench.tracking.options import TrackingOptions, Warn, warn_user
from bench.tracking.publisher import Describe, Publisher
from leaderboard.records.record import Details, Record

_HURRY = 2.0  # seconds for the run in hand when the sweep is interrupted
_PATIENCE = 60.0  # seconds for one run; it takes about a tenth of one offline


class Tracker:
    """Tells W&B of cells whose records are stored.

    :meth:`cell_done` and :meth:`finish` only queue. A thread describes the runs, a process of its own publishes them;
    a run that was published before with the same content is left out, one that changed is resumed under its id.
    When the server does not take a run the rest is kept offline; what cannot be written at all is given up.
    Either is said once, in one line, from the thread that calls in here.

        with Tracker(options) as tracker:
            tracker.cell_done(records, details, suite_file)
            tracker.finish(standings)

    Args:
        options: where and how.
        warn: takes the warning; by default it becomes a :class:`TrackingWarning`.
        patience: seconds for one run before its process counts as hung.
    """

    def __init__(self, options: TrackingOptions, warn: Warn = warn_user, patience: float = _PATIENCE) -> None:
        self.options = options
        self._warn = warn
        self._publisher = Publisher(options, patience)
        self._queue: queue.SimpleQueue[Describe | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._suite_file: Path | None = None
        self._statuses: Counter[str] = Counter()
        self._asked = self._answered = 0

    @property
    def pending(self) -> int:
        """Runs that are still queued or being published."""
        return self._asked - self._answered

    @property
    def pid(self) -> int | None:
        """The process that owns wandb, if it runs."""
        return self._publisher.pid

    def cell_done(
        self, records: Sequence[Record], details: Sequence[Details] = (), suite_file: Path | None = None
    ) -> None:
        """Queue the run of a cell. Returns at once.

        Args:
            records: every record of the cell, those of earlier sweeps too, so that means are over all seeds. They
                must be in the store already.
            details: of each record in turn, for the curves; or none.
            suite_file: the suite's YAML, for the artifact.
        """
        self._suite_file = suite_file or self._suite_file
        self._statuses.update(r.status for r in records)
        kept, beside = tuple(records), tuple(details) or ({},) * len(records)

        def describe() -> RunDescription:
            found = describe_cell(kept, beside, suite_text=_text(suite_file), **self._names)
            return found.sent_as(self.options)

        self._enqueue(describe)

    def finish(self, standings: Sequence[Mapping[str, Any]]) -> None:
        """Queue the summary run of the sweep. Returns at once.

        Args:
            standings: rows of the table, by column name.
        """
        table, statuses, suite_file = [dict(row) for row in standings], dict(self._statuses), self._suite_file

        def describe() -> RunDescription:
            found = describe_sweep(table, statuses, suite_text=_text(suite_file), **self._names)
            return found.sent_as(self.options)

        self._enqueue(describe)

    def close(self, timeout: float | None = None) -> None:
        """Wait until W&B has taken what is queued, then end its process.

        Args:
            timeout: seconds after which the rest is left untold. With None this waits as long as runs get done:
                one that hangs is ended, see ``patience``.
        """
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            try:  # not thread.join: one that Ctrl-C interrupts takes the thread for ended before Python 3.13
                self._ended.wait(timeout)
            finally:  # a second Ctrl-C, while we wait, comes by here
                while not self._ended.is_set():
                    self._publisher.stop()
                    self._ended.wait(0.05)
        self._say()

    def __enter__(self) -> Tracker:
        if self.options.mode != "disabled":
            self._start()  # wandb takes a second or two to load
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(None if kind is None else _HURRY)

    @property
    def _names(self) -> dict[str, str]:
        return {"suite": self.options.suite, "sweep_id": self.options.sweep_id}

    def _enqueue(self, describe: Describe) -> None:
        if self.options.mode == "disabled":
            return
        self._say()
        self._asked += 1
        self._queue.put(describe)
        self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._work, name="farfield-wandb", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            self._publisher.prepare()
            while (describe := self._queue.get()) is not None:
                self._publisher.publish(describe)
                self._answered += 1
            self._publisher.close()
        finally:
            self._ended.set()

    def _say(self) -> None:
        """Warn of what is new: here, where the caller's filters and handlers apply."""
        while not self._publisher.reports.empty():
            self._warn(self._publisher.reports.get())


def _text(path: Path | None) -> str | None:
    return None if path is None else path.read_text(encoding="utf-8")
