"""What cannot run is one line, before anything runs: nothing is stored."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

import bench
from bench.checking.doctor import examine
from bench.cli import main
from bench.core.errors import InputError
from leaderboard.records.store.store import Store

SMALL = "mlp(width=16, depth=2)"


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that is refused."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert not said.out
    (line,) = said.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--arch", SMALL, "--norm", "layer@hidden9"), "hidden2.post"),
        (("--arch", SMALL, "--norm", "none", "--norm", "layer@hidden9"), "'hidden9'"),
        (("--arch", "cnn"), "not features"),
        (("--arch", SMALL, "--arch", "cnn"), "not features"),
        (("--arch", "mlp(width=100000)"), "10,000,400,001 parameters"),
        (("--arch", SMALL, "--max-parameters", "10"), "more than the 10 allowed"),
    ],
)
def test_what_can_nowhere_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], named: str
) -> None:
    out = tmp_path / "out"
    arguments = ["run", "--task", "sine-1d", "--protocol", "quick", "--seeds", "1", "--out", str(out), *options]
    assert named in refused(arguments, capsys)
    assert not out.exists()


def test_one_misfit_among_several_is_a_record(tmp_path: Path) -> None:
    results = bench.run(
        tasks=["linear-1d", "trend-sequence"],
        architectures=["last-value", "mlp(depth=3, width=16)", "mlp(width=16)"],
        norms=["layer@hidden3"],
        seeds=1,
        protocol="quick",
        out=tmp_path,
        wandb="disabled",
    )
    status = {(r.key.task, r.key.architecture): r.status for r in results.records}
    assert status["trend-sequence", "last-value"] == "ok"
    assert status["linear-1d", "last-value"] == "unsupported"
    assert status["linear-1d", "mlp(depth=3, width=16)"] == "ok"
    assert status["linear-1d", "mlp(width=16)"] == "unsupported"


def test_a_misfit_beside_what_ran_before_is_refused_too(tmp_path: Path) -> None:
    def sweep(*norms: str) -> bench.Results:
        return bench.run(
            tasks="linear-1d",
            architectures=SMALL,
            norms=norms,
            seeds=1,
            protocol="quick",
            out=tmp_path,
            wandb="disabled",
        )

    assert sweep("none").complete
    with pytest.raises(InputError, match="hidden9"):
        sweep("none", "layer@hidden9")
    with Store(tmp_path / "records.sqlite") as store:
        assert len(store) == 1
    assert sweep("none").fresh == 0


def test_a_network_that_cannot_be_planned_is_a_record(tmp_path: Path) -> None:
    """Code from outside that fails, hangs or ends its process is for its record to tell."""
    network = tmp_path / "net.py"
    network.write_text("import os\nfrom torch import nn\n\ndef build():\n    os._exit(9)\n    return nn.Linear(1, 1)\n")
    results = bench.run(
        tasks="linear-1d",
        architectures=f"module({network}:build)",
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        wandb="disabled",
    )
    (record,) = results.records
    assert (record.status, record.reason_code) == ("failed", "exited")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import os; os._exit(7)", "os._exit(7)"),
        ("import posix; posix._exit(0)", "os._exit(0)"),
        ("from os import _exit\n_exit(1)", "os._exit(1)"),
        ("import os; os.abort()", "os.abort()"),
        ("import os; os.execvp('true', ['true'])", "os.execv("),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "os.kill("),
        ("import sys; sys.exit(5)", "SystemExit: 5"),
        ("raise KeyError('x')", "KeyError"),
        ("def f(:", "does not parse"),
    ],
)
def test_a_plug_in_that_ends_the_process_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, cause: str
) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text(code)
    assert cause in refused(["list", "tasks", "--plugin", str(plugin)], capsys)
    assert cause in refused(["run", "--suite", "quick", "--plugin", str(plugin), "--out", str(tmp_path / "o")], capsys)


def test_a_plug_in_may_fork_processes_that_end_themselves(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.py"
    code = """
        import os
        number = os.fork()
        if number == 0:
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 3
    """
    plugin.write_text(textwrap.dedent(code))
    assert main(["list", "tasks", "--plugin", str(plugin)]) == 0


def test_a_network_for_another_size_of_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tmp_path / "net.py"
    network.write_text("from torch import nn\n\ndef build():\n    return nn.Linear(10, 1)\n")
    spelled = f"module({network}:build)"
    assert "--task" in refused(["show", "architecture", spelled], capsys)
    assert "--task" in refused(["list", "norms", "--arch", spelled], capsys)
    assert "sine-1d" in refused(["show", "architecture", spelled, "--task", "sine-1d"], capsys)
    assert main(["show", "architecture", spelled, "--task", "diabetes"]) == 0
    assert "shape 10" in capsys.readouterr().out


@pytest.mark.parametrize(("cells", "said"), [("cells: []", "cells is an empty list"), ("cells: 3", "must be a list")])
def test_an_empty_suite(tmp_path: Path, capsys: pytest.CaptureFixture[str], cells: str, said: str) -> None:
    suite = tmp_path / "mine.yaml"
    suite.write_text(f"name: mine\nversion: 1\nsummary: Mine.\nprotocol: quick\nseeds: 1\n{cells}\n")
    assert said in refused(["run", "--suite", str(suite)], capsys)


def test_the_doctor_asks_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that are not here are named at once, and tell how to get them."""
    monkeypatch.setenv("FARFIELD_DATA", str(tmp_path))
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    started = time.process_time()
    findings = {finding.topic: finding for finding in examine(tmp_path, seconds=20)}
    assert time.process_time() - started < 20
    assert findings["data of utkface"].found.endswith("is not here")
    assert "--network" in findings["data of utkface"].advice
    assert findings["gpu" if "gpu" in findings else "cuda:0"].state in ("ok", "note")


def test_the_doctor_waits_for_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    findings = examine(tmp_path, seconds=0)
    assert any(finding.found == "not read within 0 s" for finding in findings)
