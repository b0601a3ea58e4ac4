"""What the figures were taken on, and how quiet it was."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.cell.environment import available_cores, describe_environment
from tools.speed.parts.training import product_rate


@dataclass(frozen=True)
class Quiet:
    """How steady the machine was, from matrix products before and after everything else.

    Args:
        load: of the last minute, before.
        rates: operations a second of one thread, in the order they were measured.
    """

    load: float
    rates: tuple[float, ...]

    @property
    def noise(self) -> float:
        """Greatest less least rate, as a share of the median."""
        return (max(self.rates) - min(self.rates)) / statistics.median(self.rates)


def describe(device: str) -> dict[str, str]:
    """Versions, processor, cores and device; nothing that names a person or a place."""
    return describe_environment(device) | {"cores": str(available_cores()), "processor": _processor()}


def rates(pool: ProcessPoolExecutor, count: int = 5) -> tuple[float, ...]:
    """Operations a second of one single-threaded process of ``pool``, ``count`` times."""
    return tuple(pool.submit(product_rate).result() for _ in range(count))


def quiet(load: float, *measured: Sequence[float]) -> Quiet:
    """Put together what was measured before and after."""
    return Quiet(load, tuple(rate for several in measured for rate in several))


def load() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in cpus.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
