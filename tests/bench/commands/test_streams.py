"""Standard output that is closed, full or cannot encode; arguments that are no text; help and completion."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli import main

FULL = Path("/dev/full")


def shell(arguments: str, redirection: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command, as a shell starts it."""
    line = f"{shlex.quote(sys.executable)} -m bench.cli {arguments} {redirection}"
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, env={**os.environ, **environment}, check=False, timeout=120
    )


def one_line(done: subprocess.CompletedProcess[bytes], fragment: str) -> None:
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("farfield: ")
    assert fragment in line


def test_a_closed_output_is_one_line() -> None:
    one_line(shell("list tasks", ">&-"), "standard output is closed")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", ["list tasks", "list suites", "--help", "--version", "list tasks --format json"])
def test_a_full_output_is_one_line(arguments: str) -> None:
    one_line(shell(arguments, f"> {FULL}"), "standard output cannot be written: No space left on device")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_nobody_can_be_told() -> None:
    assert shell("list tasks", f"> {FULL} 2>&1").returncode == 2


def test_closed_input_and_error_do_no_harm() -> None:
    done = shell("list tasks 'sine*'", "<&- 2>&-")
    assert done.returncode == 0
    assert b"sine-1d" in done.stdout
    assert shell("list planets", "2>&-").returncode == 2


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
@pytest.mark.parametrize("arguments", ["list norms", "show task sine-1d", "show architecture mlp --norm layer@first"])
def test_what_cannot_be_encoded_is_replaced(arguments: str, encoding: str) -> None:
    done = shell(arguments, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    assert "----" in text
    assert not done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["leaderboard", "--out", "\udcff"],
        ["run", "--suite", "caf\udce9.yaml"],
        ["run", "--data", "caf\udce9.csv", "--target", "y", "--far-by", "x", "--arch", "mlp"],
        ["list", "tasks", "--plugin", "caf\udce9.py"],
        ["check", "caf\udce9.py"],
        ["plot", "growth", "--save", "caf\udce9.png"],
        ["run", "--task", "sine-1d", "--arch", "module(caf\udce9.py:build)"],
    ],
)
def test_a_name_that_is_no_utf8_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is not UTF-8" in line
    assert "\\x" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--suite", "quick", "--out", ""],
        ["run", "--suite", "quick", "--out="],
        ["run", "--task", "", "--arch", "mlp"],
        ["plot", "growth", "--save", ""],
        ["show", "task", ""],
    ],
)
def test_an_empty_value_is_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "an empty value" in line
    assert not list(tmp_path.iterdir())


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("farfield 0.")


def test_shells_can_complete() -> None:
    script = shell("--show-completion; exit $?")  # as a command of its own, so that bash is there to be found
    assert script.returncode == 0
    assert b"_FARFIELD_COMPLETE=complete_bash" in script.stdout
    answer = shell("", _FARFIELD_COMPLETE="complete_bash", COMP_WORDS="farfield lea", COMP_CWORD="1")
    assert answer.stdout.split() == [b"leaderboard"]
    answer = shell("", _FARFIELD_COMPLETE="complete_bash", COMP_WORDS="farfield run --prog", COMP_CWORD="2")
    assert answer.stdout.split() == [b"--program"]
