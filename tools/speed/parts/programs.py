"""The programs of :mod:`bench.training.program` timed against each other: what its bounds rest on.

One core or one GPU, a step of every member, networks of several kinds and sizes. The loop is timed beside each stacked
program.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch

from architectures.contract.precision import in_full_float32
from bench.core.problem import Problem
from bench.plan.options import ProgramName
from bench.training.footprint import footprint
from bench.training.programs.chain import links_of
from bench.training.train import train
from tools.speed.jobs import FromRegistry, TrainingJob, wait

NETWORKS: tuple[tuple[str, str, Problem], ...] = (
    ("mlp(width=64)", "none", Problem("features", (8,))),
    ("mlp", "none", Problem("features", (8,))),
    ("mlp", "layer@all", Problem("features", (8,))),
    ("mlp(width=512)", "layer@all", Problem("features", (8,))),
    ("mlp", "batch@all", Problem("features", (8,))),
    ("resmlp", "layer@pre", Problem("features", (8,))),
    ("ft-transformer(width=32)", "none", Problem("features", (8,))),
    ("transformer", "layer@pre", Problem("sequence", (8, 1))),
    ("cnn", "none", Problem("sequence", (16, 1))),
    ("cnn", "none", Problem("image", (1, 8, 8))),
    ("cnn", "batch@all", Problem("image", (1, 16, 16))),
)
BATCHES = {"cpu": (32, 128, 512, 2048), "cuda": (128, 2048, 16384)}
MEMBERS = {"cpu": (1, 4, 10, 20), "cuda": (1, 4, 20)}
LARGEST_SPAN = {"cpu": 2**19, "cuda": 2**24}


@dataclass(frozen=True)
class ProgramTiming:
    """A stacked program beside the loop.

    Args:
        network, norm, kind: what trains.
        rows: of a step.
        members: how many train.
        span: rows times the largest output of a layer.
        program: ``chain`` or ``vmap``.
        stacked, loop: milliseconds of a member's step.
    """

    network: str
    norm: str
    kind: str
    rows: int
    members: int
    span: int
    program: ProgramName
    stacked: float
    loop: float

    @property
    def gain(self) -> float:
        """How many times faster than the loop."""
        return self.loop / self.stacked


def jobs(
    networks: Sequence[tuple[str, str, Problem]] = NETWORKS,
    batches: Sequence[int] = BATCHES["cpu"],
    members: Sequence[int] = MEMBERS["cpu"],
) -> list[TrainingJob]:
    """Every combination."""
    return [
        TrainingJob(f"{network} {norm}", "", FromRegistry(network, norm), problem, rows, None, 8, seeds=count)
        for network, norm, problem in networks
        for rows in batches
        for count in members
    ]


def measure(
    pool: ProcessPoolExecutor, chosen: Sequence[TrainingJob], repeats: int = 3, device: str = "cpu"
) -> Iterator[ProgramTiming | None]:
    """Time ``chosen`` in one process of ``pool``, which must be single-threaded; None beyond ``LARGEST_SPAN``."""
    for job in chosen:
        yield pool.submit(_timing, job, repeats, device).result()


def _timing(job: TrainingJob, repeats: int, device: str) -> ProgramTiming | None:
    module, data = job.build(0), job.data()
    span = footprint(module, data.inputs).largest * job.rows
    program: ProgramName = "chain" if links_of(module) is not None else "vmap"
    if span > LARGEST_SPAN[torch.device(device).type]:
        return None
    if device != "cpu":  # kernels are loaded with their first call
        _milliseconds(job, program, device)
    pairs = [(_milliseconds(job, program, device), _milliseconds(job, "loop", device)) for _ in range(repeats)]
    stacked, loop = (statistics.median(side) for side in zip(*pairs, strict=True))
    network, norm = job.name.split(" ", 1)
    return ProgramTiming(network, norm, job.problem.kind, job.rows, job.seeds, span, program, stacked, loop)


def _milliseconds(job: TrainingJob, program: ProgramName, device: str) -> float:
    seeds, data = range(job.seeds), job.data(device)
    build = lambda seed: job.build(seed).to(device)  # noqa: E731
    wait(device)
    started = time.perf_counter()
    with in_full_float32():
        train(build, seeds, dict.fromkeys(seeds, data), job.schedule(), program=program)
    wait(device)
    return (time.perf_counter() - started) * 1e3 / (job.steps * job.seeds)


def table(timings: Sequence[ProgramTiming]) -> str:
    """The gain over the loop by program, members and span, as Markdown: least, median and greatest."""
    groups: dict[tuple[str, int, int], list[float]] = {}
    for t in timings:
        groups.setdefault((t.program, t.members, t.span.bit_length() - 1), []).append(t.gain)
    lines = [
        f"| {program} | {members} | 2^{power} | {min(gains):.2f} | {statistics.median(gains):.2f} | {max(gains):.2f} |"
        for (program, members, power), gains in sorted(groups.items())
    ]
    return "\n".join(["| program | members | span | least | median | greatest |", "|---|---|---|---|---|---|", *lines])
