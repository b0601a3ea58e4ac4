"""The process in which a file is checked, watched from outside.

It has a time for each step, a limit on memory, its own process group, and pipes that are read and counted, so that a
file may hang, exit, print without end or eat memory and is still named for it. This protects the report, not the
machine: the file runs with the rights of whoever checks it.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.checking.findings import CheckReport, Finding, Portrait, finding_from, from_line, portrait_from, text_of
from bench.core.errors import InputError
from bench.core.plugins import Plugin, read_plugin
from bench.core.shadowing import python_command

_CHUNK = 65_536
_START_SECONDS = 120.0
"""For the process to import torch before the file has its turn."""


@dataclass(frozen=True)
class CheckLimits:
    """What the checked file may take.

    Args:
        seconds: time of one step (an import, one check in one setting, one short training).
        memory: bytes it may allocate beyond what FarField itself needs.
        printed: bytes on stdout and stderr that are let pass.
        flood: bytes after which the process is ended.
    """

    seconds: float = 60.0
    memory: int = 4 * 2**30
    printed: int = 10_000
    flood: int = 50_000_000

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise InputError(f"{self.seconds:g} seconds a step", where="--timeout", hint="give a positive number")
        if self.memory <= 0:
            raise InputError(f"{self.memory} bytes", where="--memory-limit", hint="give a positive number")


@dataclass
class _Course:
    """What has been heard from the process so far."""

    registered: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    portraits: list[Portrait] = field(default_factory=list)
    step: tuple[str, str, str] | None = None
    step_began: float = 0.0
    ended: bool = False
    killed: str | None = None
    printed: int = 0
    reported: int = 0
    first_words: bytes = b""

    def hear(self, line: bytes) -> None:
        """Take up one message."""
        message = from_line(line)
        if message is None:
            return
        kind, values = message
        if kind == "begin":
            self.step = (text_of(values.get("check")), text_of(values.get("tried")), text_of(values.get("where")))
            self.step_began = time.monotonic()
        elif kind == "finding":
            self.findings.append(finding_from(values))
            self.step = None
        elif kind == "portrait":
            self.portraits.append(portrait_from(values))
        elif kind == "registered":
            names = values.get("names")
            self.registered = tuple(text_of(name) for name in names) if isinstance(names, list) else ()
        elif kind == "end":
            self.ended = True


def check_file(path: str | Path, limits: CheckLimits = CheckLimits()) -> CheckReport:
    """Run every check on the file in a process of its own.

    A file that cannot be read or parsed is reported, too, without being run.
    """
    started = time.perf_counter()
    course = _Course()
    check, tried = "the file can be read", "Reads the file and parses it as Python, without running it."
    try:
        plugin = read_plugin(path, where=str(path))
    except InputError as error:
        course.findings.append(Finding(check, tried, "", False, error.what + _at(error), error.hint or ""))
    else:
        course.findings.append(Finding(check, tried, "", True, f"{len(plugin.source):,} bytes"))
        code = _watch(plugin, limits, course)
        course.findings += _last_words(course, limits, code)
    seconds = time.perf_counter() - started
    return CheckReport(str(path), course.registered, tuple(course.findings), tuple(course.portraits), seconds)


def _at(error: InputError) -> str:
    return f" ({error.where})" if error.where and error.where.startswith("line") else ""


def _watch(plugin: Plugin, limits: CheckLimits, course: _Course) -> int:
    """Run the process to its end, or end it; returns its exit code."""
    with _process(plugin, limits) as (process, reports):
        streams = selectors.DefaultSelector()
        streams.register(reports, selectors.EVENT_READ, "reports")
        assert process.stdout is not None
        streams.register(process.stdout, selectors.EVENT_READ, "printed")
        course.step_began = time.monotonic()
        pending = b""
        while streams.get_map() and not course.ended:
            for key, _ in streams.select(timeout=0.2):
                piece = os.read(key.fd, _CHUNK)
                if not piece:
                    streams.unregister(key.fileobj)
                elif key.data == "printed":
                    course.printed += len(piece)
                    course.first_words = (course.first_words + piece)[:200]
                else:
                    course.reported += len(piece)
                    *lines, pending = (pending + piece).split(b"\n")
                    for line in lines:
                        course.hear(line)
            course.killed = _overdue(course, limits)
            if course.killed:
                break
            if process.poll() is not None and not streams.select(timeout=0):
                break
        streams.close()
        if not (course.ended or course.killed):  # every pipe is closed: it ends, or it hides
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2.0)
            if process.poll() is None:
                course.killed = "closes the pipes through which it is watched"
        _end(process)
    return process.returncode


def _overdue(course: _Course, limits: CheckLimits) -> str | None:
    allowed = limits.seconds if course.step else _START_SECONDS
    if course.printed > limits.flood:
        return f"prints without end ({course.printed:,} bytes and counting)"
    if course.reported > limits.flood:
        return "writes into the pipe that carries this report"
    if time.monotonic() - course.step_began > allowed:
        return f"is not done after {allowed:g} s"
    return None


@contextlib.contextmanager
def _process(plugin: Plugin, limits: CheckLimits) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    reading, writing = os.pipe()
    process = subprocess.Popen(
        python_command("bench.checking.inside", str(writing)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        pass_fds=[writing],
        start_new_session=True,
    )
    os.close(writing)
    try:
        assert process.stdin is not None
        order = {"plugin": plugin.packed(), "memory": limits.memory}
        with contextlib.suppress(BrokenPipeError):  # it died at once; what it printed says why
            process.stdin.write(json.dumps(order).encode())
            process.stdin.close()
        yield process, reading
    finally:
        _end(process)
        os.close(reading)
        if process.stdout is not None:
            process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started in its group."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1.0 if process.poll() is None else 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_words(course: _Course, limits: CheckLimits, code: int) -> list[Finding]:
    """What is known only once the process is over: how it ended, and how much it printed."""
    found = []
    if not course.ended:
        check, tried, where = course.step or ("the checks are reached", "Starts the process that runs the checks.", "")
        what, hint = _blame(course, code)
        what += "; the checks after this one were not reached"
        found.append(Finding(check, tried, where, False, what, hint))
    words = course.first_words.decode(errors="replace").strip().partition("\n")[0]
    loud = course.printed > limits.printed
    found.append(
        Finding(
            check="it prints little",
            tried=f"Counts what the file writes to stdout and stderr; {limits.printed:,} bytes are let pass.",
            where="",
            passed=not loud,
            found=f"{course.printed:,} bytes" + (f", beginning {words[:80]!r}" if words else ""),
            hint="print nothing while building, training or answering" if loud else "",
        )
    )
    return found


def _blame(course: _Course, code: int) -> tuple[str, str]:
    if course.killed:
        return f"it {course.killed}", "it must come to an end by itself, quietly; raise --timeout if it is only slow"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        hint = "it may need more memory than there is" if name == "SIGKILL" else "look for native code that crashes"
        return f"it killed the process ({name})", hint
    return f"it ended the process with exit code {code}", "call neither sys.exit nor os._exit; raise an error instead"
