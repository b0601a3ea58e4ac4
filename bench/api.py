"""The sweep from Python: ``bench.run(tasks=["sine-1d"], architectures=["mlp"], norms=["none", "layer@first"])``."""

from __future__ import annotations

import dataclasses
import inspect
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import architectures
from bench.core.errors import InputError
from bench.core.plugins import load_plugin, read_plugin
from bench.dry_run import DryRun
from bench.dry_run import dry_run as foresee
from bench.plan.choosing import chosen_cells, chosen_seeds
from bench.plan.jobs import Cell, Settings
from bench.plan.options import CellOptions, ProgramName, SweepOptions
from bench.plan.scope import Method, SuiteScope
from bench.plan.suite import Suite, load_suite
from bench.sweep.guests import Settled, settle
from bench.sweep.options import RunOptions
from bench.sweep.refusing import refuse_misfits, refuse_other_table
from bench.sweep.remembering import guest_entries, plugin_entry, scope_guests, suite_entry
from bench.sweep.runner import Results, Watcher, run_cells
from bench.sweep.workers.pool import Limits
from bench.tracking import WandbOptions
from bench.tracking.watcher import Mirror
from leaderboard.records.store.store import Store
from tasks import Task


def run(
    *,
    suite: str | Suite | None = None,
    tasks: Sequence[str | Task] | str | Task = (),
    architectures: Sequence[str] | str = (),
    norms: Sequence[str] | str = (),
    seeds: int | str | Sequence[int] | None = None,
    protocol: str | None = None,
    plugins: Sequence[str | Path] = (),
    out: str | Path = SweepOptions.out,
    workers: int | None = None,
    device: str = SweepOptions.device,
    timeout: float | None = None,
    memory_limit: float | None = None,
    retry: bool = False,
    keep_weights: bool = False,
    max_parameters: int = SweepOptions.max_parameters,
    program: ProgramName | None = None,
    wandb: str | None = None,
    wandb_project: str | None = None,
    wandb_entity: str | None = None,
    wandb_tags: Sequence[str] | str = (),
    watchers: Sequence[Watcher] = (),
) -> Results:
    """Run what is not finished yet and return every record that was asked for.

    Args:
        suite: a suite, its name or its file; with ``tasks``, ``architectures`` or ``norms`` beside it, only those of
            its cells. Architectures and norms that it does not have are put on its tasks, under its protocol and seeds.
        tasks, architectures, norms: without a suite, their product is run (``norms`` defaults to ``none``). A task may
            be :func:`tasks.own_data` of a file or a data frame.
        seeds: how many (``3`` is 0, 1, 2) or which (``"0,4"``, ``[0, 4]``); the suite's number, or 5.
        protocol: ``2``, ``quick`` or ``paper``, of which the newest is meant; the suite's, or 2.
        plugins: files that register tasks or architectures.
        out: folder of the store.
        workers: processes; one a core, on a GPU at most 8.
        device: ``cpu``, ``cuda``, ``cuda:N``, or ``auto`` for a GPU where there is one.
        timeout: seconds that a cell may take.
        memory_limit: gigabytes of address space that a worker may take.
        retry: run failed and timed-out records again.
        keep_weights: write the selected weights to ``out/weights`` as safetensors.
        max_parameters: networks with more are not run.
        program: ``chain``, ``vmap`` or ``loop``: what trains, whatever the size of a step would choose
            (:mod:`bench.training.program`); a network that is no chain fails under ``chain``, one that cannot be
            stacked under ``vmap``.
        wandb: ``online``, ``offline`` (the default, unless the variable WANDB_MODE says otherwise) or ``disabled``.
        wandb_project, wandb_entity, wandb_tags: where W&B keeps the runs and what marks them; left out, the variables
            WANDB_PROJECT, WANDB_ENTITY and WANDB_TAGS say it. WANDB_RUN_GROUP, WANDB_NOTES and WANDB_DIR count too.
        watchers: told of the sweep's course.

    Raises:
        InputError: one line on what is wrong, where, and how to correct it.
    """
    given = locals()  # the keywords, before there is anything else
    mirrored = WandbOptions(
        wandb=wandb, wandb_project=wandb_project, wandb_entity=wandb_entity, wandb_tags=_several(wandb_tags)
    )
    return _run(_prepare(*_options(given)), mirrored, watchers)


def dry_run(**asked: Any) -> DryRun:
    """What ``run(**asked)`` would be; nothing is trained or stored.

    Args:
        asked: keywords of :func:`run`.

    Returns:
        Cells, what is there already, time, memory, and everything that is missing; it prints as a table.

    Raises:
        InputError: as :func:`run`, but for missing data and packages, which are listed.
    """
    call = inspect.signature(run).bind(**asked)
    call.apply_defaults()
    prepared = _prepare(*_options(call.arguments))
    return foresee(prepared.cells, prepared.seeds, prepared.options, prepared.notes)


def _options(given: Mapping[str, Any]) -> tuple[CellOptions, Suite | None, SweepOptions]:
    """The keywords of :func:`run` as options, checked."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit("a worker of a sweep imports the script that started it, and stops where the sweep begins")
    if not str(given["out"]):
        raise InputError("the folder has no name", where="--out", hint="name a folder")
    named = {name: _several(given[name]) for name in ("architectures", "norms")}
    suite = given["suite"]
    asked = CellOptions(
        suite=suite if isinstance(suite, str) else None,
        tasks=tuple(task if isinstance(task, str) else task.name for task in _several(given["tasks"])),
        seeds=_seeds(given["seeds"]),
        protocol=given["protocol"],
        plugins=tuple(map(Path, given["plugins"])),
        **named,
    )
    plain = {field.name: given[field.name] for field in dataclasses.fields(SweepOptions)}
    how = SweepOptions(**plain | {"out": Path(given["out"])})
    return asked, suite if isinstance(suite, Suite) else None, how


@dataclasses.dataclass(frozen=True)
class _Prepared:
    """A call, read and checked: what is run, and how.

    Args:
        suite: that is run, if it is one; ``scope`` is its own.
        named: what was asked for by name, as (architecture, norm).
    """

    cells: Sequence[Cell]
    seeds: tuple[int, ...]
    options: RunOptions
    suite: Suite | None
    scope: SuiteScope | None
    notes: tuple[str, ...]
    named: frozenset[Method]


def _prepare(asked: CellOptions, suite: Suite | None, how: SweepOptions) -> _Prepared:
    files = tuple(read_plugin(file) for file in asked.plugins)
    for file in files:
        load_plugin(file)
    suite = load_suite(asked.suite) if asked.suite is not None else suite
    options = RunOptions(
        out=how.out,
        workers=how.workers,
        settings=Settings(
            device=_device(how.device),
            program=how.program,
            weights=how.out / "weights" if how.keep_weights else None,
            max_parameters=how.max_parameters,
        ),
        limits=Limits(how.timeout, how.memory_bytes),
        retry=how.retry,
        plugins=files,
    )
    chosen = chosen_cells(asked, suite)
    seeds = chosen_seeds(asked, suite)
    settled = Settled(chosen.cells, ()) if suite is None else settle(chosen, suite.name, options)
    scope = None if suite is None else SuiteScope.of(suite).under(settled.cells[0].protocol)
    refuse_other_table(settled.cells, options.store)
    refuse_misfits(settled.cells, options, product=suite is None)
    return _Prepared(settled.cells, seeds, options, suite, scope, settled.notes, _named(asked, settled.cells))


def _named(asked: CellOptions, cells: Sequence[Cell]) -> frozenset[Method]:
    """The methods among ``cells`` whose architecture, or norm, was asked for by name."""
    chosen = {architectures.resolve(name).name for name in asked.architectures}
    norms = {str(architectures.parse_scheme(name)) for name in asked.norms}
    return frozenset(
        (cell.architecture, cell.norm)
        for cell in cells
        if cell.architecture in chosen or (not chosen and cell.norm in norms)
    )


def _run(prepared: _Prepared, mirrored: WandbOptions, watchers: Sequence[Watcher]) -> Results:
    """Says on stderr what is put on a suite, and runs."""
    cells, options, scope = prepared.cells, prepared.options, prepared.scope
    for note in prepared.notes:
        print(f"farfield: {note}", file=sys.stderr)
    memory = [plugin_entry(file) for file in options.plugins]
    if prepared.suite is not None and scope is not None:
        memory += guest_entries(scope.name, scope.guests_of(cells))
        memory += [] if prepared.suite.built_in else [suite_entry(prepared.suite, scope)]
    with Mirror(mirrored, options.out, options.store, prepared.suite, cells) as mirror:
        results = run_cells(cells, prepared.seeds, options, [*watchers, mirror], memory)
        mirror.finish(results)
    if scope is None:
        return results
    return dataclasses.replace(results, suite=_with_all_guests(scope, options), named=prepared.named)


def _with_all_guests(scope: SuiteScope, options: RunOptions) -> SuiteScope:
    """``scope`` with everything that was ever put on it in this store."""
    with Store(options.store) as store:
        return scope.with_guests(scope_guests(store, scope.name))


def _several(given: Any) -> tuple[Any, ...]:
    """One name is a list of one, not of its letters."""
    return (given,) if isinstance(given, (str, Task)) else tuple(given)


def _seeds(asked: int | str | Sequence[int] | None) -> str | None:
    if asked is None or isinstance(asked, (int, str)):
        return None if asked is None else str(asked)
    return ",".join(map(str, asked)) + ","


def _device(name: str) -> str:
    if name == "cpu":
        return name
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"no such device {name!r}", where="--device", hint="cpu, cuda, cuda:N or auto") from None
    if device.type == "cuda" and (device.index or 0) < torch.cuda.device_count():
        return name
    found = torch.cuda.device_count()
    raise InputError(f"{name} is not here", where="--device", hint=f"cpu, or auto ({found} CUDA devices are visible)")
