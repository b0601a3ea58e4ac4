"""Progress on a terminal: what runs, how far, how long still. Silent everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from bench.cell.outcome import Outcome
    from bench.plan.jobs import Job
    from bench.sweep.runner import Watcher


class Silent:
    """Hears everything and says nothing."""

    def begin(self, jobs: Sequence[Job], finished: int) -> None:
        """The plan."""

    def done(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """A job's records are stored."""


class Bar:
    """A bar over records with the time that is left, and a line for every job that did not go well."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar: TaskID | None = None

    def begin(self, jobs: Sequence[Job], finished: int) -> None:
        """Show how much there is; what was finished before counts as done."""
        total = sum(len(job.keys) for job in jobs)
        if finished:
            self._progress.console.print(f"{finished} records are there already, {total} to go")
        self._bar = self._progress.add_task("starting", total=total)

    def done(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """Advance by the job's records."""
        if self._bar is not None:
            self._progress.update(self._bar, advance=len(outcomes), description=job.title)
        for outcome in outcomes:
            record = outcome.record
            if record.status in ("failed", "timeout"):
                line = f"{record.status}: {job.title}, seed {record.key.seed}: {record.reason}"
                self._progress.console.print(line, style="yellow", markup=False, highlight=False)


@contextmanager
def progress(wanted: bool | None = None) -> Iterator[Watcher]:
    """A progress bar on stderr when that is a terminal (or ``wanted``), else silence."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=600) as bar:
        yield Bar(bar)


def seconds_text(seconds: float) -> str:
    """A duration for people: ``41 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
