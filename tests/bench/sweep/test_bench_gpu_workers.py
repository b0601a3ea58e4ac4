"""How many workers share a GPU; its memory is given, for there is none here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.plan.jobs import Settings
from bench.sweep import options
from bench.sweep.options import GPU_WORKERS, RunOptions


@pytest.mark.parametrize(
    ("gigabytes", "cores", "expected"), [(80, 16, GPU_WORKERS), (80, 3, 3), (16, 16, 4), (6, 16, 1), (2, 16, 1)]
)
def test_workers_of_a_gpu_fit_its_memory_and_the_cores(
    gigabytes: int, cores: int, expected: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(options, "gpu_memory", lambda device: gigabytes * 2**30)
    monkeypatch.setattr(options, "available_cores", lambda: cores)
    asked = RunOptions(tmp_path, settings=Settings(device="cuda"))
    assert asked.processes == expected
    assert RunOptions(tmp_path, workers=5, settings=Settings(device="cuda")).processes == 5
    assert RunOptions(tmp_path).processes == cores
