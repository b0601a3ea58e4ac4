"""``farfield check`` on files that behave, err and attack: real files, real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from architectures import REGISTRY
from bench.checking import CheckLimits, CheckReport, Finding, check_file, inside
from bench.checking.findings import finding_from, from_line
from bench.checking.process_state import ProcessState
from bench.checking.rendering import render_report, summary
from bench.core.errors import InputError
from bench.core.plugins import read_plugin
from bench.templates import write_template

QUICK = CheckLimits(seconds=6.0, memory=2**30, flood=2_000_000)

HEAD = """
import os, sys, threading, time
import numpy as np
import torch
from torch import nn
from architectures import register_architecture
"""

NET = """
@register_architecture("my-net", inputs=["features"])
def build(problem, norm):
    {body}
    return nn.Linear(problem.size, 1)
"""

FLAWED = """
torch.set_num_threads(3)

class Flawed(nn.Module):
    def __init__(self, size, width, norm):
        super().__init__()
        self.rise = nn.Linear(size, width)
        self.norm = norm("hidden", width)
        self.unused = nn.Linear(width, width)
        self.fall = nn.Linear(width, 1)

    def forward(self, x):
        h = torch.relu(self.norm(self.rise(x)))
        h = h - h.mean(0)
        h = h + 0.01 * torch.randn_like(h)
        return self.fall(h)

@register_architecture("flawed-net", inputs=["features"])
def flawed(problem, norm, width: int = 16):
    return Flawed(problem.size, width, norm)
"""


def checked(tmp_path: Path, text: str, limits: CheckLimits = QUICK) -> CheckReport:
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(HEAD) + textwrap.dedent(text))
    return check_file(path, limits)


def failure(report: CheckReport, check: str) -> str:
    """What was found where ``check`` failed."""
    assert check in report.failed, [(f.check, f.passed, f.found) for f in report.findings]
    return next(f"{f.found} | {f.hint}" for f in report.findings if f.check == check and f.passed is False)


def test_the_template_of_an_architecture_passes_as_it_is(tmp_path: Path) -> None:
    path = write_template("architecture", "my-first", tmp_path)
    code = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(code) < 30
    report = check_file(path)
    assert report.passed, report.failed
    assert report.registered == ("my-first",)
    assert [portrait.norm for portrait in report.portraits] == ["none", "layer@first", "layer@all"]
    for portrait in report.portraits:
        assert portrait.sites == ("hidden1", "hidden2")
        assert portrait.predicted == (1 if portrait.norm == "none" else 0)
        assert portrait.measured == pytest.approx(portrait.predicted, abs=0.05)
        assert portrait.parameters
        assert portrait.flops


def test_the_template_of_a_task_passes_as_it_is(tmp_path: Path) -> None:
    report = check_file(write_template("task", "my-first", tmp_path))
    assert report.passed, report.failed
    assert report.registered == ("my-first",)
    assert {"it loads", "it is the same every time", "baselines run on it"} <= {f.check for f in report.findings}


def test_the_template_of_an_estimator_passes_as_it_is(tmp_path: Path) -> None:
    report = check_file(write_template("estimator", "my-first", tmp_path))
    assert report.passed, report.failed
    assert report.registered == ("my-first",)
    (portrait,) = report.portraits
    assert portrait.predicted == 0
    assert portrait.measured == pytest.approx(0, abs=0.01)
    with pytest.raises(InputError, match="estimator 'ridge' is already there"):
        write_template("estimator", "ridge", tmp_path)


def test_every_flaw_is_found_in_one_go(tmp_path: Path) -> None:
    report = checked(tmp_path, FLAWED)
    assert set(report.failed) >= {
        "it leaves the process as it was",
        "gradient reaches every parameter",
        "evaluation is repeatable",
        "rows do not mix in evaluation",
    }
    assert "torch threads" in failure(report, "it leaves the process as it was")
    assert "unused" in failure(report, "gradient reaches every parameter")
    text = render_report(report, "markdown")
    assert "take no statistic over the batch in evaluation" in text
    assert summary(report).count("\n") == 0


class Ears:
    """A pipe with a reporter at one end."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def findings(self) -> list[Finding]:
        os.close(self.writing)
        with os.fdopen(self.reading, "rb") as lines:
            heard = [message for line in lines if (message := from_line(line)) is not None]
        return [finding_from(values) for kind, values in heard if kind == "finding"]


@pytest.mark.parametrize(
    ("text", "check", "seen"),
    [
        ("sys.exit(3)", "the file imports", "SystemExit: 3"),
        ("import no_such_package_at_all", "the file imports", "ModuleNotFoundError"),
        ("x = 1", "it registers one thing", "registers nothing"),
        (NET.format(body="pass").replace("my-net", "mlp"), "the file imports", "'mlp' is already registered"),
        (
            NET.format(body="pass") + NET.format(body="pass").replace("my-net", "second"),
            "it registers one thing",
            "registers 2 names: my-net, second",
        ),
        (NET.format(body="pass").replace("my-net", "my net"), "the file imports", "is no name for an architecture"),
        (
            NET.format(body="pass").replace("norm)", "norm, width)"),
            "the file imports",
            "option 'width' of build has no",
        ),
        ("torch.set_num_threads(3)\n" + NET.format(body="pass"), "it leaves the process as it was", "torch threads"),
    ],
    ids=["exits", "fails", "registers nothing", "taken", "two", "no name", "needs an argument", "threads"],
)
def test_what_goes_wrong_on_import_is_named(
    tmp_path: Path, text: str, check: str, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ears = tmp_path / "mine.py", Ears()
    path.write_text(HEAD + text)
    monkeypatch.delitem(sys.modules, read_plugin(path).module, raising=False)
    known, threads = set(REGISTRY.names()), torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        inside._load(read_plugin(path), inside.Reporter(ears.writing), ProcessState.now())
    torch.set_num_threads(threads)
    for name in set(REGISTRY.names()) - known:
        REGISTRY.remove(name)
    failed = [f for f in ears.findings() if f.passed is False]
    assert [f.check for f in failed] == [check]
    assert seen in failed[0].found
    assert failed[0].hint


@pytest.mark.parametrize(
    ("body", "check", "seen"),
    [
        ("sys.exit()", "every kind it claims", "calls sys.exit"),
        ("os._exit(0)", "every kind it claims", "exit code 0; the checks after this one were not reached"),
        ("os.kill(os.getpid(), 9)", "every kind it claims", "SIGKILL"),
        ("time.sleep(1e6)", "every kind it claims", "not done after 6 s"),
        ("torch.empty(2**31, device='cpu')", "every kind it claims", "runs out of memory"),
        ("print('x' * 3_000_000)", "every kind it claims", "prints without end"),
        ("os.closerange(0, 100); time.sleep(1e6)", "every kind it claims", "closes the pipes"),
    ],
    ids=["sys.exit", "os._exit", "kill", "hang", "memory", "flood", "hides"],
)
def test_an_attack_is_named(tmp_path: Path, body: str, check: str, seen: str) -> None:
    report = checked(tmp_path, NET.format(body=body))
    assert seen in failure(report, check)
    assert not report.passed
    assert not report.portraits


def test_what_is_left_behind_or_changed_or_printed_is_named(tmp_path: Path) -> None:
    body = """
    if not hasattr(sys, "started"):
        sys.started = threading.Thread(target=time.sleep, args=(1e6,), name="left-behind")
        sys.started.start()
        os.system("sleep 1000 &")
        os.chdir("/")
    print("building " * 100)
    """
    report = checked(tmp_path, "torch.set_default_dtype(torch.float64)\n" + NET.format(body=body.strip()))
    seen = [f.found for f in report.findings if f.check == "it leaves the process as it was"]
    assert "the default dtype" in seen[0]
    assert "the working folder" in seen[1]
    assert "left-behind" in seen[1]
    assert "beginning 'building building" in failure(report, "it prints little")


def test_what_the_file_writes_into_the_report_is_not_believed(tmp_path: Path) -> None:
    body = """
    for fd in range(3, 40):
        try:
            os.write(fd, b'{"kind": "finding", "check": 5, "passed": "yes"}\\n[1]\\n{"kind": 1}\\nnoise\\n')
        except OSError:
            pass
    """
    report = checked(tmp_path, NET.format(body=body.strip()))
    assert all(isinstance(f.found, str) and f.passed in (True, False, None) for f in report.findings)
    assert render_report(report, "table", width=100)
    assert from_line(b"[[[") is None
    assert from_line(b"[1]") is None
    assert finding_from({"passed": "yes", "found": 3, "seconds": None}).passed is None


def test_the_command_says_it_by_its_exit_code(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bench.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, env=dict(os.environ))

    missing = run("check", "missing.py", "--format", "json")
    assert missing.returncode == 2
    assert "No such file" in json.dumps(json.loads(missing.stdout))
    (tmp_path / "broken.py").write_text("def (:\n")
    broken = run("check", "broken.py")
    assert broken.returncode == 2
    assert "does not parse" in broken.stdout
    assert broken.stderr == "farfield: broken.py fails 1 of 1 checks: the file can be read\n"
    written = run("new", "architecture", "my-net")
    assert written.stdout == "wrote my_net.py; next: farfield check my_net.py\n"


def test_a_template_is_not_written_over_anything(tmp_path: Path) -> None:
    write_template("task", "my-task", tmp_path)
    with pytest.raises(InputError, match=r"my_task.py is already there"):
        write_template("task", "my-task", tmp_path)
    with pytest.raises(InputError, match="architecture 'mlp' is already there"):
        write_template("architecture", "mlp", tmp_path)
    for bad in ("My Net", "../x", "3net", "a--b", ""):
        with pytest.raises(InputError, match="is no name"):
            write_template("architecture", bad, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["my_task.py"]


def test_senseless_limits_are_refused() -> None:
    with pytest.raises(InputError, match="give a positive number"):
        CheckLimits(seconds=0)
    with pytest.raises(InputError, match="give a positive number"):
        CheckLimits(memory=-1)
