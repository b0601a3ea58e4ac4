"""The sweep from Python: ``bench.run(tasks=["sine-1d"], architectures=["mlp"], norms=["none", "layer@first"])``."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from bench.core.errors import InputError
from bench.core.plugins import load_plugin, read_plugin
from bench.plan.jobs import Cell, Selection, Settings, cells_of, parse_seeds
from bench.plan.suite import Suite, load_suite
from bench.sweep.runner import Results, RunOptions, Watcher, run_cells
from bench.sweep.workers.pool import Limits
from bench.tracking import choose_mode
from bench.tracking.watcher import Mirror
from tasks import Task

DEFAULT_SEEDS = 5
MOST_GIGABYTES = 1e6


def run(
    *,
    suite: str | Suite | None = None,
    tasks: Sequence[str | Task] = (),
    architectures: Sequence[str] = (),
    norms: Sequence[str] = (),
    seeds: int | str | Sequence[int] | None = None,
    protocol: str | None = None,
    out: str | Path = "farfield-results",
    workers: int | None = None,
    device: str = "cpu",
    timeout: float | None = None,
    memory_limit: float | None = None,
    retry: bool = False,
    keep_weights: bool = False,
    max_parameters: int = 200_000_000,
    method: str | None = None,
    plugins: Sequence[str | Path] = (),
    wandb: str | None = None,
    watchers: Sequence[Watcher] = (),
) -> Results:
    """Run what is not finished yet and return every record that was asked for.

    Args:
        suite: a suite, its name or its file; with ``tasks``, ``architectures`` or ``norms`` beside it, only those of
            its cells.
        tasks, architectures, norms: without a suite, their product is run (``norms`` defaults to ``none``). A task may
            be :func:`tasks.own_data` of a file or a data frame.
        seeds: how many (``3`` is 0, 1, 2) or which (``"0,4"``, ``[0, 4]``); the suite's number, or 5.
        protocol: ``1``, ``quick`` or ``paper``; the suite's, or 1.
        out: folder of the store.
        workers: processes; one a core.
        device: ``cpu``, ``cuda``, ``cuda:N``, or ``auto`` for a GPU where there is one.
        timeout: seconds that a cell may take.
        memory_limit: gigabytes of address space that a worker may take.
        retry: run failed and timed-out records again.
        keep_weights: write the selected weights to ``out/weights`` as safetensors.
        max_parameters: networks with more fail; ``retry`` runs them again.
        method: ``chain``, ``vmap`` or ``loop``: the program that trains, whatever the size of a step would choose
            (:mod:`bench.training.program`); a network that is no chain fails under ``chain``, one that cannot be
            stacked under ``vmap``.
        plugins: files that register tasks or architectures.
        wandb: ``online``, ``offline`` (the default, unless the variable WANDB_MODE says otherwise) or ``disabled``.
        watchers: told of the sweep's course.

    Raises:
        InputError: one line on what is wrong, where, and how to correct it.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit("a worker of a sweep imports the script that started it, and stops where the sweep begins")
    files = tuple(read_plugin(file) for file in plugins)
    for file in files:
        load_plugin(file)
    chosen = load_suite(suite) if isinstance(suite, str) else suite
    out = Path(out)
    options = RunOptions(
        out=out,
        workers=workers,
        settings=Settings(
            device=_device(device),
            method=_method(method),
            weights=out / "weights" if keep_weights else None,
            max_parameters=max_parameters,
        ),
        limits=_limits(timeout, memory_limit),
        retry=retry,
        plugins=files,
    )
    cells = _cells(
        chosen, Selection(tuple(map(_name_of, _several(tasks))), _several(architectures), _several(norms)), protocol
    )
    with Mirror(choose_mode(wandb), out, options.store, chosen, cells) as mirror:
        results = run_cells(cells, _seeds(seeds, chosen), options, [*watchers, mirror])
        mirror.finish(results)
    return results


def _cells(suite: Suite | None, asked: Selection, protocol: str | None) -> list[Cell]:
    if suite is not None:
        return select_cells(suite.cells(protocol), asked)
    for name in ("tasks", "architectures"):
        if not getattr(asked, name):
            option = {"tasks": "--task", "architectures": "--arch"}[name]
            raise InputError(f"no {name} to run", hint=f"give {option}, or a --suite")
    return cells_of([Selection(asked.tasks, asked.architectures, asked.norms or ("none",))], protocol or "1")


def select_cells(cells: Sequence[Cell], asked: Selection) -> list[Cell]:
    """Those of ``cells`` whose task, architecture and norm are asked for; an empty part asks for all.

    Raises:
        InputError: none is left.
    """
    listed = cells_of(
        [
            Selection(
                asked.tasks or tuple({c.task for c in cells}),
                asked.architectures or tuple({c.architecture for c in cells}),
                asked.norms or tuple({c.norm for c in cells}),
            )
        ],
        cells[0].protocol,
        check=False,
    )
    wanted = set(listed)
    kept = [cell for cell in cells if cell in wanted]
    if not kept:
        raise InputError("no cell of the suite is left", hint="leave out --task, --arch or --norm, or --suite")
    return kept


def _several(given: Any) -> tuple[Any, ...]:
    """One name is a list of one, not of its letters."""
    return (given,) if isinstance(given, (str, Task)) else tuple(given)


def _name_of(task: str | Task) -> str:
    return task if isinstance(task, str) else task.name


def _seeds(asked: int | str | Sequence[int] | None, suite: Suite | None) -> tuple[int, ...]:
    if asked is None:
        return tuple(range(suite.seeds if suite else DEFAULT_SEEDS))
    text = str(asked) if isinstance(asked, (int, str)) else ",".join(map(str, asked)) + ","
    return parse_seeds(text)


def _limits(timeout: float | None, gigabytes: float | None) -> Limits:
    if timeout is not None and not 0 < timeout < math.inf:
        raise InputError(f"a timeout of {timeout:g} seconds", where="--timeout", hint="give a positive number")
    if gigabytes is not None and not 0 < gigabytes <= MOST_GIGABYTES:
        hint = f"give a positive number up to {MOST_GIGABYTES:g}"
        raise InputError(f"{gigabytes:g} gigabytes", where="--memory-limit", hint=hint)
    return Limits(timeout, None if gigabytes is None else int(gigabytes * 2**30))


def _method(name: str | None) -> Literal["chain", "vmap", "loop"] | None:
    match name:
        case None | "chain" | "vmap" | "loop":
            return name
        case _:
            raise InputError(f"unknown method {name!r}", where="--method", hint="chain, vmap or loop")


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
