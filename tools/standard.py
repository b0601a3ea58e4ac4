"""The tables of docs/standard.md: which tasks may stand in a suite, what each costs, and the suite's boards.

Usage: python -m tools.standard --out FOLDER [--suite standard] [--beside TASK ...] [--page docs/standard.md]

A task may stand in ``standard`` when it can be learned and measured: of ridge, boosted trees and the network without a
norm that its track is trained with (with mlp beside it where that is another and reads the task), the one with the
least geometric mean of id_error over the suite's seeds has less than 0.5, and the deviation of ln id_error over its
seeds is below 0.2. Errors are clipped as boards do. No far number is read.

What is not in FOLDER is trained first (``--beside`` names tasks that are not in the suite, for the same table). Prints
Markdown, or writes the parts ``rule``, ``time`` and ``boards`` of the page.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import architectures
import bench.api
import bench.reading
import tasks
from bench.plan.suite import Suite, load_suite
from leaderboard.records.metrics import ERROR_CLIP
from leaderboard.records.record import Record
from tools.page import write_part
from tools.tracks import ARCHITECTURES

LEARNED = 0.5
STEADY = 0.2
REFERENCES = ("ridge", "boosted-trees", "mlp")


@dataclass(frozen=True)
class Judged:
    """A task by the rule.

    Args:
        task: its name.
        best: the reference with the least id_error; none where none has a finished record of every seed.
        mean: geometric mean of its clipped id_error.
        deviation: of its logarithm, over seeds.
    """

    task: str
    best: str | None
    mean: float
    deviation: float

    @property
    def passes(self) -> bool:
        """It may stand in the suite."""
        return self.mean < LEARNED and self.deviation < STEADY


def references_of(task: str) -> tuple[str, ...]:
    """What judges a task; what cannot read it has records that say so."""
    return tuple(dict.fromkeys((*REFERENCES, ARCHITECTURES[tasks.resolve(task).card.kind])))


def judged(task: str, records: Iterable[Record]) -> Judged:
    """The rule on the records of a task; far errors are not looked at."""
    found: dict[str, list[float]] = {}
    unfinished: set[str] = set()
    for record in records:
        name = record.key.architecture
        if record.key.task != task or record.key.norm != "none" or name not in _keyed(task):
            continue
        if record.id_error is None:
            unfinished.add(name)
        else:
            found.setdefault(name, []).append(math.log(min(max(record.id_error, ERROR_CLIP[0]), ERROR_CLIP[1])))
    whole = {name: logs for name, logs in found.items() if name not in unfinished and len(logs) > 1}
    if not whole:
        return Judged(task, None, math.inf, math.inf)
    best = min(whole, key=lambda name: statistics.fmean(whole[name]))
    return Judged(task, best, math.exp(statistics.fmean(whole[best])), statistics.stdev(whole[best]))


def _keyed(task: str) -> frozenset[str]:
    """The references as records spell them."""
    return frozenset(architectures.resolve(name).name for name in references_of(task))


def rule_table(suite: Suite, records: Sequence[Record], beside: Sequence[str]) -> str:
    """Tasks of the suite by track, then those beside it."""
    tracks = {task: track for track, names in suite.track_tasks().items() for task in names}
    rows = [["track", "task", "truth", "S", "best reference", "its id_error", "deviation of ln", "by the rule"]]
    for task in (*tracks, *(name for name in beside if name not in tracks)):
        card, one = tasks.resolve(task).card, judged(task, records)
        verdict = "in" if one.passes else "out"
        rows.append(
            [
                tracks.get(task, "–"),
                f"`{task}`",
                card.truth,
                f"{card.budget.steps:,} × {card.budget.batch_size:,}",
                f"`{one.best}`" if one.best else "none",
                f"{one.mean:.3f}",
                f"{one.deviation:.2f}",
                verdict if (task in tracks) == one.passes else f"{verdict}, not taken" if one.passes else "out",
            ]
        )
    return _table(rows)


def time_table(suite: Suite, records: Sequence[Record]) -> str:
    """Core-seconds by task: networks, estimators, and the dearest trained cell of five seeds."""
    estimators = {
        name for name in {r.key.architecture for r in records} if architectures.resolve(name).card.role == "estimator"
    }
    rows = [["track", "task", "trained cells", "core-seconds", "the dearest cell", "estimators, core-seconds"]]
    total = 0.0
    for track, names in suite.track_tasks().items():
        for task in names:
            cells: dict[tuple[str, str], float] = {}
            for record in records:
                if record.key.task == task:
                    key = (record.key.architecture, record.key.norm)
                    cells[key] = cells.get(key, 0.0) + (record.seconds or 0.0)
            trained = {key: cost for key, cost in cells.items() if key[0] not in estimators}
            dearest = max(trained, key=trained.__getitem__)
            others = sum(cost for key, cost in cells.items() if key[0] in estimators)
            total += sum(cells.values())
            named = f"`{dearest[0]}`, `{dearest[1]}`: {trained[dearest]:.0f}"
            rows.append([track, f"`{task}`", str(len(trained)), f"{sum(trained.values()):.0f}", named, f"{others:.0f}"])
    return f"{_table(rows)}\n\nTogether {total:,.0f} core-seconds.\n"


def boards(suite: str, out: Path) -> str:
    """What ``farfield leaderboard`` says of the suite, with the columns that fit a page."""
    command = [sys.executable, "-m", "farfield", "leaderboard", "--suite", suite, "--out", str(out), "--format", "json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return "\n\n".join(_board(table) for table in json.loads(said.stdout)["tables"])


def _board(table: Mapping[str, Any]) -> str:
    rows = [["#", "method", "bounded truths", "growing truths", "far error", "ratio to none", "id error", "verdict"]]
    for row in table["rows"]:
        place = f"{row['rank_best']}–{row['rank_worst']}" if row["rank_best"] != row["rank_worst"] else str(row["rank"])
        numbers = ("far_error_bounded", "far_error_growing", "far_error", "general", "id_error")
        method = f"`{row['architecture']}`" + (f", `{row['norm']}`" if row["norm"] != "none" else "")
        rows.append([place, method, *(_interval(row[name]) for name in numbers), row["verdict"] or "–"])
    return f"**{table['title']}**\n\n{_table(rows)}"


def _interval(found: Mapping[str, float | None] | None) -> str:
    if not found or found["mean"] is None:
        return "–"
    ends = "" if found["low"] is None else f" [{found['low']:.2g}, {found['high']:.2g}]"
    return f"{found['mean']:.2g}{ends}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _train(suite: Suite, names: Sequence[str], out: Path, workers: int | None) -> None:
    by_references: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        by_references.setdefault(references_of(name), []).append(name)
    for references, mine in by_references.items():
        bench.api.run(
            tasks=mine,
            architectures=references,
            norms=["none"],
            seeds=suite.seeds,
            protocol=suite.protocol,
            out=out,
            workers=workers,
            wandb="disabled",
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--suite", default="standard")
    parser.add_argument("--beside", nargs="*", default=[], metavar="TASK")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--page", type=Path, default=None, help="write the tables into this file")
    options = parser.parse_args(arguments)
    suite = load_suite(options.suite)
    names = [task for group in suite.track_tasks().values() for task in group]
    _train(suite, [*names, *options.beside], options.out, options.workers)
    everything = list(bench.reading.load(options.out, protocol=suite.protocol).records)
    mine = list(bench.reading.load(options.out, suite=suite.name).records)
    parts = {
        "rule": rule_table(suite, everything, options.beside),
        "time": time_table(suite, mine),
        "boards": boards(options.suite, options.out),
    }
    for name, text in parts.items():
        if options.page is None:
            print(text, end="\n\n")
        else:
            write_part(options.page, name, text)


if __name__ == "__main__":
    main()
