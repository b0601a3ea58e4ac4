"""The real client, offline: what it is told, read back from its own files; and that it keeps silent and at home."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.tracking import Tracker
from leaderboard.charts.drawing.schemes import look_of
from leaderboard.ranking.standings import standings
from leaderboard.records.metrics import LADDER
from leaderboard.records.record import Record

Make = Callable[..., Any]

SWEEP = """
import json, sys
from pathlib import Path
from bench.tracking import Tracker, TrackingOptions
from leaderboard.records.record import Record

cells, details, table = json.loads(Path("sweep.json").read_text())
options = TrackingOptions(mode="offline", directory=Path("out"), suite="a-suite", sweep_id="sweep-1")
with Tracker(options) as tracker:
    for records, beside in zip(cells, details):
        tracker.cell_done([Record.from_json(r) for r in records], beside, Path("suite.yaml"))
    tracker.finish(table)
"""


@dataclass
class Swept:
    """A finished offline sweep of two cells."""

    directory: Path
    cells: Sequence[Sequence[Record]]
    printed: str
    trace: str | None

    def run(self, kept_runs: Make, task: str) -> Any:
        (run,) = (k for k in kept_runs(self.directory) if k.run.job_type == task)
        return run


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, make_record: Make, make_details: Make) -> Swept:
    """A sweep in a process of its own, every connection that it and its children make written down."""
    place = tmp_path_factory.mktemp("swept")
    infinite = (*(1.0,) * (len(LADDER) - 1), None)
    counts = (*(0,) * (len(LADDER) - 1), 3)
    cells = [
        [make_record(seed, certificate=5.0) for seed in range(3)],
        [make_record(0, task="protein", growth=infinite, departure=infinite, nonfinite=counts, exponent=None)],
    ]
    details = [[make_details(r.key.seed) for r in cell] for cell in cells]
    table = [{"method": "mlp layer@first", "rank": 1, "far_error": 2.0}, {"method": "b", "far_error": math.inf}]
    (place / "sweep.json").write_text(json.dumps([[[r.to_json() for r in c] for c in cells], details, table]))
    (place / "suite.yaml").write_text("name: a-suite\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")} | {"HOME": str(place / "home")}
    strace = shutil.which("strace")
    tracing = [strace, "-f", "-qq", "-e", "trace=connect,sendto", "-o", "trace"] if strace else []
    done = subprocess.run(
        [*tracing, sys.executable, "-W", "error", "-c", SWEEP],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    trace = (place / "trace").read_text() if strace else None
    assert not (place / "home").exists(), "W&B wrote to the user's home"
    return Swept(place / "out", cells, done.stdout, trace)


def test_nothing_is_printed(swept: Swept) -> None:
    assert swept.printed == ""


def test_nobody_is_called(swept: Swept) -> None:
    if swept.trace is None:
        pytest.skip("strace is not installed")
    families = set(re.findall(r"sa_family=(AF_\w+)", swept.trace))
    assert "AF_UNIX" in families, "wandb talks to its own service; this trace saw nothing"
    assert families == {"AF_UNIX"}


def test_there_is_a_run_for_each_cell_and_one_for_the_sweep(swept: Swept, kept_runs: Make) -> None:
    runs = {k.run.job_type: k for k in kept_runs(swept.directory)}
    assert set(runs) == {"sine-1d", "protein", "sweep"}
    assert {k.run.run_group for k in runs.values()} == {"a-suite"}
    assert {k.run.project for k in runs.values()} == {"farfield"}
    assert all(k.exit_code == 0 for k in runs.values())
    assert set(runs["protein"].run.tags) == {"family:mlp", "norm:layer", "placement:first"}
    assert runs["protein"].run.display_name == "protein mlp(width=64) layer@first"


def test_the_config_is_complete(swept: Swept, kept_runs: Make) -> None:
    config = swept.run(kept_runs, "sine-1d").config
    record = swept.cells[0][0]
    for part in ("protocol", "task", "task_version", "architecture", "source_hash", "norm"):
        assert config[part] == getattr(record.key, part)
    assert config["edition"] == record.key.cell.edition
    assert config["data_hashes"] == [r.key.data_hash for r in swept.cells[0]]
    assert config["seeds"] == [0, 1, 2]
    assert config["environment"] == record.environment
    assert config["protocol_settings"]["learning_rates"] == [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]
    assert (config["suite"], config["sweep_id"], config["truth"]) == ("a-suite", "sweep-1", "bounded")
    assert config["scheme"]["group"] == "layer"
    assert config["scheme"]["color"] == look_of("layer@first").color


def test_the_summary_has_means_and_each_seed(swept: Swept, kept_runs: Make) -> None:
    summary = swept.run(kept_runs, "sine-1d").summary
    records = swept.cells[0]
    row = standings(records)[0].per_task[0]
    for name in ("max_growth", "growth_10", "growth_100", "exponent", "id_error", "far_error"):
        assert summary[name] == pytest.approx(getattr(row, name).mean, rel=1e-12)
    for record in records:
        assert summary[f"max_growth/seed{record.key.seed}"] == record.max_growth
        assert summary[f"far_error/seed{record.key.seed}"] == record.far_error
    assert (summary["verdict"], summary["certificate"], summary["seeds"]) == (row.verdict, pytest.approx(5.0), 3)
    assert swept.run(kept_runs, "protein").summary["max_growth"] == math.inf
    assert summary["error/far-2"] == pytest.approx((2.0 * 3.0 * 4.0) ** (1 / 3))
    assert summary["parameters"] == 100
    assert "growth" not in summary  # a curve's last point is nobody's summary
    assert summary["validation/loss"]["min"] == pytest.approx(24 ** (1 / 3) / 500)


def test_curves_are_kept_for_each_seed(swept: Swept, kept_runs: Make) -> None:
    run = swept.run(kept_runs, "sine-1d")
    for seed in range(3):
        train = curve_of(run, f"train/loss/seed{seed}", "step")
        assert train == {10.0 * (i + 1): (1 + seed) / (10 * (i + 1)) for i in range(50)}
        assert len(curve_of(run, f"validation/loss/seed{seed}", "step")) == 50
    assert curve_of(run, "train/loss", "step")[10.0] == pytest.approx(6 ** (1 / 3) / 10)
    assert len(curve_of(run, "validation/loss", "step")) == 50
    steps = [row["_step"] for row in run.history]
    assert steps == sorted(set(steps))
    assert {m.glob_name for m in run.metrics if m.step_metric == "step"} == {"train/*", "validation/*"}


def curve_of(run: Any, name: str, axis: str) -> dict[float, float]:
    """What a panel of W&B draws of the run: values by their place on the axis."""
    return {row[axis]: row[name] for row in run.history if name in row}


def test_runs_lie_over_each_other_against_distance(swept: Swept, kept_runs: Make) -> None:
    """Growth, departure and far error have ``distance`` as their axis, and one value a distance in every run."""
    for run in (swept.run(kept_runs, "sine-1d"), swept.run(kept_runs, "protein")):
        axes = {m.name: m.step_metric for m in run.metrics if m.step_metric == "distance"}
        assert set(axes) == {"growth", "departure", "far_error"}
        assert {m.name for m in run.metrics if m.options.hidden} == {"step", "distance"}
        for name in axes:
            places = [row["distance"] for row in run.history if name in row]
            assert places == sorted(set(places))
            assert all(isinstance(row[name], (int, float)) for row in run.history if name in row)
    growth = curve_of(swept.run(kept_runs, "sine-1d"), "growth", "distance")
    assert list(growth) == list(LADDER)
    assert growth[1000] == pytest.approx((1.0 * 1.1 * 1.2) ** (1 / 3) * 1000**0.9)
    assert len(curve_of(swept.run(kept_runs, "protein"), "growth", "distance")) == len(LADDER) - 1
    far = curve_of(swept.run(kept_runs, "sine-1d"), "far_error", "distance")
    assert list(far.items()) == [(pytest.approx(1.5), pytest.approx(24 ** (1 / 3)))]


def test_numbers_in_tables_are_numbers(swept: Swept, kept_runs: Make) -> None:
    run = swept.run(kept_runs, "sine-1d")
    for name, texts in (("tables/growth", set()), ("tables/errors", {"set", "role"})):
        table = run.table(name)
        for column, values in zip(table["columns"], zip(*table["data"], strict=True), strict=True):
            kinds = {type(value) for value in values if value is not None}
            assert kinds <= ({str} if column in texts else {int, float}), column


def test_growth_and_departure_are_a_table_and_a_picture(swept: Swept, kept_runs: Make) -> None:
    run = swept.run(kept_runs, "protein")
    table = run.table("tables/growth")
    assert table["columns"] == ["seed", "distance", "growth", "departure", "nonfinite"]
    record = swept.cells[1][0]
    rungs = zip(record.ladder, record.growth, record.departure, record.nonfinite, strict=True)
    assert [tuple(row) for row in table["data"]] == [(0, *rung) for rung in rungs]
    picture = run.media("growth_and_departure")
    assert "<svg" in picture
    assert not re.search(r"(src|href)\s*=\s*[\"']https?:|<script", picture), "the picture must not load anything"
    for text in ("protein", "growth", "departure", "distance"):
        assert text in picture


def test_the_artifact_holds_records_and_suite(swept: Swept, kept_runs: Make) -> None:
    run = swept.run(kept_runs, "sine-1d")
    artifact = run.artifacts[f"records-{run.run.run_id}"]
    assert artifact.type == "records"
    files = {c.path: Path(c.local_path).read_text() for c in artifact.manifest.contents}
    assert [Record.from_json(line) for line in files["records.jsonl"].splitlines()] == list(swept.cells[0])
    assert files["suite.yaml"] == "name: a-suite\n"


def test_the_summary_run_has_the_standings(swept: Swept, kept_runs: Make) -> None:
    run = swept.run(kept_runs, "sweep")
    table = run.table("tables/standings")
    assert table["columns"] == ["method", "rank", "far_error"]
    assert table["data"] == [["mlp layer@first", 1, 2.0], ["b", None, None]]
    assert run.summary["records/ok"] == 4


@pytest.mark.slow
def test_a_second_sweep_writes_only_what_has_changed(
    options: Make, make_record: Make, make_details: Make, kept_runs: Make
) -> None:
    asked = options()
    for seeds in (2, 2, 3):
        with Tracker(asked) as tracker:
            for task in ("sine-1d", "protein"):
                count = seeds if task == "protein" else 2
                tracker.cell_done(
                    [make_record(s, task=task) for s in range(count)], [make_details(s) for s in range(count)]
                )
            tracker.finish([{"rank": 1}])
            if seeds == 2 and kept_runs(asked.directory):
                folders = {k.folder for k in kept_runs(asked.directory)}
    runs = kept_runs(asked.directory)
    assert len(runs) == len({k.run.run_id for k in runs}) == 3
    changed = {k.run.job_type for k in runs if k.folder not in folders}
    assert changed == {"protein", "sweep"}  # the sweep counts one record more
    (protein,) = (k for k in runs if k.run.job_type == "protein")
    assert protein.config["seeds"] == [0, 1, 2]


def test_disabled_does_nothing(options: Make, make_record: Make) -> None:
    asked = options("disabled")
    with Tracker(asked) as tracker:
        tracker.cell_done([make_record()])
        tracker.finish([])
    assert tracker.pending == 0
    assert not asked.directory.exists()


def test_a_sweep_with_nothing_to_tell_keeps_nothing(options: Make, kept_runs: Make) -> None:
    asked = options()
    with Tracker(asked):
        pass
    assert kept_runs(asked.directory) == []
