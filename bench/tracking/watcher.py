"""Lets W&B follow a sweep: a watcher that hands stored records to the tracker."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bench.cell.outcome import Outcome
from bench.core.seeding import seed_from
from bench.plan.jobs import Cell, Job
from bench.tracking import Tracker, TrackingOptions, WandbOptions, choose_mode
from bench.tracking.options import home_of
from bench.tracking.syncing import kept_runs
from leaderboard.records.interval import Interval
from leaderboard.records.record import CellKey, Record
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.records.store.stored_records import cells_of
from leaderboard.tables.grid import Column

if TYPE_CHECKING:
    from bench.plan.suite import Suite
    from bench.sweep.runner import Results

AD_HOC = "ad-hoc"
CURVES = ("curve.step", "curve.train", "curve.validation")


class Mirror:
    """A :class:`bench.sweep.runner.Watcher` in front of a :class:`bench.tracking.Tracker`; a context manager.

    Args:
        asked: what W&B is to be told, and where.
        out: folder of the results; W&B's files go beside the store.
        store: the store's file, read for what earlier sweeps recorded of the same cells.
        suite: the suite that is run, if it is one.
        cells: what the sweep consists of; the same cells give the same summary run.
    """

    def __init__(self, asked: WandbOptions, out: Path, store: Path, suite: Suite | None, cells: Sequence[Cell]) -> None:
        self._store, self._out = store, out
        self._suite_file = suite.path if suite else None
        self._told: set[CellKey] = set()
        name = suite.name if suite else AD_HOC
        sweep = f"{seed_from(name, *(str(cell) for cell in cells)):016x}"
        options = TrackingOptions.of(asked, choose_mode(asked.wandb, _say), out, name, sweep)
        self._tracker = Tracker(options, warn=_say)

    @property
    def off(self) -> bool:
        """Nobody is to be told anything."""
        return self._tracker.options.mode == "disabled"

    def begin(self, jobs: Sequence[Job], finished: int) -> None:
        """Nothing to tell yet."""

    def done(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """Queue the cell's run, with every record the store has of it."""
        if not self.off:
            self._tell(job.keys[0].cell)

    def finish(self, results: Results) -> None:
        """Queue what an earlier, interrupted sweep may not have told, and the summary run with the standings."""
        if self.off:
            return
        for cell in cells_of(results.records):
            if cell not in self._told:
                self._tell(cell)
        self._tracker.finish(_standings_rows(results.records))

    def _tell(self, cell: CellKey) -> None:
        names = RecordFilter(protocol=(cell.protocol,), task=(cell.task,), norm=(cell.norm,))
        with Store(self._store) as opened:
            records = [record for record in opened.records(names) if record.key.cell == cell]
            details = [opened.details(record.key, *CURVES) for record in records]
        self._tracker.cell_done(records, details, self._suite_file)
        self._told.add(cell)

    def __enter__(self) -> Mirror:
        self._tracker.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracker.__exit__(kind, error, trace)
        if kind is None and not self.off:
            self._say_what_waits()

    def _say_what_waits(self) -> None:
        """Where the runs are that were kept offline, and what sends them."""
        waiting = len(kept_runs(self._tracker.options.directory))
        if waiting:
            home = home_of(self._tracker.options.directory)
            moved = os.environ.get("WANDB_DIR")
            command = f"farfield wandb-sync --out {shlex.quote(str(self._out))}"
            command = f"WANDB_DIR={shlex.quote(moved)} {command}" if moved else command
            _say(f"W&B: {waiting} run{'s' * (waiting != 1)} wait{'s' * (waiting == 1)} in {home}; to send: {command}")


def _say(text: str) -> None:
    print(f"farfield: {text}", file=sys.stderr)


def _standings_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The standings by column, numbers as numbers; an interval takes three columns."""
    from leaderboard.ranking.standings import standings
    from leaderboard.tables.rendering_standings import standing_grids

    grids = [grid for board in standings(records) for grid in standing_grids(board, "both")]
    return [_plain_row(grid.columns, row) for grid in grids for row in grid.rows]


def _plain_row(columns: Sequence[Column[Any]], row: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in columns:
        value = column.value(row)
        if isinstance(value, Interval):
            found |= {column.name: value.mean, f"{column.name}_low": value.low, f"{column.name}_high": value.high}
        else:
            found[column.name] = "; ".join(value) if isinstance(value, tuple) else value
    return found
