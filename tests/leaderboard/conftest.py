"""Records that look like measured ones: errors and growth follow from the norm scheme, the task and the seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest

from bench.core.seeding import generator
from leaderboard.records import metrics
from leaderboard.records.record import Record, RecordKey, SetResult, Status, Truth
from leaderboard.records.store.store import Store

TRUTHS: dict[str, Truth] = {"sine-1d": "bounded", "linear-1d": "growing", "protein": "unknown"}


def make_key(**changes: object) -> RecordKey:
    parts = {
        "protocol": "1",
        "task": "sine-1d",
        "task_version": "1",
        "data_hash": "d" * 64,
        "architecture": "mlp",
        "source_hash": "a" * 64,
        "norm": "none",
        "seed": 0,
    }
    return RecordKey(**(parts | changes))  # type: ignore[arg-type]


def make_record(key: RecordKey | None = None, **changes: object) -> Record:
    """An ok record whose growth is linear without a norm and bounded with one; ``changes`` replace fields."""
    key = key or make_key()
    random = generator("test record", key.task, key.architecture, key.norm, key.seed)
    ladder = np.array(metrics.LADDER)
    slope = 0.8 if key.norm == "none" else 0.0
    target_max = 2.0
    scales = np.exp(random.normal(0, 0.1, size=64)) * target_max
    outputs = scales * (0.5 + slope * ladder[:, None] + (1 - slope) * ladder[:, None] / (1 + ladder[:, None]))
    curves = metrics.ladder_result(outputs, target_max)
    bad = 3.0 if (TRUTHS.get(key.task) == "bounded") == (key.norm == "none") else 0.6
    sets = [_set(random, "test", "test", 0.2, 0.5), *(_set(random, f"far-{r}", "far", bad * r, r) for r in (2, 5, 10))]
    fields = {
        "status": "ok",
        "truth": TRUTHS.get(key.task, "unknown"),
        "created": "2026-01-02T03:04:05+00:00",
        "learning_rate": 1e-3,
        "best_step": 900,
        "edge_of_grid": False,
        "edge_of_steps": True,
        "id_error": sets[0].relative_error,
        "far_error": metrics.far_error([s.relative_error for s in sets[1:]]),
        "sets": tuple(sets),
        "ladder": tuple(float(r) for r in ladder),
        "growth": curves.growth,
        "departure": curves.departure,
        "nonfinite": curves.nonfinite,
        "exponent": 1.0 if slope else 0.0,
        "local_exponent": 1.0 if slope else 0.0,
        "axis_growth": tuple((r, 0.5 * (1.0 + slope * r)) for r in metrics.AXIS_RADII),
        "axis_exponent": 1.0 if slope else 0.0,
        "probe_nonfinite": 0,
        "worst_growth": ((1.0, 1.5), (10.0, 12.0)),
        "parameters": 17_000,
        "seconds": 1.25,
        "environment": {"farfield": "0.1.0", "numpy": np.__version__},
    }
    return Record(key=key, **(fields | changes))  # type: ignore[arg-type]


def _set(random: np.random.Generator, name: str, role: str, error: float, distance: float) -> SetResult:
    targets = random.normal(size=50)
    noise = random.normal(size=50) * error
    result = metrics.set_result(name, role, targets + noise, targets, target_scale=3.0)  # type: ignore[arg-type]
    return dataclasses.replace(result, distance=(0.8 * distance, float(distance), 1.2 * distance))


def make_unfinished(status: Status, key: RecordKey | None = None, **changes: object) -> Record:
    """A record that is not ok."""
    key = key or make_key()
    fields = {
        "truth": TRUTHS.get(key.task, "unknown"),
        "created": "2026-01-02T03:04:05+00:00",
        "reason": f"it {status}",
        "reason_code": "error",
    }
    return Record(key=key, status=status, **(fields | changes))  # type: ignore[arg-type]


def make_records(
    tasks: Sequence[str] = ("sine-1d", "linear-1d"),
    architectures: Sequence[str] = ("mlp",),
    norms: Sequence[str] = ("none", "layer@first"),
    seeds: Iterable[int] = range(5),
    **changes: object,
) -> list[Record]:
    numbers = list(seeds)
    return [
        make_record(make_key(task=t, architecture=a, norm=n, seed=s), **changes)
        for t in tasks
        for a in architectures
        for n in norms
        for s in numbers
    ]


@pytest.fixture(scope="session")
def key() -> Callable[..., RecordKey]:
    return make_key


@pytest.fixture(scope="session")
def record() -> Callable[..., Record]:
    return make_record


@pytest.fixture(scope="session")
def unfinished() -> Callable[..., Record]:
    return make_unfinished


@pytest.fixture(scope="session")
def records() -> Callable[..., list[Record]]:
    return make_records


@pytest.fixture
def path(tmp_path):
    """Where a store may be made."""
    return tmp_path / "deep" / "records.sqlite"


@pytest.fixture
def fill():
    """Puts new records into the store at a path."""

    def filled(path, *records, details=None):
        with Store(path, "write") as store:
            for one in records:
                assert store.add(one, details)

    return filled
