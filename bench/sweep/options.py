"""How a sweep runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.cell.environment import available_cores, gpu_memory
from bench.core.plugins import Plugin
from bench.plan.jobs import Settings
from bench.sweep.workers.pool import Limits

STORE_NAME = "records.sqlite"
GPU_WORKERS = 8
"""A small network leaves most of a GPU idle, and probing is work of the processor.

The suite ``quick`` on an NVIDIA H100 and 16 cores took 82 s with one worker, 35 with 4, 27 with 8, 24 with 16.
"""
GPU_SHARE = 4.0
"""Gigabytes of a GPU's memory for each of them: half of one is gone before a worker does anything."""


@dataclass(frozen=True)
class RunOptions:
    """How a sweep runs. None of it changes what a record says, time and rounding apart.

    Args:
        out: folder of the store and of everything else that is written.
        workers: worker processes; None means one a core, on a GPU fewer: see :attr:`processes`.
        settings: device, stacking, weights.
        limits: time and memory of a job.
        retry: run failed and timed-out records again.
        plugins: files to load before planning and in each worker.
    """

    out: Path
    workers: int | None = None
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=Limits)
    retry: bool = False
    plugins: tuple[Plugin, ...] = ()

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.out / STORE_NAME

    @property
    def processes(self) -> int:
        """Worker processes where there is work for all: one a core.

        On a GPU at most :data:`GPU_WORKERS`, and one for each :data:`GPU_SHARE` gigabytes of its memory.
        """
        if self.workers or self.settings.device == "cpu":
            return self.workers or available_cores()
        room = int(gpu_memory(self.settings.device) / 2**30 / GPU_SHARE)
        return max(1, min(available_cores(), GPU_WORKERS, room))
