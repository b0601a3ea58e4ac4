"""A network of somebody's on a suite: real plug-ins and modules, real processes, readers without the code."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import bench
import farfield as ff
from bench.core.errors import InputError
from bench.sweep.query import stored_records

pytestmark = pytest.mark.usefixtures("forget_plugins")
Farfield = Callable[..., subprocess.CompletedProcess[str]]

SUITE = """
name: own-suite
version: 3
summary: Three kinds of input.
protocol: quick
seeds: 2
tracks:
  tables:
    - tasks: [sine-1d, linear-1d]
      architectures: [mean, ridge]
  sequences:
    - tasks: [trend-sequence]
      architectures: [mean, ridge]
"""
NET = """
import pathlib
import farfield as ff
from torch import nn

pathlib.Path({marker!r}).touch()

@ff.register_architecture("my-net", inputs=["features"])
def build(problem, norm, width: int = 4):
    return nn.Sequential(nn.Linear(problem.size, width), norm("hidden", width), nn.ReLU(), nn.Linear(width, 1))
"""
MODULE = """
from torch import nn

def build():
    return nn.Sequential(nn.Linear(1, 4), nn.LayerNorm(4), nn.ReLU(), nn.Linear(4, 1))
"""
TASK = """
import numpy as np
import farfield as ff

@ff.register_task("my-waves", target="height", truth="bounded", far_rule="beyond 1", real=True)
def waves() -> ff.Samples:
    x = np.linspace(-3, 3, 240)[:, None]
    near = np.abs(x[:, 0]) < 1.5
    rows = lambda mask: ff.Rows(x[mask], np.sin(x[mask, 0]))
    return ff.Samples(rows(near), (ff.FarSet("far", rows(~near)),))
"""


def write(path: Path, text: str) -> Path:
    path.write_text(textwrap.dedent(text).lstrip())
    return path


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write(tmp_path / "own.yaml", SUITE)


def test_a_plugin_is_ranked_on_the_suite_and_read_without_its_file(
    tmp_path: Path, suite: Path, farfield: Farfield
) -> None:
    marker = tmp_path / "executed"
    plugin = write(tmp_path / "my_net.py", NET.format(marker=str(marker)))
    bench.run(suite=str(suite), out=tmp_path / "out", workers=1)
    asked = ("run", "--suite", str(suite), "--plugin", str(plugin), "--arch", "my-net", "--out", "out")
    done = farfield(*asked, "-f", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "farfield: my-net on 2 tasks of the suite own-suite, norm none (--norm chooses another)\n" in done.stderr
    left = "1 task left out: trend-sequence: my-net reads features inputs, not sequence\n"
    assert left in done.stderr
    found = json.loads(done.stdout)
    (place,) = found["places"]["tables"]
    assert place["of"] == place["others"] + 1 == 3
    assert 1 <= place["best"] <= place["worst"] <= 3
    assert {row["architecture"] for row in found["tables"][0]["rows"]} == {"mean", "ridge", "my-net"}
    records = stored_records(tmp_path / "out", architectures=["my-net"])
    assert {(k.protocol, k.seed) for k in (r.key for r in records)} == {("quick-2", 0), ("quick-2", 1)}

    plugin.unlink()
    suite.unlink()
    marker.unlink()
    for command in (
        ("leaderboard", "--suite", "own-suite", "-f", "csv"),
        ("compare", "--by", "architecture", "--suite", "own-suite"),
        ("runs", "list", "--arch", "my-net"),
        ("leaderboard", "page", "--suite", "own-suite"),
        ("plot", "growth", "--suite", "own-suite", "--save", "g.json"),
    ):
        read = farfield(*command, "--out", "out", cwd=tmp_path)
        assert read.returncode == 0, (command, read.stderr)
    board = farfield("leaderboard", "--suite", "own-suite", "--out", "out", cwd=tmp_path).stdout
    assert "tables: standings over 2 tasks" in board
    assert "sequences: standings" in board
    assert "my-net" in board
    assert "tables, protocol quick-2" in (tmp_path / "out" / "leaderboard.html").read_text()
    assert not marker.exists(), "reading executes nothing of a plug-in's"
    wrong = farfield("leaderboard", "--suite", "own-suit", "--out", "out", cwd=tmp_path)
    assert wrong.stderr == "farfield: unknown suite 'own-suit': did you mean 'own-suite'?\n"


def test_a_module_comes_with_its_own_norms_on_the_tasks_that_it_fits(
    tmp_path: Path, suite: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "models.py", MODULE)
    results = bench.run(
        suite=str(suite), architectures=["module(models.py:build)"], seeds=1, out=tmp_path / "out", workers=1
    )
    assert results.counts == {"ok": 2}
    assert {(r.key.task, r.key.norm) for r in results.records} == {("sine-1d", "own@all"), ("linear-1d", "own@all")}
    said = capfd.readouterr().err
    assert "norm own@all (as it came; --norm chooses another)" in said
    assert "1 task left out: trend-sequence: module(target=models.py:build) does not read sequence inputs" in said
    (place,) = results.places()
    assert place.sentence.endswith("no other results of this suite here: nothing to rank against")


def test_a_norm_that_the_suite_has_not_is_ranked_beside_its_own(tmp_path: Path) -> None:
    text = SUITE.partition("tracks:")[0] + "cells:\n  - tasks: [sine-1d]\n    architectures: [mlp(width=8), mean]\n"
    path = str(write(tmp_path / "small.yaml", text))
    bench.run(suite=path, out=tmp_path / "out", workers=1)
    results = bench.run(suite=path, norms=["rms@first"], out=tmp_path / "out", workers=1)
    ran = {(r.key.architecture, r.key.norm) for r in results.records}
    assert ran == {("mlp(width=8)", "rms@first"), ("mean", "none")}
    (place,) = results.places()
    assert (place.architecture, place.norm, place.of) == ("mlp(width=8)", "rms@first", 3)
    assert len(results.board_records()) == 6, "the suite's own networks stand beside it"
    (board,) = ff.load(tmp_path / "out", suite=path).standings()
    assert len(board.overall) == 3


def test_what_fits_no_task_of_the_suite_is_refused(
    tmp_path: Path, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "models.py", MODULE.replace("Linear(1,", "Linear(77,"))
    with pytest.raises(InputError, match="does not read features inputs of shape 1"):
        bench.run(suite=str(suite), architectures=["module(models.py:build)"], out=tmp_path / "out")
    assert not (tmp_path / "out" / "records.sqlite").exists()


def test_a_plugins_task_is_known_from_the_store_until_its_data_are_needed(tmp_path: Path, farfield: Farfield) -> None:
    plugin = write(tmp_path / "waves.py", TASK)
    text = "name: mine\nversion: 1\nsummary: s\nprotocol: quick\nseeds: 1\ncells:\n"
    write(tmp_path / "mine.yaml", text + "  - tasks: [my-waves]\n    architectures: [mlp]\n")
    run = farfield("run", "--suite", "mine.yaml", "--plugin", "waves.py", "--out", "out", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    for suite in ("mine", "mine.yaml"):
        read = farfield("leaderboard", "--suite", suite, "--real", "--out", "out", cwd=tmp_path)
        assert read.returncode == 0, read.stderr
        assert "my-waves" in read.stdout
    computed = farfield("leaderboard", "--computed", "--out", "out", cwd=tmp_path)
    assert "no stored record is of a computed task" in computed.stderr
    draw = ("plot", "function", "--task", "my-waves", "--out", "out", "--save", "f.json")
    refused = farfield(*draw, cwd=tmp_path)
    assert refused.returncode == 2
    need = f"the picture needs the data of 'my-waves', a task of a plug-in: give --plugin {plugin}\n"
    assert refused.stderr == f"farfield: {need}"
    assert farfield(*draw, "--plugin", "waves.py", cwd=tmp_path).returncode == 0
    (tmp_path / "mine.yaml").write_text(text + "  - tasks: [my-waves]\n    architectures: [ridge]\n")
    changed = farfield("leaderboard", "--suite", "mine.yaml", "--out", "out", cwd=tmp_path)
    assert "unknown task 'my-waves'" in changed.stderr, "another text is another suite"
