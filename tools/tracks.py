"""Training that is looked at from several schedules: every member is trained once, as far as any of them needs.

Learning rates are constant and the batches of a longer schedule begin with those of a shorter one. So a member's course
does not depend on the schedule, and what a search over fewer steps would have chosen is read from its checks.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

import architectures
import tasks
from architectures.building import build_network
from bench.core.seeding import seed_from
from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule, batch_indices, check_steps, get_protocol
from bench.training.footprint import footprint
from bench.training.program import choose_program, in_runs, most_together
from bench.training.programs.chain import ChainStack
from bench.training.programs.loop import Single
from bench.training.programs.program import Program, StartProgram
from bench.training.programs.vmap import Stack
from bench.training.rows import Feed, TrainingData
from bench.training.stack import Member
from tasks.card import Budget, TaskCard
from tasks.data.samples import Rows, StandardizedTask

ARCHITECTURES = {"features": "mlp", "image": "cnn(width=16)", "sequence": "decoder(positions=rope,width=32)"}
"""What each kind of input is measured with: what the suite `standard` has for it."""

SCHEMES = ("none", "layer@all", "batch@all")


@dataclass
class Course:
    """What was seen of a member so far: validation and test error (mean squared) at each check."""

    validation: dict[int, float] = field(default_factory=dict)
    test: dict[int, float] = field(default_factory=dict)

    @property
    def diverged(self) -> bool:
        """An error was not finite."""
        return not all(map(math.isfinite, self.validation.values()))

    def best(self, checks: Iterable[int], until: int) -> tuple[float, int | None]:
        """The least validation error at the checks up to ``until`` and its step; infinite if it diverged before."""
        least, at = math.inf, None
        for step in checks:
            if step > until or step not in self.validation:
                break
            if not math.isfinite(self.validation[step]):
                return math.inf, None
            if self.validation[step] < least:
                least, at = self.validation[step], step
        return least, at


@dataclass(frozen=True)
class Found:
    """What a search chose for a seed.

    Args:
        rate, step: the learning rate and the step.
        validation, test: mean squared errors there; infinite when every rate diverged.
    """

    rate: float | None
    step: int | None
    validation: float
    test: float


@dataclass
class _Running:
    program: Program
    feed: Feed
    held_out: Feed
    members: list[Member]
    step: int = 0

    def split(self, wanted: Collection[Member]) -> _Running:
        """Those of ``wanted`` as a program of their own; the others stay here, paused."""
        other = copy.deepcopy(self)
        other._keep([member in wanted for member in self.members])
        self._keep([member not in wanted for member in self.members])
        return other

    def _keep(self, mask: Sequence[bool]) -> None:
        places = [place for place, kept in enumerate(mask) if kept]
        self.members = [self.members[place] for place in places]
        self.program.retain(places)
        for feed in (self.feed, self.held_out):
            feed.keep([member.seed for member in self.members])


class Pool:
    """All seeds of a cell at all rates, paused wherever they are.

    Args:
        task, architecture, scheme: of the cell; seed k has draw k.
        seeds: the seeds.
        schedule: the longest one that will be asked for.
        checks: every step at which errors may be asked for.
        device: that trains.
    """

    def __init__(
        self,
        task: str,
        architecture: str,
        scheme: str,
        seeds: Sequence[int],
        schedule: Schedule,
        checks: Collection[int],
        device: str = "cpu",
    ) -> None:
        source, chosen = tasks.resolve(task), architectures.resolve(architecture)
        norm = architectures.parse_scheme(scheme)
        loaded = {seed: source.load(seed) for seed in seeds}
        self.variance = {seed: float(np.square(one.test.targets).mean()) for seed, one in loaded.items()}
        self.courses: dict[Member, Course] = {}
        self._checks = frozenset(checks)
        self._running: list[_Running] = []

        def network(seed: int) -> nn.Module:
            named = seed_from("weights", source.name, chosen.name, seed)
            made = build_network(chosen, norm, loaded[seed].problem, named)
            return made.to(device)

        data = {seed: _rows(one, one.validation, device) for seed, one in loaded.items()}
        held_out = {seed: _rows(one, one.test, device, rows=1) for seed, one in loaded.items()}  # nothing learns of it
        drawn = {
            seed: batch_indices(source.name, chosen.name, seed, len(one.train), schedule)
            for seed, one in loaded.items()
        }
        batches = {seed: rows for seed, rows in drawn.items() if rows is not None} or None
        rates = schedule.learning_rates
        first = data[seeds[0]].inputs
        rows = schedule.batch_size or len(first)
        module = network(seeds[0])
        program = choose_program(module.cpu(), first[:8].cpu(), rows, len(seeds) * len(rates), device)
        most = most_together(footprint(module.to(device), first), rows, first.device)
        alike: dict[object, list[int]] = {}
        for seed in seeds:
            alike.setdefault((data[seed].shape, held_out[seed].shape), []).append(seed)
        for together in alike.values():
            for members in _stacks(together, rates, most, program):
                modules = [network(member.seed) for member in members]
                own = [member.seed for member in members]
                started = _start(program, modules, [member.learning_rate for member in members])
                feeds = Feed(data, batches, own), Feed(held_out, None, own)
                self._running.append(_Running(started, *feeds, members))
                self.courses |= {member: Course() for member in members}

    def extend(self, members: Collection[Member], to: int) -> None:
        """Train ``members`` on until step ``to`` at least; the others stay where they are."""
        for running in list(self._running):
            wanted = [member for member in running.members if member in members]
            if running.step >= to or not wanted:
                continue
            if len(wanted) < len(running.members):
                running = running.split(wanted)
                self._running.append(running)
            self._advance(running, to)

    def _advance(self, running: _Running, to: int) -> None:
        while running.step < to:
            running.step += 1
            losses = running.program.step(*running.feed.batch(running.step))
            if running.step not in self._checks:
                continue
            validation = running.feed.validation_errors(running.program)
            test = running.held_out.validation_errors(running.program)
            seen = torch.stack([losses.double(), validation, test]).tolist()
            for member, loss, error, off in zip(running.members, *seen, strict=True):
                course = self.courses[member]
                course.validation[running.step] = error if math.isfinite(loss) else math.inf
                course.test[running.step] = off

    def search(self, schedule: Schedule) -> dict[int, Found]:
        """What ``schedule`` chooses for each seed; members are trained as far as it needs."""
        going: dict[int, list[Member]] = {}
        for member in sorted(self.courses, key=lambda member: (member.seed, member.learning_rate)):
            going.setdefault(member.seed, []).append(member)
        seen: dict[Member, int] = {}
        for step, kept in (*((rung.step, rung.kept) for rung in schedule.rungs), (schedule.steps, None)):
            wanted = {member for members in going.values() for member in members}
            self.extend({member for member in wanted if not self.courses[member].diverged}, step)
            seen |= dict.fromkeys(wanted, step)
            if kept is not None:
                going = {seed: self._best(members, schedule, seen)[:kept] for seed, members in going.items()}
        everybody: dict[int, list[Member]] = {}
        for member in seen:
            everybody.setdefault(member.seed, []).append(member)
        return {seed: self._found(members, schedule, seen) for seed, members in sorted(everybody.items())}

    def _best(self, members: Sequence[Member], schedule: Schedule, seen: Mapping[Member, int]) -> list[Member]:
        error = {m: self.courses[m].best(schedule.checks, seen[m])[0] for m in members}
        return sorted((m for m in members if math.isfinite(error[m])), key=lambda m: (error[m], m.learning_rate))

    def _found(self, members: Sequence[Member], schedule: Schedule, seen: Mapping[Member, int]) -> Found:
        ranked = self._best(members, schedule, seen)
        if not ranked:
            return Found(None, None, math.inf, math.inf)
        course = self.courses[ranked[0]]
        error, step = course.best(schedule.checks, seen[ranked[0]])
        assert step is not None
        return Found(ranked[0].learning_rate, step, error, course.test[step])

    @property
    def trained(self) -> int:
        """Steps of all members together."""
        return sum(running.step * len(running.members) for running in self._running)


def architecture_of(card: TaskCard) -> str:
    """What a task is measured with."""
    return ARCHITECTURES[card.kind]


def schedule_of(task: str, steps: int, halving: bool = True) -> Schedule:
    """Protocol 2 on ``task`` with ``steps`` steps; without halving every rate trains to the end."""
    loaded = tasks.resolve(task).load()
    card = dataclasses.replace(loaded.card, budget=Budget(steps, loaded.card.budget.batch_size))
    schedule = get_protocol("2").schedule(card, len(loaded.train))
    return schedule if halving else dataclasses.replace(schedule, rungs=())


def checks_of(steps: Iterable[int]) -> frozenset[int]:
    """The checks of protocol 2 at every one of ``steps``."""
    return frozenset(check for most in steps for check in check_steps(most, get_protocol("2").checks))


def _stacks(seeds: Sequence[int], rates: Sequence[float], most: int, program: ProgramName) -> list[list[Member]]:
    if program == "loop":
        return [[Member(seed, rate)] for seed in seeds for rate in rates]
    if most < len(rates):
        return [[Member(seed, rate) for rate in run] for seed in seeds for run in in_runs(rates, most)]
    return [[Member(seed, rate) for rate in rates for seed in run] for run in in_runs(seeds, most // len(rates))]


def _start(program: ProgramName, modules: Sequence[nn.Module], rates: Sequence[float]) -> Program:
    start: StartProgram = ChainStack if program == "chain" else Single if program == "loop" else Stack
    return start(modules, rates)


def _rows(task: StandardizedTask, held_out: Rows, device: str, rows: int | None = None) -> TrainingData:
    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32, device=device)

    return TrainingData(
        tensor(task.train.inputs[:rows]),
        tensor(task.train.targets[:rows]),
        tensor(held_out.inputs),
        tensor(held_out.targets),
    )
