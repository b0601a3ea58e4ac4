"""The inside of a worker process.

Importing this module imports torch: :mod:`bench.sweep.workers.forkserver` does so for all.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from bench.cell.outcome import Outcome, blank_outcomes
from bench.cell.run import run_job
from bench.core.plugins import Plugin, load_plugin
from bench.plan.jobs import Job, Settings
from bench.sweep.workers.context import WorkerContext
from bench.sweep.workers.isolation import undisturbed
from bench.sweep.workers.malloc import keep_freed_memory

Answer = TypeVar("Answer")
_settings = Settings()
_fault = ""  # why this process cannot work


def start(settings: Settings, memory: int | None, plugins: Sequence[Plugin], context: WorkerContext) -> None:
    """Prepare this process; what hinders it becomes the reason of every record that is asked of it."""
    global _fault
    try:
        _prepare(settings, memory, plugins, context)
    except Exception as error:
        limit = "" if memory is None else f" with {memory / 2**30:g} gigabytes of memory"
        _fault = f"a worker could not start{limit}: {type(error).__name__}: {error}"


def _prepare(settings: Settings, memory: int | None, plugins: Sequence[Plugin], context: WorkerContext) -> None:
    """Threads, memory, plug-ins; interrupts belong to the coordinator, and so does life.

    What is printed here goes to stderr, for stdout carries the results of the command.
    """
    global _settings
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    context.enter()
    os.dup2(2, 1)
    _settings = settings
    threading.Thread(target=_end_with_coordinator, daemon=True).start()
    torch.set_num_threads(_settings.threads)
    keep_freed_memory()
    if memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with undisturbed():
        for plugin in plugins:
            load_plugin(plugin)


def run(job: Job) -> list[Outcome]:
    """Run one job with the settings this process was started with."""
    if _fault:
        return blank_outcomes(job, "failed", _fault, "worker_start")
    with undisturbed():
        return run_job(job, _settings)


def ask(function: Callable[..., Answer], given: Sequence[Any]) -> Answer:
    """Call ``function``.

    Raises:
        OSError: this process could not be prepared.
    """
    if _fault:
        raise OSError(_fault)
    with undisturbed():
        return function(*given)


def _end_with_coordinator() -> None:
    """Leave when the coordinator is gone, however it went: nobody would read what is computed here."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
