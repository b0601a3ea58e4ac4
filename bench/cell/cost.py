"""What a cell will cost; how it is found is in :mod:`bench.cell.costing`, which needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.core.errors import Unsupported
from bench.plan.jobs import Cell, Settings


@dataclass(frozen=True)
class CellCost:
    """An estimate for one cell.

    Args:
        training: seconds of a worker for all seeds together.
        probing: seconds for each seed, after training.
        bytes: what its members take beside the worker itself.
    """

    training: float
    probing: float
    bytes: int = 0

    def seconds(self, seeds: int) -> float:
        """Of the whole cell."""
        return self.training + seeds * self.probing


def cost_of(cell: Cell, seeds: Sequence[int], settings: Settings, probing: float | None = None) -> CellCost | None:
    """About what ``cell`` costs; None where it fails here, which its records will tell. Asked in a worker.

    What is unsupported costs nothing.

    Args:
        cell: to be timed.
        seeds: that train.
        settings: with which it would run.
        probing: seconds of the look far away, where a network of its architecture was timed already.
    """
    from bench.cell.costing import timed_cost

    try:
        return CellCost(*timed_cost(cell, seeds, settings, probing))
    except Unsupported:
        return CellCost(0.0, 0.0)
    except (Exception, SystemExit):
        return None
