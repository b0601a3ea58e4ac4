"""The command line as a user meets it: real processes, exit codes, one line for every mistake."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli import main
from bench.core.errors import InputError
from bench.sweep.options import STORE_NAME
from bench.sweep.query import stored_records
from leaderboard.records.store.store import Store


def farfield(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    done = farfield(
        *("run", "--task", "linear-1d", "--task", "sine-1d", "--arch", "mlp(width=16)", "--arch", "ridge"),
        *("--norm", "none", "--norm", "layer@first", "--seeds", "2", "--protocol", "quick", "--out", str(out)),
    )
    assert done.returncode == 0, done.stderr
    assert "far error" in done.stdout
    assert "12 records (12 ok" in done.stderr
    return out


def test_standings_in_every_format(results: Path) -> None:
    data = json.loads(farfield("leaderboard", "--out", str(results), "--format", "json").stdout)
    assert data
    text = farfield("leaderboard", "--out", str(results), "--format", "csv", "--scope", "tasks").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["task"] for row in rows} == {"linear-1d", "sine-1d"}
    markdown = farfield("leaderboard", "--out", str(results), "--format", "markdown").stdout
    assert "|---|" in markdown
    assert "unbounded" in farfield("leaderboard", "--out", str(results)).stdout


@pytest.mark.parametrize(
    "spelled", ["mlp(width=16)", "mlp( depth=2, width=16 )", "mlp(width=16,activation=relu)", "mlp*"]
)
def test_a_name_is_found_however_it_is_spelled(results: Path, spelled: str) -> None:
    """Options in any order, with defaults or without."""
    found = stored_records(results, architectures=[spelled], norms=["layer@first"])
    assert {r.key.architecture for r in found} == {"mlp(width=16)"}
    with pytest.raises(InputError, match="no stored record matches"):
        stored_records(results, architectures=["mlp(width=17)"])
    with pytest.raises(InputError, match="no stored record matches"):
        stored_records(results, architectures=["somebodys-net(width=16)"])


def test_filters_and_suites_choose_records(results: Path) -> None:
    text = farfield(
        "leaderboard",
        "--out",
        str(results),
        "--format",
        "csv",
        "--scope",
        "tasks",
        "--task",
        "sine*",
        "--arch",
        "ridge",
    ).stdout
    assert [(r["task"], r["architecture"]) for r in csv.DictReader(io.StringIO(text))] == [("sine-1d", "ridge")]
    none = farfield("leaderboard", "--out", str(results), "--task", "nothing*")
    assert none.returncode == 2
    assert "no stored record matches" in none.stderr


def test_real_and_computed_tasks_are_a_filter(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = list(stored_records(results))
    moved = [replace(r, key=replace(r.key, task="diabetes")) for r in mine if r.key.task == "sine-1d"]
    own = [replace(r, key=replace(r.key, task="somebodys-task")) for r in mine if r.key.task == "sine-1d"]
    with Store(tmp_path / STORE_NAME, "write") as store:
        store.add_together((record, {}) for record in (*mine, *moved))

    def tasks_of(*filters: str) -> set[str]:
        assert main(["leaderboard", "--out", str(tmp_path), "--scope", "tasks", "--format", "csv", *filters]) == 0
        return {row["task"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}

    assert tasks_of() == {"diabetes", "linear-1d", "sine-1d"}
    assert tasks_of("--real") == {"diabetes"}
    assert tasks_of("--computed", "--task", "s*") == {"sine-1d"}
    assert {r.key.task for r in stored_records(tmp_path, real=False)} == {"linear-1d", "sine-1d"}
    assert main(["leaderboard", "--out", str(results), "--real"]) == 2
    assert "no stored record is of a real task" in capsys.readouterr().err
    with Store(tmp_path / STORE_NAME, "write") as store:
        store.add_together((record, {}) for record in own)
    assert main(["runs", "list", "--out", str(tmp_path), "--real"]) == 2
    assert "'somebodys-task' is real is not known here" in capsys.readouterr().err


def test_comparison_of_schemes(results: Path) -> None:
    done = farfield("compare", "--by", "norm", "--out", str(results), "--arch", "mlp*")
    assert done.returncode == 0, done.stderr
    assert "layer@first" in done.stdout
    assert "Against norm none" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["run"], "nothing to run"),
        (["run", "--task", "sine-1d"], "no architectures to run"),
        (["run", "--task", "sine", "--arch", "mlp"], "did you mean 'sine-1d'"),
        (["run", "--task", "sine-1d", "--arch", "mpl"], "did you mean 'mlp'"),
        (["run", "--task", "sine-1d", "--arch", "mlp(widht=3)"], "did you mean 'width'"),
        (["run", "--task", "sine-1d", "--arch", "mlp(width=0)"], "width"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--norm", "laier@first"], "did you mean 'layer'"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--norm", "layer@frist"], "did you mean 'first'"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--seeds", "0"], "--seeds"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--seeds", "-2"], "--seeds"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--protocol", "7"], "unknown protocol"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--device", "gpu"], "--device"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--workers", "0"], "--workers"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--timeout", "0"], "--timeout"),
        (["run", "--task", "sine-1d", "--arch", "mlp", "--memory-limit", "-1"], "--memory-limit"),
        (["run", "--suite", "quik"], "did you mean 'quick'"),
        (["run", "--suite", "nowhere.yaml"], "cannot be read"),
        (["run", "--plugin", "nowhere.py", "--task", "sine-1d", "--arch", "mlp"], "cannot be read"),
        (["run", "--sede", "3"], "--sede"),
        (["list", "planets"], "planets"),
        (["show", "task", "protien"], "did you mean 'protein'"),
        (["leaderboard", "--out", "nothing-here"], "no results yet"),
        (["compare", "--out", "nothing-here"], "no results yet"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_every_mistake_is_one_line_and_exit_code_two(
    arguments: list[str],
    fragment: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("farfield: ")
    assert fragment in lines[0]
    assert not captured.out


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    quiet = farfield("leaderboard", "--out", str(tmp_path))
    loud = farfield("leaderboard", "--out", str(tmp_path), "--debug")
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr


def test_pictures_of_one_network_choose_the_only_one(results: Path, tmp_path: Path) -> None:
    """The estimators beside it do not count; two estimators are named on one line."""
    for plot in ("function", "far"):
        picture = tmp_path / f"{plot}.json"
        done = farfield("plot", plot, "--task", "sine-1d", "--out", str(results), "--save", str(picture))
        assert done.returncode == 0, done.stderr
        assert "mlp(width=16)" in " ".join(json.loads(picture.read_text())["title"]["text"])
    done = farfield("run", "--task", "sine-1d", "--arch", "mean", "--protocol", "quick", "--out", str(tmp_path))
    again = farfield("run", "--task", "sine-1d", "--arch", "ridge", "--protocol", "quick", "--out", str(tmp_path))
    assert done.returncode == again.returncode == 0
    several = farfield("plot", "far", "--task", "sine-1d", "--out", str(tmp_path))
    assert several.returncode == 2
    assert len(several.stderr.splitlines()) == 1
    assert "mean, ridge" in several.stderr


def test_listing_the_norms_of_an_estimator_says_that_it_takes_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "norms", "--arch", "ridge"]) == 0
    assert "an estimator takes no norm: run it with none" in capsys.readouterr().out


def test_without_a_terminal_no_column_is_left_out(results: Path) -> None:
    text = farfield("leaderboard", "--out", str(results), "--scope", "both").stdout
    assert "G(100)" in text
    assert "too narrow" not in text


def test_lists_name_what_there_is() -> None:
    rows = json.loads(farfield("list", "tasks", "*-1d", "--format", "json").stdout)
    text = json.dumps(rows)
    assert "sine-1d" in text
    assert "protein" not in text


def test_missing_data_is_one_line_that_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARFIELD_DATA", str(tmp_path / "empty"))
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = farfield("run", "--task", "protein", "--arch", "mlp", "--seeds", "1", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "FARFIELD_DATA" in done.stderr


def test_every_command_has_help_worth_reading() -> None:
    for command in (
        ["run"],
        ["list"],
        ["show"],
        ["show", "task"],
        ["leaderboard"],
        ["compare"],
        ["plot"],
        ["plot", "growth"],
    ):
        done = farfield(*command, "--help")
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) > 6, command


@pytest.mark.parametrize("arguments", [[], ["runs"], ["plot"]])
def test_a_command_without_arguments_shows_its_help(arguments: list[str]) -> None:
    done = farfield(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: farfield")
    assert "\nCommands:\n" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--memory-limit", "nan"),
        ("--memory-limit", "1e30"),
        ("--timeout", "nan"),
        ("--timeout", "inf"),
        ("--seeds", "9223372036854775808,"),
    ],
)
def test_numbers_that_are_none_or_too_large(tmp_path: Path, options: tuple[str, str]) -> None:
    done = farfield("run", "--task", "sine-1d", "--arch", "mean", "--out", str(tmp_path), *options)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert options[0] in done.stderr


def test_a_reader_that_goes_away_is_no_failed_cell(results: Path) -> None:
    command = [sys.executable, "-m", "bench.cli", "runs", "export", "--details", "--out", str(results)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_what_is_degenerate_everywhere_is_stored_and_bad_input(tmp_path: Path) -> None:
    arguments = ["run", "--task", "sine-1d", "--protocol", "quick", "--seeds", "1", "--out", str(tmp_path)]
    done = farfield(*arguments, "--arch", "mlp", "--norm", "group(groups=7)@all")
    assert done.returncode == 2
    assert "1, 2, 4, 8" in done.stderr.splitlines()[-1]
    assert "1 unsupported" in done.stderr
