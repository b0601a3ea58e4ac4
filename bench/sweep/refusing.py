"""Refuses what cannot run before anything is run or stored: one line instead of records that say the same.

A combination that does not fit is ``unsupported`` where something else of the call fits, and a mistake where nothing
does: a norm whose place no network of the call has, a family that reads the inputs of none of its tasks, a network that
is larger than allowed for each of them.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pebble import ProcessExpired

import architectures
import tasks
from bench.cell.fitting import Misfit, first_misfits
from bench.core.errors import InputError
from bench.core.grammar import OWN_DATA, title_of
from bench.plan.jobs import Cell
from bench.sweep.options import RunOptions
from bench.sweep.workers.pool import LocalExecutor
from leaderboard.records.store.store import RecordFilter, Store

SECONDS = 60.0
"""For all that is asked of a worker here; networks that take longer to plan are left to their own time limit."""


def refuse_misfits(cells: Sequence[Cell], options: RunOptions, product: bool) -> None:
    """Check that something of the call can run.

    Args:
        cells: of the call.
        options: with which they would run.
        product: every norm and every architecture was asked for by name and must fit somewhere; of a suite, some cell.

    Raises:
        InputError: what cannot run, and why.
    """
    questions = _questions(cells) if product else [_Question(tuple(cells), "the suite")]
    for question in questions:
        _check_kinds(question.cells)
    ran = _ran(cells, options)
    left = [question for question in questions if question.open(ran)]
    if not left:
        return
    answers = _ask([_cheapest_first(question.cells) for question in left], options)
    for question, found in zip(left, answers, strict=True):
        if found is not None:
            raise InputError(found.reason, where=question.where, hint="nothing was run", code=found.code)


def refuse_other_table(cells: Sequence[Cell], store: Path) -> None:
    """Check that a name that a user gives to a table is not another table's, here or in the store.

    Raises:
        InputError: it is; boards would show two tables as one.
    """
    mine = {cell.task: title_of(cell.task) for cell in cells if title_of(cell.task) != cell.task}
    if not mine:
        return
    known = set(mine)
    if store.exists():
        with Store(store) as opened:
            known |= {key.task for key in opened.summaries(RecordFilter(task=(f"{OWN_DATA}*",))).cells}
    for task, name in mine.items():
        other = next((o for o in sorted(known) if o != task and title_of(o) == name), None)
        if other is not None:
            raise InputError(f"{name!r} is another table already: {other}", where="--name", hint="choose another name")


@dataclass(frozen=True)
class _Question:
    """Cells of which one must be able to run; ``where`` names what they have in common."""

    cells: tuple[Cell, ...]
    where: str
    norm: bool = True

    def open(self, ran: Iterable[Cell]) -> bool:
        """None of them is an estimator's, and none of them (under any norm, where that is not asked about) ran."""
        if not all(_is_network(cell) for cell in self.cells):
            return False
        mine = set(self.cells)
        return not any((cell if self.norm else _without_norm(cell)) in mine for cell in ran)


def _without_norm(cell: Cell) -> Cell:
    return dataclasses.replace(cell, norm="none")


def _questions(cells: Sequence[Cell]) -> list[_Question]:
    """Of each architecture, whether it reads a task and is not too large; of each norm, whether a network has it."""
    parts: dict[tuple[bool, str], dict[Cell, None]] = {}
    for cell in cells:
        parts.setdefault((False, cell.architecture), {})[_without_norm(cell)] = None
        if cell.norm != "none":
            parts.setdefault((True, cell.norm), {})[cell] = None
    return [_Question(tuple(found), name, norm) for (norm, name), found in parts.items()]


def _check_kinds(cells: Sequence[Cell]) -> None:
    kinds = {cell.task: tasks.resolve(cell.task).card.kind for cell in _distinct(cells, lambda c: c.task)}
    inputs = {c.architecture: architectures.resolve(c.architecture).card.inputs for c in cells}
    if any(kinds[cell.task] in inputs[cell.architecture] for cell in cells):
        return
    cell = cells[0]
    what = f"{cell.architecture} reads {' or '.join(inputs[cell.architecture])} inputs, not {kinds[cell.task]}"
    raise InputError(what, where=cell.task, hint="choose another architecture or task", code="input_kind")


def _distinct(cells: Iterable[Cell], name: Callable[[Cell], str]) -> list[Cell]:
    return list({name(cell): cell for cell in cells}.values())


def _ran(cells: Sequence[Cell], options: RunOptions) -> set[Cell]:
    """Those of ``cells`` that training was tried on before; they fit."""
    if not options.store.exists():
        return set()
    wanted = RecordFilter(
        protocol=(cells[0].protocol,),
        norm=tuple({cell.norm for cell in cells}),
        status=("ok", "diverged", "timeout"),
    )
    with Store(options.store) as store:
        keys = store.summaries(wanted).cells
    return {Cell(key.task, key.architecture, key.norm, key.protocol) for key in keys}


def _cheapest_first(cells: Sequence[Cell]) -> list[Cell]:
    """Computed tasks before those whose data must be read; the first that fits is enough."""
    real = {cell.task: tasks.resolve(cell.task).card.real for cell in _distinct(cells, lambda c: c.task)}
    return sorted(cells, key=lambda cell: real[cell.task])


def _is_network(cell: Cell) -> bool:
    return architectures.resolve(cell.architecture).card.role == "network"


def _ask(groups: Sequence[Sequence[Cell]], options: RunOptions) -> list[Misfit | None]:
    """:func:`first_misfits` in a worker; what happens to it there is for the records to tell."""
    try:
        with LocalExecutor(1, options.settings, options.limits, options.plugins) as executor:
            return executor.ask(first_misfits, groups, options.settings.max_parameters, seconds=SECONDS)
    except (concurrent.futures.TimeoutError, ProcessExpired, OSError, MemoryError):
        return [None] * len(groups)
