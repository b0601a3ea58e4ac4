"""Trains the members of a cell: every seed at every learning rate of the schedule.

Members may be stacked: parameters get a leading axis of length M and one vectorized program (``torch.vmap``)
computes all forward passes. The sum of the members' losses has independent gradients, and Adam acts on each
number alone, so a member's result does not depend on its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bench.core.seeding import seed_from
from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule
from bench.training.footprint import footprint
from bench.training.program import in_groups
from bench.training.programs.chain import ChainStack
from bench.training.programs.loop import Single
from bench.training.programs.program import Program, StartProgram
from bench.training.programs.vmap import Stack

State = dict[str, Tensor]


@dataclass(frozen=True)
class TrainingData:
    """Standardized training and validation rows, resident on the device that trains.

    Shapes: inputs (n, *shape), targets (n,), or (n, steps) of sequences that are answered at each step, and the same
    for validation.
    """

    inputs: Tensor
    targets: Tensor
    validation_inputs: Tensor
    validation_targets: Tensor


@dataclass(frozen=True)
class Curve:
    """Mean squared errors (on standardized targets) at the checked steps of one member."""

    steps: tuple[int, ...]
    train: tuple[float, ...]
    validation: tuple[float, ...]


@dataclass(frozen=True)
class Trained:
    """What training one seed gave.

    ``state`` is None when every learning rate diverged; then ``curve`` is that of the smallest rate.
    ``edge_of_grid`` says that the least or greatest rate of a grid was chosen.
    """

    seed: int
    state: State | None
    learning_rate: float | None
    best_step: int | None
    edge_of_grid: bool | None
    curve: Curve


@dataclass(frozen=True)
class _Member:
    seed: int
    learning_rate: float


def train(
    build: Callable[[int], nn.Module],
    seeds: Sequence[int],
    data: TrainingData,
    schedule: Schedule,
    batches: Mapping[int, np.ndarray] | None = None,
    *,
    program: ProgramName = "vmap",
    limit: int | None = None,
) -> list[Trained]:
    """Train ``build(seed)`` for every seed at every learning rate, and select by validation error.

    Args:
        build: makes the initialized network of a seed; its dtype and device are the ones trained in.
        seeds: the seeds, each once.
        data: training and validation rows.
        schedule: steps, rates and checks.
        batches: for each seed the row numbers of its batches, shape (steps, batch size); None for full batches.
        program: which trains, see :mod:`bench.training.program`.
        limit: bytes that members may take together (an estimate); more members are trained in several groups.

    Returns:
        One result per seed, in the order given.
    """
    members = [_Member(seed, rate) for rate in schedule.learning_rates for seed in seeds]
    groups: Sequence[Sequence[_Member]] = [[member] for member in members]
    if program != "loop":
        one, rows = footprint(build(seeds[0]), data.inputs), schedule.batch_size or len(data.inputs)
        groups = in_groups(members, one, rows, data.inputs.device, limit)
    tracks: dict[_Member, _Track] = {}
    for group in groups:
        with torch.random.fork_rng():
            torch.manual_seed(seed_from("training", group[0].seed))  # for networks that are random while they train
            tracks.update(_train_group(build, group, data, schedule, batches, program))
    return [_select([tracks[_Member(seed, rate)] for rate in schedule.learning_rates], schedule) for seed in seeds]


class _Track:
    """The history of one member, and its best weights so far."""

    def __init__(self, member: _Member) -> None:
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


def _train_group(
    build: Callable[[int], nn.Module],
    members: Sequence[_Member],
    data: TrainingData,
    schedule: Schedule,
    batches: Mapping[int, np.ndarray] | None,
    program: ProgramName,
) -> dict[_Member, _Track]:
    tracks = [_Track(member) for member in members]
    alive = list(tracks)
    running = _start(program, [build(m.seed) for m in members], [m.learning_rate for m in members])
    checks = frozenset(schedule.checks)
    rows = _batch_rows(alive, batches, data.inputs.device)
    for step in range(1, schedule.steps + 1):
        losses = running.step(*_batch(data, rows, step, len(running)))
        if step not in checks:
            continue
        errors = _mean_squared_errors(running, data.validation_inputs, data.validation_targets)
        keep = [
            track.note(step, train, error, schedule.selects)
            for track, train, error in zip(alive, losses.tolist(), errors.tolist(), strict=True)
        ]
        for place in (i for i, kept in enumerate(keep) if kept):
            alive[place].state = running.state(place)
        if any(track.diverged for track in alive):
            places = [i for i, track in enumerate(alive) if not track.diverged]
            alive = [alive[i] for i in places]
            if not alive:
                break
            running.retain(places)
            rows = _batch_rows(alive, batches, data.inputs.device)
    return {track.member: track for track in tracks}


def _start(name: ProgramName, modules: Sequence[nn.Module], rates: Sequence[float]) -> Program:
    """The program ``name`` at work; one member alone is not stacked under ``vmap`` either."""
    start: StartProgram = ChainStack if name == "chain" else Single if len(modules) == 1 else Stack
    return start(modules, rates)


def _batch_rows(
    tracks: Sequence[_Track], batches: Mapping[int, np.ndarray] | None, device: torch.device
) -> Tensor | None:
    """Row numbers, shape (members, steps, batch size), or None for full batches."""
    if batches is None:
        return None
    return torch.stack([torch.from_numpy(batches[track.member.seed]) for track in tracks]).to(device)


def _batch(data: TrainingData, rows: Tensor | None, step: int, members: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets of a step; with a target at each step every member is given its own, as programs want it."""
    if rows is None and data.targets.dim() == 2:
        shared = (data.inputs, data.targets)
        return tuple(one.expand(members, *one.shape) for one in shared)  # type: ignore[return-value]
    if rows is None:
        return data.inputs, data.targets
    chosen = rows[:, step - 1]
    return data.inputs[chosen], data.targets[chosen]


def _mean_squared_errors(running: Program, inputs: Tensor, targets: Tensor) -> Tensor:
    """Validation error of each member, shape (members,)."""
    total = torch.zeros(len(running), dtype=torch.float64, device=targets.device)
    for start, stop in _chunks(len(targets), len(running) * math.prod(inputs.shape[1:])):
        errors = running.predict(inputs[start:stop]) - targets[start:stop]
        total += errors.double().square().flatten(1).sum(1)
    return total / targets.numel()


def _chunks(rows: int, width: int, most: int = 500_000) -> Iterator[tuple[int, int]]:
    """Row ranges that keep a chunk's input under ``most`` numbers."""
    length = max(64, most // max(width, 1))
    return ((start, min(start + length, rows)) for start in range(0, rows, length))


def _select(tracks: Sequence[_Track], schedule: Schedule) -> Trained:
    sound = [track for track in tracks if track.state is not None]
    best = min(sound, key=lambda track: track.best_error) if sound else tracks[0]
    curve = Curve(schedule.checks[: len(best.train)], tuple(best.train), tuple(best.validation))
    if not sound:
        return Trained(best.member.seed, None, None, None, None, curve)
    rate = best.member.learning_rate
    edge = len(schedule.learning_rates) > 1 and rate in (schedule.learning_rates[0], schedule.learning_rates[-1])
    return Trained(best.member.seed, best.state, rate, best.best_step, edge, curve)
