"""From what a user asked for to cells and seeds: a product, part of a suite, or networks and norms put on a suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import architectures
import tasks
from architectures import Architecture, NormScheme
from bench.core.errors import InputError, UnknownName
from bench.plan.jobs import Cell, Selection, cells_of, parse_seeds
from bench.plan.options import CellOptions
from bench.plan.suite import Suite

DEFAULT_SEEDS = 5
DEFAULT_PROTOCOL = "2"
NONE, OWN = "none", "own@all"


@dataclass(frozen=True)
class Guest:
    """A network (or an estimator) with norms that is put on tasks of a suite which does not have it there.

    Args:
        cells: on every task whose kind of input it reads; whether it fits the rest is found by building it.
        otherwise: the same under another norm, where no norm was asked for and the first fits no task.
        left_out: why tasks are left out, each reason with the tasks.
    """

    cells: tuple[Cell, ...]
    otherwise: tuple[Cell, ...] = ()
    left_out: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Chosen:
    """What is to be run.

    Args:
        cells: of the product, or of the suite.
        guests: what is put on the suite beside its own cells.
    """

    cells: tuple[Cell, ...]
    guests: tuple[Guest, ...] = field(default=())


def chosen_cells(asked: CellOptions, suite: Suite | None) -> Chosen:
    """The product of what is asked for; of a suite the cells that are, and what is put on its tasks.

    Names that the suite has choose from its cells. An architecture that it does not have comes on all of its tasks
    whose inputs it reads; a scheme that none of the chosen architectures has in the suite, on those of its networks
    that have such a place.

    Raises:
        InputError: unknown names, or nothing to run.
    """
    if suite is not None:
        return _on_suite(asked, suite)
    for name, option in (("tasks", "--task"), ("architectures", "--arch")):
        if not getattr(asked, name):
            raise InputError(f"no {name} to run", hint=f"give {option}, or a --suite")
    product = Selection(asked.tasks, asked.architectures, asked.norms or (NONE,))
    return Chosen(tuple(cells_of([product], asked.protocol or DEFAULT_PROTOCOL)))


def chosen_seeds(asked: CellOptions, suite: Suite | None) -> tuple[int, ...]:
    """The seeds that are asked for, else as many as the suite has, else five.

    Raises:
        InputError: they are no seeds.
    """
    if asked.seeds is None:
        return tuple(range(suite.seeds if suite else DEFAULT_SEEDS))
    return parse_seeds(asked.seeds)


def _on_suite(asked: CellOptions, suite: Suite) -> Chosen:
    every = suite.cells(asked.protocol)
    wanted = _tasks_of(suite, every, asked.tasks)
    inside = [cell for cell in every if cell.task in wanted]
    named = {a.name: a for a in map(architectures.resolve, asked.architectures)}
    schemes = {str(scheme): scheme for scheme in map(architectures.parse_scheme, asked.norms)}
    if schemes and named and NONE not in schemes and not any(a.card.takes_norms for a in named.values()):
        raise InputError("estimators take no norm", where=f"{next(iter(schemes))} for {', '.join(named)}", hint=NONE)
    known = dict.fromkeys(cell.architecture for cell in every)
    hosts = {name: architectures.resolve(name) for name in known if name in named or not named}
    mine = [cell for cell in inside if cell.architecture in hosts]
    kept = [c for c in mine if not schemes or c.norm in schemes or not hosts[c.architecture].card.takes_norms]
    there = {cell.norm for cell in every if cell.architecture in hosts}
    new = {spelling: scheme for spelling, scheme in schemes.items() if spelling not in there}
    guests = [_stranger(a, wanted, schemes, every[0].protocol) for a in named.values() if a.name not in known]
    if hosts and new:
        guests += _with_new_norms(hosts, mine, new)
    if not kept and not guests:
        raise InputError("no cell of the suite is left", hint="leave out --task, --arch or --norm, or --suite")
    return Chosen(tuple(kept), tuple(guests))


def _tasks_of(suite: Suite, cells: Iterable[Cell], asked: Sequence[str]) -> tuple[str, ...]:
    """Those of the suite's tasks that are asked for, all if none is.

    Raises:
        UnknownName: the suite has no such task.
    """
    there = tuple(dict.fromkeys(cell.task for cell in cells))
    wanted = tuple(dict.fromkeys(tasks.resolve(name).name for name in asked))
    for name in wanted:
        if name not in there:
            raise UnknownName.among("task", name, there, where=f"suite {suite.name}")
    return wanted or there


def _stranger(network: Architecture, wanted: Sequence[str], schemes: dict[str, NormScheme], protocol: str) -> Guest:
    """An architecture that the suite does not have, on its tasks.

    Raises:
        InputError: it reads the inputs of none of them, or has a place for none of ``schemes``.
    """
    kinds = {task: tasks.resolve(task).card.kind for task in wanted}
    fitting = tuple(task for task in wanted if kinds[task] in network.card.inputs)
    reads = f"{network.name} reads {' or '.join(network.card.inputs)} inputs"
    if not fitting:
        others = " or ".join(dict.fromkeys(kinds.values()))
        hint = "choose another suite, or other tasks of it"
        raise InputError(f"{reads}, not {others}", where="--suite", hint=hint, code="input_kind")
    norms = _norms_for(network, schemes)
    first, *others_norms = norms
    asked = tuple(schemes) != () and network.card.takes_norms
    shown = norms if asked else (first,)
    cells = tuple(Cell(task, network.name, norm, protocol) for task in fitting for norm in shown)
    otherwise = (
        () if asked else tuple(Cell(task, network.name, norm, protocol) for norm in others_norms for task in fitting)
    )
    left: dict[str, list[str]] = {}
    for task in wanted:
        if task not in fitting:
            left.setdefault(f"{reads}, not {kinds[task]}", []).append(task)
    return Guest(cells, otherwise, tuple((reason, tuple(names)) for reason, names in left.items()))


def _norms_for(network: Architecture, schemes: dict[str, NormScheme]) -> tuple[str, ...]:
    """The schemes that are asked for; else what makes sense, first what is tried first.

    A network that exists already (a module, a model of timm) keeps the norm layers it came with, if it has some.
    """
    if not network.card.takes_norms:
        return (NONE,)
    if not schemes:
        return (OWN, NONE) if network.card.origin in ("module", "timm") else (NONE, OWN)
    return _placeable(schemes, [network])[network.name]


def _with_new_norms(hosts: dict[str, Architecture], mine: Sequence[Cell], new: dict[str, NormScheme]) -> list[Guest]:
    """The suite's own networks under schemes that it does not have for them, each on its tasks in the suite."""
    networks = [a for a in hosts.values() if a.card.takes_norms]
    if not networks:
        return []
    placeable = _placeable(new, networks)
    found = []
    for network in networks:
        on = dict.fromkeys((cell.task, cell.protocol) for cell in mine if cell.architecture == network.name)
        cells = tuple(Cell(task, network.name, norm, p) for task, p in on for norm in placeable[network.name])
        if cells:
            found.append(Guest(cells))
    return found


def _placeable(schemes: dict[str, NormScheme], networks: Sequence[Architecture]) -> dict[str, tuple[str, ...]]:
    """For each network those of ``schemes`` whose places its family has.

    Raises:
        InputError: of one of ``schemes``, none of them has the places.
    """
    found: dict[str, list[str]] = {network.name: [] for network in networks}
    counted: Counter[str] = Counter()
    for spelling, scheme in schemes.items():
        fault: InputError | None = None
        for network in networks:
            try:
                network.check_scheme(scheme)
            except InputError as error:
                fault = fault or error
                continue
            found[network.name].append(spelling)
            counted[spelling] += 1
        if fault is not None and not counted[spelling]:
            raise fault
    return {name: tuple(spellings) for name, spellings in found.items()}
