"""Members that train as one program: their histories, and how they pause, leave and go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bench.core.seeding import seed_from
from bench.plan.optimizer import Optimizer
from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule
from bench.training.programs.chain import ChainStack
from bench.training.programs.loop import Single
from bench.training.programs.program import Program, StartProgram
from bench.training.programs.vmap import Stack
from bench.training.rows import Feed, TrainingData

State = dict[str, Tensor]


@dataclass(frozen=True)
class Member:
    """A seed at a learning rate."""

    seed: int
    learning_rate: float


class Track:
    """The history of one member, and its best weights so far."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.train: list[float] = []
        self.validation: list[float] = []
        self.diverged = False
        self.best_error = math.inf
        self.best_step: int | None = None
        self.state: State | None = None

    def note(self, step: int, train: float, validation: float, selects: bool) -> bool:
        """Add a check; True when these weights are the ones to keep."""
        self.train.append(train)
        self.validation.append(validation)
        if not (math.isfinite(train) and math.isfinite(validation)):
            self.diverged = True
            self.state = None
            return False
        if selects and validation >= self.best_error:
            return False
        self.best_error, self.best_step = validation, step
        return True


class Running:
    """A program at work on some members; it can pause at a step, let members leave, and go on.

    Networks that draw random numbers while they train have a stream of their own, seeded by the first member's seed: a
    pause does not change what they draw.

    Args:
        build: makes the initialized network of a seed.
        members: of one structure and with rows of one shape; equal rates stand side by side.
        data, batches: of each seed, see :class:`bench.training.rows.Feed`.
        program: by name; one member alone is not stacked under ``vmap`` either.
        optimizer: what takes the steps.

    Attributes:
        tracks: of every member.
        alive: of those that train on.
    """

    def __init__(
        self,
        build: Callable[[int], nn.Module],
        members: Sequence[Member],
        data: Mapping[int, TrainingData],
        batches: Mapping[int, np.ndarray] | None,
        program: ProgramName,
        optimizer: Optimizer,
    ) -> None:
        self.tracks = [Track(member) for member in members]
        self.alive = list(self.tracks)
        start: StartProgram = ChainStack if program == "chain" else Single if len(members) == 1 else Stack
        with torch.random.fork_rng():
            torch.manual_seed(seed_from("training", members[0].seed))
            modules, rates = [build(m.seed) for m in members], [m.learning_rate for m in members]
            self._program: Program | None = start(modules, rates, optimizer)
            self._random = _random_state()
        self._feed = Feed(data, batches, [member.seed for member in members])
        self._step = 0

    def advance(self, schedule: Schedule, to: int) -> None:
        """Train until step ``to``; members that diverge leave."""
        checks = frozenset(schedule.checks)
        with torch.random.fork_rng():
            _set_random_state(self._random)
            while self._program is not None and self._step < to:
                self._step += 1
                losses = self._program.step(*self._feed.batch(self._step))
                if self._step in checks:
                    self._check(self._program, losses, schedule.selects)
            self._random = _random_state()

    def _check(self, program: Program, losses: Tensor, selects: bool) -> None:
        errors = self._feed.validation_errors(program)
        for place, (track, train, error) in enumerate(zip(self.alive, losses.tolist(), errors.tolist(), strict=True)):
            if track.note(self._step, train, error, selects):
                track.state = program.state(place)
        if any(track.diverged for track in self.alive):
            self.keep({track.member for track in self.alive if not track.diverged})

    def keep(self, members: Collection[Member]) -> None:
        """Every member that is not among ``members`` leaves; the others go on as if nobody had left."""
        places = [place for place, track in enumerate(self.alive) if track.member in members]
        if len(places) == len(self.alive):
            return
        self.alive = [self.alive[place] for place in places]
        if self._program is None or not places:
            self._program = None
            return
        self._program.retain(places)
        self._feed.keep([track.member.seed for track in self.alive])


def _random_state() -> tuple[Tensor, list[Tensor]]:
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def _set_random_state(state: tuple[Tensor, list[Tensor]]) -> None:
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
