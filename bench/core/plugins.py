"""Loads files that a user named: the only way code from outside comes in."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from bench.core.errors import FarFieldError, InputError

IMPORT_SECONDS = 120.0
_MOST_BYTES = 1_000_000
_HASH = "__farfield_sha256__"


@dataclass(frozen=True)
class Plugin:
    """A Python file as it was when it was read. Workers load these bytes, whatever becomes of the file meanwhile.

    Args:
        path: where it was read.
        source: its bytes.
    """

    path: str
    source: bytes

    @property
    def sha256(self) -> str:
        """Hash of the bytes."""
        return hashlib.sha256(self.source).hexdigest()

    @property
    def module(self) -> str:
        """Name under which it is imported: the same bytes are the same module in every process."""
        return f"farfield_plugin_{self.sha256[:8]}"


def read_plugin(path: str | Path, where: str = "--plugin") -> Plugin:
    """Read a file without running it.

    Args:
        path: a Python file.
        where: what named it, for messages.

    Raises:
        InputError: it is missing, too large, no text or does not parse.
    """
    file = Path(path)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InputError(f"{file} is no regular file", where=where, hint="name a Python source file")
        if file.stat().st_size > _MOST_BYTES:
            raise InputError(f"{file} is larger than a megabyte", where=where, hint="name a Python source file")
        source = file.read_bytes()
        compile(source, str(file), "exec")
    except OSError as error:
        what = f"{file} cannot be read: {error.strerror or type(error).__name__}"
        raise InputError(what, where=where, hint="name an existing Python file") from error
    except SyntaxError as error:
        place = f"line {error.lineno}" if error.lineno else where
        raise InputError(f"{file} does not parse: {error.msg}", where=place, hint="correct it") from error
    except (ValueError, RecursionError, MemoryError) as error:
        what = f"{file} is no Python source: {error}"
        raise InputError(what, where=where, hint="name a Python source file") from error
    return Plugin(str(file.absolute()), source)


def load_plugin(plugin: Plugin | str | Path) -> ModuleType:
    """Import a file, named or already read; what is loaded is not loaded again.

    What it prints goes to stderr, for stdout belongs to results.

    Raises:
        InputError: the file cannot be read or parsed, or does not import: it raises, exits, or takes too long.
    """
    if not isinstance(plugin, Plugin):
        plugin = read_plugin(plugin)
    name = plugin.module
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = plugin.path
    setattr(module, _HASH, plugin.sha256)
    sys.modules[name] = module
    try:
        with contextlib.redirect_stdout(sys.stderr), _staying_alive(), _at_most(IMPORT_SECONDS):
            exec(compile(plugin.source, plugin.path, "exec"), module.__dict__)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, (FarFieldError, KeyboardInterrupt)):
            raise
        raise InputError(
            f"{plugin.path} does not import: {_cause(error)}",
            where="--plugin",
            hint="run `farfield check` on it to see where",
        ) from error
    return module


def loaded_hash(module: str) -> str | None:
    """SHA-256 of the bytes that were loaded as ``module``; None for a module that is no plug-in."""
    return getattr(sys.modules.get(module), _HASH, None)


class _TooLong(BaseException):
    """An import took longer than it may. No ``Exception``, so that the file itself does not catch it."""


class _Leaves(BaseException):
    """A file asked the system to end this process while it was imported; its text says how."""


@contextlib.contextmanager
def _staying_alive() -> Iterator[None]:
    """Raise :class:`_Leaves` where the code inside would end this process, past every handler, or replace it.

    A sweep would otherwise vanish without a word. Processes that the code forks may end themselves as ever.
    """
    here, loading = os.getpid(), True
    before: list[tuple[ModuleType, str, Any]] = []

    def guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            itself = not name.startswith("kill") or (given[0] in (here, 0, os.getpgrp()) and given[1] != 0)
            if not loading or os.getpid() != here or not itself:  # somebody may have kept this function
                return real(*given, **named)
            raise _Leaves(f"os.{name}({', '.join(map(repr, given))})"[:100])

        return call

    for module in (os, sys.modules[os.name]):  # ``posix`` or ``nt``, which ``os`` takes them from
        for name in ("_exit", "abort", "execv", "execve", "kill", "killpg"):
            if hasattr(module, name):
                before.append((module, name, getattr(module, name)))
                setattr(module, name, guarded(name, getattr(module, name)))
    try:
        yield
    finally:
        loading = False
        for module, name, real in before:
            setattr(module, name, real)


def _cause(error: BaseException) -> str:
    if isinstance(error, _Leaves):
        return f"it ends the process ({error})"
    if isinstance(error, _TooLong):
        return f"it is not done after {IMPORT_SECONDS:g} s"
    if isinstance(error, SystemExit):
        return f"it ends the process (SystemExit: {error.code})"
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise :class:`_TooLong` after ``seconds``, where signals can be used: in the main thread of a POSIX process."""
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not usable or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
