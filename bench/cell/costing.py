"""What a cell will cost, found in a worker by doing a little of it: some steps of its training, one look far away.

The parts are those of :mod:`bench.cell.run`, so that what is timed is what will run. Nothing is stored.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

import architectures
import tasks
from architectures.building import build
from architectures.contract.precision import in_float64, in_full_float32, without_fast_paths
from architectures.families.timm.frozen import OnFrozenFeatures
from bench.cell.run import measured_network
from bench.core.origin import VERSIONED
from bench.plan.jobs import Cell, Settings
from bench.plan.protocol import Schedule, batch_indices, get_protocol
from bench.training.cell import training_data
from bench.training.footprint import budget, footprint
from bench.training.program import choose_program, most_together
from bench.training.rows import TrainingData
from bench.training.train import Curve, Trained, train
from tasks.data.samples import StandardizedTask

LEAST_SECONDS = 0.05  # that timed steps take together
MOST_STEPS = 64
SOME_ROWS = 500  # that an estimator is fitted on first
PREDICTED_ROWS = 8_000  # about as many as are asked for along rays and on far sets
_HALF = 0.5
Parts = tuple[float, float, int]
"""Of a :class:`bench.cell.cost.CellCost`."""


def timed_cost(cell: Cell, seeds: Sequence[int], settings: Settings, probing: float | None) -> Parts:
    """See :func:`bench.cell.cost.cost_of`; whatever goes wrong is raised."""
    with in_full_float32(), without_fast_paths(), torch.random.fork_rng():
        return _cost_of(cell, seeds, settings, probing)


def _cost_of(cell: Cell, seeds: Sequence[int], settings: Settings, probing: float | None) -> Parts:
    task = tasks.resolve(cell.task).load()
    architecture = architectures.resolve(cell.architecture)
    scheme = architectures.parse_scheme(cell.norm)
    if architecture.card.role == "estimator":
        return _estimator(lambda: build(architecture, scheme, task.problem, 0), task)
    schedule = get_protocol(cell.protocol).schedule(task.card, len(task.train.targets))
    first = build(architecture, scheme, task.problem, 0, settings.max_parameters)
    assert isinstance(first, torch.nn.Module)
    data = training_data(task, settings.device)
    rows = schedule.batch_size or len(task.train.targets)
    size = footprint(first, data.inputs.cpu())
    rates = len(schedule.learning_rates)
    stacks = architecture.card.origin in VERSIONED
    together = tuple(seeds) if stacks else tuple(seeds[:1])
    limit = budget(torch.device(settings.device), settings.workers)
    most = min(len(together) * rates, most_together(size, rows, data.inputs.device, limit))
    if isinstance(first, OnFrozenFeatures):
        seconds = _forward_seconds(first, data) * len(seeds)
    else:
        program = settings.program or choose_program(
            first, data.inputs[:8].cpu(), rows, len(seeds) * rates, settings.device, task.problem.each_step
        )
        share = _share_of_steps(schedule)
        if program == "loop":  # members take turns: one tells what all take
            together = tuple(seeds[:1])
            short = dataclasses.replace(schedule, learning_rates=schedule.learning_rates[:1])
        else:
            short, share = schedule, share if most < len(together) * rates else math.sqrt(share)
        timed = _Timed(
            lambda seed: build(architecture, scheme, task.problem, seed, settings.max_parameters).to(settings.device),  # type: ignore[union-attr]
            together, data, short, cell, program, limit,
        )  # fmt: skip
        times = len(seeds) / len(together) * rates / len(short.learning_rates)
        seconds = timed.seconds(share) * times
    if probing is None:
        probing = _look_far(task, first, settings.device)
    return seconds, probing, size.bytes(rows) * most + data.bytes


def _share_of_steps(schedule: Schedule) -> float:
    """The share of all rates' steps that is left where rates stop early."""
    count, before, total = len(schedule.learning_rates), 0, 0.0
    for step, kept in (*((rung.step, rung.kept) for rung in schedule.rungs), (schedule.steps, 0)):
        total += count * (step - before)
        count, before = kept, step
    return total / (len(schedule.learning_rates) * schedule.steps)


@dataclass(frozen=True)
class _Timed:
    """Some steps of a cell's training."""

    build: object
    seeds: tuple[int, ...]
    data: TrainingData
    schedule: Schedule
    cell: Cell
    program: object
    limit: int

    def seconds(self, share: float) -> float:
        """Of the whole training: making the members, ``share`` of the steps of all, the checks."""
        once = self._run(1)
        steps, longer = 4, 0.0
        while steps < min(MOST_STEPS, self.schedule.steps):
            longer = self._run(1 + steps) - once
            if longer > LEAST_SECONDS:
                break
            steps *= 4
        step = max(longer, 1e-6) / steps if longer else once
        rows = self.schedule.batch_size or len(self.data.targets)
        check = step * _HALF * len(self.data.validation_targets) / max(rows, 1)
        return once + share * (self.schedule.steps * step + len(self.schedule.checks) * check)

    def _run(self, steps: int) -> float:
        short = dataclasses.replace(self.schedule, steps=steps, checks=(steps,), rungs=())
        rows = len(self.data.targets)
        batches = None
        if short.batch_size is not None:
            drawn = {s: batch_indices(self.cell.task, self.cell.architecture, s, rows, short) for s in self.seeds}
            batches = {seed: found for seed, found in drawn.items() if found is not None}
        data = dict.fromkeys(self.seeds, self.data)
        started = time.perf_counter()
        train(self.build, self.seeds, data, short, batches, program=self.program, limit=self.limit)  # type: ignore[arg-type]
        return time.perf_counter() - started


def _forward_seconds(network: torch.nn.Module, data: TrainingData) -> float:
    """Features of all rows once: what training a head on frozen features mostly is."""
    few = data.inputs[:16]
    started = time.perf_counter()
    with torch.no_grad():
        network.eval()(few)
    rows = len(data.inputs) + len(data.validation_inputs)
    return (time.perf_counter() - started) * rows / len(few)


def _look_far(task: StandardizedTask, network: torch.nn.Module, device: str) -> float:
    """As after training, with the weights that it begins with."""
    started = time.perf_counter()
    with in_float64():
        untrained = Trained(0, network.state_dict(), None, None, None, None, Curve((), (), ()))
        measured_network(task, network, untrained, device)
    return time.perf_counter() - started


def _estimator(make: object, task: StandardizedTask) -> Parts:
    """Fitted on some rows, and on twice as many; from there by the power that these show, at most the third."""
    first, few = _fit(make, task, SOME_ROWS)
    second, more = _fit(make, task, 2 * SOME_ROWS)
    every = len(task.train.targets)
    seconds = second
    if every > more > few:
        power = min(3.0, max(0.0, math.log2(max(second, 1e-9) / max(first, 1e-9))))
        seconds = second * (every / more) ** power
    model = make()  # type: ignore[operator]
    model.fit(*_some(task, SOME_ROWS))
    inputs = np.asarray(task.train.inputs[:SOME_ROWS])
    started = time.perf_counter()
    model.predict(inputs)
    asked = (time.perf_counter() - started) * PREDICTED_ROWS / len(inputs)
    return 0.0, seconds + asked, task.train.inputs.nbytes


def _fit(make: object, task: StandardizedTask, rows: int) -> tuple[float, int]:
    """Seconds, and on how many rows."""
    model = make()  # type: ignore[operator]
    given = _some(task, rows)
    started = time.perf_counter()
    model.fit(*given)
    return time.perf_counter() - started, len(given[1])


def _some(task: StandardizedTask, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    train_rows, check = task.train, task.validation
    return train_rows.inputs[:rows], train_rows.targets[:rows], check.inputs[:rows], check.targets[:rows]
