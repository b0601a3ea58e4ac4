"""Trains the seeds of one cell: which program, which seeds in one stack, which batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from architectures.building import build
from architectures.description import count_flops
from architectures.families.timm.frozen import OnFrozenFeatures
from bench.core.errors import FarFieldError
from bench.core.origin import VERSIONED
from bench.core.seeding import seed_from
from bench.plan.jobs import Job, Settings
from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule, batch_indices
from bench.training.agreement import agrees
from bench.training.footprint import budget
from bench.training.frozen_heads import train_heads
from bench.training.program import choose_program
from bench.training.rows import TrainingData
from bench.training.stack import State
from bench.training.train import Trained, train

if TYPE_CHECKING:
    from architectures import Architecture
    from architectures.norms.scheme import NormScheme
    from tasks.data.samples import StandardizedTask

ROWS_COUNTED = 2


class Source(Protocol):
    """Where the draws of a task come from; the name enters what is drawn for it."""

    @property
    def name(self) -> str:
        """Canonical spelling."""
        ...

    def load(self, draw: int = 0) -> StandardizedTask:
        """A draw."""
        ...


@dataclass(frozen=True)
class Context:
    """A cell with everything that its training needs."""

    job: Job
    settings: Settings
    source: Source
    architecture: Architecture
    scheme: NormScheme
    schedule: Schedule

    def task(self, seed: int) -> StandardizedTask:
        """The draw of a seed; the last ones asked for stay in memory."""
        return self.source.load(seed)

    def initial(self, seed: int) -> Any:
        """The initialized network (or estimator) of a run's seed: a function of task, architecture and seed alone."""
        most = self.settings.max_parameters
        return build(self.architecture, self.scheme, self.task(seed).problem, self.weights_seed(seed), most)

    def weights_seed(self, seed: int) -> int:
        """What the initial weights of a run's seed are drawn from."""
        return seed_from("weights", self.source.name, self.architecture.name, seed)

    def batches(self, seed: int) -> np.ndarray | None:
        """Row numbers of a seed's batches among the training rows of its draw; None for full batches."""
        rows = len(self.task(seed).train)
        return batch_indices(self.source.name, self.architecture.name, seed, rows, self.schedule)


@dataclass(frozen=True)
class Training:
    """What training a cell gave.

    Args:
        seeds: a result a seed.
        program: what trained, or None for heads on frozen features.
        parameters: how many are trained.
        operations: floating-point operations of a step.
    """

    seeds: list[Trained]
    program: ProgramName | None
    parameters: int
    operations: int


def train_network(context: Context) -> Training:
    """Train every seed of a cell."""
    first, task = context.initial(context.job.keys[0].seed), context.task(context.job.keys[0].seed)
    parameters = sum(p.numel() for p in first.parameters() if p.requires_grad)
    rows_a_step = context.schedule.batch_size or len(task.train.targets)
    operations = rows_a_step * count_flops(first, task.problem, ROWS_COUNTED, backward=True) // ROWS_COUNTED
    program = _program(context, first, rows_a_step)
    return Training(_train(context, program), program, parameters, operations)


def _program(context: Context, first: torch.nn.Module, rows_a_step: int) -> ProgramName | None:
    """What trains the whole network; None where only a head on frozen features is trained."""
    if isinstance(first, OnFrozenFeatures):
        return None
    task = context.task(context.job.seeds[0])
    rows = torch.as_tensor(np.ascontiguousarray(task.train.inputs[:8]), dtype=torch.float32)
    members = len(context.job.seeds) * len(context.schedule.learning_rates)
    device = context.settings.device
    asked = context.settings.program
    each_step = task.problem.each_step
    program = asked or choose_program(first, rows, rows_a_step, members, device, each_step)
    two = _two(context.job.seeds)
    if context.architecture.card.origin in VERSIONED or agrees(program, context.initial, two, rows, each_step):
        return program
    if asked:
        what = f"{context.architecture.name} learns otherwise under --program {asked} than alone: use --program loop"
        raise FarFieldError(what, code="contract")
    return "loop"


def _two(seeds: Sequence[int]) -> tuple[int, int]:
    """The first seed and another."""
    return seeds[0], seeds[1] if len(seeds) > 1 else seeds[0] + 1


def _train(context: Context, program: ProgramName | None) -> list[Trained]:
    """By ``program``; None for heads on frozen features, which are rows of a table."""
    device, schedule, seeds = context.settings.device, context.schedule, context.job.seeds
    batches, limit = _batches(context), budget(torch.device(device), context.settings.workers)
    if program is None:
        how, draws = context.settings.program, {seed: context.task(seed) for seed in seeds}
        return train_heads(context.initial, seeds, draws, device, schedule, batches, program=how, limit=limit)
    found: list[Trained] = []
    for group in [seeds] if _stackable(context) else [(seed,) for seed in seeds]:
        found += train(
            lambda seed: context.initial(seed).to(device),
            group,
            {seed: training_data(context.task(seed), device) for seed in group},
            schedule,
            batches,
            program=program,
            limit=limit,
        )
    return found


def _stackable(context: Context) -> bool:
    """Whether networks of several seeds may train as one stack, which has the constants of the first.

    R and the range of the targets differ from draw to draw. Of FarField's own networks a clamp and a pair around the
    network read them; of one from outside nobody knows.
    """
    around = any(part.around for part in context.scheme.parts)
    return not (from_outside(context) or around or getattr(context.architecture.options, "clamp", False))


def from_outside(context: Context) -> bool:
    """Whether code of somebody else's makes the network or its norms."""
    return context.architecture.card.origin not in VERSIONED or bool(context.scheme.outside)


def _batches(context: Context) -> dict[int, np.ndarray] | None:
    """For each seed the row numbers of its batches, among the training rows of its draw; None for full batches."""
    if context.schedule.batch_size is None:
        return None
    drawn: dict[int, np.ndarray] = {}
    for seed in context.job.seeds:
        found = context.batches(seed)
        if found is not None:
            drawn[seed] = found
    return drawn


def training_data(task: StandardizedTask, device: str) -> TrainingData:
    """The rows of ``task`` that members train and are checked on, as float32 on ``device``."""

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32, device=device)

    return TrainingData(
        tensor(task.train.inputs),
        tensor(task.train.targets),
        tensor(task.validation.inputs),
        tensor(task.validation.targets),
    )


def selected(context: Context, seed: int, state: State) -> torch.nn.Module:
    """The network of a seed with the weights that were selected."""
    module: torch.nn.Module = context.initial(seed)
    module.load_state_dict(state, strict=False)
    return module
