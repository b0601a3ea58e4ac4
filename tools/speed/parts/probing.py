"""What a standard cell spends on looking far away: all of its probing as a share of its training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

CELLS: tuple[tuple[str, str, str], ...] = (
    ("diabetes", "mlp", "layer@first"),
    ("sine-1d", "mlp", "layer@first"),
    ("digits-rotation", "cnn", "layer@all"),
    ("trend-sequence", "transformer", "layer@pre"),
)


@dataclass(frozen=True)
class ProbingTiming:
    """Seconds of one cell's parts: ``probing`` holds rays, far sets, worst case, certificate and what is kept."""

    task: str
    architecture: str
    norm: str
    training: float
    probing: float

    @property
    def share(self) -> float:
        """Of training."""
        return self.probing / self.training


def measure(
    pool: ProcessPoolExecutor, cells: Sequence[tuple[str, str, str]] = CELLS, protocol: str = "1", seeds: int = 2
) -> Iterator[ProbingTiming]:
    """Run ``cells`` as a worker does, in one process of ``pool``, which must be single-threaded."""
    for cell in cells:
        yield pool.submit(_timing, cell, protocol, seeds).result()


def _timing(cell: tuple[str, str, str], protocol: str, seeds: int) -> ProbingTiming:
    import bench.cell.run
    from bench.plan.jobs import Selection, Settings, cells_of, make_plan

    spent = {"_train": 0.0, "_probe": 0.0}

    def timed(name: str) -> Callable[..., Any]:
        function = getattr(bench.cell.run, name)

        def call(*arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                spent[name] += time.perf_counter() - started

        return call

    task, architecture, norm = cell
    (job,) = make_plan(cells_of([Selection((task,), (architecture,), (norm,))], protocol), range(seeds), ()).jobs
    with (
        patch.object(bench.cell.run, "_train", timed("_train")),
        patch.object(bench.cell.run, "_probe", timed("_probe")),
    ):
        outcomes = bench.cell.run.run_job(job, Settings())
    odd = [o.record.reason for o in outcomes if o.record.status != "ok"]
    if odd:
        raise RuntimeError(f"{' '.join(cell)}: {odd[0]}")
    return ProbingTiming(*cell, spent["_train"], spent["_probe"])


def table(timings: Sequence[ProbingTiming]) -> str:
    """Seconds and shares as Markdown."""
    rows = [
        f"| {t.task} {t.architecture} {t.norm} | {t.training:.2f} | {t.probing:.2f} | {t.share:.1%} |" for t in timings
    ]
    return "\n".join(["| cell | training | probing | share |", "|---|---|---|---|", *rows])
