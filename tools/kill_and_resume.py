"""Kills a small sweep with SIGKILL at random moments, resuming each time, and compares with an uninterrupted one.

Usage: python tools/kill_and_resume.py [--kills 20] [--seed 0] [--out FOLDER]

After every kill the store must be sound; every sweep that ends must hold exactly the records of the uninterrupted one,
each once, equal in every field that does not measure time. When a sweep ends before all kills are spent, the next one
starts in an empty folder.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from leaderboard.records.record import Record
from leaderboard.records.store.store import Store

SUITE = """
name: small
version: 1
summary: A small sweep to be killed.
protocol: quick
seeds: 2
cells:
  - tasks: [sine-1d, linear-1d, diabetes]
    architectures: ["mlp(width=16)", ridge, mean]
    norms: [none, layer@first]
"""
TIMED = ("seconds", "created")


def command(suite: Path, out: Path) -> list[str]:
    """One sweep, W&B kept offline, as a user starts it."""
    return [sys.executable, "-m", "bench.cli", "run", "--suite", str(suite), "--out", str(out), "--wandb", "offline"]


def records(out: Path) -> dict[str, dict[str, object]]:
    """Every record's fields by key digest; fails when the store is not sound or holds a key twice."""
    with Store(out / "records.sqlite") as store:
        problems = store.check()
        if problems:
            raise SystemExit(f"the store is damaged: {problems[0]}")
        found = list(store.records())
    by_key = {r.key.digest(): _lasting(r) for r in found}
    if len(by_key) != len(found):
        raise SystemExit("a key stands twice in the store")
    return by_key


def _lasting(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in Record.__dataclass_fields__ if name not in TIMED}


def run_and_kill(suite: Path, out: Path, after: float) -> bool:
    """Start a sweep and kill its whole process group ``after`` seconds; True when it had ended by itself."""
    process = subprocess.Popen(
        command(suite, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        _, said = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return False
    if process.returncode != 0:
        raise SystemExit(f"the sweep ended with exit code {process.returncode}: {said.decode()}")
    return True


def main() -> None:
    """Run the experiment; exit code 1 and a line on what differs when something does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    home = options.out or Path(tempfile.mkdtemp(prefix="farfield-kill-"))
    home.mkdir(parents=True, exist_ok=True)
    suite = home / "small.yaml"
    suite.write_text(SUITE)

    started = time.perf_counter()
    run_and_kill(suite, home / "whole", after=600)
    length = time.perf_counter() - started
    whole = records(home / "whole")
    print(f"uninterrupted: {len(whole)} records in {length:.1f} s")

    kills = sweep = 0
    while kills < options.kills:
        out = home / f"killed-{sweep}"
        ended = run_and_kill(suite, out, after=draw.uniform(0.1, length))
        if not ended:
            kills += 1
        found = records(out) if (out / "records.sqlite").exists() else {}
        different = [key for key, fields in found.items() if whole.get(key) != fields]
        print(
            f"{'ended' if ended else f'kill {kills}'}: {len(found)} of {len(whole)} records, {len(different)} different"
        )
        if different:
            raise SystemExit("a record differs from the uninterrupted sweep's")
        sweep += ended
    out = home / f"killed-{sweep}"
    run_and_kill(suite, out, after=600)
    if records(out) != whole:
        raise SystemExit("the resumed sweep differs from the uninterrupted one")
    print(f"{kills} kills, {sweep + 1} sweeps resumed to the end: all equal to the uninterrupted one")


if __name__ == "__main__":
    main()
