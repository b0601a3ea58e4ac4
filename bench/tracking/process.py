"""The sweep's end of the process that owns wandb: starts it, asks it, and ends it if it hangs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.core.shadowing import python_command
from bench.tracking.child import ChildOptions
from bench.tracking.options import environment_of


class ProcessLost(Exception):
    """The process died or had to be killed. Its text says how."""


class WandbProcess:
    """One process, asked one thing at a time.

    It has its own session, so that Ctrl-C in the terminal does not reach it, and its output goes to ``log``.

    Args:
        options: what it is told.
        log: file that everything it prints is appended to.

    Raises:
        OSError: it cannot be started, or the log cannot be written.
    """

    def __init__(self, options: ChildOptions, log: Path) -> None:
        self._patience = options.patience
        self._asked = False
        command = python_command("bench.tracking.child", json.dumps(asdict(options)))
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment_of(options.mode, Path(options.home).parent),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, line: str) -> dict[str, Any]:
        """Send one line and wait for the answer, at most as long as ``options.patience``.

        Raises:
            ProcessLost: no answer came.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked = True
        with self._watched() as overdue:
            try:
                self._process.stdin.write(f"{line}\n".encode())
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except OSError:
                answer = b""
        if answer.endswith(b"\n"):
            return dict(json.loads(answer))
        ending = self.close()
        how = f"did not answer in {self._patience:g} s" if overdue.is_set() else f"ended with {ending}"
        raise ProcessLost(f"its process {how}")

    @contextlib.contextmanager
    def _watched(self) -> Iterator[threading.Event]:
        """Kill it if what is inside takes longer than ``options.patience``; the event tells that this happened."""
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            self.kill()

        timer = threading.Timer(self._patience, end)
        timer.daemon = True
        timer.start()
        try:
            yield overdue
        finally:
            timer.cancel()

    def kill(self) -> None:
        """End it now. wandb's own service sees that it is gone and ends too. Harmless when it has ended."""
        self._process.kill()

    def close(self) -> int:
        """Let it end by itself, or end it after ``options.patience``; how it ended."""
        if not self._asked:
            self.kill()  # it has nothing to finish
        with self._process, self._watched():
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            return self._process.wait()
