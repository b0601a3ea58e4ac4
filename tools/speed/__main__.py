"""Measure FarField's speed and write figures and charts.

Usage: python -m tools.speed [--part training --part quick ...] [--out speed-results] [--repeats 3] [--tiny]

Programs that are compared run side by side, one after the other in each repetition; figures are medians. A machine that
does anything else meanwhile spoils them: the noise that is printed says how steady its matrix products were.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from leaderboard.charts import save
from tools.speed import charts, machine, overheads, probing, programs, quick, scaling, training
from tools.speed.jobs import JOBS


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    repeats: int
    device: str
    tiny: bool


@dataclass(frozen=True)
class Answer:
    """Of a part: figures for the JSON, words for people, charts by file name."""

    figures: Any
    words: str
    charts: dict[str, Any] = dataclasses.field(default_factory=dict)


def _training(options: Options, pool: ProcessPoolExecutor) -> Answer:
    jobs = [job.shorter(0.005) for job in (JOBS[0], JOBS[3])] if options.tiny else JOBS
    timings = training.measure(jobs, options.repeats, options.device)
    figures = [dataclasses.asdict(t) | {"ratio": t.ratio} for t in timings]
    return Answer(figures, training.table(timings), {"training": charts.training_chart(timings)})


def _quick(options: Options, pool: ProcessPoolExecutor) -> Answer:
    one = ("--suite", "quick", "--task", "linear-1d", "--arch", "mlp", "--norm", "none", "--seeds", "1")
    timing = quick.measure(one if options.tiny else ("--suite", "quick"), options.repeats)
    return Answer(dataclasses.asdict(timing) | {"ratio": timing.ratio}, quick.text(timing))


def _programs(options: Options, pool: ProcessPoolExecutor) -> Answer:
    kept: dict[str, Any] = (
        {"networks": programs.NETWORKS[3:5], "batches": (32,), "members": (4,)} if options.tiny else {}
    )
    timings = programs.measure(pool, repeats=options.repeats, **kept)
    figures = [dataclasses.asdict(t) | {"gain": t.gain} for t in timings]
    return Answer(figures, programs.table(timings), {"programs": charts.programs_chart(timings)})


def _probing(options: Options, pool: ProcessPoolExecutor) -> Answer:
    timings = probing.measure(pool, probing.CELLS[:1], "quick", 1) if options.tiny else probing.measure(pool)
    figures = [dataclasses.asdict(t) | {"share": t.share} for t in timings]
    return Answer(figures, probing.table(timings))


def _overheads(options: Options, pool: ProcessPoolExecutor) -> Answer:
    sizes = {"records": 200, "cells": 4} if options.tiny else {}
    found = overheads.measure(repeats=options.repeats, **sizes)
    return Answer([dataclasses.asdict(o) for o in found], overheads.table(found))


def _scaling(options: Options, pool: ProcessPoolExecutor) -> Answer:
    questions = [q.fewer() for q in scaling.QUESTIONS] if options.tiny else scaling.QUESTIONS
    growths = scaling.measure(pool, questions, options.repeats)
    figures = [dataclasses.asdict(g) | {"slopes": g.slopes, "steepest": g.steepest} for g in growths]
    return Answer(figures, scaling.table(growths), {"scaling": charts.growth_chart(growths)})


PARTS: dict[str, Callable[[Options, ProcessPoolExecutor], Answer]] = {
    "training": _training,
    "quick": _quick,
    "programs": _programs,
    "probing": _probing,
    "overheads": _overheads,
    "scaling": _scaling,
}


def measure(parts: Sequence[str], options: Options, out: Path) -> None:
    """Measure ``parts`` one after the other; after each, its figures replace older ones in ``out/speed.json``."""
    out.mkdir(parents=True, exist_ok=True)
    figures = out / "speed.json"
    found: dict[str, Any] = json.loads(figures.read_text()) if figures.exists() else {}
    found["machine"] = machine.describe(options.device)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        training.single_threaded(pool, 1)
        load, before = machine.load(), machine.rates(pool)
        for part in parts:
            print(f"\n## {part}\n", flush=True)
            answer = PARTS[part](options, pool)
            print(answer.words, flush=True)
            for name, chart in answer.charts.items():
                save(chart, out / f"{name}.png")
            quiet = machine.quiet(load, before, machine.rates(pool))
            noise = dataclasses.asdict(quiet) | {"noise": quiet.noise}
            found[part] = answer.figures
            found["quiet"] = found.get("quiet", {}) | {part: noise}
            figures.write_text(json.dumps(found, indent=1) + "\n")
    print(f"\nload before: {load:.2f}; one thread's matrix products varied by {quiet.noise:.0%}")
    print(f"figures: {figures}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part; repeatable")
    parser.add_argument("--out", type=Path, default=Path("speed-results"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu", help="of the part training: cpu or cuda")
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes: shows that it runs, measures nothing")
    asked = parser.parse_args()
    try:
        measure(asked.part or list(PARTS), Options(asked.repeats, asked.device, asked.tiny), asked.out)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
