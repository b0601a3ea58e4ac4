"""In which pieces and in which order jobs go to the workers."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import architectures
import tasks
from bench.plan.jobs import Job
from bench.plan.protocol import get_protocol

# A step's cost grows with the kind of input; the numbers only order jobs, so that no long one starts last.
_KIND_WEIGHT = {"features": 1.0, "sequence": 8.0, "image": 20.0}


def arrange(jobs: Sequence[Job], seeds: Sequence[int], cells: int, workers: int) -> list[Job]:
    """``jobs``, split where workers would stand idle, the longest first.

    A sweep of fewer cells than workers has its cells split by seeds. The split depends on the whole sweep (``seeds``,
    ``cells``) and not on what is left of it, so that a resumed sweep trains the same seeds together.

    Args:
        jobs: what is left to run.
        seeds: every seed that was asked for.
        cells: how many cells the whole sweep has.
        workers: processes.
    """
    parts = min(len(seeds), -(-workers // max(cells, 1)))
    pieces = [piece for job in jobs for piece in _split(job, seeds, parts)]
    return sorted(pieces, key=_Weights().weight, reverse=True)


def _split(job: Job, seeds: Sequence[int], parts: int) -> list[Job]:
    """Contiguous groups of ``seeds``, those that are left of each."""
    edges = [len(seeds) * i // parts for i in range(parts + 1)]
    groups = [set(seeds[a:b]) for a, b in itertools.pairwise(edges)]
    pieces = [tuple(key for key in job.keys if key.seed in group) for group in groups]
    return [dataclasses.replace(job, keys=keys) for keys in pieces if keys]


class _Weights:
    """About how long jobs take, in no unit; every spelling is read once."""

    def __init__(self) -> None:
        self._tasks: dict[str, float] = {}
        self._trained: dict[str, bool] = {}

    def weight(self, job: Job) -> float:
        """Of a job."""
        key = job.keys[0]
        if key.architecture not in self._trained:
            self._trained[key.architecture] = architectures.resolve(key.architecture).card.role == "network"
        if not self._trained[key.architecture]:
            return 0.0
        if key.task not in self._tasks:
            card = tasks.resolve(key.task).card
            self._tasks[key.task] = card.budget.steps * _KIND_WEIGHT[card.kind]
        protocol = get_protocol(key.protocol)
        return len(job.keys) * protocol.cost * self._tasks[key.task]
