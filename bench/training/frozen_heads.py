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
from bench.training.train import Trained, TrainingData, train
from tasks.reading.cache import cached_arrays

if TYPE_CHECKING:
    from tasks.data.samples import StandardizedTask

ROWS_AT_ONCE = 128


def train_heads(
    initial: Callable[[int], OnFrozenFeatures],
    seeds: Sequence[int],
    task: StandardizedTask,
    device: str,
    schedule: Schedule,
    batches: Mapping[int, np.ndarray] | None = None,
    *,
    program: ProgramName | None = None,
) -> list[Trained]:
    """Train the head of ``initial(seed)`` for every seed; gives what :func:`bench.training.train.train` gives.

    Seeds whose backbones are equal share the features; backbones of random weights differ from seed to seed. States
    hold the head alone, named as in the whole network (``head.*``).
    """
    heads: dict[int, torch.nn.Module] = {}
    data: dict[str, TrainingData] = {}
    members: dict[str, list[int]] = {}
    for seed in seeds:
        network = initial(seed)
        digest = network.digest()
        if digest not in data:
            data[digest] = frozen_data(network, task, device)
        members.setdefault(digest, []).append(seed)
        heads[seed] = network.head
    results: dict[int, Trained] = {}
    for digest, together in members.items():
        head, inputs, count = heads[together[0]], data[digest].inputs, len(together) * len(schedule.learning_rates)
        rows_a_step = schedule.batch_size or len(inputs)
        trained = train(
            lambda seed: copy.deepcopy(heads[seed]).to(device),
            together,
            data[digest],
            schedule,
            batches,
            program=program or choose_program(head, inputs[:8].cpu(), rows_a_step, count, device),
        )
        results |= {result.seed: _of_whole(result) for result in trained}
    return [results[seed] for seed in seeds]


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
