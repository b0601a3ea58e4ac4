"""The suite ``quick`` against a plain loop that produces the same records.

The plain loop is one process with PyTorch's default threads: for each cell, seed and learning rate a network, an
optimizer, a loop with the protocol's batches and validation checks, the best weights kept; then the same probes and the
same records, stored a cell at a time. Both are timed as whole processes, from start to end.
"""

from __future__ import annotations

import copy
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from bench.plan.protocol import Schedule
from bench.training.rows import TrainingData
from bench.training.train import Curve, Trained

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class SuiteTiming:
    """A suite by both.

    Args:
        records: how many.
        plain, ours: medians of the seconds of whole processes.
        ours_spread: greatest less least of FarField's, as a share of the median.
        apart: median over records of ``|log|`` of the ratio between both test errors: what rounding makes of training.
    """

    records: int
    plain: float
    ours: float
    ours_spread: float
    apart: float

    @property
    def ratio(self) -> float:
        """How many times faster than the plain loop."""
        return self.plain / self.ours


def measure(arguments: Sequence[str] = ("--suite", "quick"), repeats: int = 1) -> SuiteTiming:
    """Run what ``farfield run`` runs with ``arguments`` both ways; the tasks are in the cache for both.

    Raises:
        RuntimeError: the records are not those of the same runs.
    """
    mine, plains = [], []
    with tempfile.TemporaryDirectory(prefix="farfield-speed-") as folder:
        _process(["-m", "bench.cli", "run", *arguments, "--seeds", "1", "--out", f"{folder}/cache", *_ALONE])
        for turn in range(repeats):
            ours, plain = (f"{folder}/{name}-{turn}" for name in ("ours", "plain"))
            mine.append(_process(["-m", "bench.cli", "run", *arguments, "--out", ours, *_ALONE]))
            plains.append(_process(["-c", f"from tools.speed.parts.quick import loop; loop({ours!r}, {plain!r})"]))
        first, second = _errors(Path(ours)), _errors(Path(plain))
    if first.keys() != second.keys():
        raise RuntimeError("the plain loop made other records")
    known = [(a, second[key]) for key, a in first.items() if a and second[key]]
    apart = statistics.median(abs(math.log(a / b)) for a, b in known if b)
    spread = (max(mine) - min(mine)) / statistics.median(mine)
    return SuiteTiming(len(first), statistics.median(plains), statistics.median(mine), spread, apart)


_ALONE = ("--wandb", "disabled", "--format", "csv")


def _process(arguments: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _errors(out: Path) -> dict[Any, float | None]:
    from bench.sweep.query import stored_records

    return {record.key: record.id_error for record in stored_records(out)}


def loop(finished: str, out: str) -> None:
    """In a fresh process: the runs of the store in ``finished``, one after the other, stored in ``out``."""
    from bench.cell.run import run_job
    from bench.plan.jobs import Cell, Settings, make_plan
    from bench.sweep.options import STORE_NAME
    from leaderboard.records.store.store import Store

    keys = list(_errors(Path(finished)))
    cells = list(dict.fromkeys(Cell(k.task, k.architecture, k.norm, k.protocol) for k in keys))
    jobs = make_plan(cells, sorted({key.seed for key in keys}), ()).jobs
    with (
        Store(Path(out) / STORE_NAME, "write") as store,
        patch("bench.training.cell.train", plain_train),
        patch("bench.training.frozen_heads.train", plain_train),
    ):
        for job in jobs:
            store.add_together((o.record, o.details) for o in run_job(job, Settings()))


def plain_train(
    build: Callable[[int], nn.Module],
    seeds: Sequence[int],
    data: Mapping[int, TrainingData],
    schedule: Schedule,
    batches: Mapping[int, np.ndarray] | None = None,
    **_: object,
) -> list[Trained]:
    """What :func:`bench.training.train.train` gives, by the loop that anybody would write."""
    results = []
    for seed in seeds:
        rows = None if batches is None else batches[seed]
        results.append(_searched(lambda seed=seed: build(seed), seed, data[seed], schedule, rows))  # type: ignore[misc]
    return results


def _searched(
    build: Callable[[], nn.Module], seed: int, data: TrainingData, schedule: Schedule, rows: np.ndarray | None
) -> Trained:
    """Every rate to the first rung, those with the least error to the next, and so on."""
    runs = {rate: _Run([], []) for rate in schedule.learning_rates}
    going = {rate: _course(run, build(), rate, data, schedule, rows) for rate, run in runs.items()}
    for end, kept in (*((rung.step, rung.kept) for rung in schedule.rungs), (schedule.steps, 1)):
        for course in going.values():
            for step in course:
                if step == end:
                    break
        sound = [rate for rate in going if runs[rate].state is not None]
        going = {rate: going[rate] for rate in sorted(sound, key=lambda rate: runs[rate].best)[:kept]}
    rate = min(runs, key=lambda rate: runs[rate].best)
    run, rates = runs[rate], schedule.learning_rates
    curve = Curve(schedule.checks[: len(run.train)], tuple(run.train), tuple(run.validation))
    if run.state is None:
        return Trained(seed, None, None, None, None, None, curve)
    edges = rate in (rates[0], rates[-1]), run.best_step == schedule.steps
    return Trained(seed, run.state, rate, run.best_step, *edges, curve)


@dataclass
class _Run:
    train: list[float]
    validation: list[float]
    best: float = math.inf
    best_step: int | None = None
    state: dict[str, torch.Tensor] | None = None


def _course(
    run: _Run, module: nn.Module, rate: float, data: TrainingData, schedule: Schedule, rows: np.ndarray | None
) -> Iterator[int]:
    """Trains on, a check at a time, which is noted in ``run``; ends early where it diverges."""
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=rate)
    for step in range(1, schedule.steps + 1):
        x, z = data.inputs, data.targets
        if rows is not None:
            chosen = torch.from_numpy(rows[step - 1])
            x, z = x[chosen], z[chosen]
        module.train()
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(module(x).squeeze(-1), z)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step not in schedule.checks:
            continue
        module.eval()
        with torch.no_grad():
            error = nn.functional.mse_loss(module(data.validation_inputs).squeeze(-1), data.validation_targets)
        run.train.append(loss.item())
        run.validation.append(error.item())
        if not math.isfinite(run.train[-1] + run.validation[-1]):
            run.best, run.state = math.inf, None
            return
        if run.validation[-1] < run.best:
            run.best, run.state, run.best_step = run.validation[-1], copy.deepcopy(module.state_dict()), step
        yield step


def text(timing: SuiteTiming) -> str:
    """One line."""
    return (
        f"{timing.records} records: plain {timing.plain:.1f} s, FarField {timing.ours:.1f} s "
        f"(spread {timing.ours_spread:.0%}), {timing.ratio:.2f} times as fast; "
        f"test errors differ by {timing.apart:.2%} in the median"
    )
