"""Mirrors a sweep to W&B from a thread and a process of its own: the sweep never waits for it and never fails by it."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.tracking.child import ChildOptions
from bench.tracking.description import RunDescription, describe_cell, describe_sweep
from bench.tracking.ledger import Ledger
from bench.tracking.options import Mode, TrackingOptions, Warn, home_of, warn_user
from bench.tracking.process import ProcessLost, WandbProcess
from leaderboard.record import Details, Record

_HURRY = 2.0  # seconds for the run in hand when the sweep is interrupted
_PATIENCE = 60.0  # seconds for one run; it takes about a tenth of one offline
_MOST_LOST = 2  # processes that may die before W&B is given up for this sweep
_STARTING = 0.8  # of init_timeout goes to the server; the rest to starting the process
Describe = Callable[[], RunDescription]


@dataclass
class _Fate:
    """What became of the runs, as the thread found it."""

    lost: int = 0
    reason: str = ""
    fell_back: str = ""


class Tracker:
    """Tells W&B of cells whose records are stored.

    :meth:`cell_done` and :meth:`finish` only queue. A thread describes the runs, a process of its own publishes them;
    a run that was published before with the same content is left out, one that changed is resumed under its id.
    When the server does not take a run, or the process dies or hangs, the rest is kept offline; when that
    fails too, W&B is given up. Either is said once, in one line, by the thread that calls in here.

        with Tracker(options) as tracker:
            tracker.cell_done(records, details, suite_file)
            tracker.finish(standings)

    Args:
        options: where and how.
        warn: takes the warning; by default a :class:`TrackingWarning`.
        patience: seconds for one run before its process counts as hung.
    """

    def __init__(self, options: TrackingOptions, warn: Warn = warn_user, patience: float = _PATIENCE) -> None:
        self.options = options
        self._warn, self._patience = warn, patience
        self._queue: queue.SimpleQueue[Describe | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._process: WandbProcess | None = None
        self._mode: Mode = options.mode
        self._stopping = threading.Event()
        self._fate, self._said = _Fate(), _Fate()
        self._suite_file: Path | None = None
        self._statuses: Counter[str] = Counter()
        self._asked = self._answered = self._deaths = 0

    @property
    def pending(self) -> int:
        """Runs that W&B has not taken yet."""
        return self._asked - self._answered

    @property
    def pid(self) -> int | None:
        """The process that owns wandb, if it runs."""
        return self._process.pid if self._process else None

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
            return describe_cell(kept, beside, suite_text=_text(suite_file), **self._names)

        self._enqueue(describe)

    def finish(self, standings: Sequence[Mapping[str, Any]]) -> None:
        """Queue the summary run of the sweep. Returns at once.

        Args:
            standings: rows of the table, by column name.
        """
        table, statuses, suite_file = tuple(map(dict, standings)), dict(self._statuses), self._suite_file

        def describe() -> RunDescription:
            return describe_sweep(table, statuses, suite_text=_text(suite_file), **self._names)

        self._enqueue(describe)

    def close(self, timeout: float | None = None) -> None:
        """Wait until W&B has taken what is queued, then end its process.

        Args:
            timeout: seconds after which the rest is left untold; None waits as long as runs get done (one that
                hangs does not).
        """
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            try:
                thread.join(timeout)
            finally:  # a second Ctrl-C while waiting arrives here
                self._stopping.set()
                while thread.is_alive():
                    if self._process is not None:
                        self._process.kill()
                    thread.join(0.05)
        self._say()

    def __enter__(self) -> Tracker:
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
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._work, name="farfield-wandb", daemon=True)
            self._thread.start()

    def _say(self) -> None:
        """Warn of what is new, here where the caller can hear it."""
        fate, said = _Fate(**vars(self._fate)), self._said
        if fate.fell_back and not said.fell_back:
            said.fell_back = fate.fell_back
            self._warn(f"W&B: {fate.fell_back}; runs are kept in {home_of(self.options.directory)}, `farfield wandb-sync` sends them")
        if fate.lost and not said.lost and (self._thread is None or self._deaths >= _MOST_LOST):
            said.lost = fate.lost
            self._warn(f"W&B: {fate.lost} runs were not written ({fate.reason}); results are stored, run again to write them")

    # What follows runs in the thread.

    def _work(self) -> None:
        home = home_of(self.options.directory)
        try:
            home.mkdir(parents=True, exist_ok=True)
            ledger = Ledger(home / "farfield-runs.jsonl")
            while (describe := self._queue.get()) is not None:
                self._tell(describe, ledger)
                self._answered += 1
        ...
