"""Records to track, a clean W&B environment, and a reader of what W&B kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bench.tracking import TrackingOptions
from bench.tracking.runfile import read_run_file
from leaderboard.records.metrics import LADDER, far_error
from leaderboard.records.record import Record, RecordKey, SetResult

ENVIRONMENT = ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_MODE", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_ENTITY", "NETRC")


@pytest.fixture(autouse=True)
def nobody_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "home" / "config"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    def make(seed: int = 0, *, task: str = "sine-1d", norm: str = "layer@first", **changes: Any) -> Record:
        growth = tuple((1.0 + 0.1 * seed) * r**0.9 for r in LADDER)
        record = Record(
            key=RecordKey("2", task, "1", "da" * 8, "mlp(width=64)", "50" * 8, norm, seed),
            status="ok",
            truth="bounded",
            created="2026-01-01T00:00:00+00:00",
            learning_rate=1e-3,
            best_step=100,
            edge_of_grid=False,
            id_error=0.1 + 0.01 * seed,
            far_error=far_error([2.0 + seed]),
            sets=(
                SetResult("test", "test", 10, 0.1, 0.1, 0.1, 0.9, 0),
                SetResult("far-2", "far", 10, 2.0 + seed, 2.0, 1.0, -3.0, 0, (1.1, 1.5, 2.0)),
            ),
            ladder=LADDER,
            growth=growth,
            departure=tuple(0.5 * g for g in growth),
            nonfinite=(0,) * len(LADDER),
            exponent=0.9 + 0.001 * seed,
            local_exponent=0.9,
            axis_growth=tuple((r, r**0.9) for r in (1e2, 1e4, 1e6, 1e8)),
            axis_exponent=0.9,
            probe_nonfinite=0,
            parameters=100,
            seconds=1.5,
            environment={"torch": "2.x", "device": "cpu"},
        )
        return replace(record, **changes)

    return make


@pytest.fixture(scope="session")
def make_details() -> Callable[..., dict[str, tuple[float | None, ...]]]:
    def make(seed: int = 0, checks: int = 50) -> dict[str, tuple[float | None, ...]]:
        steps = tuple(float(10 * (i + 1)) for i in range(checks))
        return {
            "curve.step": steps,
            "curve.train": tuple((1 + seed) / s for s in steps),
            "curve.validation": tuple((2 + seed) / s for s in steps),
            "far.far-2.prediction": (1.0,) * 1000,
        }

    return make


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., TrackingOptions]:
    def make(mode: str = "offline", **changes: Any) -> TrackingOptions:
        given = {"directory": tmp_path / "out", "suite": "a-suite", "sweep_id": "sweep-1"} | changes
        return TrackingOptions(mode=mode, **given)  # type: ignore[arg-type]

    return make


@dataclass
class KeptRun:
    """One offline run, as read from its file."""

    folder: Path
    run: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    artifacts: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None

    def media(self, name: str) -> str:
        return (self.folder / "files" / self.history[-1][name]["path"]).read_text()

    def table(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.media(name), parse_constant=_no_constant))


def _no_constant(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


def _nested(items: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        *path, last = [item.key] if item.key else list(item.nested_key)
        place = found
        for name in path:
            place = place.setdefault(name, {})
        place[last] = json.loads(item.value_json)
    return found


def read_kept(folder: Path) -> KeptRun:
    (file,) = folder.glob("run-*.wandb")
    kept = KeptRun(folder)
    for record in read_run_file(file):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            kept.run = record.run
            kept.config |= _nested(record.run.config.update)
        elif kind == "config":
            kept.config |= _nested(record.config.update)
        elif kind == "summary":
            kept.summary |= _nested(record.summary.update)
        elif kind == "history":
            kept.history.append(_nested(record.history.item))
        elif kind == "metric":
            kept.metrics.append(record.metric)
        elif kind == "artifact":
            kept.artifacts[record.artifact.name] = record.artifact
        elif kind == "exit":
            kept.exit_code = record.exit.exit_code
    return kept


@pytest.fixture(scope="session")
def kept_runs() -> Callable[[Path], list[KeptRun]]:
    def read(directory: Path) -> list[KeptRun]:
        return [read_kept(folder) for folder in sorted((directory / "wandb").glob("offline-run-*"))]

    return read


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    def wait(done: Callable[[], object]) -> None:
        for _ in range(1200):
            if done():
                return
            time.sleep(0.05)
        raise AssertionError("it never happened")

    return wait


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Where a tracker's warnings go; each must be one line."""
    lines: list[str] = []
    yield lines
    assert all("\n" not in line and line.startswith("W&B: ") for line in lines)
