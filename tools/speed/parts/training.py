"""Training jobs timed side by side: a plain PyTorch loop, FarField, JAX where it is installed, and the floor.

- *plain*: the loop anybody would write, with PyTorch's default Adam and threads, in a process of its own.
- *FarField*: what workers run, the seeds split over one single-threaded process a core, as the runner splits a lone
  cell. Choosing the program, building, stacking and moving results are counted; starting the processes is not (a sweep
  does so once, and plain does not count importing torch either).
- *JAX*: one jitted program vectorized over members, in a process of its own, with its compilation and without.
- *floor*: the arithmetic of the matrix products at the rate that these very processes reach in large ones.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from architectures.contract.precision import in_full_float32
from architectures.description import count_flops
from bench.cell.environment import available_cores
from bench.sweep.workers.malloc import in_large_pages, keep_freed_memory
from bench.training.program import choose_program
from bench.training.train import train
from tools.speed.jobs import JOBS, TrainingJob, wait


def plain(job: TrainingJob, device: str = "cpu") -> float:
    """Seconds of the plain loop over all members."""
    data, rows = job.data(device), job.batches(range(job.seeds))
    torch.set_num_threads(os.cpu_count() or 1)
    wait(device)
    started = time.perf_counter()
    for rate in job.rates:
        for seed in range(job.seeds):
            module = job.build(seed).to(device).train()
            optimizer = torch.optim.Adam(module.parameters(), lr=rate)
            chosen = None if rows is None else torch.from_numpy(rows[seed]).to(device)
            for step in range(job.steps):
                x = data.inputs if chosen is None else data.inputs[chosen[step]]
                z = data.targets if chosen is None else data.targets[chosen[step]]
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(module(x).squeeze(-1), z)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    wait(device)
    return time.perf_counter() - started


def ours_here(job: TrainingJob, seeds: Sequence[int], device: str = "cpu") -> str:
    """Train as a worker does; the name of the program."""
    data = job.data(device)
    members = len(seeds) * len(job.rates)
    program = choose_program(job.build(0), data.inputs[:8].cpu(), job.batch or job.rows, members, device)
    build = lambda seed: job.build(seed).to(device)  # noqa: E731
    with in_full_float32():
        train(build, seeds, dict.fromkeys(seeds, data), job.schedule(), job.batches(seeds), program=program)
    wait(device)
    return program


def ours(job: TrainingJob, pool: ProcessPoolExecutor, workers: int, device: str = "cpu") -> tuple[float, str]:
    """Seconds of FarField with the seeds split over ``workers`` processes, and the program."""
    parts = [part.tolist() for part in np.array_split(np.arange(job.seeds), workers) if len(part)]
    started = time.perf_counter()
    chosen = list(pool.map(ours_here, [job] * len(parts), parts, [device] * len(parts)))
    return time.perf_counter() - started, chosen[0]


def floor(job: TrainingJob, pool: ProcessPoolExecutor, workers: int) -> float:
    """Seconds of the matrix products alone, at the rate of large ones in all processes together."""
    counted = min(2, job.rows)
    flops = count_flops(job.build(0), job.problem, counted, backward=True) / counted * (job.batch or job.rows)
    rate = sum(pool.map(product_rate, range(workers)))
    return job.seeds * len(job.rates) * job.steps * flops / rate


def product_rate(_: int = 0, size: int = 512, repeats: int = 40) -> float:
    """Operations a second of this process in float32 matrix products."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    torch.mm(a, b)
    started = time.perf_counter()
    for _ in range(repeats):
        torch.mm(a, b)
    return 2 * size**3 * repeats / (time.perf_counter() - started)


@dataclass(frozen=True)
class Timing:
    """Of one job.

    Args:
        name, what: the job's.
        program: the program that FarField chose.
        floor, plain, ours: medians in seconds.
        jax, jax_run: with and without compilation; None where JAX is not installed.
        plain_spread, ours_spread: greatest less least, as a share of the median.
    """

    name: str
    what: str
    program: str
    floor: float | None
    plain: float
    ours: float
    jax: float | None
    jax_run: float | None
    plain_spread: float
    ours_spread: float

    @property
    def ratio(self) -> float:
        """How many times faster than the plain loop."""
        return self.plain / self.ours


@dataclass(frozen=True)
class Contestants:
    """The processes in which the programs run, each kind in its own."""

    plain: ProcessPoolExecutor
    ours: ProcessPoolExecutor
    jax: ProcessPoolExecutor | None
    workers: int
    device: str


def measure(jobs: Sequence[TrainingJob] = JOBS, repeats: int = 3, device: str = "cpu") -> Iterator[Timing]:
    """Time ``jobs`` side by side: in each repetition the programs of a job run one after the other.

    Args:
        jobs: the jobs.
        repeats: of each.
        device: of PyTorch; on a GPU one process has it, and there is neither floor nor JAX.
    """
    workers = available_cores() if device == "cpu" else 1
    with ExitStack() as stack:
        pools = [stack.enter_context(_processes(count)) for count in (1, workers, 1)]
        with_jax = device == "cpu" and importlib.util.find_spec("jax") is not None
        contestants = Contestants(
            pools[0], single_threaded(pools[1], workers), pools[2] if with_jax else None, workers, device
        )
        for pool, count in ((contestants.plain, 1), (contestants.ours, workers)):
            list(pool.map(ours_here, [jobs[0].shorter(0.01)] * count, [[0]] * count, [device] * count))  # warm
        for job in jobs:
            yield _timing(job, contestants, repeats)


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def single_threaded(pool: ProcessPoolExecutor, workers: int) -> ProcessPoolExecutor:
    """``pool`` with each of its processes set up as a worker."""
    with in_large_pages():
        list(pool.map(_as_worker, range(workers)))
    return pool


def _as_worker(_: int) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    time.sleep(0.2)  # so that every process gets one of these calls


def _timing(job: TrainingJob, contestants: Contestants, repeats: int) -> Timing:
    samples = [_once(job, contestants) for _ in range(repeats)]
    plains, mine, chosen, least, theirs, again = zip(*samples, strict=True)
    return Timing(
        name=job.name,
        what=job.what,
        program=chosen[0],
        floor=_median(least),
        plain=statistics.median(plains),
        ours=statistics.median(mine),
        jax=_median(theirs),
        jax_run=_median(again),
        plain_spread=(max(plains) - min(plains)) / statistics.median(plains),
        ours_spread=(max(mine) - min(mine)) / statistics.median(mine),
    )


def _once(
    job: TrainingJob, programs: Contestants
) -> tuple[float, float, str, float | None, float | None, float | None]:
    loop = programs.plain.submit(plain, job, programs.device).result()
    mine, program = ours(job, programs.ours, programs.workers, programs.device)
    least = floor(job, programs.ours, programs.workers) if programs.device == "cpu" else None
    theirs = programs.jax.submit(_jax_seconds, job).result() if programs.jax else (None, None)
    return loop, mine, program, least, *theirs


def _jax_seconds(job: TrainingJob) -> tuple[float, float | None]:
    from tools.speed.jax_programs import jax_seconds

    return jax_seconds(job)


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return statistics.median(known) if known else None


def table(timings: Sequence[Timing]) -> str:
    """The timings as Markdown, in seconds."""
    head = (
        "| job | program | floor | plain (spread) | FarField (spread) | times plain | JAX | without compilation |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    rows = [
        f"| {t.name}: {t.what} | {t.program} | {_text(t.floor)} | {t.plain:.2f} ({t.plain_spread:.0%}) | "
        f"{t.ours:.2f} ({t.ours_spread:.0%}) | {t.ratio:.2f}× | {_text(t.jax)} | {_text(t.jax_run)} |"
        for t in timings
    ]
    return head + "\n".join(rows)


def _text(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f}"
