"""Everything that can go wrong with W&B: one line for the user, and the sweep goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.tracking import Tracker, TrackingWarning
from bench.tracking.child import ChildOptions
from bench.tracking.content.description import describe_cell
from bench.tracking.ledger import Ledger
from bench.tracking.process import ProcessLost, WandbProcess

Make = Callable[..., Any]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def services_of(pid: int) -> list[int]:
    """Child processes of ``pid`` (wandb's service)."""
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def track(tracker: Tracker, cells: list[Any], interrupted: bool = False) -> None:
    with tracker:
        for records in cells:
            tracker.cell_done(records)
        tracker.finish([])
        if interrupted:
            raise KeyboardInterrupt


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")


@pytest.mark.slow
@pytest.mark.parametrize(("key", "why"), [("k" * 40, "refused"), ("no-key", "AuthenticationError")])
def test_a_server_that_is_not_there_and_a_bad_key_cost_a_line(
    monkeypatch: pytest.MonkeyPatch,
    options: Make,
    make_record: Make,
    kept_runs: Make,
    said: list[str],
    key: str,
    why: str,
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", key)
    asked = options("online", init_timeout=2.0)
    with Tracker(asked, warn=said.append) as tracker:
        for task in ("sine-1d", "protein"):
            tracker.cell_done([make_record(task=task)])
    assert len(said) == 1
    assert why in said[0]
    assert "wandb-sync" in said[0]
    assert {k.run.job_type for k in kept_runs(asked.directory)} == {"sine-1d", "protein"}


def test_the_warning_is_pythons_unless_the_caller_takes_it(options: Make, make_record: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tracker = Tracker(options(directory=tmp_path / "file"))
    with pytest.warns(TrackingWarning, match="W&B: runs are not being written") as caught:
        track(tracker, [[make_record()]])
    assert len(caught) == 1


def instead_of_wandb(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have the process that owns wandb run ``code``."""
    monkeypatch.setattr("bench.tracking.process.python_command", lambda *asked: [sys.executable, "-c", code])


def test_a_folder_that_cannot_be_written_costs_a_line(
    options: Make, make_record: Make, said: list[str], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "wandb").write_text("a file stands in the way")
    with Tracker(options(), warn=said.append) as tracker:
        for task in ("a", "b"):
            tracker.cell_done([make_record(task=task)])
    assert len(said) == 1
    assert "results are stored" in said[0]


def test_a_suite_file_that_is_gone_costs_a_line_and_one_run(
    monkeypatch: pytest.MonkeyPatch, options: Make, make_record: Make, said: list[str], tmp_path: Path
) -> None:
    agreeable = """import sys; [print('{"ok": true}', flush=True) for _ in sys.stdin]"""
    instead_of_wandb(monkeypatch, agreeable)
    with Tracker(options(), warn=said.append) as tracker:
        tracker.cell_done([make_record(task="a")], suite_file=tmp_path / "gone.yaml")
        tracker.cell_done([make_record(task="b")])
    taken = (tmp_path / "out" / "wandb" / "farfield-runs.jsonl").read_text()
    assert len(taken.splitlines()) == 1
    assert describe_cell([make_record(task="b")], [{}], suite="a-suite", sweep_id="1").id in taken
    assert len(said) == 1
    assert "gone.yaml" in said[0]


@pytest.mark.slow
@needs_proc
def test_a_process_that_is_killed_is_started_again_and_its_service_ends(
    options: Make, make_record: Make, said: list[str], kept_runs: Make, wait_for: Make
) -> None:
    asked = options()
    with Tracker(asked, warn=said.append) as tracker:
        tracker.cell_done([make_record(task="a")])
        wait_for(lambda: tracker.pending == 0)
        first = tracker.pid
        services = services_of(first)
        assert services
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: not any(map(alive, services)))
        tracker.cell_done([make_record(task="b")])
        wait_for(lambda: tracker.pending == 0)
        assert tracker.pid != first
    assert {k.run.job_type for k in kept_runs(asked.directory)} == {"a", "b"}
    assert len(said) == 1
    assert "started again; no run is missing" in said[0]


def test_w_and_b_is_given_up_when_its_process_keeps_dying(
    monkeypatch: pytest.MonkeyPatch, options: Make, make_record: Make, said: list[str]
) -> None:
    instead_of_wandb(monkeypatch, "import sys; sys.stdin.readline(); sys.exit(7)")
    with Tracker(options(), warn=said.append) as tracker:
        for task in ("a", "b", "c"):
            tracker.cell_done([make_record(task=task)])
    assert len(said) == 1
    assert "its process ended with 7" in said[0]


def test_what_the_process_prints_ends_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
    options: Make,
    make_record: Make,
    said: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    noise = "import os, sys; sys.stdin.readline(); print('noise', file=sys.stderr); os._exit(1)"
    instead_of_wandb(monkeypatch, noise)
    asked = options()
    with Tracker(asked, warn=said.append) as tracker:
        tracker.cell_done([make_record()])
    assert capfd.readouterr() == ("", "")
    assert "noise" in (asked.directory / "wandb" / "farfield-wandb.log").read_text()


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    instead_of_wandb(monkeypatch, "import time; time.sleep(1000)")
    process = WandbProcess(ChildOptions("offline", str(tmp_path), "p", 1.0, 1.0, 0.5), tmp_path / "log")
    with pytest.raises(ProcessLost, match=r"did not answer in 0\.5 s"):
        process.ask("x" * 1_000_000)  # more than a pipe holds
    assert process.close() != 0


def test_an_interrupted_sweep_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, options: Make, make_record: Make, said: list[str]
) -> None:
    instead_of_wandb(monkeypatch, "import time; time.sleep(1000)")
    monkeypatch.setattr("bench.tracking.tracker._HURRY", 0.2)
    tracker = Tracker(options(), warn=said.append, patience=900.0)
    with pytest.raises(KeyboardInterrupt):
        track(tracker, [[make_record(task="a")], [make_record(task="b")]], interrupted=True)
    assert len(said) == 1
    assert "interrupted" in said[0]
    assert tracker.pid is None


def test_a_second_interrupt_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch, options: Make, make_record: Make, said: list[str], wait_for: Make
) -> None:
    instead_of_wandb(monkeypatch, "import time; time.sleep(1000)")
    tracker = Tracker(options(), warn=said.append, patience=900.0)
    tracker.cell_done([make_record()])
    wait_for(lambda: tracker.pid)
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            tracker.close()
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert tracker.pid is None


@needs_proc
def test_ctrl_c_in_the_terminal_does_not_reach_the_process(options: Make, wait_for: Make) -> None:
    with Tracker(options()) as tracker:
        wait_for(lambda: tracker.pid)
        assert os.getsid(tracker.pid) != os.getsid(0)


ORPHANING = """
import os, sys, time
from pathlib import Path
from bench.tracking import Tracker, TrackingOptions
from leaderboard.records.record import Record

with Tracker(TrackingOptions(mode="offline", directory=Path("out"), suite="s", sweep_id="1")) as tracker:
    tracker.cell_done([Record.from_json(sys.argv[1])])
    while tracker.pid is None:
        time.sleep(0.01)
    print(tracker.pid, flush=True)
    time.sleep(1000)
"""


@needs_proc
def test_nothing_outlives_a_sweep_that_is_killed(make_record: Make, wait_for: Make) -> None:
    command = [sys.executable, "-c", ORPHANING, make_record().to_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sweep:
        assert sweep.stdout is not None
        child = int(sweep.stdout.readline())
        sweep.kill()
    wait_for(lambda: not alive(child))


FULL_DISK = """
import os, sys
from dataclasses import replace
from pathlib import Path
from bench.tracking import child
from bench.tracking.content.description import describe_cell
from bench.tracking.options import environment_of
from leaderboard.records.record import Record

record, folder = Record.from_json(sys.argv[1]), Path(sys.argv[2])
cells = [replace(record, key=replace(record.key, task=f"t{i}")) for i in range(12)]
runs = [describe_cell([cell], [{}], suite="s", sweep_id="1") for cell in cells]
os.environ.update(environment_of("offline", folder))
home = folder / "wandb"
home.mkdir()
options = child.ChildOptions("offline", str(home), "p", 5.0, 5.0, 60.0)
try:
    child.publish(runs[0], options)
    sys.exit("it took the space that is kept free")
except OSError as error:
    assert "kept free" in str(error), error
assert not any(home.iterdir())

child._WRITING = 1.0
options, written = replace(options, reserved_bytes=0), 0
try:
    for run in runs:
        child.publish(run, options)
        written += 1
    sys.exit("the disk did not fill")
except Exception as error:
    print("full:", type(error).__name__)
kept = list(home.glob("offline-run-*"))
assert len(kept) == written > 0, (kept, written)
assert all(child.is_complete(next(k.glob("*.wandb"))) for k in kept)
"""


@pytest.mark.slow
def test_a_full_disk_leaves_room_for_results_and_no_half_runs(make_record: Make, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        pytest.skip("needs unshare and mount")
    mount = f"mount -t tmpfs -o size=600k none {folder}"
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("not permitted to mount a small tmpfs")
    script = tmp_path / "full.py"
    script.write_text(FULL_DISK)
    line = f'{mount} && exec "$@"'
    command = [
        "unshare",
        "-m",
        "sh",
        "-c",
        line,
        "-",
        sys.executable,
        str(script),
        make_record().to_json(),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_damaged_ledger_only_means_sending_again(tmp_path: Path, make_record: Make) -> None:
    run = describe_cell([make_record()], [{}], suite="s", sweep_id="1")
    other = describe_cell([make_record(task="b")], [{}], suite="s", sweep_id="1")
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    ledger.add(run, "offline")
    assert ledger.holds(run, "offline")
    assert not ledger.holds(run, "online")
    path.write_bytes(path.read_bytes() + b'{"id": "half a li')
    Ledger(path).add(other, "offline")
    again = Ledger(path)
    assert again.holds(run, "offline")
    assert again.holds(other, "offline")
    path.write_bytes(b'\xff\x00\n[]\n1\n{"id": 1}\n')
    assert not Ledger(path).holds(run, "offline")
