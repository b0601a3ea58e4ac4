"""What FarField costs beyond training and probing: start-up, planning, standings, and each record of a sweep.

Usage: python -m tools.speed.parts.overheads [--records 100000] [--cells 1000] [--repeats 5]

Every figure is a median over fresh processes. Wall-clock time is what a user waits; the processor time beside it (of
all processes together) tells how much of that was other programs' doing.

- *plan*: ``bench.run`` of a sweep whose every record is in the store. Reading the data of its tasks is counted, for
  their hashes are part of the keys; importing is not.
- *standings*: from the store's file to finished boards, totals and a row a cell; importing is not counted.
- *start-up*: whole commands.
- *a record*: a sweep of tiny cells (training mean and ridge regression on tasks of 100 rows) in one worker process,
  less the same jobs trained and probed in a loop in one process; divided by their number. Starting the worker, loading
  torch there and planning are counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SEEDS = 5
TASKS = 20
NORMS = ("none", "layer@first", "layer@last", "layer@all", "rms@all")
LISTS = ("tasks", "architectures", "norms", "suites", "protocols")


@dataclass(frozen=True)
class Overhead:
    """One figure.

    Args:
        name: what it is of.
        seconds: median of wall-clock time.
        processor: median of processor time, of all processes.
        goal: seconds that it should stay under; None where there is no goal.
        spread: greatest less least of ``seconds``.
    """

    name: str
    seconds: float
    processor: float
    goal: float | None
    spread: float


COMMANDS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("--help",), 0.4),
    *((("list", kind), 0.5) for kind in LISTS),
)
FIGURES = len(COMMANDS) + 3


def measure(records: int = 100_000, cells: int = 1_000, repeats: int = 5) -> Iterator[Overhead]:
    """Every figure, ``FIGURES`` of them.

    Args:
        records: in the store that is planned against and ranked, five seeds a cell.
        cells: of the sweep of tiny cells.
        repeats: fresh processes a figure.
    """
    with tempfile.TemporaryDirectory(prefix="farfield-speed-") as folder:
        store = Path(folder) / "stored"
        fill_store(store, records)
        called = (
            (f"planning and resuming over {records:,} finished records", "plan", 2.0),
            (f"standings over {records:,} records", "rank", 3.0),
        )
        for name, what, goal in called:
            yield _median(name, goal, [_child(what, str(store), records) for _ in range(repeats)])
    for arguments, goal in COMMANDS:
        yield _median(f"farfield {' '.join(arguments)}", goal, [_command(arguments) for _ in range(repeats)])
    yield _tiny_cells(cells, repeats)


def fill_store(out: Path, records: int) -> None:
    """Make a store with ``records`` records of real keys and plausible numbers."""
    import numpy as np

    from bench.plan.jobs import cells_of, make_plan
    from bench.sweep.options import STORE_NAME
    from leaderboard.records.store.store import Store

    draw = np.random.default_rng(0)
    jobs = make_plan(cells_of([_selection(records)], "2"), range(SEEDS), ()).jobs
    with Store(out / STORE_NAME, "write") as store:
        for start in range(0, len(jobs), 500):
            keys = [key for job in jobs[start : start + 500] for key in job.keys]
            store.add_together((_record(key, draw), {}) for key in keys)


def _selection(records: int) -> Any:
    from bench.plan.jobs import Selection

    widths = max(1, round(records / (TASKS * len(NORMS) * SEEDS)))
    return Selection(
        tuple(f"sine-1d(instance={i})" for i in range(TASKS)),
        tuple(f"mlp(width={8 + w})" for w in range(widths)),
        NORMS,
    )


def _record(key: Any, draw: Any) -> Any:
    """An ok record with three far sets, whose growth follows a power between 0 and 1."""
    import numpy as np

    from bench.cell.environment import describe_environment
    from leaderboard.records import metrics
    from leaderboard.records.record import Record, SetResult

    power = 0.0 if key.norm != "none" else 1.0
    growth = np.exp(draw.normal(0, 0.1)) * np.array(metrics.LADDER) ** (power + draw.normal(0, 0.002))
    errors = np.exp(draw.normal(0, 0.2, size=4)) * [0.2, 1.5, 2.0, 2.5]
    sets = tuple(
        SetResult(name, "test" if name == "test" else "far", 500, e, e, 0.8 * e, 1 - e * e, 0, (0.5, 1.0, 1.5))
        for name, e in zip(("test", "shell-1-2", "shell-2-5", "shell-5-10"), errors.tolist(), strict=True)
    )
    return Record(
        key=key,
        status="ok",
        truth="bounded",
        created="2026-01-02T03:04:05+00:00",
        learning_rate=1e-3,
        best_step=900,
        edge_of_grid=False,
        id_error=sets[0].relative_error,
        far_error=metrics.far_error([s.relative_error for s in sets[1:]]),
        sets=sets,
        ladder=metrics.LADDER,
        growth=tuple(growth.tolist()),
        departure=tuple((0.7 * growth).tolist()),
        nonfinite=(0,) * len(growth),
        exponent=metrics.exponent(metrics.LADDER, growth.tolist()),
        local_exponent=0.0,
        axis_growth=tuple((r, 2.0) for r in metrics.AXIS_RADII),
        axis_exponent=0.0,
        probe_nonfinite=0,
        worst_growth=((10.0, 2.0), (100.0, 3.0), (1e4, 3.0)),
        parameters=17_000,
        seconds=1.25,
        environment=describe_environment(),
    )


def plan(out: str, records: int) -> None:
    """In a fresh process: a sweep that finds every record finished."""
    import bench.api

    selection = _selection(records)
    started = _clocks()
    results = bench.api.run(
        tasks=selection.tasks,
        architectures=selection.architectures,
        norms=selection.norms,
        seeds=SEEDS,
        protocol="2",
        out=out,
        wandb="disabled",
    )
    if results.fresh or not results.complete:
        raise SystemExit(f"{results.fresh} records were not finished")
    _report(started)


def rank(out: str, records: int) -> None:
    """In a fresh process: standings of the whole store."""
    from scipy import special  # noqa: F401  what the intervals need

    from bench.sweep.query import stored_records
    from leaderboard.ranking.standings import standings

    started = _clocks()
    (board,) = standings(stored_records(Path(out)))
    if sum(n for row in board.overall for _, n in row.counts) != len(board.per_task) * SEEDS:
        raise SystemExit("a record is in no standing")
    _report(started)


def loop(cells: int) -> None:
    """In a fresh process: train and probe tiny cells one after the other."""
    from bench.cell.run import run_job
    from bench.plan.jobs import Settings, make_plan

    jobs = make_plan(_tiny(cells), (0,), ()).jobs
    started = _clocks()
    outcomes = [run_job(job, Settings()) for job in jobs]
    _check(outcome.record.status for together in outcomes for outcome in together)
    _report(started)


def sweep(cells: int) -> None:
    """In a fresh process: the same cells as a sweep in one worker process."""
    from multiprocessing import forkserver

    from bench.plan.jobs import Settings
    from bench.sweep.options import RunOptions
    from bench.sweep.runner import run_cells

    tiny = _tiny(cells)
    with tempfile.TemporaryDirectory(prefix="farfield-speed-") as out:
        started = _clocks()
        results = run_cells(tiny, (0,), RunOptions(Path(out), workers=1, settings=Settings()))
        _check(results.counts)
        seconds = time.perf_counter() - started[0]
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # waited for, so that its time is counted
    _report(started, seconds)


def _tiny(cells: int) -> Any:
    from bench.plan.jobs import Selection, cells_of

    tasks = tuple(f"sine-1d(instance={i})" for i in range(max(1, cells // 2)))
    return cells_of([Selection(tasks, ("mean", "ridge"))], "quick")


def _check(statuses: Any) -> None:
    odd = set(statuses) - {"ok"}
    if odd:
        raise SystemExit(f"a tiny cell is {', '.join(odd)}")


def _tiny_cells(cells: int, repeats: int) -> Overhead:
    """Loop and sweep side by side, so that both meet the same machine."""
    pairs = [(_child("loop", cells), _child("sweep", cells)) for _ in range(repeats)]
    differences = [tuple((b - a) / cells for a, b in zip(*pair, strict=True)) for pair in pairs]
    return _median(f"a record beyond training and probing ({cells:,} tiny cells)", 0.005, differences)


def _clocks() -> tuple[float, float]:
    """Wall-clock time, and processor time of this process and of children that were waited for."""
    times = os.times()
    return time.perf_counter(), times.user + times.system + times.children_user + times.children_system


def _report(started: tuple[float, float], seconds: float | None = None) -> None:
    ended = _clocks()
    print(json.dumps([ended[0] - started[0] if seconds is None else seconds, ended[1] - started[1]]))


def _child(what: str, *arguments: str | int) -> tuple[float, float]:
    """Run a function of this module in a fresh process: seconds and processor seconds that it reports."""
    program = f"from tools.speed.parts.overheads import {what}; {what}(*{arguments!r})"
    command = [sys.executable, "-W", "ignore", "-c", program]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    seconds, processor = json.loads(done.stdout.splitlines()[-1])
    return seconds, processor


def _command(arguments: Sequence[str]) -> tuple[float, float]:
    """Run ``farfield`` with ``arguments`` in a fresh process: seconds and processor seconds."""
    before = os.times()
    started = time.perf_counter()
    command = [sys.executable, "-m", "bench.cli", *arguments]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    seconds, after = time.perf_counter() - started, os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return seconds, spent


def _median(name: str, goal: float | None, pairs: Sequence[Sequence[float]]) -> Overhead:
    seconds, processor = ([pair[i] for pair in pairs] for i in (0, 1))
    return Overhead(
        name, statistics.median(seconds), statistics.median(processor), goal, spread=max(seconds) - min(seconds)
    )


def table(overheads: Sequence[Overhead]) -> str:
    """The figures for people."""
    wide = max(len(o.name) for o in overheads)
    lines = [f"{'':{wide}}  {'wall':>9}  {'± half range':>12}  {'processor':>9}  {'goal':>9}"]
    for o in overheads:
        goal = "" if o.goal is None else f"< {_text(o.goal)}"
        lines.append(
            f"{o.name:{wide}}  {_text(o.seconds):>9}  {_text(o.spread / 2):>12}  {_text(o.processor):>9}  {goal:>9}"
        )
    return "\n".join(lines)


def _text(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if abs(seconds) < 0.05 else f"{seconds:.2f} s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--cells", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(table(list(measure(options.records, options.cells, options.repeats))))


if __name__ == "__main__":
    main()
