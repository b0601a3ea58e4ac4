"""Four training jobs, timed side by side: a plain PyTorch loop, FarField, JAX where it is installed, and the floor.

Ten seeds each, one learning rate, the same networks, data and steps.

- *plain*: the loop anybody would write, with PyTorch's default Adam and threads.
- *FarField*: what a worker runs, the seeds split over one single-threaded process a core, as the runner splits a lone
  cell. Building, stacking and moving results are counted; starting the processes is not (a sweep does so once, and
  plain does not count importing torch either).
- *JAX*: one jitted program, vectorized over seeds, with its compilation.
- *floor*: the arithmetic of the matrix products at the rate that these very processes reach in large ones.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import architectures
from architectures.building import build_network
from architectures.description import count_flops
from bench.core.problem import Problem
from bench.environment import available_cores
from bench.protocol import Schedule, batch_indices
from bench.training import TrainingData, choose_method, train

SEEDS = 10
RATE = 1e-3


@dataclass(frozen=True)
class TrainingJob:
    """One of the four jobs; ``batch`` None means full batches."""

    name: str
    what: str
    architecture: str
    norm: str
    problem: Problem
    rows: int
    batch: int | None
    steps: int

    def build(self, seed: int) -> nn.Module:
        """The network of a seed."""
        architecture, scheme = architectures.resolve(self.architecture), architectures.parse_scheme(self.norm)
        return build_network(architecture, scheme, self.problem, seed)

    def data(self, device: str = "cpu") -> TrainingData:
        """Random rows: what they hold does not change how long they take."""
        draw = torch.Generator().manual_seed(0)
        x = torch.randn(self.rows, *self.problem.shape, generator=draw).to(device)
        z = torch.randn(self.rows, generator=draw).to(device)
        return TrainingData(x, z, x[:64], z[:64])

    def schedule(self) -> Schedule:
        """Every step, and one check at the end."""
        return Schedule(self.steps, self.batch, (RATE,), (self.steps,), selects=False)

    def batches(self, seeds: Sequence[int]) -> dict[int, np.ndarray] | None:
        """The rows of every batch, drawn beforehand."""
        if self.batch is None:
            return None
        drawn = {s: batch_indices(self.name, "speed", s, self.rows, self.schedule()) for s in seeds}
        return {seed: rows for seed, rows in drawn.items() if rows is not None}

    def shorter(self, share: float) -> TrainingJob:
        """The same with fewer steps."""
        return TrainingJob(**{**self.__dict__, "steps": max(2, round(self.steps * share))})


JOBS = (
    TrainingJob(
        "J1",
        "MLP 8→3×64→1, layer norm, full batch 128, 1,000 steps",
        "mlp(depth=3, width=64)",
        "layer@all",
        Problem("features", (8,)),
        128,
        None,
        1000,
    ),
    TrainingJob(
        "J2",
        "MLP 9→3×128→1, layer norm, batches of 256 from 20,000 rows, 500 steps",
        "mlp(depth=3)",
        "layer@all",
        Problem("features", (9,)),
        20_000,
        256,
        500,
    ),
    TrainingJob(
        "J3", "CNN 3×32, 16×16, batch 128, 10 steps", "cnn", "none", Problem("image", (1, 16, 16)), 128, None, 10
    ),
    TrainingJob(
        "J4",
        "transformer 2×64, 4 heads, 16 tokens, batch 128, 15 steps",
        "transformer",
        "layer@pre",
        Problem("sequence", (16, 1)),
        128,
        None,
        15,
    ),
)


def plain(job: TrainingJob, device: str = "cpu") -> float:
    """Seconds of the plain loop over all seeds."""
    data, rows = job.data(device), job.batches(range(SEEDS))
    started = time.perf_counter()
    for seed in range(SEEDS):
        module = job.build(seed).to(device).train()
        optimizer = torch.optim.Adam(module.parameters(), lr=RATE)
        chosen = None if rows is None else torch.from_numpy(rows[seed]).to(device)
        for step in range(job.steps):
            x = data.inputs if chosen is None else data.inputs[chosen[step]]
            z = data.targets if chosen is None else data.targets[chosen[step]]
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(module(x).squeeze(-1), z)
            loss.backward()
            optimizer.step()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def ours_here(job: TrainingJob, seeds: Sequence[int], device: str = "cpu") -> float:
    """Seconds of FarField's trainer in this process."""
    started = time.perf_counter()
    method = choose_method(job.build(0), job.problem.kind, job.data().inputs)
    build = lambda seed: job.build(seed).to(device)  # noqa: E731
    train(build, seeds, job.data(device), job.schedule(), job.batches(seeds), method=method)
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def ours(job: TrainingJob, pool: ProcessPoolExecutor, workers: int) -> float:
    """Seconds of FarField with the seeds split over ``workers`` processes."""
    parts = [part.tolist() for part in np.array_split(np.arange(SEEDS), workers)]
    started = time.perf_counter()
    list(pool.map(ours_here, [job] * workers, parts))
    return time.perf_counter() - started


def floor(job: TrainingJob, pool: ProcessPoolExecutor, workers: int) -> float:
    """Seconds of the matrix products alone, at the rate of large ones in all processes together."""
    flops = count_flops(job.build(0), job.problem, job.batch or job.rows, backward=True)
    rate = sum(pool.map(product_rate, range(workers)))
    return SEEDS * job.steps * flops / rate


def product_rate(_: int, size: int = 512, repeats: int = 40) -> float:
    """Operations a second of this process in float32 matrix products."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    started = time.perf_counter()
    for _ in range(repeats):
        torch.mm(a, b)
    return 2 * size**3 * repeats / (time.perf_counter() - started)


def _single_thread() -> None:
    torch.set_num_threads(1)


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Warm single-threaded processes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tools.speed_training", "bench.worker"])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_single_thread)
    list(pool.map(ours_here, [JOBS[0].shorter(0.01)] * workers, [[0]] * workers))
    return pool


@dataclass(frozen=True)
class Timing:
    """Medians in seconds; ``jax`` None where JAX is not installed."""

    job: TrainingJob
    plain: float
    ours: float
    floor: float
    jax: float | None
    spread: float

    @property
    def ratio(self) -> float:
        """How many times faster than the plain loop."""
        return self.plain / self.ours


def measure(jobs: Sequence[TrainingJob] = JOBS, repeats: int = 3) -> list[Timing]:
    """Time ``jobs`` side by side: in each repetition all programs of a job run one after the other."""
    workers = available_cores()
    jax_program = _jax_program()
    timings = []
    with worker_pool(workers) as pool:
        for job in jobs:
            samples = [_once(job, pool, workers, jax_program) for _ in range(repeats)]
            plains, mine, least, theirs = zip(*samples, strict=True)
            known = [t for t in theirs if t is not None]
            timings.append(
                Timing(
                    job,
                    statistics.median(plains),
                    statistics.median(mine),
                    statistics.median(least),
                    statistics.median(known) if known else None,
                    (max(mine) - min(mine)) / statistics.median(mine),
                )
            )
    return timings


def _once(
    job: TrainingJob, pool: ProcessPoolExecutor, workers: int, jax_program: Callable[[TrainingJob], float] | None
) -> tuple[float, float, float, float | None]:
    torch.set_num_threads(os.cpu_count() or 1)
    return (
        plain(job),
        ours(job, pool, workers),
        floor(job, pool, workers),
        jax_program(job) if jax_program and job.problem.kind == "features" else None,
    )


def _jax_program() -> Callable[[TrainingJob], float] | None:
    try:
        from tools.speed_jax import jax_seconds
    except ImportError:
        return None
    return jax_seconds


def table(timings: Sequence[Timing]) -> str:
    """The timings as Markdown."""
    head = "| job | floor | plain | FarField | times plain | JAX | spread |\n|---|---|---|---|---|---|---|\n"
    rows = [
        f"| {t.job.name} {t.job.what} | {t.floor:.2f} | {t.plain:.2f} | {t.ours:.2f} | {t.ratio:.2f}× | "
        f"{'–' if t.jax is None else f'{t.jax:.2f}'} | {t.spread:.0%} |"
        for t in timings
    ]
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(measure()))
