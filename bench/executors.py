"""Runs jobs in worker processes: one a core, single-threaded, and a dead one takes only its own job with it."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

from pebble import ProcessExpired, ProcessPool

from bench.core.plugins import Plugin
from bench.environment import Surroundings
from bench.outcomes import Outcome, blank_outcomes
from bench.plan import Job, Settings

_PRELOAD = ["bench.worker"]


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
        os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOAD)
        _start_fork_server()
        from bench import worker

        self._run = worker.run
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=0,
            initializer=worker.start,
            initargs=(settings, limits.memory, tuple(plugins), Surroundings.here()),
            context=context,
        )

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, list[Outcome]]]:
        """Yield each job with its outcomes as it ends. Every job is answered: a fault becomes records."""
        waiting: dict[concurrent.futures.Future[list[Outcome]], Job] = {
            self._pool.schedule(self._run, args=[job], timeout=self.limits.seconds): job for job in jobs
        }
        while waiting:
            done, _ = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                job = waiting.pop(future)
                yield job, self._outcomes(job, future)

    def _outcomes(self, job: Job, future: concurrent.futures.Future[list[Outcome]]) -> list[Outcome]:
        fault = future.exception()
        if fault is None:
            return future.result()
        if isinstance(fault, concurrent.futures.TimeoutError):
            seconds = self.limits.seconds or 0.0
            return blank_outcomes(job, "timeout", f"longer than {seconds:g} s", seconds)
        if isinstance(fault, ProcessExpired):
            return blank_outcomes(job, "failed", _cause(fault.exitcode))
        return blank_outcomes(job, "failed", f"{type(fault).__name__}: {fault}")

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()


def _start_fork_server() -> None:
    """Start it deaf to Ctrl-C, which the whole process group hears; the coordinator ends it."""
    if threading.current_thread() is not threading.main_thread():
        return  # signals are the main thread's business; the pool starts the server itself
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, heard)


def _cause(code: int | None) -> str:
    """Why a worker ended, in words."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        hint = " (often the system's answer to memory running out)" if name == "SIGKILL" else ""
        return f"the worker was killed by {name}{hint}"
    return f"the worker ended itself with exit code {code}"
