"""Trains the members of a cell: every seed at every learning rate of the schedule.

Members may be stacked: parameters get a leading axis of length M and one vectorized program (``torch.vmap``)
computes all forward passes. The sum of the members' losses has independent gradients, and the optimizer acts on each
number alone, so a member's result does not depend on its neighbours.

Where the schedule has rungs, the rates of a seed are halved at each (:class:`bench.plan.protocol.Rung`). So seeds are
trained whole, with all their rates: several in one stack or, where a stack does not hold a seed, one in several stacks
that pause at the rungs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule
from bench.training.footprint import footprint
from bench.training.program import in_runs, most_together
from bench.training.rows import TrainingData
from bench.training.stack import Member, Running, State, Track


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
    ``edge_of_grid`` says that the least or greatest rate of a grid was chosen, ``edge_of_steps`` that the weights of
    the last step were chosen.
    """

    seed: int
    state: State | None
    learning_rate: float | None
    best_step: int | None
    edge_of_grid: bool | None
    edge_of_steps: bool | None
    curve: Curve


def train(
    build: Callable[[int], nn.Module],
    seeds: Sequence[int],
    data: Mapping[int, TrainingData],
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
        data: training and validation rows of each seed; seeds that share the object share the memory.
        schedule: steps, rates, checks and rungs.
        batches: for each seed the row numbers of its batches, shape (steps, batch size); None for full batches.
        program: which trains, see :mod:`bench.training.program`.
        limit: bytes that members may take together (an estimate); more members are trained in several groups.

    Returns:
        One result per seed, in the order given.
    """
    results: dict[int, Trained] = {}
    for stacks in _stacks(build, seeds, data, schedule, program, limit):
        for tracks in _train_seeds(build, stacks, data, schedule, batches, program):
            found = _select(tracks, schedule)
            results[found.seed] = found
    return [results[seed] for seed in seeds]


def _stacks(
    build: Callable[[int], nn.Module],
    seeds: Sequence[int],
    data: Mapping[int, TrainingData],
    schedule: Schedule,
    program: ProgramName,
    limit: int | None,
) -> Iterator[list[list[Member]]]:
    """Whole seeds, with how their members are stacked: those in one list train as one program."""
    rates = schedule.learning_rates
    alike: dict[object, list[int]] = {}
    for seed in seeds:
        alike.setdefault(data[seed].shape, []).append(seed)
    if program == "loop":
        yield from ([[Member(seed, rate)] for rate in rates] for seed in seeds)
        return
    for together in alike.values():
        first = data[together[0]]
        own = any(data[seed] is not first for seed in together)
        one = footprint(build(together[0]), first.inputs)
        rows = schedule.batch_size or len(first.inputs)
        share = first.bytes // len(rates) if own else 0  # a stack copies the rows of its seeds
        most = most_together(one, rows, first.inputs.device, limit, share)
        if most < len(rates):
            yield from ([[Member(seed, rate) for rate in run] for run in in_runs(rates, most)] for seed in together)
        else:
            for run in in_runs(together, most // len(rates)):
                yield [[Member(seed, rate) for rate in rates for seed in run]]


def _train_seeds(
    build: Callable[[int], nn.Module],
    stacks: Sequence[Sequence[Member]],
    data: Mapping[int, TrainingData],
    schedule: Schedule,
    batches: Mapping[int, np.ndarray] | None,
    program: ProgramName,
) -> list[list[Track]]:
    """The tracks of each seed, by rate. All stacks reach a rung before the rates are halved there."""
    running: list[Running] = []
    kept_at = {rung.step: rung.kept for rung in schedule.rungs}
    for step in (*kept_at, schedule.steps):
        for place, members in enumerate(stacks):
            if place == len(running):
                running.append(Running(build, members, data, batches, program, schedule.optimizer))
            running[place].advance(schedule, step)
        if step in kept_at:
            alive = _by_seed(track for one in running for track in one.alive)
            going = {track.member for tracks in alive for track in best(tracks, kept_at[step])}
            for one in running:
                one.keep(going)
    return _by_seed(track for one in running for track in one.tracks)


def _by_seed(tracks: Iterable[Track]) -> list[list[Track]]:
    found: dict[int, list[Track]] = {}
    for track in tracks:
        found.setdefault(track.member.seed, []).append(track)
    return list(found.values())


def best(tracks: Iterable[Track], count: int) -> list[Track]:
    """The ``count`` with the least validation error so far, the smaller rate on a tie."""
    return sorted(tracks, key=lambda track: (track.best_error, track.member.learning_rate))[:count]


def _select(tracks: Sequence[Track], schedule: Schedule) -> Trained:
    """Of a seed's rates. Those that were stopped early count where a best check is taken, or if all others diverged."""
    sound = [track for track in tracks if track.state is not None]
    last = [] if schedule.selects else [track for track in sound if track.best_step == schedule.steps]
    chosen = best(last or sound, 1)
    track = chosen[0] if chosen else tracks[0]
    seed, rate, rates = track.member.seed, track.member.learning_rate, schedule.learning_rates
    curve = Curve(schedule.checks[: len(track.train)], tuple(track.train), tuple(track.validation))
    if not chosen:
        return Trained(seed, None, None, None, None, None, curve)
    edge_of_grid = len(rates) > 1 and rate in (rates[0], rates[-1])
    edge_of_steps = schedule.selects and track.best_step == schedule.steps
    return Trained(seed, track.state, rate, track.best_step, edge_of_grid, edge_of_steps, curve)
