"""What boards cost: standings, comparisons and pages of large stores, as whole commands, with their peak memory.

Usage: python -m tools.speed.parts.boards [--repeats 3]

Every figure is a median over fresh processes, from the command's start to its end; memory is the greatest resident set
of the process, over all repetitions.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.speed.parts.overheads import ROOT, fill_store


@dataclass(frozen=True)
class Question:
    """A command over a store.

    Args:
        records: in the store.
        arguments: of ``farfield``.
        seconds, megabytes: what it should stay under; None where there is no goal.
    """

    records: int
    arguments: tuple[str, ...]
    seconds: float | None = None
    megabytes: float | None = None


QUESTIONS: tuple[Question, ...] = (
    Question(20_000, ("leaderboard",)),
    Question(20_000, ("compare",), 1.5, 150),
    Question(20_000, ("compare", "--format", "json"), 1.5, 150),
    Question(20_000, ("leaderboard", "page", "--save", os.devnull), 8.0, 400),
    Question(20_000, ("runs", "list", "--format", "csv")),
    Question(100_000, ("leaderboard",), 3.0),
    Question(100_000, ("compare", "--format", "json"), 5.0),
)


@dataclass(frozen=True)
class BoardTiming:
    """A command's cost.

    Args:
        records: in the store.
        command: what was run.
        seconds, processor: medians of wall-clock and of processor time.
        spread: greatest less least of ``seconds``.
        megabytes: the greatest resident set.
        goal, goal_megabytes: what it should stay under.
    """

    records: int
    command: str
    seconds: float
    processor: float
    spread: float
    megabytes: float
    goal: float | None
    goal_megabytes: float | None


def fewer(questions: Sequence[Question] = QUESTIONS, records: int = 200) -> list[Question]:
    """The same of a small store, without goals."""
    return [Question(records, q.arguments) for q in questions]


def measure(questions: Sequence[Question] = QUESTIONS, repeats: int = 3) -> Iterator[BoardTiming]:
    """Answer ``questions``, one after the other; stores are made as they are needed."""
    with tempfile.TemporaryDirectory(prefix="farfield-speed-") as folder:
        for question in questions:
            store = Path(folder) / str(question.records)
            if not store.exists():
                fill_store(store, question.records)
            runs = [_run([*question.arguments, "--out", str(store)]) for _ in range(repeats)]
            seconds, processor, megabytes = zip(*runs, strict=True)
            yield BoardTiming(
                question.records,
                "farfield " + " ".join(a for a in question.arguments if a not in ("--save", os.devnull)),
                statistics.median(seconds),
                statistics.median(processor),
                max(seconds) - min(seconds),
                max(megabytes),
                question.seconds,
                question.megabytes,
            )


def _run(arguments: Sequence[str]) -> tuple[float, float, float]:
    """Seconds, processor seconds and megabytes of a fresh process."""
    command = [sys.executable, "-c", _WATCHER, sys.executable, "-m", "bench.cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    seconds, processor, size = json.loads(done.stdout)
    return seconds, processor, size * (1 if sys.platform == "darwin" else 1024) / 1e6  # bytes there, else kibibytes


# Runs a command from a process that is small itself: on Linux a child's greatest resident set begins with its parent's.
_WATCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
sys.exit(process.returncode)
"""


def table(timings: Sequence[BoardTiming]) -> str:
    """The timings as Markdown."""
    lines = ["| records | command | wall (spread) | processor | peak memory | goals |", "|---|---|---|---|---|---|"]
    for t in timings:
        goals = [f"{t.goal:g} s"] if t.goal else []
        goals += [f"{t.goal_megabytes:g} MB"] if t.goal_megabytes else []
        lines.append(
            f"| {t.records:,} | `{t.command}` | {t.seconds:.2f} s ({t.spread:.2f}) | {t.processor:.2f} s "
            f"| {t.megabytes:.0f} MB | {', '.join(goals)} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    print(table(list(measure(repeats=parser.parse_args().repeats))))


if __name__ == "__main__":
    main()
