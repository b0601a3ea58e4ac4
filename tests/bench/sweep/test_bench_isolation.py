"""Code from outside that misbehaves."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bench
from architectures import register_architecture
from bench.cell.run import run_job
from bench.checking.process_state import ProcessState
from bench.core.problem import Problem
from bench.plan.jobs import Cell, Settings, make_plan
from bench.sweep.workers.isolation import undisturbed
from leaderboard.records.store.store import Store

pytestmark = pytest.mark.usefixtures("forget_plugins")
Farfield = Callable[..., subprocess.CompletedProcess[str]]


RUDE = """
import os, random, threading, time
import numpy as np
import torch
from torch import nn
from architectures import register_architecture

torch.set_grad_enabled(False)

@register_architecture("rude-net", inputs=["features"])
def rude(problem, norm):
    threading.Thread(target=time.sleep, args=(1e6,)).start()
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    np.seterr(all="raise")
    os.chdir("/")
    print("hello from inside " * 10)
    return nn.Linear(problem.size, 1)
"""


def test_what_one_job_does_to_its_process_does_not_reach_the_next(tmp_path: Path, farfield: Farfield) -> None:
    (tmp_path / "rude.py").write_text(RUDE)
    plugin = ("--plugin", "rude.py", "--arch", "rude-net")
    common = (
        "run",
        "--task",
        "sine-1d",
        "--arch",
        "mlp(width=8)",
        "--seeds",
        "1",
        "--protocol",
        "quick",
        "--workers",
        "1",
    )
    # records of the network that runs after the rude one, and of the same network alone
    results = []
    for out, more in (("beside", plugin), ("alone", ())):
        done = farfield(*common, *more, "--out", out, "--format", "json", cwd=tmp_path)
        json.loads(done.stdout)  # nothing but results
        assert ("hello from inside" in done.stderr) == bool(more)
        with Store(tmp_path / out / "records.sqlite", "read") as store:
            results.append([r for r in store.records() if r.key.architecture.startswith("mlp")])
    (beside,), (alone,) = results
    assert beside.status == "ok"
    assert beside.id_error == alone.id_error
    assert beside.growth == alone.growth


def test_global_state_is_put_back() -> None:
    before = ProcessState.now()
    with undisturbed():
        for line in RUDE.splitlines():
            if line.startswith("    ") and "Thread" not in line and "return" not in line:
                exec(line.strip(), {"torch": torch, "np": np, "random": random, "os": os, "print": lambda text: None})
        torch.set_default_device("meta")
    assert ProcessState.now().differs_from(before) == []


BROKEN = """
import torch
from torch import nn
from architectures import register_architecture

class Broken(nn.Module):
    def __init__(self, fault):
        super().__init__()
        self.fault, self.layer = fault, nn.Linear(1, 1)
    def forward(self, x):
        y = self.layer(x)
        return {
            "shape": lambda: y.squeeze(-1),
            "mixes": lambda: y - y.mean(0),
            "random": lambda: y + torch.randn_like(y),
            "none": lambda: y,
        }[self.fault]()

@register_architecture("broken-net", inputs=["features"])
def broken(problem, norm, fault: str = "none"):
    return Broken(fault)
"""


def test_what_breaks_the_contract_is_a_failed_record_and_the_sweep_goes_on(tmp_path: Path) -> None:
    plugin = tmp_path / "broken.py"
    plugin.write_text(BROKEN)
    results = bench.run(
        tasks=["sine-1d"],
        architectures=[f"broken-net(fault={fault})" for fault in ("shape", "mixes", "random", "none")],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        workers=1,
        plugins=[plugin],
    )
    reasons = [record.reason or record.status for record in results.records]
    assert "breaks the contract: maps 1 rows to (1,): return the shape (N, 1)" in reasons[0]
    assert "breaks the contract: answers change by" in reasons[1]
    assert "breaks the contract: two evaluations differ" in reasons[2]
    assert reasons[3] == "ok"


def test_jobs_compute_in_full_float32_whatever_the_process_prefers() -> None:
    """On a GPU thirteen bits fewer would change every number; only the switches can be seen without one."""
    seen: set[tuple[str, bool]] = set()

    class Watching(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.add((torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32))
            return super().forward(x)

    @register_architecture("watching-net", inputs=["features"])
    def watching(problem: Problem, norm: object) -> nn.Module:
        return Watching(problem.size, 1)

    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    try:
        cell = Cell("linear-1d", "watching-net", "none", "quick-2")
        (outcome,) = run_job(make_plan([cell], (0,), ()).jobs[0], Settings())
        after = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
    assert outcome.record.status == "ok", outcome.record.reason
    assert seen == {("highest", False)}
    assert after == ("high", True)
