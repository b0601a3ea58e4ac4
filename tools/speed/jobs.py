"""The training jobs that are timed: networks, data, batches and steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import architectures
from architectures.building import build_network
from bench.core.problem import Problem
from bench.plan.protocol import Schedule, batch_indices
from bench.training.rows import TrainingData

SEEDS = 10


@dataclass(frozen=True)
class TrainingJob:
    """One job: every seed at every rate.

    Args:
        name, what: a short and a full name.
        network: of a seed and a problem.
        problem: shape and kind of the inputs.
        rows: of the data.
        batch: rows of a step, or None for all of them.
        steps: of the optimizer.
        rates: learning rates.
        seeds: how many.
    """

    name: str
    what: str
    network: Callable[[Problem, int], nn.Module]
    problem: Problem
    rows: int
    batch: int | None
    steps: int
    rates: tuple[float, ...] = (1e-3,)
    seeds: int = SEEDS

    def build(self, seed: int) -> nn.Module:
        """The initialized network of a seed."""
        return self.network(self.problem, seed)

    def data(self, device: str = "cpu") -> TrainingData:
        """Random rows: what they hold does not change how long they take."""
        draw = torch.Generator().manual_seed(0)
        x = torch.randn(self.rows, *self.problem.shape, generator=draw).to(device)
        z = torch.randn(self.rows, generator=draw).to(device)
        return TrainingData(x, z, x[:64], z[:64])

    def schedule(self) -> Schedule:
        """Every step, and one check at the end."""
        return Schedule(self.steps, self.batch, self.rates, (self.steps,), selects=False)

    def batches(self, seeds: Sequence[int]) -> dict[int, np.ndarray] | None:
        """The rows of every batch, drawn beforehand."""
        drawn = {s: batch_indices(self.name, "speed", s, self.rows, self.schedule()) for s in seeds}
        return {seed: rows for seed, rows in drawn.items() if rows is not None} or None

    def shorter(self, share: float) -> TrainingJob:
        """The same with fewer steps."""
        return dataclasses.replace(self, steps=max(2, round(self.steps * share)))


@dataclass(frozen=True)
class FromRegistry:
    """A network of the registry, by its spelling and a norm scheme."""

    architecture: str
    norm: str = "none"

    def __call__(self, problem: Problem, seed: int) -> nn.Module:
        """Build it."""
        architecture, scheme = architectures.resolve(self.architecture), architectures.parse_scheme(self.norm)
        return build_network(architecture, scheme, problem, seed)


def full_resolution_cnn(problem: Problem, seed: int) -> nn.Module:
    """Three convolutions of 32 channels that keep the size of the image, and the mean of what they give."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for channels in (problem.shape[0], 32, 32):
        layers += [nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 1))


def wait(device: str) -> None:
    """Until ``device`` has done what it was given."""
    if device != "cpu":
        torch.cuda.synchronize(device)


SMALL = FromRegistry("mlp(depth=3, width=64)", "layer@all")
IMAGE = Problem("image", (1, 16, 16))

JOBS = (
    TrainingJob(
        "J1",
        "MLP 8→3×64→1, layer norm, full batch 128, 1,000 steps",
        SMALL,
        Problem("features", (8,)),
        128,
        None,
        1000,
    ),
    TrainingJob(
        "J2",
        "MLP 9→3×128→1, layer norm, batches of 256 from 20,000 rows, 500 steps",
        FromRegistry("mlp(depth=3)", "layer@all"),
        Problem("features", (9,)),
        20_000,
        256,
        500,
    ),
    TrainingJob("J3", "CNN 3×32 channels, 16×16, batch 128, 10 steps", full_resolution_cnn, IMAGE, 128, None, 10),
    TrainingJob(
        "J4",
        "transformer 2 layers of 64, 4 heads, 16 tokens, batch 128, 15 steps",
        FromRegistry("transformer(ratio=4)", "layer@pre"),
        Problem("sequence", (16, 1)),
        128,
        None,
        15,
    ),
    TrainingJob(
        "J1 at two rates",
        "as J1, ten seeds at two learning rates: 20 members",
        SMALL,
        Problem("features", (8,)),
        128,
        None,
        1000,
        rates=(1e-3, 3e-3),
    ),
    TrainingJob(
        "strided CNN", "the registry's cnn (stride 2), 16×16, batch 128", FromRegistry("cnn"), IMAGE, 128, None, 20
    ),
)
