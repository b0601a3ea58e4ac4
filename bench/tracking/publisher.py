"""What the tracker's thread does: leave out what W&B has, publish the rest, and fall back when that fails."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from bench.tracking.child import ChildOptions
from bench.tracking.content.description import RunDescription
from bench.tracking.ledger import Ledger
from bench.tracking.options import Mode, TrackingOptions, home_of
from bench.tracking.process import ProcessLost, WandbProcess

_SERVER_SHARE = 0.6  # of init_timeout is the server's; the rest is for two starts of the process, online and offline
_MOST_DEATHS = 2  # of the process, before W&B is given up for this sweep

Describe = Callable[[], RunDescription]


class Publisher:
    """Publishes one run after the other; called from one thread, but for :meth:`stop` and ``reports``.

    A run that an online process does not take, for whatever reason, is tried again offline, and so is
    everything after it. An offline process that dies or hangs is started again once.

    Args:
        options: where and how.
        patience: seconds for one run before its process counts as hung.

    Attributes:
        reports: at most one line for each thing a user must know, for somebody else to say.
    """

    def __init__(self, options: TrackingOptions, patience: float) -> None:
        self.reports: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._options, self._patience = options, patience
        self._home = home_of(options.directory)
        self._mode: Mode = options.mode
        self._process: WandbProcess | None = None
        self._ledger: Ledger | None = None
        self._stopping = threading.Event()
        self._said: set[str] = set()
        self._refusal = self._death = ""
        self._deaths = 0

    @property
    def pid(self) -> int | None:
        """The process that owns wandb, if it runs."""
        process = self._process
        return process.pid if process else None

    def prepare(self) -> None:
        """Start the process, so that it has loaded wandb when the first run comes. What fails is told with that run."""
        with contextlib.suppress(OSError):
            self._home.mkdir(parents=True, exist_ok=True)
            self._process = self._start()

    def publish(self, describe: Describe) -> None:
        """Publish what ``describe`` makes. Never raises; what fails is reported."""
        if not self._going:
            self.lose(self._death)
            return
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._publish(describe())
        except Exception as error:  # whatever it is, it must not reach the sweep
            self.lose(" ".join(f"{type(error).__name__}: {error}".split())[:300])

    @property
    def _going(self) -> bool:
        return self._deaths < _MOST_DEATHS and not self._stopping.is_set()

    def _publish(self, description: RunDescription) -> None:
        if self._ledger is None:
            self._ledger = Ledger(self._home / "farfield-runs.jsonl")
        line = description.to_json()
        while self._going:
            if self._ledger.holds(description, self._mode):
                return
            problem = self._ask(line)
            if problem is None:
                self._ledger.add(description, self._mode)
                self._tell_of_offline()
                return
            if self._mode == "online":
                self._go_offline(problem)
            elif self._process is not None:  # it lives, and would say the same again
                self.lose(problem)
                return
        self.lose(self._death)

    def _ask(self, line: str) -> str | None:
        """Have a run published: what went wrong, or None. There is no process afterwards if it died of it."""
        if self._process is None:
            self._process = self._start()
        try:
            answer = self._process.ask(line)
        except ProcessLost as lost:
            self._process = None
            if self._mode == "offline":
                self._deaths, self._death = self._deaths + 1, str(lost)
            return str(lost)
        return None if answer["ok"] else str(answer["reason"])

    def _start(self) -> WandbProcess:
        options = ChildOptions(
            mode=self._mode,
            home=str(self._home),
            project=self._options.project,
            entity=self._options.entity,
            init_timeout=_SERVER_SHARE * self._options.init_timeout,
            finish_timeout=self._patience / 2,
            patience=self._patience,
        )
        return WandbProcess(options, self._home / "farfield-wandb.log")

    def _go_offline(self, problem: str) -> None:
        self._mode, self._refusal = "offline", problem
        self._end_process()

    def _tell_of_offline(self) -> None:
        """Say so once a run is kept offline: where that fails as well, it is the failure that is told."""
        if self._refusal:
            self._say("offline", f"{self._refusal}: runs are kept offline, `farfield wandb-sync` sends them")

    def lose(self, reason: str) -> None:
        """Report a run that was not written."""
        why = "interrupted" if self._stopping.is_set() else reason
        self._say("lost", f"runs are not being written ({why}); results are stored, run again to write what is missing")

    def _say(self, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self.reports.put(f"W&B: {text}")

    def close(self) -> None:
        """End the process once it has nothing left to do."""
        self._end_process()
        if self._deaths and not self._said:
            self._say("restarted", f"{self._death} and was started again; no run is missing")

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def stop(self) -> None:
        """From any thread: begin nothing more, and end what is going on."""
        self._stopping.set()
        process = self._process
        if process is not None:
            process.kill()
