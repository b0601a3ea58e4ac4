"""A sweep as people start it: what its runs say of it in W&B, and what it says at its end."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.cli import main
from bench.tracking.syncing import kept_runs as waiting

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two estimators on a task, offline, and what was said on stderr."""
    import contextlib
    import io

    out = tmp_path_factory.mktemp("out with a space")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.delenv("WANDB_DIR", raising=False)
        bench.run(
            tasks="sine-1d",
            architectures=["mean", "ridge"],
            protocol="quick",
            seeds=2,
            workers=1,
            out=out,
            wandb="offline",
        )
    return out, said.getvalue()


def test_the_end_says_where_runs_wait_and_what_sends_them(
    finished: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    out, said = finished
    (line,) = [line for line in said.splitlines() if "W&B" in line]
    assert f"3 runs wait in {out}/wandb" in line
    command = line.partition("to send: ")[2]
    assert shlex.split(command) == ["farfield", "wandb-sync", "--out", str(out)]
    assert len(waiting(out)) == 3
    assert main(shlex.split(command)[1:]) == 2  # the command is one, and finds the runs: only the key is missing
    assert "no W&B key to send 3 run(s)" in capsys.readouterr().err


def test_standings_in_wandb_are_numbers(finished: tuple[Path, str], kept_runs: Make) -> None:
    (sweep,) = (run for run in kept_runs(finished[0]) if run.run.job_type == "sweep")
    table = sweep.table("tables/standings")
    columns = dict(zip(table["columns"], zip(*table["data"], strict=True), strict=True))
    for name in ("rank", "far_error", "far_error_low", "id_error", "max_growth", "seeds", "ok_records"):
        assert all(isinstance(value, (int, float)) for value in columns[name] if value is not None), name
        assert any(value is not None for value in columns[name]), name
    for values in columns.values():
        assert len({str if isinstance(value, str) else float for value in values if value is not None}) <= 1
    assert set(columns["architecture"]) == {"mean", "ridge"}


def test_each_run_is_named_by_its_task(finished: tuple[Path, str], kept_runs: Make) -> None:
    names = {run.run.display_name for run in kept_runs(finished[0])}
    assert names == {"sine-1d mean none", "sine-1d ridge none", "ad-hoc standings"}
