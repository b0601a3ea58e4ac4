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
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from leaderboard.charts import save
from tools.speed import charts, machine
from tools.speed.jobs import JOBS
from tools.speed.parts import boards, overheads, probing, programs, quick, scaling, training
from tools.speed.progress import Progress


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    repeats: int
    device: str
    tiny: bool


@dataclass(frozen=True)
class Part:
    """A part of the measurements.

    Args:
        count: how many figures it will give.
        measured: the figures, one as soon as it is there; None for one that is left out.
        words: all figures for people.
        charts: all figures as pictures, by file name.
        derived: properties of a figure that go into the JSON beside its fields.
        alone: there is only one figure, which stands in the JSON by itself.
    """

    count: int
    measured: Iterable[Any]
    words: Callable[[Sequence[Any]], str]
    charts: Callable[[Sequence[Any]], dict[str, Any]] = lambda figures: {}
    derived: tuple[str, ...] = ()
    alone: bool = False

    def json(self, figures: Sequence[Any]) -> Any:
        """What the JSON holds of these figures."""
        made = [dataclasses.asdict(f) | {name: getattr(f, name) for name in self.derived} for f in figures]
        return made[0] if self.alone else made


def _training(options: Options, pool: ProcessPoolExecutor) -> Part:
    jobs = [job.shorter(0.005) for job in (JOBS[0], JOBS[3])] if options.tiny else JOBS
    measured = training.measure(jobs, options.repeats, options.device)
    return Part(len(jobs), measured, training.table, lambda f: {"training": charts.training_chart(f)}, ("ratio",))


def _quick(options: Options, pool: ProcessPoolExecutor) -> Part:
    one = ("--suite", "quick", "--task", "diabetes", "--arch", "mlp", "--norm", "none", "--seeds", "1")
    asked = one if options.tiny else ("--suite", "quick")
    measured = (quick.measure(asked, options.repeats) for _ in range(1))
    return Part(1, measured, lambda figures: quick.text(figures[0]), derived=("ratio",), alone=True)


def _programs(options: Options, pool: ProcessPoolExecutor) -> Part:
    kind = options.device.partition(":")[0]
    sizes = ((32,), (4,)) if options.tiny else (programs.BATCHES[kind], programs.MEMBERS[kind])
    jobs = programs.jobs(programs.NETWORKS[3:5] if options.tiny else programs.NETWORKS, *sizes)
    measured = programs.measure(pool, jobs, options.repeats, options.device)
    return Part(len(jobs), measured, programs.table, lambda f: {"programs": charts.programs_chart(f, kind)}, ("gain",))


def _probing(options: Options, pool: ProcessPoolExecutor) -> Part:
    cells = probing.CELLS[:1] if options.tiny else probing.CELLS
    measured = probing.measure(pool, cells, "quick", 1) if options.tiny else probing.measure(pool, cells)
    return Part(len(cells), measured, probing.table, derived=("share",))


def _overheads(options: Options, pool: ProcessPoolExecutor) -> Part:
    sizes = {"records": 200, "cells": 4} if options.tiny else {}
    return Part(overheads.FIGURES, overheads.measure(repeats=options.repeats, **sizes), overheads.table)


def _boards(options: Options, pool: ProcessPoolExecutor) -> Part:
    questions = boards.fewer() if options.tiny else boards.QUESTIONS
    return Part(len(questions), boards.measure(questions, options.repeats), boards.table)


def _scaling(options: Options, pool: ProcessPoolExecutor) -> Part:
    questions = [q.fewer() for q in scaling.QUESTIONS] if options.tiny else scaling.QUESTIONS
    measured = scaling.measure(pool, questions, options.repeats)
    drawn = lambda f: {"scaling": charts.growth_chart(f)}  # noqa: E731
    return Part(len(questions), measured, scaling.table, drawn, ("slopes", "steepest"))


PARTS: dict[str, Callable[[Options, ProcessPoolExecutor], Part]] = {
    "training": _training,
    "quick": _quick,
    "programs": _programs,
    "probing": _probing,
    "overheads": _overheads,
    "boards": _boards,
    "scaling": _scaling,
}


def measure(parts: Sequence[str], options: Options, out: Path) -> None:
    """Measure ``parts`` one after the other; each figure is in ``out/speed.json`` as soon as it is there.

    With its first figure, a part's figures of an earlier run are gone. Progress is shown on a terminal.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / "speed.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    found["machine"] = machine.describe(options.device)
    progress = Progress(parts, found.get("took", {}))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        training.single_threaded(pool, 1)
        load, before = machine.load(), machine.rates(pool)
        for name in parts:
            part = PARTS[name](options, pool)
            progress.begin(name, part.count)
            figures: list[Any] = []
            for done, figure in enumerate(part.measured, start=1):
                if figure is not None:
                    figures.append(figure)
                    found[name] = part.json(figures)
                    _write(file, found)
                progress.advance(done)
            found["took"] = found.get("took", {}) | {name: progress.end()}
            print(f"\n## {name}\n\n{part.words(figures)}", flush=True)
            for title, chart in part.charts(figures).items():
                save(chart, out / f"{title}.png")
            quiet = machine.quiet(load, before, machine.rates(pool))
            found["quiet"] = found.get("quiet", {}) | {name: dataclasses.asdict(quiet) | {"noise": quiet.noise}}
            _write(file, found)
    print(f"\nload before: {load:.2f}; one thread's matrix products varied by {quiet.noise:.0%}")
    print(f"figures: {file}")


def _write(file: Path, found: dict[str, Any]) -> None:
    """Whole or not at all: a run may be stopped at any time."""
    beside = file.with_suffix(".json.new")
    beside.write_text(json.dumps(found, indent=1) + "\n")
    beside.replace(file)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part; repeatable")
    parser.add_argument("--out", type=Path, default=Path("speed-results"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu", help="of the parts training and programs: cpu or cuda")
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes: shows that it runs, measures nothing")
    asked = parser.parse_args()
    try:
        measure(asked.part or list(PARTS), Options(asked.repeats, asked.device, asked.tiny), asked.out)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
