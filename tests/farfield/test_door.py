"""``import farfield as ff``: light, typed, documented; what it offers works on records without running anything."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.metadata
import inspect
import json
import math
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import farfield as ff
from farfield import _PLACES
from leaderboard.tables.rendering import render_standings

ROOT = Path(__file__).parents[2]
TASKS = ["sine-1d", "linear-1d"]
ESTIMATORS = ["mean", "ridge"]


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, farfield\nprint(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "torch", "pandas", "scipy", "altair", "pydantic", "typer", "typing"}
    assert not (heavy | {"tasks", "architectures", "leaderboard"}) & set(loaded)


def test_importing_it_takes_little_beside_starting_python() -> None:
    """Processor time of two processes by turns, the least of each; 50 ms are five times what Python itself takes."""

    def seconds(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(seconds("pass"), seconds("import farfield")) for _ in range(7)]
    alone, with_it = (min(times) for times in zip(*pairs, strict=True))
    assert with_it < 3 * alone, f"{with_it / alone:.1f} times as much as starting Python"


def test_every_name_is_there_typed_and_documented() -> None:
    assert dir(ff) == sorted(ff.__all__)
    tree = ast.parse((ROOT / "farfield" / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert typed == _PLACES
    for name, place in _PLACES.items():
        found = getattr(ff, name)
        assert found is getattr(importlib.import_module(place), name)
        written = inspect.getdoc(found) or ""
        assert len(written) > 10, name
        assert not written.startswith(f"{name}("), f"{name} has the docstring that dataclasses make up"


def test_every_parameter_of_a_function_is_typed() -> None:
    for name in _PLACES:
        found = getattr(ff, name)
        if inspect.isfunction(found):
            signature = inspect.signature(found)
            assert signature.return_annotation is not signature.empty, name
            for parameter in signature.parameters.values():
                assert parameter.annotation is not parameter.empty, f"{name}: {parameter.name}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        ff.runn  # noqa: B018


def test_the_version_is_that_of_the_distribution() -> None:
    assert ff.__version__ == importlib.metadata.version("farfield")


@pytest.mark.slow
def test_type_checkers_see_the_types(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(
        "import farfield as ff\n"
        "results: ff.Results = ff.run(tasks=['sine-1d'], architectures=['mlp'])\n"
        "best: int = ff.load('x').standings().boards[0].overall[0].rank\n"
        "wrong: str = ff.load\n"
        "ff.run(task='sine-1d')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports", "silent", "use.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.partition(": error:")[0] for line in lines] == ["use.py:4", "use.py:5"], done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("door") / "results"
    ff.run(tasks=TASKS, architectures=ESTIMATORS, seeds=1, protocol="quick", out=out, workers=1, wandb="disabled")
    return out


def test_load_reads_what_run_wrote(folder: Path) -> None:
    again = ff.run(tasks=TASKS, architectures=ESTIMATORS, seeds=1, protocol="quick", out=folder, wandb="disabled")
    assert again.fresh == 0
    loaded = ff.load(folder)
    assert len(loaded) == 4
    key = ["task", "architecture"]
    ours, theirs = (frame.sort_values(key, ignore_index=True) for frame in (loaded.frame(), again.frame()))
    assert ours.equals(theirs)
    assert {record.key.task for record in ff.load(str(folder), tasks="sine*").records} == {"sine-1d"}
    assert len(ff.load(folder, architectures=["ridge"], protocol="quick")) == 2


@pytest.mark.parametrize("missing", [{"out": "nowhere"}, {"tasks": ["no-such-task"]}, {"suite": "no-such-suite"}])
def test_load_says_what_is_not_there(folder: Path, missing: dict[str, object]) -> None:
    with pytest.raises(ff.InputError):
        ff.load(**{"out": folder, **missing})  # type: ignore[arg-type]


def test_standings_of_a_folder_of_results_and_of_records_are_the_same(folder: Path) -> None:
    loaded = ff.load(folder)
    found = ff.standings(folder)
    assert found.boards == loaded.standings().boards == ff.standings(list(loaded.records)).boards
    assert str(found) == render_standings(found.boards, scope="both").rstrip("\n") == repr(found)
    assert found._repr_markdown_().startswith("### Standings over 2 tasks")
    assert json.loads(found.text("json"))["tables"][0]["protocol"] == "quick-2"
    frame = found.frame()
    assert sorted(frame["task"]) == sorted(["all tasks", *TASKS] * 2)
    best = found.boards[0].overall[0]
    assert best.far_error is not None
    assert frame["far_error"][0] == best.far_error.mean
    assert "by task" not in str(ff.standings(folder, scope="overall"))


def test_compare_architectures(folder: Path) -> None:
    found = ff.compare(folder, by="architecture", reference="mean")
    assert [c.reference for c in found] == ["mean"]
    frame = found.frame()
    ridge = frame[frame["task"] == "sine-1d"].iloc[0]  # errors that no clip moves
    records = {r.key.architecture: r for r in ff.load(folder, tasks=["sine-1d"]).records}
    ratio = records["ridge"].id_error / records["mean"].id_error  # type: ignore[operator]
    assert math.isclose(ridge["id_error_ratio"], ratio, rel_tol=1e-9)
    assert "ridge" in str(found)
    with pytest.raises(ff.InputError, match="only one norm"):
        ff.compare(folder)


@pytest.mark.parametrize("kind", ["growth", "error", "pareto"])
def test_plot_returns_the_chart_and_saves_it(folder: Path, tmp_path: Path, kind: str) -> None:
    chart = ff.plot(folder, kind, save=tmp_path / "plot.json")  # type: ignore[arg-type]
    assert json.loads((tmp_path / "plot.json").read_text()) == json.loads(chart.to_json())


def test_plot_of_a_function_reads_the_details(folder: Path, tmp_path: Path) -> None:
    loaded = ff.load(folder, tasks="sine-1d", architectures="ridge")
    ff.plot(loaded, "function", save=tmp_path / "function.svg")
    assert (tmp_path / "function.svg").read_text().startswith("<svg")
    ff.plot(loaded, "far", far_set="shell-1-2", save=tmp_path / "far.svg")
    with pytest.raises(ff.InputError, match="needs stored records"):
        ff.plot(list(loaded.records), "function")
    with pytest.raises(ff.InputError, match="did you mean 'growth'"):
        ff.plot(loaded, "grwth")  # type: ignore[arg-type]


def test_plot_is_of_one_protocol(folder: Path) -> None:
    records = list(ff.load(folder).records)
    other = [dataclasses.replace(r, key=dataclasses.replace(r.key, protocol="1")) for r in records]
    with pytest.raises(ff.InputError, match="of the protocols 1, quick-2"):
        ff.plot(records + other)
