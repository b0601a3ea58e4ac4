"""Successive halving against the full grid: how often, and how far, it chooses something worse.

Usage: python -m tools.halving TASK [TASK ...] --out FILE.jsonl [--workers 2] [--seeds 5]
                              [--page docs/fairness.md]

Each task's usual network is trained under none, layer@all and batch@all, seed k on draw k, at all six rates for all of
the task's steps. What protocol 2's halving would have chosen is read from the same training. A record is "within" when
its validation RMSE exceeds that of the full grid by 2% at most. The ratio of a cell is the geometric mean over seeds of
id_error by halving over id_error by the full grid.

One line of JSON a task, as soon as it is done; tasks that are in the file are skipped. The summary is of the whole
file.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tasks
from tools.page import write_part
from tools.steps import as_worker, remaining
from tools.tracks import SCHEMES, Pool, architecture_of, schedule_of

WITHIN = 1.02
CELL_WITHIN = 0.05


@dataclass(frozen=True)
class Comparison:
    """One record.

    Args:
        scheme, seed: which.
        full_rate, rate: what the full grid and halving chose.
        validation: RMSE by halving over that by the full grid, at least 1.
        test: the same of the test error.
    """

    scheme: str
    seed: int
    full_rate: float | None
    rate: float | None
    validation: float
    test: float


@dataclass(frozen=True)
class Measured:
    """Of one task: its records, and how long it took."""

    task: str
    architecture: str
    validation_rows: int
    steps: int
    records: list[Comparison]
    seconds: float


def measure(task: str, seeds: int = 5, steps: int | None = None, device: str = "cpu") -> Measured:
    """Train the full grid of ``task`` and read both searches from it."""
    begun = time.perf_counter()
    loaded = tasks.resolve(task).load()
    network = architecture_of(loaded.card)
    count = steps or loaded.card.budget.steps
    full, halved = (schedule_of(task, count, halving) for halving in (False, True))
    records = []
    for scheme in SCHEMES:
        pool = Pool(task, network, scheme, range(seeds), full, full.checks, device)
        whole, part = pool.search(full), pool.search(halved)
        for seed in range(seeds):
            ratios = _ratio(part[seed].validation, whole[seed].validation), _ratio(part[seed].test, whole[seed].test)
            records.append(Comparison(scheme, seed, whole[seed].rate, part[seed].rate, *ratios))
        print(f"{task}: {scheme} after {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    rows = len(loaded.validation)
    return Measured(task, network, rows, count, records, time.perf_counter() - begun)


def _ratio(error: float, of: float) -> float:
    """Of root mean square errors; 1 where both diverged."""
    return 1.0 if math.isinf(of) and math.isinf(error) else math.sqrt(error / of)


def summary(measured: Sequence[dict[str, Any]]) -> str:
    """How often halving is within 2%, and ratios of cells: by scheme, over all, and on each task."""
    return f"{_by_scheme(measured)}\n\n{_by_task(measured)}"


def _by_scheme(measured: Sequence[dict[str, Any]]) -> str:
    records = [{**record, "task": one["task"]} for one in measured for record in one["records"]]
    lines = [
        "| scheme | records | within 2% | same rate | cells within 5% | worst cell | id_error, geometric mean |",
        "|---|---|---|---|---|---|---|",
    ]
    for scheme in (*SCHEMES, "all"):
        mine = [record for record in records if scheme in (record["scheme"], "all")]
        if not mine:
            continue
        ratios = _cells(mine)
        worst = max(ratios, key=lambda cell: abs(math.log(ratios[cell])))
        near = sum(abs(ratio - 1) <= CELL_WITHIN for ratio in ratios.values())
        same = sum(record["rate"] == record["full_rate"] for record in mine) / len(mine)
        mean = math.exp(sum(math.log(record["test"]) for record in mine) / len(mine))
        cell = f"{ratios[worst]:.3f} ({', '.join(worst)})"
        shares = str(len(mine)), f"{_within(mine):.0%}", f"{same:.0%}", f"{near} of {len(ratios)}"
        lines.append(f"| {' | '.join((scheme, *shares, cell, f'{mean:.3f}'))} |")
    return "\n".join(lines)


def _by_task(measured: Sequence[dict[str, Any]]) -> str:
    heads = (*(f"id_error, {scheme}" for scheme in SCHEMES),)
    lines = [
        f"| task | network | S | validation rows | within 2% | most above | {' | '.join(heads)} |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in measured:
        mine = [{**record, "task": one["task"]} for record in one["records"]]
        ratios = _cells(mine)
        most = max(record["validation"] for record in mine)
        facts = f"{one['steps']:,}", str(one["validation_rows"]), f"{_within(mine):.0%}", f"{most - 1:.1%}"
        cells = (f"{ratios[one['task'], scheme]:.3f}" for scheme in SCHEMES)
        lines.append(f"| {' | '.join((_code(one['task']), _code(one['architecture']), *facts, *cells))} |")
    return "\n".join(lines)


def _code(name: str) -> str:
    return f"`{name}`"


def _cells(records: Sequence[dict[str, Any]]) -> dict[tuple[str, str], float]:
    """The ratio of each cell's id_error, by task and scheme."""
    logs: dict[tuple[str, str], list[float]] = {}
    for record in records:
        logs.setdefault((record["task"], record["scheme"]), []).append(math.log(record["test"]))
    return {cell: math.exp(sum(each) / len(each)) for cell, each in logs.items()}


def _within(records: Sequence[dict[str, Any]]) -> float:
    return [record["validation"] <= WITHIN for record in records].count(True) / len(records)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every task that is not in the file yet, and print the summary of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=None, help="instead of the task's own")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--page", type=Path, default=None, help="write the summary into this file")
    options = parser.parse_args(arguments)
    names = remaining([tasks.resolve(name).name for name in options.tasks], options.out)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context, initializer=as_worker) as pool:
        waiting = {pool.submit(measure, name, options.seeds, options.steps, options.device): name for name in names}
        for done in as_completed(waiting):
            if error := done.exception():
                print(f"{waiting[done]}: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            with options.out.open("a") as file:
                file.write(json.dumps(asdict(done.result())) + "\n")
    text = summary([json.loads(line) for line in options.out.read_text().splitlines()])
    if options.page is None:
        print(text)
    else:
        write_part(options.page, "halving", text)


if __name__ == "__main__":
    main()
