"""What befalls long sweeps: signals, kills, full disks, read-only mounts, data that vanish, clocks that jump."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import bench
from bench.cell.outcome import Outcome
from bench.core.errors import InputError
from bench.plan.jobs import Job
from leaderboard.records.store.store import Store

ROOT = Path(__file__).parents[3]

SLOW = """
import time
from torch import nn
from architectures import register_architecture

class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        if x.device.type != "meta":
            time.sleep(0.1)
        return self.linear(x)

@register_architecture("slow", inputs=("features",))
def slow(problem, norm):
    return Slow()
"""


SUITE = """
name: faulty
version: 1
summary: One cell that takes very long, and some that do not.
protocol: quick
seeds: 1
cells:
  - {tasks: [sine-1d], architectures: [slow]}
  - {tasks: [sine-1d, linear-1d], architectures: [ridge, mean]}
"""


def command(out: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "bench.cli", "run", "--task", "sine-1d", "--task", "linear-1d", "--arch", "ridge"),
        *("--arch", "mean", "--protocol", "quick", "--seeds", "1", "--workers", "1", "--out", str(out), *more),
    ]


@pytest.fixture
def slow(tmp_path: Path) -> tuple[str, ...]:
    """Options of a sweep in which one of two workers is busy for very long."""
    plugin, suite = tmp_path / "slow.py", tmp_path / "faulty.yaml"
    plugin.write_text(SLOW)
    suite.write_text(SUITE)
    return "--plugin", str(plugin), "--suite", str(suite), "--workers", "2"


def start_slow_sweep(out: Path, slow: Sequence[str]) -> subprocess.Popen[str]:
    """A sweep that has stored two records and is busy with another that takes very long."""
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs have it ignored
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.cli", "run", "--out", str(out), *slow],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, heard)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (out / "records.sqlite").exists():
            with Store(out / "records.sqlite") as store:
                if len(store) >= 2:
                    return process
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    process.kill()
    raise AssertionError("the sweep did not get going")


def members_of_group(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def assert_all_leave(group: int) -> None:
    deadline = time.monotonic() + 30
    while members_of_group(group) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not members_of_group(group), "processes are left behind"


@pytest.mark.parametrize(
    ("signals", "code", "said"),
    [
        ([signal.SIGINT], 130, "stopped"),
        ([signal.SIGINT, signal.SIGINT], 130, "stopped"),
        ([signal.SIGTERM], 143, "SIGTERM"),
        ([signal.SIGHUP], 129, "SIGHUP"),
    ],
)
def test_signals_stop_a_sweep_cleanly(
    tmp_path: Path, slow: tuple[str, ...], signals: list[signal.Signals], code: int, said: str
) -> None:
    out = tmp_path / "out"
    process = start_slow_sweep(out, slow)
    for number in signals:
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        time.sleep(0.2)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert said in errors
    assert "Traceback" not in errors
    assert_all_leave(process.pid)
    with Store(out / "records.sqlite") as store:
        assert store.check() == ()
        before = len(store)
    assert before >= 2
    again = subprocess.run(command(out), capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 0, again.stderr


def test_workers_leave_when_the_coordinator_is_killed(tmp_path: Path, slow: tuple[str, ...]) -> None:
    process = start_slow_sweep(tmp_path / "out", slow)
    process.kill()
    process.communicate()
    assert_all_leave(process.pid)


def test_killed_sweeps_resume_to_the_same_records(tmp_path: Path) -> None:
    script = ROOT / "tools" / "kill_and_resume.py"
    done = subprocess.run(
        [sys.executable, str(script), "--kills", "3", "--seed", "1", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all equal to the uninterrupted one" in done.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small disk needs rights that are not here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def test_a_full_disk_stops_the_sweep_with_one_line_and_loses_nothing(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 60_000)
    done = subprocess.run(command(small_disk / "out"), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "full" in done.stderr
    remount(small_disk, "size=20m")
    again = subprocess.run(command(small_disk / "out"), capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 0, again.stderr
    with Store(small_disk / "out" / "records.sqlite") as store:
        assert store.check() == ()
        assert len(store) == 4


def test_a_store_on_a_read_only_mount_is_read_and_not_written(small_disk: Path) -> None:
    remount(small_disk, "size=20m")
    assert subprocess.run(command(small_disk), capture_output=True, check=False, timeout=120).returncode == 0
    remount(small_disk, "ro")
    shown = subprocess.run(
        [sys.executable, "-m", "bench.cli", "leaderboard", "--out", str(small_disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "ridge" in shown.stdout
    refused = subprocess.run(command(small_disk), capture_output=True, text=True, check=False, timeout=120)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    remount(small_disk, "rw")


class Vanishing:
    """Removes a folder once the sweep is planned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, jobs: list[Job], finished: int) -> None:
        shutil.rmtree(self.folder)

    def done(self, job: Job, outcomes: list[Outcome]) -> None: ...


def test_data_that_vanish_in_mid_sweep_fail_their_records_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = os.environ.get("FARFIELD_DATA")
    if not given:
        pytest.skip("needs FARFIELD_DATA")
    folder = tmp_path / "data"
    shutil.copytree(Path(given) / "yacht", folder / "yacht")
    monkeypatch.setenv("FARFIELD_DATA", str(folder))
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    results = bench.run(
        tasks=["yacht", "sine-1d"],
        architectures=["ridge"],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        watchers=[Vanishing(folder)],
    )
    by_task = {r.key.task: r for r in results.records}
    assert by_task["sine-1d"].status == "ok"
    assert by_task["yacht"].status == "failed"
    assert "FARFIELD_DATA" in (by_task["yacht"].reason or "")
    assert not results.complete


def test_a_clock_that_jumps_changes_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = time.time
    monkeypatch.setattr(time, "time", lambda: honest() - 86_400 * (time.monotonic() % 2 > 1))
    results = bench.run(tasks=["sine-1d"], architectures=["ridge"], seeds=1, protocol="quick", out=tmp_path)
    assert [r.status for r in results.records] == ["ok"]
    assert 0 <= results.seconds < 600
    assert (results.records[0].seconds or 0) >= 0


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match=r"records\.sqlite"):
        bench.run(tasks=["sine-1d"], architectures=["mean"], seeds=1, protocol="quick", out=tmp_path)
