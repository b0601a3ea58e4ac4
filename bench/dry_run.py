"""What a sweep would be, without training or storing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.cell.fitting import lacking
from bench.core.errors import InputError
from bench.core.grammar import title_of
from bench.plan.arranging import arrange
from bench.plan.jobs import Cell, Job, make_plan
from bench.reporting import Printed
from bench.sweep.forecast import LONGER, Forecast, forecast
from bench.sweep.options import RunOptions
from bench.sweep.progress import seconds_text
from bench.sweep.workers.pool import LocalExecutor
from leaderboard.records.store.store import Store
from leaderboard.tables.grid import Column, Grid
from leaderboard.tables.writing import Format, render


@dataclass(frozen=True)
class Need:
    """Something that is missing here.

    Args:
        of: the task or the architecture that needs it.
        what: one line on what it is and how to get it.
    """

    of: str
    what: str

    @property
    def line(self) -> str:
        """For people."""
        return f"missing for {title_of(self.of)}: {self.what}"


@dataclass(frozen=True, repr=False)
class DryRun(Printed):
    """What a sweep would be.

    Attributes:
        cells, records: that are asked for.
        finished: records that are in the store already.
        jobs: cells that are left to run. What lacks data is in none of these.
        foreseen: seconds, workers and memory.
        needs: everything that is missing.
        notes: what is put on a suite and what is left out, a line each.
    """

    cells: int
    records: int
    finished: int
    jobs: int
    foreseen: Forecast
    needs: tuple[Need, ...]
    notes: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "cells": self.cells,
            "records": self.records,
            "finished": self.finished,
            "cells_left": self.jobs,
            "records_left": sum(len(job.keys) for job in self.foreseen.jobs),
            "seconds": self.foreseen.seconds,
            "core_seconds": sum(self.foreseen.jobs.values()),
            "workers": self.foreseen.workers,
            "bytes_a_worker": self.foreseen.memory,
            "missing": [{"of": need.of, "what": need.what} for need in self.needs],
            "notes": list(self.notes),
        }

    def grids(self) -> list[Grid[Any]]:
        """One table of lines."""
        found, foreseen = self.facts, self.foreseen
        rest = len(foreseen.jobs) - foreseen.known - foreseen.timed
        lines = [
            ("cells", f"{self.cells:,}, {self.records:,} records"),
            ("there already", f"{self.finished:,} records"),
            ("to run", f"{found['cells_left']:,} cells, {found['records_left']:,} records"),
            ("time", self._time()),
            ("rests on", f"{foreseen.known} cells in the store, {foreseen.timed} timed now, {rest} like those"),
            ("memory", f"about {foreseen.memory / 1e9:.1f} GB a worker"),
        ]
        if foreseen.slow:
            names = ", ".join(f"{title_of(c.task)} · {c.architecture} · {c.norm}" for c in foreseen.slow[:4])
            more = f" and {len(foreseen.slow) - 4} more" if len(foreseen.slow) > 4 else ""
            lines.append(("too slow to time", f"{names}{more}: may take longer"))
        columns = [Column[Any]("fact", "", lambda line: line[0]), Column[Any]("text", "", lambda line: line[1])]
        return [
            Grid("dry run: nothing was trained or stored", columns, lines, [*self.notes, *(n.line for n in self.needs)])
        ]

    def _time(self) -> str:
        workers = f"{self.foreseen.workers} worker{'s' * (self.foreseen.workers != 1)}"
        core = seconds_text(sum(self.foreseen.jobs.values()))
        return f"about {seconds_text(self.foreseen.seconds)} with {workers} ({core} of one core)"

    def text(self, form: Format = "table") -> str:
        """The table; in JSON, :attr:`facts` beside it as ``dry_run``."""
        return render(self.grids(), form, more={"dry_run": self.facts})


def dry_run(cells: Sequence[Cell], seeds: Sequence[int], options: RunOptions, notes: Sequence[str] = ()) -> DryRun:
    """What running ``cells`` would be: data are looked for (and downloaded, as a run would), a few steps are timed."""
    finished: frozenset[str] = frozenset()
    if options.store.exists():
        with Store(options.store) as store:
            finished = store.finished(retry=options.retry)
    needs: list[Need] = []
    jobs: list[Job] = []
    there = 0
    for task in dict.fromkeys(cell.task for cell in cells):
        try:
            plan = make_plan([cell for cell in cells if cell.task == task], seeds, finished)
        except InputError as error:
            needs.append(Need(task, str(error)))
            continue
        jobs += plan.jobs
        there += len(plan.digests) - sum(len(job.keys) for job in plan.jobs)
    absent = {need.of for need in needs}
    needs += [Need(*found) for found in _lacking([cell for cell in cells if cell.task not in absent], options)]
    absent = {need.of for need in needs}
    left = [job for job in jobs if job.keys[0].architecture not in absent]
    arranged = arrange(left, seeds, len(cells), options.processes)
    foreseen = forecast(arranged, options, LONGER)
    return DryRun(len(cells), len(cells) * len(seeds), there, len(left), foreseen, tuple(needs), tuple(notes))


def _lacking(cells: Sequence[Cell], options: RunOptions) -> list[tuple[str, str]]:
    if not cells:
        return []
    with LocalExecutor(1, options.settings, options.limits, options.plugins) as executor:
        return executor.ask(lacking, cells)
