"""Lets W&B follow a sweep: a watcher that hands stored records to the tracker."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bench.outcomes import Outcome
from bench.plan import Job
from bench.tracking import Mode, Tracker, TrackingOptions
from leaderboard.record import CellKey, Details, Record
from leaderboard.store import RecordFilter, Store

if TYPE_CHECKING:
    from bench.runner import Results
    from bench.suite import Suite

AD_HOC = "ad-hoc"


class Mirror:
    """A :class:`bench.runner.Watcher` in front of a :class:`bench.tracking.Tracker`; a context manager.

    Args:
        mode: ``online``, ``offline`` or ``disabled``.
        out: folder of the results; W&B's files go beside the store.
        store: the store's file, read for the records that earlier sweeps made of the same cells.
        suite: the suite that is run, if it is one.
    """

    def __init__(self, mode: Mode, out: Path, store: Path, suite: Suite | None) -> None:
        self._store = store
        self._suite_file = suite.path if suite else None
        name = suite.name if suite else AD_HOC
        options = TrackingOptions(mode=mode, directory=out, suite=name, sweep_id=secrets.token_hex(4))
        self._tracker = Tracker(options)

    def begin(self, jobs: Sequence[Job], finished: int) -> None:
        """Nothing to tell yet."""

    def done(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """Queue the cell's run, with every record the store has of it."""
        if self._tracker.options.mode == "disabled":
            return
        fresh: dict[Record, Details] = {o.record: o.details for o in outcomes}
        records = _stored(self._store, job.keys[0].cell)
        self._tracker.cell_done(records, [fresh.get(record, {}) for record in records], self._suite_file)

    def finish(self, results: Results) -> None:
        """Queue the summary run of the sweep with its standings."""
        if self._tracker.options.mode != "disabled" and results.fresh:
            self._tracker.finish(_standings_rows(results.records))

    def __enter__(self) -> Mirror:
        self._tracker.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracker.__exit__(kind, error, trace)


def _stored(store: Path, cell: CellKey) -> list[Record]:
    names = RecordFilter(protocol=(cell.protocol,), task=(cell.task,), norm=(cell.norm,))
    with Store(store) as opened:
        return [record for record in opened.records(names) if record.key.cell == cell]


def _standings_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    from leaderboard.rendering import render_standings
    from leaderboard.standings import standings

    text = render_standings(standings(records), "csv", scope="both")
    return list(csv.DictReader(io.StringIO(text)))
