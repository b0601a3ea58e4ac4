"""The speed measurements run, and what they compare computes the same. How fast anything is, is no test's business."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench.plan.protocol import Schedule, check_steps
from bench.training.train import TrainingData, train
from tools.speed.jobs import JOBS, TrainingJob
from tools.speed.quick import plain_train

ROOT = Path(__file__).parents[1]
PARTS = {
    "training": "training.png",
    "quick": None,
    "programs": "programs.png",
    "probing": None,
    "scaling": "scaling.png",
}


@pytest.mark.slow
def test_a_tiny_measurement_gives_figures_and_charts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.speed", "--tiny", "--repeats", "1", "--out", str(tmp_path)]
    for part in PARTS:
        command += ["--part", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "speed.json").read_text())
    assert found.keys() == {"machine", "quiet", *PARTS}
    assert [timing["name"] for timing in found["training"]] == ["J1", "J4"]
    for timing in found["training"]:
        assert timing["ratio"] == pytest.approx(timing["plain"] / timing["ours"])
        assert min(timing["plain"], timing["ours"], timing["floor"]) > 0
    assert found["quick"]["records"] == 1
    assert found["quick"]["apart"] < 0.05  # the same run but for rounding
    assert {growth["name"] for growth in found["scaling"]} >= {"width", "depth", "rows", "ladder", "cells", "workers"}
    for growth in found["scaling"]:
        assert all(math.isfinite(s) and s > 0 for s in growth["seconds"]), growth
    for part, picture in PARTS.items():
        assert f"## {part}" in done.stdout
        if picture:
            assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_the_plain_loop_trains_what_farfield_trains() -> None:
    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1)).double()

    draw = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=draw, dtype=torch.float64)
    z = x.square().sum(1)
    data = TrainingData(x[:30], z[:30], x[30:], z[30:])
    schedule = Schedule(60, 8, (1e-3, 1e-2), check_steps(60, 6), selects=True)
    rows = np.random.default_rng(0)
    batches = {seed: rows.integers(0, 30, (60, 8)) for seed in (0, 1)}
    expected = train(build, [0, 1], data, schedule, batches, program="loop")
    for one, other in zip(plain_train(build, [0, 1], data, schedule, batches), expected, strict=True):
        assert (one.seed, one.learning_rate, one.best_step) == (other.seed, other.learning_rate, other.best_step)
        assert one.curve.validation == pytest.approx(other.curve.validation, rel=1e-8)
        assert one.edge_of_grid == other.edge_of_grid


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_the_programs_in_jax_train_the_same_networks(job: TrainingJob) -> None:
    pytest.importorskip("jax")
    from tools.speed.jax_programs import program

    short = TrainingJob(**{**job.__dict__, "steps": 4, "seeds": 2})
    losses = np.asarray(program(short)())
    data, batches = short.data(), short.batches(range(2)) or {}
    for member, (rate, seed) in enumerate((rate, seed) for rate in short.rates for seed in range(2)):
        module, found = short.build(seed).train(), []
        optimizer = torch.optim.Adam(module.parameters(), lr=rate)
        for step in range(short.steps):
            rows = torch.from_numpy(batches[seed][step]) if batches else slice(None)
            loss = nn.functional.mse_loss(module(data.inputs[rows]).squeeze(-1), data.targets[rows])
            found.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        np.testing.assert_allclose(losses[member], found, rtol=2e-4)
