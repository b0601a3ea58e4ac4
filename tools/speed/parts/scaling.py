"""How cost grows with width, depth, seeds, rows, ladder, cells and workers."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

from bench.core.problem import Problem
from tools.speed.jobs import FromRegistry, TrainingJob


@dataclass(frozen=True)
class Growth:
    """Cost against one size.

    Args:
        name: of the size.
        what: is measured.
        power: with which power of the size the cost should grow for large sizes.
        sizes: ascending.
        seconds: medians.
        spread: the largest (greatest less least) / median of a size.
    """

    name: str
    what: str
    power: float
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    spread: float

    @property
    def slopes(self) -> tuple[float, ...]:
        """The local power between neighbouring sizes."""
        ends = list(zip(self.sizes, self.seconds, strict=True))
        return tuple(math.log(t / s) / math.log(b / a) for (a, s), (b, t) in itertools.pairwise(ends))

    @property
    def steepest(self) -> float:
        """The largest excess of a step over the expected growth, as a factor: 1 is as expected, 2 a cliff."""
        factors = zip(self.slopes, self.sizes, self.sizes[1:], strict=False)
        return max(((b / a) ** (slope - self.power) for slope, a, b in factors), default=1.0)


@dataclass(frozen=True)
class Question:
    """What a :class:`Growth` answers: ``cost(size)`` in seconds."""

    name: str
    what: str
    power: float
    sizes: tuple[int, ...]
    cost: Callable[[int], float]

    def fewer(self) -> Question:
        """The two smallest sizes only."""
        return dataclasses.replace(self, sizes=self.sizes[:2])


BASE = TrainingJob(
    "growth", "", FromRegistry("mlp(depth=3, width=64)", "layer@all"), Problem("features", (8,)), 128, None, 10
)


def _train(job: TrainingJob) -> float:
    from tools.speed.parts.training import ours_here

    started = time.perf_counter()
    ours_here(job, range(job.seeds))
    return time.perf_counter() - started


def width(size: int) -> float:
    """Five members, three hidden layers."""
    return _train(dataclasses.replace(BASE, network=FromRegistry(f"mlp(depth=3, width={size})", "layer@all"), seeds=5))


def depth(size: int) -> float:
    """Five members of width 64."""
    network = FromRegistry(f"mlp(depth={size}, width=64)", "layer@all")
    return _train(dataclasses.replace(BASE, network=network, seeds=5))


def seeds(size: int) -> float:
    """Members of three hidden layers of 64."""
    return _train(dataclasses.replace(BASE, seeds=size, steps=20))


def rows(size: int) -> float:
    """Full batches, five members."""
    return _train(dataclasses.replace(BASE, rows=size, seeds=5))


def ladder(size: int) -> float:
    """Probe an MLP along 64 rays at ``size`` distances."""
    import tasks
    from bench.cell import probing
    from bench.cell.directions import directions
    from leaderboard.records import metrics

    task = tasks.resolve("diabetes").load()
    module = FromRegistry("mlp", "layer@all")(task.problem, 0)
    rays, predict = directions(task), probing.network_predict(module)
    with patch.object(metrics, "LADDER", tuple(np.geomspace(1, 1e4, size).tolist())):
        started = time.perf_counter()
        probing.probe_rays(predict, task, rays)
        return time.perf_counter() - started


def cells(size: int) -> float:
    """A sweep of that many tiny cells in one worker process."""
    return _sweep(tuple(f"sine-1d(instance={i})" for i in range(size)), ("ridge",), (0,), 1)


def workers(size: int) -> float:
    """A sweep of 16 small networks in that many worker processes."""
    return _sweep(tuple(f"sine-1d(instance={i})" for i in range(16)), ("mlp",), (0,), size)


def _sweep(tasks: tuple[str, ...], architectures: tuple[str, ...], seeds: tuple[int, ...], processes: int) -> float:
    from bench.plan.jobs import Selection, cells_of
    from bench.sweep.options import RunOptions
    from bench.sweep.runner import run_cells

    asked = cells_of([Selection(tasks, architectures, ("none",))], "quick")
    with tempfile.TemporaryDirectory(prefix="farfield-speed-") as out:
        started = time.perf_counter()
        results = run_cells(asked, seeds, RunOptions(Path(out), workers=processes))
        seconds = time.perf_counter() - started
    if set(results.counts) != {"ok"}:
        raise RuntimeError(f"a run was not ok: {results.counts}")
    return seconds


QUESTIONS: tuple[Question, ...] = (
    Question(
        "width", "ten steps of 5 MLPs, 3 hidden layers, 128 rows", 2.0, (16, 32, 64, 128, 256, 512, 1024, 2048), width
    ),
    Question("depth", "ten steps of 5 MLPs, width 64, 128 rows", 1.0, (1, 2, 4, 8, 16, 32, 64), depth),
    Question("members", "20 steps of MLPs 3×64, 128 rows", 1.0, (1, 2, 5, 10, 20, 40, 80, 160), seeds),
    Question("rows", "ten steps of 5 MLPs 3×64, full batch", 1.0, (64, 256, 1024, 4096, 16_384, 65_536), rows),
    Question("ladder", "probing 64 rays at so many distances", 1.0, (13, 26, 52, 104, 208, 416), ladder),
    Question("cells", "a sweep of tiny cells, one worker", 1.0, (10, 30, 100, 300, 1000), cells),
    Question("workers", "a sweep of 16 small networks", 0.0, (1, 2, 4, 8), workers),
)


def measure(pool: ProcessPoolExecutor, questions: Sequence[Question] = QUESTIONS, repeats: int = 3) -> Iterator[Growth]:
    """Every question, sizes in turn and the round repeated; training and probing in a process of ``pool``.

    ``pool`` must be single-threaded.
    """
    for question in questions:
        yield _answer(pool, question, repeats)


def _answer(pool: ProcessPoolExecutor, question: Question, repeats: int) -> Growth:
    here = question.cost in (cells, workers)  # sweeps have workers of their own
    rounds = [
        [question.cost(size) if here else pool.submit(question.cost, size).result() for size in question.sizes]
        for _ in range(repeats)
    ]
    columns = list(zip(*rounds, strict=True))
    medians = tuple(statistics.median(column) for column in columns)
    spread = max((max(c) - min(c)) / m for c, m in zip(columns, medians, strict=True))
    return Growth(question.name, question.what, question.power, question.sizes, medians, spread)


def table(growths: Sequence[Growth]) -> str:
    """Seconds at each size, the powers between them, and the worst step, as Markdown."""
    lines = ["| size | of | seconds | powers | expected | worst step | spread |", "|---|---|---|---|---|---|---|"]
    for g in growths:
        costs = ", ".join(f"{size:,}: {seconds:.3g}" for size, seconds in zip(g.sizes, g.seconds, strict=True))
        powers = ", ".join(f"{slope:.2f}" for slope in g.slopes)
        lines.append(f"| {g.name} | {g.what} | {costs} | {powers} | {g.power:g} | {g.steepest:.2f}× | {g.spread:.0%} |")
    return "\n".join(lines)
