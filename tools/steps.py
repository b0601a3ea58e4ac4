"""How many steps a task needs: the fewest for which twice as many hardly change the errors.

Usage: python -m tools.steps TASK [TASK ...] --out FILE.jsonl [--workers 2] [--seeds 5] [--start STEPS]

For each task its usual network (mlp for tables, cnn for images, transformer for sequences) is trained as protocol 2
does under none, layer@all and batch@all, seed k on draw k, with S, 2 S, 4 S and 8 S steps, S being the task's own. The
first number of steps is taken whose doubling moves the geometric mean of id_error over schemes and seeds by less than
5%, otherwise 4 S; 8 S is trained only to say what doubling 4 S brings. Errors are clipped as boards do.

One line of JSON a task, as soon as it is done; tasks that are in the file are skipped.
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

import torch

import tasks
from bench.sweep.workers.malloc import keep_freed_memory
from leaderboard.records.metrics import ERROR_CLIP
from tools.tracks import SCHEMES, Pool, architecture_of, checks_of, schedule_of

FACTORS = (1, 2, 4, 8)
CAP = 4
MOVED = 0.05


@dataclass(frozen=True)
class Search:
    """One scheme at one number of steps: what protocol 2 gives, seed by seed.

    Args:
        errors: relative errors on the test rows; infinite where every rate diverged.
        rates, steps: what was chosen.
        mean: geometric mean of the clipped errors.
    """

    errors: list[float]
    rates: list[float | None]
    steps: list[int | None]
    mean: float


@dataclass(frozen=True)
class Doubling:
    """From ``steps`` to twice as many: how the geometric means change, by scheme and over all of them."""

    steps: int
    ratios: dict[str, float]
    ratio: float


@dataclass(frozen=True)
class Finding:
    """Of one task.

    Args:
        task, architecture, seeds: what was trained.
        base_steps: the steps that the search starts from.
        rows: training, validation and test rows of draw 0.
        searches: by steps (as text, for JSON) and scheme.
        doublings: in order.
        steps, factor: what is taken, also as a multiple of ``base_steps``.
        capped: nothing below the cap was enough.
        doubling: what the next doubling brings, by scheme.
        doubling_all: the same, over all of them.
        trained: steps of all members together.
        seconds: that it took.
    """

    task: str
    architecture: str
    seeds: int
    base_steps: int
    rows: tuple[int, int, int]
    searches: dict[str, dict[str, Search]]
    doublings: list[Doubling]
    steps: int
    factor: int
    capped: bool
    doubling: dict[str, float]
    doubling_all: float
    trained: int
    seconds: float


def measure(
    task: str,
    seeds: int = 5,
    start: int | None = None,
    schemes: Sequence[str] = SCHEMES,
    architecture: str | None = None,
    device: str = "cpu",
) -> Finding:
    """Find the steps of ``task``; progress goes to standard error."""
    begun = time.perf_counter()
    loaded = tasks.resolve(task).load()
    budget = loaded.card.budget
    steps = start or budget.base_steps or budget.steps
    network = architecture or architecture_of(loaded.card)
    ladder = [steps * factor for factor in FACTORS]
    longest, checks = schedule_of(task, ladder[-1]), checks_of(ladder)
    pools = {scheme: Pool(task, network, scheme, range(seeds), longest, checks, device) for scheme in schemes}
    searches: dict[str, dict[str, Search]] = {}
    doublings: list[Doubling] = []
    for place, count in enumerate(ladder):
        found = {}
        for scheme, pool in pools.items():
            found[scheme] = _search(pool, task, count)
            _say(f"{task}: {scheme}, {count} steps: id_error {found[scheme].mean:.4g}", begun)
        searches[str(count)] = found
        if place == 0:
            continue
        before = searches[str(ladder[place - 1])]
        ratios = {scheme: found[scheme].mean / before[scheme].mean for scheme in schemes}
        doublings.append(Doubling(ladder[place - 1], ratios, _mean(ratios.values())))
        if abs(doublings[-1].ratio - 1) < MOVED:
            break
    last = doublings[-1]
    return Finding(
        task=task,
        architecture=network,
        seeds=seeds,
        base_steps=steps,
        rows=(len(loaded.train), len(loaded.validation), len(loaded.test)),
        searches=searches,
        doublings=doublings,
        steps=last.steps,
        factor=last.steps // steps,
        capped=last.steps == CAP * steps and abs(last.ratio - 1) >= MOVED,
        doubling=last.ratios,
        doubling_all=last.ratio,
        trained=sum(pool.trained for pool in pools.values()),
        seconds=time.perf_counter() - begun,
    )


def _search(pool: Pool, task: str, steps: int) -> Search:
    found = pool.search(schedule_of(task, steps))
    errors = [math.sqrt(one.test / pool.variance[seed]) for seed, one in found.items()]
    return Search(
        errors, [one.rate for one in found.values()], [one.step for one in found.values()], _mean(map(_clipped, errors))
    )


def _clipped(error: float) -> float:
    """As boards clip it; what diverged or answered with NaN counts as the worst."""
    return min(max(error, ERROR_CLIP[0]), ERROR_CLIP[1]) if math.isfinite(error) else ERROR_CLIP[1]


def _mean(values: object) -> float:
    logs = [math.log(value) for value in values]  # type: ignore[attr-defined]
    return math.exp(sum(logs) / len(logs))


def _say(text: str, begun: float) -> None:
    print(f"{time.perf_counter() - begun:7.0f} s  {text}", file=sys.stderr, flush=True)


def as_worker() -> None:
    """Set this process up as a sweep sets up its workers."""
    torch.set_num_threads(1)
    keep_freed_memory()


def remaining(names: Sequence[str], out: Path) -> list[str]:
    """Those of ``names`` that have no line in ``out``; a line that was cut short is dropped."""
    if not out.exists():
        return list(names)
    whole = [line for line in out.read_text().splitlines(keepends=True) if line.endswith("\n")]
    out.write_text("".join(whole))
    done = {json.loads(line)["task"] for line in whole}
    return [name for name in names if name not in done]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every task that is not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", metavar="TASK")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--start", type=int, default=None, help="steps to start from instead of the task's own")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    names = remaining([tasks.resolve(name).name for name in options.tasks], options.out)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context, initializer=as_worker) as pool:
        waiting = {
            pool.submit(measure, name, options.seeds, options.start, device=options.device): name for name in names
        }
        for place, done in enumerate(as_completed(waiting), 1):
            if error := done.exception():
                print(f"{waiting[done]}: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            found = done.result()
            with options.out.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
            brings = ", ".join(f"{name} {ratio:.3f}" for name, ratio in found.doubling.items())
            brings += f", all {found.doubling_all:.3f}"
            print(
                f"{place} of {len(names)}: {found.task}: {found.steps} steps ({found.factor} times {found.base_steps}"
                f"{', the cap' if found.capped else ''}); doubling: {brings}; {found.seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
