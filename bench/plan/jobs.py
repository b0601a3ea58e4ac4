"""What is to be run: cells, and the jobs that are left of them once finished records are taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import architectures
import tasks
from architectures import Architecture, NormScheme
from bench.core.errors import InputError
from bench.core.grammar import title_of
from bench.core.origin import Origin
from bench.core.problem import MAX_PARAMETERS
from bench.core.seeding import edition_of
from bench.plan.options import ProgramName
from bench.plan.protocol import get_protocol

if TYPE_CHECKING:
    from leaderboard.records.record import CellKey, RecordKey, Truth

MOST_SEED = 2**63 - 1  # what the store holds


@dataclass(frozen=True)
class Cell:
    """One task, one architecture with its sizes, one norm scheme, one protocol; all in canonical spelling."""

    task: str
    architecture: str
    norm: str
    protocol: str


@dataclass(frozen=True)
class Job:
    """The seeds of a cell that are still to be run, in one worker.

    Args:
        keys: the record keys, which differ in their seed and in the data hash of its draw.
        truth: the task's truth kind, which records carry.
        origin: of the architecture's code, which records carry.
    """

    keys: tuple[RecordKey, ...]
    truth: Truth
    origin: Origin = "built in"

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds to run."""
        return tuple(key.seed for key in self.keys)

    @property
    def title(self) -> str:
        """How progress names this job."""
        key = self.keys[0]
        return f"{title_of(key.task)} · {key.architecture} · {key.norm}"


@dataclass(frozen=True)
class Settings:
    """How a job is run; nothing here may change what a record says, time apart.

    Args:
        device: torch device that trains and probes.
        program: what trains members, or None for the cell's own rule (:mod:`bench.training.program`).
        weights: directory that receives the selected weights as safetensors, or None.
        threads: torch threads of the worker.
        workers: processes that share the machine's memory.
        max_parameters: networks with more fail.
    """

    device: str = "cpu"
    program: ProgramName | None = None
    weights: Path | None = None
    threads: int = 1
    workers: int = 1
    max_parameters: int = MAX_PARAMETERS


@dataclass(frozen=True)
class Selection:
    """A product: every task with every architecture under every norm scheme."""

    tasks: tuple[str, ...]
    architectures: tuple[str, ...]
    norms: tuple[str, ...] = ("none",)


def cells_of(selections: Iterable[Selection], protocol: str, check: bool = True) -> list[Cell]:
    """The distinct cells of ``selections`` in order, spelled canonically.

    What takes no norm, as most estimators, appears once, with ``none``, whatever the schemes asked for.

    Args:
        selections: products.
        protocol: of every cell; its id, or its kind for the newest.
        check: refuse a scheme that fits no network of its selection (one that fits some is ``unsupported`` elsewhere).

    Raises:
        InputError: a name or an option is unknown, or a scheme names a place that none of its networks has.
    """
    protocol = get_protocol(protocol).name
    cells: dict[Cell, None] = {}
    for selection in selections:
        resolved = [architectures.resolve(name) for name in selection.architectures]
        schemes = [architectures.parse_scheme(norm) for norm in selection.norms]
        if check:
            _check_schemes(schemes, resolved)
        names = [tasks.resolve(name).name for name in selection.tasks]
        spelled = [str(scheme) for scheme in schemes]
        for task, architecture in product(names, [(a.name, a.card.takes_norms) for a in resolved]):
            for norm in spelled if architecture[1] else ("none",):
                cells[Cell(task, architecture[0], norm, protocol)] = None
    return list(cells)


def _check_schemes(schemes: Sequence[NormScheme], asked: Sequence[Architecture]) -> None:
    networks = [a for a in asked if a.card.takes_norms]
    if asked and not networks and not any(scheme.is_none for scheme in schemes):
        names = ", ".join(a.name for a in asked)
        raise InputError("estimators take no norm", where=f"{schemes[0]} for {names}", hint="none")
    for scheme in schemes:
        faults = []
        for network in networks:
            try:
                network.check_scheme(scheme)
            except InputError as error:
                faults.append(error)
        if faults and len(faults) == len(networks):
            raise faults[0]


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep comes to.

    Args:
        digests: of the keys of every record that is asked for, in order of cells and seeds.
        jobs: what is left to run, a job a cell.
    """

    digests: tuple[str, ...]
    jobs: tuple[Job, ...]


class _Keys:
    """The keys of cells over some seeds: every spelling is read, and every draw of a task loaded, once."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = tuple(seeds)
        self._tasks: dict[str, dict[str, str]] = {}
        self._hashes: dict[str, tuple[str, ...]] = {}
        self._architectures: dict[str, dict[str, str]] = {}
        self._norms: dict[str, dict[str, str]] = {}
        self.truths: dict[str, Truth] = {}
        self.origins: dict[str, Origin] = {}

    def key(self, cell: Cell) -> CellKey:
        """What the records of ``cell`` have in common."""
        from leaderboard.records.record import CellKey  # not needed to list suites, and slow to load

        task = self._tasks.get(cell.task) or self._task(cell.task)
        architecture = self._architectures.get(cell.architecture) or self._architecture(cell.architecture)
        norm = self._norms.get(cell.norm) or self._norm(cell.norm)
        return CellKey(protocol=cell.protocol, **norm, **task, **architecture)

    def draws(self, cell: Cell) -> list[tuple[int, str]]:
        """The seeds, each with the data hash of its draw."""
        if cell.task not in self._tasks:
            self._task(cell.task)
        return list(zip(self._seeds, self._hashes[cell.task], strict=True))

    def _norm(self, spelling: str) -> dict[str, str]:
        parts = {"norm": spelling, "norm_hash": architectures.parse_scheme(spelling).source_hash}
        self._norms[spelling] = parts
        return parts

    def _task(self, spelling: str) -> dict[str, str]:
        task = tasks.resolve(spelling)
        hashes = task.data_hashes(self._seeds)
        parts = {"task": task.name, "task_version": task.card.keyed_version, "edition": edition_of(hashes[0])}
        self._tasks[spelling], self._hashes[spelling], self.truths[spelling] = parts, hashes, task.card.truth
        return parts

    def _architecture(self, spelling: str) -> dict[str, str]:
        architecture = architectures.resolve(spelling)
        parts = {"architecture": architecture.name, "source_hash": architecture.source_hash}
        self._architectures[spelling], self.origins[spelling] = parts, architecture.card.origin
        return parts


def record_keys(cell: Cell, seeds: Sequence[int]) -> list[RecordKey]:
    """The keys of a cell's records. Loads the draws of its task, whose data hashes are part of the keys."""
    keys = _Keys(seeds)
    shared = keys.key(cell)
    return [shared.with_seed(seed, data_hash) for seed, data_hash in keys.draws(cell)]


def make_plan(cells: Iterable[Cell], seeds: Sequence[int], finished: Collection[str]) -> SweepPlan:
    """One job a cell, over the seeds whose key digest is not in ``finished``; cells without any are left out.

    Loads the draws of every task, whose data hashes are part of the keys.
    """
    keys = _Keys(seeds)
    digests: list[str] = []
    jobs = []
    for cell in cells:
        shared = keys.key(cell)
        wanted = keys.draws(cell)
        mine = shared.digests(wanted)
        digests += mine
        left = [draw for draw, digest in zip(wanted, mine, strict=True) if digest not in finished]
        if left:
            left_keys = tuple(shared.with_seed(*draw) for draw in left)
            jobs.append(Job(left_keys, keys.truths[cell.task], keys.origins[cell.architecture]))
    return SweepPlan(tuple(digests), tuple(jobs))


def parse_seeds(text: str) -> tuple[int, ...]:
    """``"3"`` is 0, 1, 2; ``"4,7"`` names seeds.

    Raises:
        InputError: not positive, not whole, negative, repeated, more than 10,000, or beyond 2⁶³ − 1.
    """
    try:
        numbers = [int(piece) for piece in text.rstrip(",").split(",")]
    except ValueError:
        raise InputError(
            f"{text!r} is not a number of seeds", where="--seeds", hint="--seeds 3, or --seeds 0,4,7"
        ) from None
    if "," in text:
        if len(set(numbers)) < len(numbers) or not all(0 <= number <= MOST_SEED for number in numbers):
            hint = f"distinct seeds from 0 to {MOST_SEED}"
            raise InputError(f"seeds {text.rstrip(',')} are repeated or out of range", where="--seeds", hint=hint)
        return tuple(numbers)
    if not 1 <= numbers[0] <= 10_000:
        raise InputError(f"{numbers[0]} seeds", where="--seeds", hint="between 1 and 10000")
    return tuple(range(numbers[0]))
