"""Which cells can certainly not run, found without training. Asked in a worker: it builds networks, strangers' too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import architectures
import tasks
from bench.core.errors import FarFieldError, InputError, ReasonCode, Unsupported
from bench.core.problem import Problem
from bench.plan.jobs import Cell

if TYPE_CHECKING:
    from torch import nn

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


def unfit(cells: Sequence[Cell], max_parameters: int) -> list[Misfit | None]:
    """Why each of ``cells``, which nobody promised to fit, does not: found by building it and one pass over two rows.

    What a network that declares its inputs raises by mistake is for its record to tell; of a module, which declares
    none, any error means that it does not read these.
    """
    return [_why_unfit(cell, max_parameters) for cell in cells]


def _why_unfit(cell: Cell, max_parameters: int) -> Misfit | None:
    from architectures.building import build_skeleton, check_size

    architecture = architectures.resolve(cell.architecture)
    if architecture.card.role != "network":
        return None
    try:
        problem = tasks.resolve(cell.task).load().problem
    except FarFieldError:
        return None  # missing data are said where data are read
    try:
        check_size(architecture, problem, max_parameters)
        _try(build_skeleton(architecture, architectures.parse_scheme(cell.norm), problem), problem)
    except Unsupported as error:
        return Misfit(str(error), error.code)
    except (Exception, SystemExit) as error:
        code = error.code if isinstance(error, FarFieldError) else "error"
        if code == "too_large" or architecture.card.origin == "module":
            shape = "×".join(map(str, problem.shape))
            said = " ".join(str(error).split())[:200]
            return Misfit(f"{architecture.name} does not read {problem.kind} inputs of shape {shape}: {said}", code)
    return None


def _try(network: nn.Module, problem: Problem) -> None:
    """One pass over two rows.

    Raises:
        ValueError: it does not answer one number a row (or a step of it, where each has an answer).
    """
    import torch

    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    with torch.no_grad():
        answer = network(torch.zeros(2, *problem.shape, device=device))
    wanted = (2, problem.shape[0]) if problem.each_step else (2,)
    if tuple(answer.shape) not in (wanted, (*wanted, 1)):
        raise ValueError(f"it answers {'×'.join(map(str, answer.shape))} numbers for 2 rows")


def lacking(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """The estimators among ``cells`` that cannot be made here, each with the line that says why: a missing package."""
    from architectures.building import build_estimator

    found: list[tuple[str, str]] = []
    for cell in {cell.architecture: cell for cell in cells}.values():
        architecture = architectures.resolve(cell.architecture)
        if architecture.card.role != "estimator":
            continue
        try:
            problem = tasks.resolve(cell.task).load().problem
            build_estimator(architecture, architectures.parse_scheme(cell.norm), problem)
        except InputError as error:
            found.append((architecture.name, str(error)))
        except (Exception, SystemExit):
            continue  # for its records to tell
    return found
