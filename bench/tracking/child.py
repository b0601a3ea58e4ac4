"""The process that owns wandb: reads run descriptions, one line of JSON each, and answers each with one line.

Nothing that happens here (a crash, a hang, a full disk, output to the terminal) can reach the sweep. It ends when its
input does, so it outlives a sweep that is killed only to finish what it was given.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from bench.tracking.content.description import RECORDS, RunDescription, RunTable
from bench.tracking.content.history import AGAINST_DISTANCE, DISTANCE, STEP, TRAINING, holds_means, still_to_send
from bench.tracking.content.picture import cell_chart
from bench.tracking.options import Mode
from bench.tracking.runfile import is_complete
from leaderboard.charts.saving import save
from leaderboard.records.record import Record

RESERVED_BYTES = 64 * 1024 * 1024  # of disk space, left to the store: results come first
_WRITING = 5.0  # seconds for a finished run to reach the disk; it takes a few hundredths


@dataclass(frozen=True)
class ChildOptions:
    """What the process is started with.

    Args:
        mode: ``online`` or ``offline``.
        home: the folder that W&B writes to.
        project, entity: of the runs.
        init_timeout: seconds for the server to answer.
        finish_timeout: seconds to upload what is left at the end of a run.
        patience: seconds for one run altogether; then the process ends itself.
        reserved_bytes: no run is begun with less free disk space.
    """

    mode: Mode
    home: str
    project: str
    init_timeout: float
    finish_timeout: float
    patience: float
    reserved_bytes: int = RESERVED_BYTES
    entity: str | None = None


def main(argument: str) -> None:
    """Serve until the input ends. ``argument``: :class:`ChildOptions` as JSON."""
    options = ChildOptions(**json.loads(argument))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep decides when we end
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)
    answers = _take_stdout()
    _load()
    for line in sys.stdin:
        faulthandler.dump_traceback_later(options.patience, exit=True)  # in case nobody is left to end us
        print(json.dumps(_serve(line, options)), file=answers, flush=True)
        faulthandler.cancel_dump_traceback_later()
    faulthandler.dump_traceback_later(options.patience, exit=True)


def _take_stdout() -> TextIO:
    """The answer stream; whatever else prints goes to the log, where stderr already goes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _load() -> None:
    """Load what every run needs while nobody waits for it; what fails here fails again, and is told, with a run."""
    with contextlib.suppress(Exception):
        import altair  # noqa: F401
        import wandb

        wandb.setup()


def _serve(line: str, options: ChildOptions) -> dict[str, Any]:
    try:
        publish(RunDescription.from_json(line), options)
    except Exception as error:
        traceback.print_exc()
        return {"ok": False, "reason": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
    return {"ok": True}


def publish(description: RunDescription, options: ChildOptions) -> None:
    """Write one run.

    Raises:
        OSError: too little disk space, or what W&B raises.
        RuntimeError: W&B says it is done, but its file is not whole.
    """
    home = Path(options.home)
    free = shutil.disk_usage(home).free
    if free < options.reserved_bytes:
        raise OSError(
            f"{free // 2**20} MiB free on the disk of {home}, {options.reserved_bytes // 2**20} are kept free"
        )
    run = _begin(description, options)
    file = Path(run.settings.sync_file)
    try:
        with _undone_if_failing(run, file.parent, options):
            _fill(run, description, home)
            run.finish(exit_code=int(description.failed))
            if options.mode == "offline":
                _await_complete(file)
                _drop_superseded(home, description, file.parent)
    finally:
        _forget_latest(home)


def _begin(description: RunDescription, options: ChildOptions) -> Any:
    import wandb

    settings = wandb.Settings(
        init_timeout=options.init_timeout,
        finish_timeout=options.finish_timeout,
        finish_timeout_raises=True,
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        save_code=False,
        x_disable_meta=True,  # the machine is described by the records' environment; this process is not the sweep
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )
    return wandb.init(
        project=options.project,
        entity=options.entity,
        notes=description.notes,
        id=description.id,
        name=description.name,
        group=description.group,
        job_type=description.job_type,
        tags=list(description.tags),
        config=dict(description.config),
        mode=options.mode,
        dir=str(Path(options.home).parent),
        resume="allow",
        settings=settings,
    )


@contextlib.contextmanager
def _undone_if_failing(run: Any, folder: Path, options: ChildOptions) -> Iterator[None]:
    """Half a run is worse than none: it would be sent as a failed one. It is described again on a later run."""
    try:
        yield
    except Exception:
        with contextlib.suppress(Exception):
            run.finish(exit_code=1)
        if options.mode == "offline":
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _await_complete(file: Path) -> None:
    """Wait for wandb's service to write out a finished run: ``finish`` returns before it has."""
    deadline = time.monotonic() + _WRITING
    while not is_complete(file):
        if time.monotonic() > deadline:
            raise RuntimeError(f"W&B did not write {file.name} to its end")
        time.sleep(0.02)


def _drop_superseded(home: Path, description: RunDescription, kept: Path) -> None:
    """Unsent folders of the same run: a description is always whole, so a newer one leaves nothing in them to send."""
    for folder in home.glob(f"offline-run-*-{description.id}"):
        if folder != kept and not any(folder.glob("*.synced")):
            shutil.rmtree(folder, ignore_errors=True)


def _forget_latest(home: Path) -> None:
    """Wandb's link to the latest run: useless among hundreds of runs, and broken once one is moved."""
    with contextlib.suppress(OSError):
        (home / "latest-run").unlink()


def _fill(run: Any, description: RunDescription, home: Path) -> None:
    for axis in (STEP, DISTANCE):
        run.define_metric(axis, hidden=True)
    for kind in TRAINING:
        run.define_metric(f"{kind}/*", step_metric=STEP, summary="min")
    for name in AGAINST_DISTANCE:  # a panel each, with a line for every run
        run.define_metric(name, step_metric=DISTANCE, summary="none")
    begun = run.starting_step  # not 0 where W&B has the run already
    rows = still_to_send(description.history, begun)
    for step, values in rows:
        run.log(dict(values), step=step)
    shown: dict[str, Any] = {name: _table(table) for name, table in description.tables.items()}
    with tempfile.TemporaryDirectory(dir=home) as folder:
        picture = _picture(description, Path(folder))
        if picture is not None:
            shown["growth_and_departure"] = picture
        if shown:
            run.log(shown, step=max(begun, 1 + max((step for step, _ in description.history), default=-1)))
        run.summary.update(dict(description.summary))
        if holds_means(rows):
            run.summary["mean_curve_seeds"] = description.summary["seeds"]
        if description.files:
            run.log_artifact(_artifact(description, Path(folder)))


def _table(table: RunTable) -> Any:
    import wandb

    # W&B settles a type for each column, and draws only those of numbers
    return wandb.Table(columns=list(table.columns), data=[list(row) for row in table.rows])


def _picture(description: RunDescription, folder: Path) -> Any | None:
    """The cell's chart as HTML: drawn here, it needs neither a server's chart preset nor scripts from elsewhere."""
    import wandb

    records = [Record.from_json(line) for line in description.files.get(RECORDS, "").splitlines()]
    chart = cell_chart(records)
    if chart is None:
        return None
    drawing = save(chart, folder / "chart.svg").read_text(encoding="utf-8")
    return wandb.Html(f'<!DOCTYPE html><meta charset="utf-8">{drawing}', inject=False)


def _artifact(description: RunDescription, folder: Path) -> Any:
    import wandb

    artifact = wandb.Artifact(f"records-{description.id}", type="records")
    for name, text in description.files.items():
        (folder / name).write_text(text, encoding="utf-8")
        artifact.add_file(str(folder / name), name=name)  # staged at once, so that the folder may go
    return artifact
