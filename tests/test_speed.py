"""The speed measurements run, and what they compare computes the same. How fast anything is, is no test's business."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bench.plan.protocol import Rung, Schedule, check_steps
from bench.training.rows import TrainingData
from bench.training.train import train
from tools.speed import __main__ as speed
from tools.speed.jobs import JOBS, TrainingJob
from tools.speed.parts import boards
from tools.speed.parts.boards import BoardTiming
from tools.speed.parts.quick import plain_train
from tools.speed.progress import Progress

ROOT = Path(__file__).parents[1]
PARTS = {
    "training": "training.png",
    "quick": None,
    "programs": "programs.png",
    "probing": None,
    "boards": None,
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
    assert found.keys() == {"machine", "quiet", "took", *PARTS}
    assert found["took"].keys() == found["quiet"].keys() == set(PARTS)
    assert "figures" not in done.stderr  # progress is for terminals
    for timing in found["boards"]:
        assert timing["megabytes"] > 20
        assert timing["seconds"] > 0
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


def test_each_figure_is_written_as_soon_as_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def figures() -> Iterator[BoardTiming | None]:
        yield BoardTiming(1, "first", 1.0, 1.0, 0.0, 50.0, None, None)
        yield None  # one that is left out
        assert [f["command"] for f in written(tmp_path)["slow"]] == ["first"]
        yield BoardTiming(1, "second", 1.0, 1.0, 0.0, 50.0, None, None)
        raise KeyboardInterrupt

    monkeypatch.setitem(speed.PARTS, "slow", lambda options, pool: speed.Part(9, figures(), boards.table))
    (tmp_path / "speed.json").write_text('{"quick": {"records": 3}}')
    with pytest.raises(KeyboardInterrupt):
        speed.measure(["slow"], speed.Options(1, "cpu", True), tmp_path)
    assert [f["command"] for f in written(tmp_path)["slow"]] == ["first", "second"]
    assert written(tmp_path)["quick"] == {"records": 3}


def written(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "speed.json").read_text())  # type: ignore[no-any-return]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_which_part_how_far_and_how_long_still() -> None:
    now, stream = [0.0], Terminal()
    progress = Progress(["boards", "scaling", "quick"], {"scaling": 300.0}, stream, clock=lambda: now[0])
    progress.begin("boards", 4)
    assert "part 1 of 3, boards: 0 of 4 figures, time left not known yet" in stream.getvalue()
    now[0] = 60.0
    progress.advance(1)
    assert "1 of 4 figures, about 8 min left and 1 part not measured before" in stream.getvalue()
    now[0] = 240.0
    progress.advance(4)
    assert progress.end() == 240.0
    progress.begin("scaling", 7)
    assert "part 2 of 3, scaling: 0 of 7 figures, about 5 min left and 1 part not" in stream.getvalue()
    quiet = io.StringIO()
    Progress(["boards"], {}, quiet).begin("boards", 1)
    assert quiet.getvalue() == ""


def test_the_plain_loop_trains_what_farfield_trains() -> None:
    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1)).double()

    draw = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=draw, dtype=torch.float64)
    z = x.square().sum(1)
    data = {seed: TrainingData(x[seed:30], z[seed:30], x[30:], z[30:]) for seed in (0, 1)}
    rungs = (Rung(20, 2), Rung(40, 1))
    schedule = Schedule(60, 8, (1e-3, 1e-2, 3e-2, 1e-1), check_steps(60, 6), selects=True, rungs=rungs)
    rows = np.random.default_rng(0)
    batches = {seed: rows.integers(0, 29, (60, 8)) for seed in (0, 1)}
    expected = train(build, [0, 1], data, schedule, batches, program="loop")
    for one, other in zip(plain_train(build, [0, 1], data, schedule, batches), expected, strict=True):
        assert (one.seed, one.learning_rate, one.best_step) == (other.seed, other.learning_rate, other.best_step)
        assert one.curve.validation == pytest.approx(other.curve.validation, rel=1e-8)
        assert (one.edge_of_grid, one.edge_of_steps) == (other.edge_of_grid, other.edge_of_steps)


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
