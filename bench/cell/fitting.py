"""Which cells can certainly not run, found without training. Asked in a worker: it builds networks, strangers' too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import architectures
import tasks
from bench.core.errors import FarFieldError, ReasonCode
from bench.plan.jobs import Cell

CERTAIN: frozenset[ReasonCode] = frozenset({"no_such_site", "input_kind", "length", "too_large"})
"""Reasons that a plan of the network, made on the meta device, is enough to find."""


@dataclass(frozen=True)
class Misfit:
    """Why a cell cannot run: one line for people, and the code that its record would have."""

    reason: str
    code: ReasonCode


def first_misfits(groups: Sequence[Sequence[Cell]], max_parameters: int) -> list[Misfit | None]:
    """For each group of cells the reason that speaks against its first, or None where one of its cells can run."""
    known: dict[Cell, Misfit | None] = {}
    answers: list[Misfit | None] = []
    for cells in groups:
        first: Misfit | None = None
        for cell in cells:
            if cell not in known:
                known[cell] = misfit(cell, max_parameters)
            found = known[cell]
            first = first or found
            if found is None:
                first = None
                break
        answers.append(first)
    return answers


def misfit(cell: Cell, max_parameters: int) -> Misfit | None:
    """Why ``cell`` can certainly not run. Whatever else goes wrong is for its record to tell."""
    from architectures.building import check_size, resolve_sites

    architecture = architectures.resolve(cell.architecture)
    try:
        problem = tasks.resolve(cell.task).load().problem
        architecture.check_problem(problem)
        if architecture.card.role != "network":
            return None
        check_size(architecture, problem, max_parameters)
        resolve_sites(architecture, architectures.parse_scheme(cell.norm), problem)
    except FarFieldError as error:
        return Misfit(str(error), error.code) if error.code in CERTAIN else None
    except (Exception, SystemExit):
        return None
    return None
