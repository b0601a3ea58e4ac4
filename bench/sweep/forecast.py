"""How long a sweep will take and how much memory, before it begins and while it goes on.

A cell's cost is what records of it took that were made on a machine like this; else of the same task and architecture
under other norms; else what a worker finds by doing a little of it (:mod:`bench.cell.costing`), one norm for each task
and architecture, every norm for one task; else that of the nearest that was timed, by the steps and rows of its
training and by what the norm changes. Estimates are meant to be right within a factor of two; the machine's load while
they were made is in them.
"""

from __future__ import annotations

import concurrent.futures
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pebble import ProcessExpired

import architectures
import tasks
from bench.cell.cost import CellCost, cost_of
from bench.cell.environment import describe_environment
from bench.plan.jobs import Cell, Job
from bench.plan.protocol import get_protocol
from bench.sweep.options import RunOptions
from bench.sweep.workers.pool import LocalExecutor
from leaderboard.records.quantities import SECONDS
from leaderboard.records.store.store import RecordFilter, Store

AT_START = 15.0
"""Seconds that may be spent on timing before a sweep begins; a small sweep has less (:func:`at_start`)."""

LONGER = 90.0
"""The same where the estimate is all that is asked for."""

ONE_CELL = 30.0
WORKER_BYTES = 450_000_000  # of a worker that has done nothing: torch
_SAME_MACHINE = ("platform", "device", "gpu", "torch")
_ROWS = {"features": 1.0, "sequence": 8.0, "image": 20.0}  # as bench.plan.arranging weighs inputs
_UNKNOWN = 2.0  # seconds a seed, where nothing is known


@dataclass(frozen=True)
class Forecast:
    """What jobs will take.

    Args:
        jobs: with the seconds of each in a worker.
        workers: processes.
        memory: bytes of the largest worker.
        known: how many jobs rest on stored records; ``timed``: on what was timed now; the others on the nearest.
        slow: cells that could not be timed in ``ONE_CELL`` seconds; what is said of them is the least.
    """

    jobs: Mapping[Job, float]
    workers: int
    memory: int = WORKER_BYTES
    known: int = 0
    timed: int = 0
    slow: tuple[Cell, ...] = ()

    @property
    def seconds(self) -> float:
        """Until the last job ends: its share of all, and at least the longest."""
        if not self.jobs:
            return 0.0
        return max(sum(self.jobs.values()) / max(1, self.workers), max(self.jobs.values()))


@dataclass
class Remaining:
    """How long the rest takes, corrected as jobs end.

    Args:
        forecast: from the beginning.
    """

    forecast: Forecast
    _left: dict[Job, float] = field(init=False)
    _foreseen: float = 0.0
    _took: float = 0.0

    def __post_init__(self) -> None:
        self._left = dict(self.forecast.jobs)

    def done(self, job: Job, seconds: float) -> None:
        """``job`` has ended; its records say that it took so long."""
        self._foreseen += self._left.pop(job, 0.0)
        self._took += seconds

    @property
    def seconds(self) -> float:
        """The estimate of what is left, times what the jobs that ended took over what was foreseen for them.

        Until they are a twentieth of all, the forecast counts for the rest of that twentieth.
        """
        if not self._left:
            return 0.0
        prior = max(0.0, 0.05 * sum(self.forecast.jobs.values()) - self._foreseen)
        ratio = (self._took + prior) / (self._foreseen + prior) if self._foreseen + prior > 0 else 1.0
        share = sum(self._left.values()) / max(1, self.forecast.workers)
        return ratio * max(share, max(self._left.values()))


def forecast(jobs: Sequence[Job], options: RunOptions, seconds: float) -> Forecast:
    """An estimate for ``jobs``.

    Args:
        jobs: to be run.
        options: with which.
        seconds: that may be spent on timing.
    """
    stored = _Stored.of(options)
    costs: dict[Job, float] = {}
    open_jobs = []
    for job in jobs:
        each = stored.seconds(_cell(job))
        if each is None:
            open_jobs.append(job)
        else:
            costs[job] = each * len(job.keys)
    known = len(costs)
    timed = _time(open_jobs, options, seconds)
    costs |= {job: timed.seconds(job) for job in open_jobs}
    exact = sum(_cell(job) in timed.costs for job in open_jobs)
    memory = WORKER_BYTES + max((cost.bytes for cost in timed.costs.values()), default=0)
    return Forecast(costs, min(options.processes, max(1, len(jobs))), memory, known, exact, timed.slow)


def at_start(jobs: int) -> float:
    """Seconds that may be spent on timing before so many jobs begin: a twentieth for each, at least one."""
    return min(AT_START, max(1.0, 0.05 * jobs))


def _cell(job: Job) -> Cell:
    key = job.keys[0]
    return Cell(key.task, key.architecture, key.norm, key.protocol)


@dataclass(frozen=True)
class _Stored:
    """Mean seconds of a seed in the store, by cell, and by task, architecture and protocol."""

    cells: Mapping[Cell, float]
    groups: Mapping[tuple[str, str, str], float]

    @classmethod
    def of(cls, options: RunOptions) -> _Stored:
        """Those of finished records that were made on a machine like this."""
        if not options.store.exists():
            return cls({}, {})
        with Store(options.store) as store:
            found = store.summaries(RecordFilter(status=("ok",)))
        here = describe_environment(options.settings.device)
        alike = [_alike(dict(environment), here) for environment in found.environments]
        cells: dict[Cell, list[float]] = {}
        groups: dict[tuple[str, str, str], list[float]] = {}
        taken = found.number(SECONDS).tolist()
        for cell, environment, spent in zip(found.cell.tolist(), found.environment.tolist(), taken, strict=True):
            if alike[environment] and spent == spent:
                key = found.cells[cell]
                cells.setdefault(Cell(key.task, key.architecture, key.norm, key.protocol), []).append(spent)
                groups.setdefault((key.task, key.architecture, key.protocol), []).append(spent)
        return cls(
            {cell: statistics.fmean(times) for cell, times in cells.items()},
            {group: statistics.fmean(times) for group, times in groups.items()},
        )

    def seconds(self, cell: Cell) -> float | None:
        """Of a seed of ``cell``; None where nothing near it is stored."""
        return self.cells.get(cell, self.groups.get((cell.task, cell.architecture, cell.protocol)))


def _alike(environment: Mapping[str, str], here: Mapping[str, str]) -> bool:
    return all(environment.get(name) == here.get(name) for name in _SAME_MACHINE)


def _time(jobs: Sequence[Job], options: RunOptions, seconds: float) -> _Timings:
    """The costs of cells that a worker finds in about ``seconds``, in the order in which they tell most."""
    wanted = _in_order(jobs)
    found: dict[Cell, CellCost] = {}
    slow: list[Cell] = []
    probing: dict[tuple[str, str, str], float] = {}
    if not wanted or seconds <= 0:
        return _Timings({})
    started = time.monotonic()
    with LocalExecutor(1, options.settings, options.limits, options.plugins) as executor:
        for job in wanted:
            left = seconds - (time.monotonic() - started)
            if left <= 0:
                break
            cell = _cell(job)
            alike = (cell.architecture, cell.norm, _kind(cell.task))
            looked = probing.get(alike)
            most = min(ONE_CELL, 1.5 * left + 0.5)
            try:
                cost = executor.ask(cost_of, cell, job.seeds, options.settings, looked, seconds=most)
            except concurrent.futures.TimeoutError:
                slow += [cell] * (most >= ONE_CELL)
                continue
            except (ProcessExpired, OSError, MemoryError):
                continue
            if cost is not None:
                found[cell] = cost
                probing.setdefault(alike, cost.probing)
    return _Timings(found, tuple(slow))


def _in_order(jobs: Sequence[Job]) -> list[Job]:
    """Of every architecture (on each kind of input) the cheapest task, under every norm; the dearest task; the rest,
    one norm for each task, the dearest first.
    """
    ordered = sorted({_cell(job): job for job in reversed(jobs)}.values(), key=_weight)
    families: dict[tuple[str, str], list[Job]] = {}
    for job in ordered:
        cell = _cell(job)
        families.setdefault((cell.architecture, _kind(cell.task)), []).append(job)
    first, norms, dearest, rest = [], [], [], []
    for several in families.values():
        cheapest, norm = _cell(several[0]).task, _cell(several[0]).norm
        first.append(several[0])
        norms += [job for job in several[1:] if _cell(job).task == cheapest]
        plain = [job for job in several if _cell(job).norm == norm]
        dearest.append(plain[-1])
        rest += plain
    rest.sort(key=_weight, reverse=True)
    return list(dict.fromkeys((*first, *norms, *dearest, *rest)))


def _kind(task: str) -> str:
    return tasks.resolve(task).card.kind


def _weight(job: Job) -> float:
    """What training grows with: steps, members, and the kind of the rows."""
    key = job.keys[0]
    trained = architectures.resolve(key.architecture).card.role == "network"
    return _steps(key.task) * get_protocol(key.protocol).cost * len(job.keys) if trained else 0.0


def _steps(task: str) -> float:
    card = tasks.resolve(task).card
    return card.budget.steps * _ROWS[card.kind]


@dataclass(frozen=True)
class _Timings:
    """What was timed, and what follows of cells that were not."""

    costs: Mapping[Cell, CellCost]
    slow: tuple[Cell, ...] = ()

    def seconds(self, job: Job) -> float:
        """As timed; else of the same task under another norm, else of the nearest task, times what the norm changes."""
        cell, seeds = _cell(job), len(job.keys)
        if cell in self.costs:
            return self.costs[cell].seconds(seeds)
        found = self._of_the_nearest(cell, seeds)
        return max(found, ONE_CELL * seeds) if cell in self.slow else found

    def _of_the_nearest(self, cell: Cell, seeds: int) -> float:
        same = [(c, cost) for c, cost in self.costs.items() if c.architecture == cell.architecture]
        here = [(c, cost) for c, cost in same if c.task == cell.task]
        if here:
            other, cost = here[0]
            return cost.seconds(seeds) * self._ratio(cell.architecture, cell.norm, other.norm)
        alike = [(c, cost) for c, cost in same if _kind(c.task) == _kind(cell.task)] or same
        if alike:
            each = [
                (cost.training * _steps(cell.task) / _steps(c.task) + seeds * cost.probing)
                * self._ratio(cell.architecture, cell.norm, c.norm)
                for c, cost in alike
            ]
            return statistics.median(each)
        every = [cost.seconds(seeds) for cost in self.costs.values()]
        return statistics.median(every) if every else _UNKNOWN * seeds

    def _ratio(self, architecture: str, norm: str, reference: str) -> float:
        """How many times as long ``norm`` takes, on the tasks where both were timed; 1 where none is."""
        ratios = [
            cost.seconds(1) / self.costs[other].seconds(1)
            for cell, cost in self.costs.items()
            if cell.architecture == architecture and cell.norm == norm
            for other in (replace(cell, norm=reference),)
            if other in self.costs and self.costs[other].seconds(1) > 0
        ]
        return statistics.median(ratios) if ratios else 1.0
