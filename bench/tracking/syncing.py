"""Sends runs that were kept offline, through wandb's own ``wandb sync``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.core.errors import FarFieldError, InputError
from bench.tracking.options import directory_for, environment_of, home_of, logged_in, server

_AT_ONCE = 100  # run folders on one command line
# wandb retries a server that does not answer for hours; this is about half a minute
_RETRIES = {
    f"WANDB__{what}_RETRY_{limit}": "5"
    for what in ("GRAPHQL", "FILE_STREAM", "FILE_TRANSFER")
    for limit in ("MAX", "WAIT_MAX_SECONDS")
}


def kept_runs(directory: Path) -> list[Path]:
    """The folders of offline runs under ``directory/wandb`` that were not sent yet, oldest first."""
    files = home_of(directory).glob("offline-run-*/run-*.wandb")
    return sorted(file.parent for file in files if not file.with_suffix(".wandb.synced").exists())


def sync(directory: Path) -> int:
    """Send what was kept offline under ``directory`` (or WANDB_DIR) and return how many runs were sent.

    Runs have stable ids, so one that was kept twice, or is on the server already, is brought up to date rather than
    duplicated. The same by hand: ``WANDB_DATA_DIR=DIRECTORY/wandb/staging wandb sync DIRECTORY/wandb/offline-run-*``.
    Artifacts are recorded with absolute paths: send them before moving the folder.

    Raises:
        InputError: ``directory`` keeps no W&B runs, or there is no key.
        FarFieldError: W&B did not take them; its answer is in ``directory/wandb/farfield-sync.log``.
    """
    directory = directory_for(directory)
    home = home_of(directory)
    if not home.is_dir():
        raise InputError("no W&B runs are kept there", where=str(directory), hint="run a sweep with --wandb offline")
    runs = kept_runs(directory)
    if not runs:
        return 0
    if not logged_in():
        raise InputError(
            f"there is no W&B key to send {len(runs)} run(s) with", hint="run `wandb login`, or set WANDB_API_KEY"
        )
    log = home / "farfield-sync.log"
    for start in range(0, len(runs), _AT_ONCE):
        _send(runs[start : start + _AT_ONCE], directory, log)
    left = len(set(runs) & set(kept_runs(directory)))
    if left:
        raise FarFieldError(
            f"W&B at {server()} did not take {left} of {len(runs)} run(s): {_last_line(log)} (see {log})"
        )
    return len(runs)


def _send(runs: list[Path], directory: Path, log: Path) -> None:
    environment = environment_of("online", directory) | _RETRIES
    del environment["WANDB_SILENT"]  # what it says goes to the log
    command = [sys.executable, "-P", "-m", "wandb", "sync", *map(str, runs)]
    with log.open("ab") as output:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no answer"
