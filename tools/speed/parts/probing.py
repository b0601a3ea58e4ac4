"""What a cell spends on looking far away: along rays, as a share of the whole; searching and proving beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
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
    """Seconds of one cell's parts.

    Attributes:
        training: of all seeds.
        rays: ladder, exponents and axes.
        search: of the worst case.
        certificate: the proof.
        rest: far sets and what is kept.
    """

    task: str
    architecture: str
    norm: str
    training: float
    rays: float
    search: float
    certificate: float
    rest: float

    @property
    def whole(self) -> float:
        """All that a cell takes."""
        return self.training + self.rays + self.search + self.certificate + self.rest

    @property
    def share(self) -> float:
        """Of rays in the whole."""
        return self.rays / self.whole


def measure(
    pool: ProcessPoolExecutor, cells: Sequence[tuple[str, str, str]] = CELLS, protocol: str = "2", seeds: int = 2
) -> Iterator[ProbingTiming]:
    """Run ``cells`` as a worker does, in one process of ``pool``, which must be single-threaded."""
    for cell in cells:
        yield pool.submit(_timing, cell, protocol, seeds).result()


_PARTS = {
    "training": "train_network",
    "probing": "_probe",
    "rays": "_look_far",
    "search": "worst_growth",
    "proof": "proven_growth",
}


def _timing(cell: tuple[str, str, str], protocol: str, seeds: int) -> ProbingTiming:
    import bench.cell.run
    from bench.plan.jobs import Selection, Settings, cells_of, make_plan

    spent = dict.fromkeys(_PARTS, 0.0)

    def timed(part: str) -> Callable[..., Any]:
        function = getattr(bench.cell.run, _PARTS[part])

        def call(*arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                spent[part] += time.perf_counter() - started

        return call

    task, architecture, norm = cell
    (job,) = make_plan(cells_of([Selection((task,), (architecture,), (norm,))], protocol), range(seeds), ()).jobs
    with ExitStack() as stack:
        for part, name in _PARTS.items():
            stack.enter_context(patch.object(bench.cell.run, name, timed(part)))
        outcomes = bench.cell.run.run_job(job, Settings())
    odd = [o.record.reason for o in outcomes if o.record.status != "ok"]
    if odd:
        raise RuntimeError(f"{' '.join(cell)}: {odd[0]}")
    rest = spent["probing"] - spent["rays"] - spent["search"] - spent["proof"]
    return ProbingTiming(*cell, spent["training"], spent["rays"], spent["search"], spent["proof"], rest)


def table(timings: Sequence[ProbingTiming]) -> str:
    """Seconds, and the share of rays, as Markdown."""
    rows = [
        f"| {t.task} {t.architecture} {t.norm} | {t.training:.2f} | {t.rays:.2f} | {t.search:.2f} | {t.certificate:.2f}"
        f" | {t.rest:.2f} | {t.share:.1%} |"
        for t in timings
    ]
    head = "| cell | training | rays | search | certificate | rest | rays of the whole |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])
