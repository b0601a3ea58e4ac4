"""Heads on frozen features: the features are computed once and kept on disk, and only the heads are trained.

A frozen backbone gives the same features at every step, so training through it and training on its stored features
are the same computation. Whatever is measured afterwards goes through the backbone itself.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from architectures.families.timm.frozen import OnFrozenFeatures
from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule
from bench.training.program import choose_program
from bench.training.rows import TrainingData
from bench.training.train import Trained, train
from tasks.reading.cache import cached_arrays

if TYPE_CHECKING:
    from tasks.data.samples import StandardizedTask

ROWS_AT_ONCE = 128


def train_heads(
    initial: Callable[[int], OnFrozenFeatures],
    seeds: Sequence[int],
    task: Mapping[int, StandardizedTask],
    device: str,
    schedule: Schedule,
    batches: Mapping[int, np.ndarray] | None = None,
    *,
    program: ProgramName | None = None,
    limit: int | None = None,
) -> list[Trained]:
    """Train the head of ``initial(seed)`` for every seed; gives what :func:`bench.training.train.train` gives.

    Args:
        initial: makes the initialized network of a seed.
        seeds: the seeds, each once.
        task: each seed's rows.
        device: where features are computed and heads trained.
        schedule, batches, limit: as for networks.
        program: which trains; chosen for the heads where none is given.

    Seeds with equal backbones and rows share the features; backbones of random weights differ from seed to seed. States
    hold the head alone, named as in the whole network (``head.*``).
    """
    heads: dict[int, torch.nn.Module] = {}
    known: dict[tuple[str, str], TrainingData] = {}
    data: dict[int, TrainingData] = {}
    for seed in seeds:
        network = initial(seed)
        key = network.digest(), task[seed].data_hash
        if key not in known:
            known[key] = frozen_data(network, task[seed], device)
        data[seed], heads[seed] = known[key], network.head
    first = data[seeds[0]].inputs
    rows_a_step, count = schedule.batch_size or len(first), len(seeds) * len(schedule.learning_rates)
    trained = train(
        lambda seed: copy.deepcopy(heads[seed]).to(device),
        seeds,
        data,
        schedule,
        batches,
        program=program or choose_program(heads[seeds[0]], first[:8].cpu(), rows_a_step, count, device),
        limit=limit,
    )
    return [_of_whole(result) for result in trained]


def frozen_data(network: OnFrozenFeatures, task: StandardizedTask, device: str) -> TrainingData:
    """Features (n, features) of training and validation rows in place of the inputs, from the cache or computed now."""
    kind = torch.device(device).type  # another kind of device rounds otherwise

    def make() -> dict[str, np.ndarray]:
        module = network.to(device)
        return {name: _features(module, rows.inputs, device) for name, rows in splits.items()}

    splits = {"train": task.train, "validation": task.validation}
    arrays = cached_arrays("features", [task.data_hash, network.digest(), kind], make)

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, dtype=torch.float32, device=device)

    return TrainingData(
        tensor(arrays["train"]),
        tensor(task.train.targets),
        tensor(arrays["validation"]),
        tensor(task.validation.targets),
    )


def _features(module: OnFrozenFeatures, inputs: np.ndarray, device: str) -> np.ndarray:
    pieces = []
    with torch.no_grad():
        for start in range(0, len(inputs), ROWS_AT_ONCE):
            rows = np.ascontiguousarray(inputs[start : start + ROWS_AT_ONCE])
            piece = torch.as_tensor(rows, dtype=torch.float32, device=device)
            pieces.append(module.frozen_features(piece).cpu().numpy())
    return np.concatenate(pieces)


def _of_whole(result: Trained) -> Trained:
    if result.state is None:
        return result
    return dataclasses.replace(result, state={f"head.{name}": tensor for name, tensor in result.state.items()})
