"""Runs jobs in worker processes: one a core, single-threaded, and a dead one takes only its own job with it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import multiprocessing
import multiprocessing.forkserver
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from types import TracebackType
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from bench.cell.outcome import Outcome, blank_outcomes
from bench.core.errors import ReasonCode
from bench.core.plugins import Plugin
from bench.core.shadowing import HOME, check_shadowing, check_unguarded, library_folders, python_path, user_folders
from bench.plan.jobs import Job, Settings
from bench.sweep.workers.context import WorkerContext
from bench.sweep.workers.malloc import in_large_pages

AHEAD = 4
"""Jobs a worker that are handed out at once: it never waits for the coordinator, which may be storing."""

_MOST_TOGETHER = 100
_PRELOAD = ["bench.sweep.workers.forkserver"]
_PAUSE = 0.1  # seconds in which what ends is stored together: a transaction costs as much as a small record
Answer = TypeVar("Answer")
Future = concurrent.futures.Future[list[Outcome]]


@dataclass(frozen=True)
class Limits:
    """What a job may take.

    Args:
        seconds: time of a whole job; None for no limit.
        memory: bytes of address space of a worker; None for no limit.
    """

    seconds: float | None = None
    memory: int | None = None


class LocalExecutor:
    """A pool of processes on this machine (pebble).

    Workers are forked from a server that has imported torch once, so a replaced worker costs milliseconds.

    Args:
        workers: processes.
        settings: what every job is run with.
        limits: time and memory of a job.
        plugins: plug-in files that workers load first.
    """

    def __init__(
        self, workers: int, settings: Settings, limits: Limits = Limits(), plugins: Sequence[Plugin] = ()
    ) -> None:
        self.workers, self.limits = workers, limits
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=0,
            initializer=_start_worker,
            initargs=(settings, limits.memory, tuple(plugins), WorkerContext.here()),
            context=start_fork_server(settings),
        )

    def run(self, jobs: Iterable[Job]) -> Iterator[list[tuple[Job, list[Outcome]]]]:
        """Yield jobs with their outcomes as they end; of many small ones, a tenth of a second's together.

        Every job is answered: a fault becomes records. Only a few jobs are handed out ahead of the workers, so that
        a long sweep costs no more a job than a short one.
        """
        left = iter(jobs)
        ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        waiting = self._hand_out(itertools.islice(left, AHEAD * self.workers), ended)
        until = 0.0
        while waiting:
            finished = []
            for future in _together(ended, until):
                finished.append((waiting.pop(future), future))
                waiting |= self._hand_out(itertools.islice(left, 1), ended)
                if not waiting:
                    break
            until = time.monotonic() + _PAUSE
            yield [(job, self._outcomes(job, future)) for job, future in finished]

    def ask(self, function: Callable[..., Answer], *given: Any, seconds: float | None = None) -> Answer:
        """``function(*given)``, computed in a worker.

        Args:
            function: of a module; found there by its name.
            given: what it is called with.
            seconds: it may take.

        Raises:
            concurrent.futures.TimeoutError: it took longer.
            ProcessExpired: the worker died of it.
        """
        future = self._pool.schedule(_ask, args=[function, given], timeout=seconds)
        answer: Answer = future.result()
        return answer

    def _hand_out(self, jobs: Iterable[Job], ended: queue.SimpleQueue[Future]) -> dict[Future, Job]:
        scheduled: dict[Future, Job] = {
            self._pool.schedule(_run_job, args=[job], timeout=self.limits.seconds): job for job in jobs
        }
        for future in scheduled:
            future.add_done_callback(ended.put)
        return scheduled

    def _outcomes(self, job: Job, future: Future) -> list[Outcome]:
        fault = future.exception()
        if fault is None:
            return future.result()
        if isinstance(fault, concurrent.futures.TimeoutError):
            seconds = self.limits.seconds or 0.0
            return blank_outcomes(job, "timeout", f"longer than {seconds:g} s", "time_limit", seconds)
        if isinstance(fault, ProcessExpired):
            return blank_outcomes(job, "failed", *_cause(fault.exitcode))
        return blank_outcomes(job, "failed", f"{type(fault).__name__}: {fault}", "error")

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._pool.close()  # type: ignore[no-untyped-call]
        else:
            self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def _together(ended: queue.SimpleQueue[Future], until: float) -> Iterator[Future]:
    """What has ended: at least one, for which this waits; then what else ends before the time ``until`` (monotonic)."""
    yield ended.get()
    for _ in range(_MOST_TOGETHER - 1):
        try:
            yield ended.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return


def _start_worker(*prepared: Any) -> None:
    """:func:`bench.sweep.workers.worker.start`, which loads torch: in workers, not in the coordinator."""
    from bench.sweep.workers import worker

    worker.start(*prepared)


def _run_job(job: Job) -> list[Outcome]:
    """:func:`bench.sweep.workers.worker.run`."""
    from bench.sweep.workers import worker

    return worker.run(job)


def _ask(function: Callable[..., Answer], given: Sequence[Any]) -> Answer:
    """:func:`bench.sweep.workers.worker.ask`."""
    from bench.sweep.workers import worker

    return worker.ask(function, given)


def start_fork_server(settings: Settings) -> ForkServerContext:
    """Start the server that workers are forked from, unless it runs; it imports torch while this process goes on.

    It ignores SIGINT, which the whole process group hears; the coordinator ends it.

    Raises:
        InputError: a module of the user's is loaded where one of ours, of Python's or of a package should be.
    """
    global _ours
    check_shadowing()
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    if _server() not in (None, _ours):
        check_unguarded("bench")  # a server that the user's own code has started knows nothing of us
        return context
    with _without_interrupts(), _without_user_folders(), in_large_pages():
        multiprocessing.forkserver.ensure_running()
    _ours = _server()
    return context


_ours: int | None = None  # the process id of the server, where it was started here


def _server() -> int | None:
    """Process id of the fork server that runs, if one does."""
    server = getattr(multiprocessing.forkserver, "_forkserver", None)
    return getattr(server, "_forkserver_pid", None)


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that are started inside ignore SIGINT; signals are the main thread's business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


@contextlib.contextmanager
def _without_user_folders() -> Iterator[None]:
    """Processes that are started inside import nothing from the working folder or the script's.

    A file there may be named like a module of ours or of Python. Workers get path and variables of this process later.
    """
    path, variables = list(sys.path), {name: os.environ.get(name) for name in ("PYTHONPATH", "PYTHONSAFEPATH")}
    try:
        os.environ |= {"PYTHONPATH": python_path(), "PYTHONSAFEPATH": "1"}
        sys.path[:] = [HOME, *library_folders()] if HOME in user_folders() else library_folders()
        yield
    finally:
        sys.path[:] = path
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _cause(code: int | None) -> tuple[str, ReasonCode]:
    """Why a worker ended, in words and for programs."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        hint = " (often the system's answer to memory running out)" if name == "SIGKILL" else ""
        return f"the worker was killed by {name}{hint}", "killed"
    return f"the worker ended itself with exit code {code}", "exited"
