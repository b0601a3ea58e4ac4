"""The verifier's side of a confined process: starts it, hears what its layers hold, asks it, ends it."""

from __future__ import annotations

import math
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from bench.core.errors import FarFieldError, InputError, ReasonCode
from bench.core.shadowing import python_command
from bench.submitting.confined import layers
from bench.submitting.confined.layers import Layer
from bench.submitting.confined.wire import Message, WireError, receive, send

_START_SECONDS = 120.0
_ANSWER_SECONDS = 120.0
_LAST_WORDS = 400


@dataclass(frozen=True)
class Allowance:
    """What a confined process may take.

    Args:
        seconds: of a cell, training and answers together.
        memory: bytes of address space; torch alone maps about 3 GB.
    """

    seconds: float = 900.0
    memory: int = 8 * 2**30

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise InputError(f"{self.seconds:g} seconds a cell", where="--timeout", hint="give a positive number")
        if self.memory < 2**30:
            hint = "torch alone maps about 3"
            raise InputError(f"{self.memory / 2**30:g} gigabytes", where="--memory-limit", hint=hint)


@dataclass(frozen=True)
class Held:
    """What a confined process could still do when it was tried.

    Args:
        layer: that stands around it.
        landlock: the version it has taken on itself, 0 for none.
        tcp, udp: it reached a port of the verifier's machine.
        reads, writes: it opened a file of the verifier's, or made one.
        sees: the verifier was among its processes.
    """

    layer: Layer
    landlock: int
    tcp: bool
    udp: bool
    reads: bool
    writes: bool
    sees: bool

    @property
    def words(self) -> str:
        """For people."""
        network = "cut" if not (self.tcp or self.udp) else "TCP cut, UDP open" if not self.tcp else "open"
        around = self.layer + (f" and landlock {self.landlock}" if self.landlock and self.layer != "landlock" else "")
        return (
            f"{around}: network {network}, files {'open' if self.reads else 'hidden'}, "
            f"writing {'open' if self.writes else 'kept out'}, processes {'seen' if self.sees else 'hidden'}; "
            "own process, cleared environment, limits on time, memory and files"
        )


class Fault(FarFieldError):
    """The code in a confined process failed, ended the process, or took too long."""

    def __init__(self, text: str, status: str = "failed", code: ReasonCode = "error") -> None:
        super().__init__(" ".join(text.split())[:1000], code=code)
        self.status = status


class Confined:
    """A confined process, for one cell.

    Args:
        layer: that stands around it.
        allowance: what it may take.
    """

    def __init__(self, layer: Layer, allowance: Allowance = Allowance()) -> None:
        self._layer, self._allowance = layer, allowance
        self._folder = tempfile.mkdtemp(prefix="farfield-confined-")
        self._inner, self._errors = Path(self._folder, "inner"), Path(self._folder, "errors")
        self._inner.mkdir()
        self._until = time.monotonic() + allowance.seconds + _START_SECONDS
        self.held: Held

    def __enter__(self) -> Confined:
        inside = "/tmp" if self._layer == "bubblewrap" else str(self._inner)
        line = layers.command(self._layer, python_command("bench.submitting.confined.inside"))
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                line,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=layers.environment(inside),
                cwd=self._inner,
                start_new_session=True,
                bufsize=0,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        try:
            self.held = self._witnessed(inside)
        except BaseException:
            self._end()
            raise
        self._until = time.monotonic() + self._allowance.seconds
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def train(self, arrays: Sequence[np.ndarray], **header: Any) -> dict[str, Any]:
        """Have a cell trained.

        Raises:
            Fault: it failed, ended or took too long.
        """
        return dict(self._asked("train", arrays, seconds=None, most=0, **header).header)

    def predict(self, member: int, points: np.ndarray, each_step: bool = False) -> np.ndarray:
        """Outputs (n,) at points (n, *shape), or (n, steps) at sequences (n, steps, channels)."""
        shape = points.shape[:2] if each_step else points.shape[:1]
        return self._answered(member, points, [math.prod(shape)])[0].reshape(shape)

    def slopes(self, member: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Outputs (n,) (of the last step, where each is answered), and how each changes; None where nothing does."""
        answers = self._answered(member, points, [len(points), points.size], slopes=True)
        slope = answers[1].reshape(points.shape) if len(answers) > 1 else None
        return answers[0].reshape(len(points)), slope

    def _answered(
        self, member: int, points: np.ndarray, sizes: list[int], slopes: bool = False
    ) -> tuple[np.ndarray, ...]:
        """Arrays of these sizes; of slopes the second may be left out."""
        given = np.asarray(points, dtype="<f8")
        reply = self._asked(
            "ask", [given], seconds=_ANSWER_SECONDS, most=8 * sum(sizes) + 64, member=member, slopes=slopes
        )
        found = [array.size for array in reply.arrays]
        if reply.kind != "answers" or found not in (sizes, sizes[:1]):
            raise Fault("the confined process answered what was not asked", code="contract")
        return tuple(np.asarray(array, dtype=np.float64) for array in reply.arrays)

    def _asked(
        self, kind: str, arrays: Sequence[np.ndarray], *, seconds: float | None, most: int, **header: Any
    ) -> Message:
        left = self._until - time.monotonic()
        limit = left if seconds is None else min(left, seconds)
        try:
            send(self._to, kind, arrays, **header)
            reply = receive(self._from, limit, most)
        except WireError as error:
            raise self._ended(str(error)) from None
        if reply.kind == "fault":
            raise _fault(reply)
        return reply

    def _witnessed(self, inside: str) -> Held:
        """Have the process try what it can do: against a file, a folder and two ports that are here for it."""
        secret, outside = Path(self._folder, "secret"), Path(self._folder, "outside")
        secret.write_text("of the verifier")
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            tcp.listen(1)
            udp.bind(("127.0.0.1", 0))
            udp.setblocking(False)
            try:
                send(
                    self._to,
                    "start",
                    memory=self._allowance.memory,
                    processor_seconds=int(self._allowance.seconds + _START_SECONDS) * 2,
                    landlock=layers.takes_landlock(self._layer),
                    readable=layers.readable(),
                    folder=inside,
                    tcp=tcp.getsockname()[1],
                    udp=udp.getsockname()[1],
                    secret=str(secret),
                    outside=str(outside),
                    verifier=os.getpid(),
                )
                told = receive(self._from, _START_SECONDS, 0).header
            except WireError as error:
                raise self._ended(str(error)) from None
            arrived = _arrived(udp)
        tried = {name: bool(told.get(name, True)) for name in ("tcp", "reads", "writes", "sees")}
        return Held(self._layer, int(told.get("landlock", 0)), udp=arrived, **tried)

    def _ended(self, what: str) -> Fault:
        if what == "late":
            return Fault(f"longer than {self._allowance.seconds:g} s", "timeout", "time_limit")
        code = self._end()
        if what != "closed" and code == 0:
            return Fault(f"the confined process answered {what}", code="contract")
        words = self._errors.read_bytes()[-_LAST_WORDS:].decode(errors="replace") if self._errors.exists() else ""
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended itself with exit code {code}"
        return Fault(f"the confined process {how}: {_printable(words)}", code="killed" if code < 0 else "exited")

    def _end(self) -> int:
        """End the process and all that it started; its exit code."""
        if self._process.poll() is None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            try:
                self._process.wait(0.5)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        shutil.rmtree(self._inner, ignore_errors=True)
        return code

    def close(self) -> None:
        """Remove what is left of it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _arrived(udp: socket.socket) -> bool:
    """Whether a datagram came; in a network of its own a process may send one to itself."""
    try:
        return bool(udp.recv(100))
    except BlockingIOError:
        return False


def _fault(reply: Message) -> Fault:
    """What the other side said of its failure; a name that we do not know is not taken over."""
    from bench.core.errors import REASON_CODES

    code = reply.header.get("reason_code")
    status = "unsupported" if reply.header.get("status") == "unsupported" else "failed"
    words = _printable(str(reply.header.get("reason", "")))
    return Fault(words or "failed", status, code if code in REASON_CODES else "error")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
