"""What is said of a sweep before it runs, and of the time that is left while it does."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import bench
import farfield as ff
from bench.plan.jobs import Cell, Job, make_plan
from bench.sweep.forecast import Forecast, Remaining, forecast
from bench.sweep.options import RunOptions
from bench.sweep.progress import progress
from leaderboard.records.store.store import Store

Farfield = Callable[..., subprocess.CompletedProcess[str]]


def jobs_of(*names: tuple[str, str, str], seeds: int = 2) -> tuple[Job, ...]:
    return make_plan([Cell(*name, "quick-2") for name in names], range(seeds), ()).jobs


def test_a_dry_run_stores_nothing_and_counts_what_is_there(tmp_path: Path) -> None:
    asked = {"tasks": ["sine-1d"], "architectures": ["mean", "mlp"], "seeds": 2, "protocol": "quick", "workers": 1}
    found = ff.dry_run(**asked, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert (found.cells, found.records, found.finished, found.jobs) == (2, 4, 0, 2)
    assert found.foreseen.timed == 2
    assert 0 < found.facts["seconds"] < 600
    assert found.facts["bytes_a_worker"] > 1e8
    assert found.needs == ()
    bench.run(**asked, out=tmp_path / "out")
    with Store(tmp_path / "out" / "records.sqlite") as store:
        before = store.finished()
    again = ff.dry_run(**asked | {"seeds": 3, "norms": ["none", "layer@all"]}, out=tmp_path / "out")
    assert (again.records, again.finished, again.foreseen.known) == (9, 4, 3), "what it took before says what it takes"
    with Store(tmp_path / "out" / "records.sqlite") as store:
        assert store.finished() == before
    assert "9 records" in str(again)
    with pytest.raises(TypeError, match="archs"):
        ff.dry_run(archs=["mlp"])


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path, farfield: Farfield) -> None:
    (tmp_path / "data").mkdir()
    asked = ["run", "--task", "protein", "--task", "yacht", "--task", "sine-1d", "--arch", "mean", "--seeds", "1"]
    away = {"FARFIELD_DATA": str(tmp_path / "data"), "FARFIELD_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = farfield(*asked, "--dry-run", "-f", "json", cwd=tmp_path, **away)
    assert done.returncode == 2, done.stderr
    found = json.loads(done.stdout)["dry_run"]
    assert [need["of"] for need in found["missing"]] == ["protein", "yacht"]
    assert all("FARFIELD_DATA" in need["what"] for need in found["missing"])
    assert (found["records"], found["records_left"]) == (3, 1)
    assert not (tmp_path / "farfield-results").exists()


def test_what_is_left_is_corrected_by_what_jobs_took() -> None:
    jobs = jobs_of(*(("sine-1d", f"mlp(width={width})", "none") for width in range(2, 12)))
    remaining = Remaining(Forecast(dict.fromkeys(jobs, 10.0), workers=2))
    assert remaining.seconds == pytest.approx(50)
    for job in jobs[:5]:
        remaining.done(job, 30.0)
    assert remaining.seconds == pytest.approx(75), "three times as slow as foreseen"
    for job in jobs[5:9]:
        remaining.done(job, 30.0)
    assert remaining.seconds == pytest.approx(30), "the last job has one worker"
    remaining.done(jobs[9], 30.0)
    assert remaining.seconds == 0


def test_what_cannot_be_timed_is_guessed_and_nothing_is_asked_for_without_time(tmp_path: Path) -> None:
    jobs = jobs_of(("sine-1d", "mean", "none"), ("linear-1d", "mean", "none"))
    found = forecast(jobs, RunOptions(tmp_path, workers=1), 0.0)
    assert (found.known, found.timed) == (0, 0)
    assert set(found.jobs) == set(jobs)
    assert found.seconds > 0


def test_records_of_another_machine_say_nothing_of_this_one(tmp_path: Path) -> None:
    results = bench.run(tasks=["sine-1d"], architectures=["mean"], seeds=1, protocol="quick", out=tmp_path / "a")
    (record,) = results.records
    elsewhere = dataclasses.replace(record, environment={**record.environment, "platform": "Plan9 mips"}, seconds=9e9)
    with Store(tmp_path / "b" / "records.sqlite", "write") as store:
        store.add(elsewhere)
    jobs = jobs_of(("sine-1d", "mean", "none"))
    assert forecast(jobs, RunOptions(tmp_path / "a"), 0.0).known == 1
    assert forecast(jobs, RunOptions(tmp_path / "b"), 0.0).known == 0


def test_the_estimate_stands_in_the_progress_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with progress(wanted=True) as watcher:
        bench.run(
            tasks=["sine-1d"], architectures=["mean"], protocol="quick", out=tmp_path / "o", workers=1,
            watchers=[watcher],
        )  # fmt: skip
    assert "with 1 worker" in capfd.readouterr().err


def test_show_suite_says_sizes_and_needs(farfield: Farfield, tmp_path: Path) -> None:
    shown = farfield("show", "suite", "standard", "-f", "json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    facts, tasks, cells = json.loads(shown.stdout)["tables"]
    said = {row["fact"]: row["text"] for row in facts["rows"]}
    assert {"protocol", "seeds", "cells", "records", "tasks", "truths", "data", "extras"} <= set(said)
    assert int(said["records"].split(":")[0].replace(",", "")) == int(said["seeds"]) * len(cells["rows"])
    assert sum(row["cells"] for row in tasks["rows"]) == len(cells["rows"])
