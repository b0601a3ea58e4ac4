"""Loads files that a user named: the only way code from outside comes in.

A file may import its neighbours, as it may under ``python file.py``. They are read with it, are part of its hash, and
are loaded from the bytes that were read, under names of the plug-in's own: two plug-ins may each have a ``helper.py``,
and one that has changed is loaded anew. Nothing is put on ``sys.path``.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import hashlib
import importlib.util
import os
import random
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from bench.core.errors import FarFieldError, InputError
from bench.core.neighbours import MOST_BYTES, Imports, Neighbour, find_imports, is_installed

IMPORT_SECONDS = 120.0
_HASH = "__farfield_sha256__"
_TORCH_SEED = 67280421310721  # what torch's generator starts with in a new process


@dataclass(frozen=True)
class Plugin:
    """A Python file as it was when it was read. Workers load these bytes, whatever becomes of the file meanwhile.

    Args:
        path: where it was read.
        source: its bytes.
        imports: what it imports of the user's own.
    """

    path: str
    source: bytes
    imports: Imports = field(default_factory=Imports)

    @property
    def sha256(self) -> str:
        """Hash of the bytes, and of those of every file of the user's that it imports."""
        own = hashlib.sha256(self.source)
        parts = [f"{one.name}={one.sha256}" for one in self.imports.beside]
        parts += [f"{Path(path).name}={sha}" for path, sha in self.imports.elsewhere]
        if parts:
            own.update("\0".join(["", *parts]).encode())
        return own.hexdigest()

    def packed(self) -> dict[str, Any]:
        """The plug-in as JSON holds it; :meth:`unpacked` reads it."""
        beside = [[one.name, one.path, _text(one.source), one.package] for one in self.imports.beside]
        elsewhere = [list(pair) for pair in self.imports.elsewhere]
        return {"path": self.path, "source": _text(self.source), "beside": beside, "elsewhere": elsewhere}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> Plugin:
        """What :meth:`packed` gave."""
        beside = tuple(
            Neighbour(name, path, base64.b64decode(source), package) for name, path, source, package in packed["beside"]
        )
        elsewhere = tuple((path, sha) for path, sha in packed["elsewhere"])
        return cls(packed["path"], base64.b64decode(packed["source"]), Imports(beside, elsewhere))

    @property
    def module(self) -> str:
        """Name under which it is imported: the same bytes are the same module in every process."""
        return f"farfield_plugin_{self.sha256[:8]}"


def _text(source: bytes) -> str:
    return base64.b64encode(source).decode()


def read_plugin(path: str | Path, where: str = "--plugin") -> Plugin:
    """Read a file without running it.

    Args:
        path: a Python file.
        where: what named it, for messages.

    Raises:
        InputError: it, or something beside it that it imports, is missing, too large, no text or does not parse.
    """
    file = Path(path)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InputError(f"{file} is no regular file", where=where, hint="name a Python source file")
        if file.stat().st_size > MOST_BYTES:
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
    return Plugin(str(file.absolute()), source, find_imports(file, source))


def hash_module(file: Path, name: str) -> str:
    """SHA-256 of the file of the module ``name`` and of every file of the user's that it imports.

    Of an installed package it is that of the file alone.

    Raises:
        InputError: a file that it imports cannot be read or parsed.
    """
    source = file.read_bytes()
    return Plugin(str(file), source, Imports() if is_installed(file) else find_imports(file, source, name)).sha256


def load_plugin(plugin: Plugin | str | Path) -> ModuleType:
    """Import a file, named or already read; what is loaded is not loaded again.

    What it prints goes to stderr, for stdout belongs to results.

    Raises:
        InputError: the file cannot be read or parsed, or does not import: it raises, exits, or takes too long.
    """
    if not isinstance(plugin, Plugin):
        plugin = read_plugin(plugin)
    if plugin.module in sys.modules:
        return sys.modules[plugin.module]
    _check_elsewhere(plugin)
    loader = _Loader(plugin)
    try:
        with contextlib.redirect_stdout(sys.stderr), _staying_alive(), _at_most(IMPORT_SECONDS), by_itself():
            return loader.load_file()
    except BaseException as error:
        loader.forget()
        if isinstance(error, (FarFieldError, KeyboardInterrupt)):
            raise
        raise InputError(
            f"{plugin.path} does not import: {_cause(error)}",
            where="--plugin",
            hint="run `farfield check` on it to see where",
        ) from error


def _check_elsewhere(plugin: Plugin) -> None:
    for path, sha in plugin.imports.elsewhere:
        file = Path(path)
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha:
            raise InputError(f"{path} has changed since {plugin.path} was read", hint="run it again")


class _Loader:
    """Loads a plug-in and its neighbours from the bytes that were read.

    Each of their modules has an ``__import__`` of its own, which finds the neighbours; so it does at any time, also for
    an import statement inside a function.
    """

    def __init__(self, plugin: Plugin) -> None:
        self._plugin, self._root = plugin, plugin.module
        self._beside = {one.name: one for one in plugin.imports.beside}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def load_file(self) -> ModuleType:
        """Run the plug-in's own file."""
        module = _loaded(self._plugin.path, self._plugin.source)
        if module is None:
            module = self._run(self._root, self._plugin.path, self._plugin.source, package=self._root)
            if self._plugin.imports == Imports():
                _ALONE[self._plugin.path, self._plugin.source] = module
        sys.modules[self._root] = module
        return module

    def forget(self) -> None:
        """Take out what was loaded."""
        for name in [name for name in sys.modules if name == self._root or name.startswith(f"{self._root}.")]:
            del sys.modules[name]

    def _run(self, name: str, path: str, source: bytes, package: str) -> ModuleType:
        module = ModuleType(name)
        module.__file__, module.__package__ = path, package
        vars(module)["__builtins__"] = self._builtins
        setattr(module, _HASH, self._plugin.sha256)
        sys.modules[name] = module
        try:
            exec(compile(source, path, "exec"), vars(module))
        except BaseException:
            sys.modules.pop(name, None)
            raise
        return sys.modules[name]

    def _load(self, name: str) -> ModuleType:
        """The neighbour ``name``, loaded after what it lies in."""
        private = f"{self._root}.{name}"
        if private in sys.modules:
            return sys.modules[private]
        parent, _, last = name.rpartition(".")
        holder = self._load(parent) if parent else None
        one = self._beside.get(name)
        if one is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = _loaded(one.path, one.source)
        if module is None:
            package = private if one.package else private.rpartition(".")[0]
            module = self._run(private, one.path, one.source, package)
            if not one.package and find_imports(Path(one.path), one.source) == Imports():
                _ALONE[one.path, one.source] = module
        sys.modules[private] = module
        if one.package and not hasattr(module, "__path__"):
            module.__path__ = [str(Path(one.path).parent if one.path.endswith(".py") else one.path)]
        if holder is not None:
            setattr(holder, last, module)
        return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - named as the builtin's
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """As the builtin, with the neighbours before whatever else has their names."""
        dotted = name
        if level:
            package = str((globals or {}).get("__package__") or "")
            full = importlib.util.resolve_name("." * level + name, package)
            if full != self._root and not full.startswith(f"{self._root}."):
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            dotted = full[len(self._root) + 1 :]
        if dotted and dotted.partition(".")[0] not in self._beside:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        if not fromlist:
            self._load(dotted)
            return self._load(dotted.partition(".")[0])
        module = self._load(dotted) if dotted else ModuleType(self._root)
        wanted = getattr(module, "__all__", ()) if "*" in fromlist else fromlist
        for one in wanted:
            inside = f"{dotted}.{one}".lstrip(".")
            if not hasattr(module, one) and inside in self._beside:
                setattr(module, one, self._load(inside))
        return module


_ALONE: dict[tuple[str, bytes], ModuleType] = {}
"""Files that import nothing of the user's, as they were loaded: what two plug-ins name is one module."""


def _loaded(path: str, source: bytes) -> ModuleType | None:
    module = _ALONE.get((path, source))
    return module if module is not None and sys.modules.get(module.__name__) is module else None


@contextlib.contextmanager
def by_itself() -> Iterator[None]:
    """For importing code from outside: the same numbers are drawn in every process, and tensors have numbers.

    An import may fall into the building of a network, with its generators and on its device; what the file makes must
    not depend on that. Generators are put back afterwards.
    """
    import numpy as np  # what only lists names does without

    torch: Any = sys.modules.get("torch")
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    state = torch.get_rng_state() if torch else None
    try:
        if torch:
            torch.default_generator.manual_seed(_TORCH_SEED)
        with torch.device("cpu") if torch else contextlib.nullcontext():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        if torch:
            torch.set_rng_state(state)


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
