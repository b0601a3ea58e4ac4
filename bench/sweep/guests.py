"""Settles what is put on a suite: which norm a stranger's network gets, and which tasks it does not fit."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Sequence
from dataclasses import dataclass

from pebble import ProcessExpired

import architectures
from bench.cell.fitting import Misfit, unfit
from bench.core.errors import InputError
from bench.core.grammar import title_of
from bench.plan.choosing import NONE, OWN, Chosen, Guest
from bench.plan.jobs import Cell
from bench.sweep.options import RunOptions
from bench.sweep.workers.pool import LocalExecutor

SECONDS = 120.0
"""For building all guests; those that take longer are left to their own time limit."""

MOST_TITLES = 6


@dataclass(frozen=True)
class Settled:
    """What is run.

    Args:
        cells: the suite's own first.
        notes: a line each for people: what a guest is run with, and what is left out and why.
    """

    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


def settle(chosen: Chosen, suite: str, options: RunOptions) -> Settled:
    """Every cell of ``chosen``, without those guests' cells that cannot run.

    Raises:
        InputError: a guest fits no task.
    """
    if not chosen.guests:
        return Settled(chosen.cells, ())
    asked = tuple(dict.fromkeys(cell for guest in chosen.guests for cell in (*guest.cells, *guest.otherwise)))
    faults = dict(zip(asked, _ask(asked, options), strict=True))
    cells = dict.fromkeys(chosen.cells)
    notes: list[str] = []
    for guest in chosen.guests:
        fitting, said = _settled(guest, faults, suite)
        cells |= dict.fromkeys(fitting)
        notes += said
    return Settled(tuple(cells), tuple(notes))


def _settled(guest: Guest, faults: dict[Cell, Misfit | None], suite: str) -> tuple[list[Cell], list[str]]:
    cells = guest.cells
    if guest.otherwise and all(faults[cell] is not None for cell in cells):
        cells = guest.otherwise if any(faults[cell] is None for cell in guest.otherwise) else cells
    fitting = [cell for cell in cells if faults[cell] is None]
    name = cells[0].architecture
    if not fitting:
        first = next(fault for cell in cells if (fault := faults[cell]) is not None)
        raise InputError(first.reason, where=f"suite {suite}", hint="nothing was run", code=first.code)
    norms = list(dict.fromkeys(cell.norm for cell in fitting))
    count = len({cell.task for cell in fitting})
    notes = [
        f"{name} on {count} task{'s' * (count != 1)} of the suite {suite}, norm {', '.join(norms)}{_why(guest, norms)}"
    ]
    left: dict[str, list[str]] = {reason: list(names) for reason, names in guest.left_out}
    for cell in cells:
        fault = faults[cell]
        if fault is not None:
            left.setdefault(fault.reason, []).append(cell.task)
    if left:
        count = len({name for names in left.values() for name in names})
        told = "; ".join(f"{_titles(names)}: {reason}" for reason, names in left.items())
        notes.append(f"{count} task{'s' * (count != 1)} left out: {told}")
    return fitting, notes


def _why(guest: Guest, norms: Sequence[str]) -> str:
    """Why a norm was chosen that nobody asked for."""
    card = architectures.resolve(guest.cells[0].architecture).card
    if not guest.otherwise or not card.takes_norms:
        return ""
    if norms == [OWN]:
        return " (as it came; --norm chooses another)"
    brings = "it brings none of its own: " if card.origin in ("module", "timm") else ""
    return f" ({brings}--norm chooses another)" if norms == [NONE] else ""


def _titles(names: Sequence[str]) -> str:
    distinct = [title_of(name) for name in dict.fromkeys(names)]
    more = f" and {len(distinct) - MOST_TITLES} more" if len(distinct) > MOST_TITLES else ""
    return ", ".join(distinct[:MOST_TITLES]) + more


def _ask(cells: Sequence[Cell], options: RunOptions) -> list[Misfit | None]:
    """:func:`unfit` in a worker: it builds networks, strangers' too."""
    try:
        with LocalExecutor(1, options.settings, options.limits, options.plugins) as executor:
            return executor.ask(unfit, cells, options.settings.max_parameters, seconds=SECONDS)
    except (concurrent.futures.TimeoutError, ProcessExpired, OSError, MemoryError):
        return [None] * len(cells)
