"""Progress on a terminal: what runs, how far, how long still. Silent everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.sweep.forecast import Forecast, Remaining

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
    """A bar over records with the time that is left, and a line for every job that did not go well.

    The time is foreseen before the sweep begins and corrected by what jobs took (:mod:`bench.sweep.forecast`).
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar: TaskID | None = None
        self._remaining: Remaining | None = None

    def expect(self, foreseen: Forecast) -> None:
        """Count from the estimate."""
        self._remaining = Remaining(foreseen)
        about = seconds_text(foreseen.seconds)
        workers = f"{foreseen.workers} worker{'s' * (foreseen.workers != 1)}"
        self._progress.console.print(f"about {about} with {workers}", highlight=False)

    def begin(self, jobs: Sequence[Job], finished: int) -> None:
        """Show how much there is; what was finished before counts as done."""
        total = sum(len(job.keys) for job in jobs)
        if finished:
            self._progress.console.print(f"{finished} records are there already, {total} to go")
        self._bar = self._progress.add_task("starting", total=total, ends=self._ends())

    def done(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """Advance by the job's records."""
        if self._remaining is not None:
            self._remaining.done(job, sum(outcome.record.seconds or 0.0 for outcome in outcomes))
        if self._bar is not None:
            self._progress.update(self._bar, advance=len(outcomes), description=job.title, ends=self._ends())
        for outcome in outcomes:
            record = outcome.record
            if record.status in ("failed", "timeout"):
                line = f"{record.status}: {job.title}, seed {record.key.seed}: {record.reason}"
                self._progress.console.print(line, style="yellow", markup=False, highlight=False)

    def _ends(self) -> float | None:
        """When it will be done, on the monotonic clock; None where that is not foreseen."""
        return None if self._remaining is None else time.monotonic() + self._remaining.seconds


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
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class Left(ProgressColumn):
        def render(self, task: Task) -> Text:
            ends = task.fields.get("ends")
            return Text("" if ends is None else f"about {seconds_text(max(0.0, ends - time.monotonic()))} left")

    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        Left(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Bar(bar)


def seconds_text(seconds: float) -> str:
    """A duration for people: ``41 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
