"""Where code was loaded from, and what identifies it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from bench.core.errors import InputError
from bench.core.plugins import hash_module, loaded_hash

Origin = Literal["built in", "plug-in", "installed", "module", "timm"]
"""``built in``: a file of FarField. ``plug-in``: registered by a file that a user named, or by a script. ``installed``:
by a package that offers it as an entry point. ``module``: a network that a user's spelling names,
``module(file.py:build)``. ``timm``: a model of timm."""

VERSIONED: tuple[Origin, ...] = ("built in", "timm")
"""Origins whose code FarField vouches for: its tests hold it to the contract, and a version identifies it. Everything
else is identified by the bytes of its source, and is tried before it is trained."""

_ROOT = Path(__file__).resolve().parents[2]
_OWN = tuple(_ROOT / package for package in ("architectures", "bench", "farfield", "leaderboard", "tasks"))

Code = str | Callable[..., Any]
_PLAIN = (str, bytes, int, float, complex, type(None), type(...))


def origin_of(code: Code, groups: Sequence[str] = ()) -> Origin:
    """``built in`` where the file that defines ``code`` is one of FarField's own, ``installed`` where an installed
    package offers its module in an entry-point group, else ``plug-in``.

    Args:
        code: ``"module:attribute"``, which is found without being imported, or a function, class or callable object.
        groups: the entry-point groups of its registry.
    """
    module = _module_of(code)
    file = _file_of(module)
    if file is not None and any(file.is_relative_to(folder) for folder in _OWN):
        return "built in"
    if loaded_hash(module) is None and module.partition(".")[0] in _offering(groups):
        return "installed"
    return "plug-in"


def _offering(groups: Sequence[str]) -> set[str]:
    """Top-level packages that entry points of ``groups`` name."""
    offers = [offer for group in groups for offer in importlib.metadata.entry_points(group=group)]
    return {offer.value.partition(":")[0].partition(".")[0].strip() for offer in offers}


def hash_source(code: Code) -> str:
    """SHA-256 of the file that defines ``code`` (of its own source where there is no file).

    A file of the user's counts with every file of the user's that it imports. Of a plug-in it is the hash of the bytes
    that were loaded, even when the file has changed since.

    Raises:
        InputError: ``code`` is a string, and there is no such file.
    """
    module = _module_of(code)
    loaded = loaded_hash(module)
    if loaded is not None:
        return loaded
    try:
        file = _file_of(module)
        if file is not None and file.suffix == ".py" and not any(file.is_relative_to(folder) for folder in _OWN):
            return hash_module(file, "" if module == "__main__" else module)
        return hashlib.sha256(_source(code, module)).hexdigest()
    except OSError as error:
        raise InputError(f"{code!r} cannot be read: {error}", hint='write "package.module:function"') from None


def loaded_from(code: Code) -> str | None:
    """The hash of the plug-in (:attr:`bench.core.plugins.Plugin.sha256`) that ``code`` is of; None for other code."""
    inner = getattr(code, "function", code)  # what calls a builder with an options object's fields holds it
    return loaded_hash(_module_of(inner))


def _source(code: Code, module: str) -> bytes:
    if isinstance(code, str):
        file = _file_of(module)
        if file is None:
            raise FileNotFoundError(f"there is no Python module {module!r}")
        return file.read_bytes()
    try:
        return Path(inspect.getsourcefile(_defined(code)) or "").read_bytes()
    except (OSError, TypeError):
        return b"\0".join(_compiled(_defined(code)))


def _compiled(thing: object) -> Iterator[bytes]:
    """What a function or class typed into a session comes to, without the addresses that a ``repr`` would hold."""
    parts = _parts_of(thing)
    if parts is None:
        yield (repr(thing) if isinstance(thing, _PLAIN) else type(thing).__qualname__).encode()
    for part in parts or ():
        yield from _compiled(part)


def _parts_of(thing: object) -> tuple[object, ...] | None:
    if isinstance(thing, types.CodeType):
        return thing.co_code, thing.co_names, thing.co_consts
    if isinstance(thing, types.FunctionType):
        return thing.__code__, thing.__defaults__, tuple(sorted((thing.__kwdefaults__ or {}).items()))
    if isinstance(thing, (staticmethod, classmethod)):
        return (thing.__func__,)
    if isinstance(thing, property):
        return (thing.fget,)
    if isinstance(thing, type):
        return tuple((n, v.__qualname__ if isinstance(v, type) else v) for n, v in sorted(vars(thing).items()))
    if isinstance(thing, frozenset):
        return tuple(sorted(map(repr, thing)))
    return thing if isinstance(thing, tuple) else None


def _defined(code: Callable[..., Any]) -> Any:
    """What has a source: the function or class itself, or the class of a callable object."""
    return code if hasattr(code, "__qualname__") else type(code)


def _module_of(code: Code) -> str:
    return code.partition(":")[0] if isinstance(code, str) else str(_defined(code).__module__)


def _file_of(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    named = getattr(loaded, "__file__", None) if loaded is not None else _found(module)
    return Path(named).resolve() if named else None


@lru_cache(maxsize=256)
def _found(module: str) -> str | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return spec.origin if spec is not None and spec.has_location else None
