"""Loads one file that a user named: the only way code from outside comes in."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from bench.core.errors import FarFieldError, InputError

_MOST_BYTES = 1_000_000


def load_plugin(path: str | Path) -> ModuleType:
    """Import ``path`` as ``farfield_plugin_<sha8>``; a file that is already loaded is not loaded again.

    The name is made of the first eight hex digits of the file's SHA-256, so that the same bytes are the same module
    in every process.

    Raises:
        InputError: the file is missing, too large, does not parse or fails on import.
    """
    file = Path(path)
    source = _read(file)
    name = f"farfield_plugin_{hashlib.sha256(source).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} is no Python file", where="--plugin", mend="name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except FarFieldError:
        sys.modules.pop(name, None)
        raise
    except SyntaxError as error:
        sys.modules.pop(name, None)
        raise InputError(f"{file} does not parse: {error.msg}", where=f"line {error.lineno}", mend="mend it") from error
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        what = f"{file} does not import: {type(error).__name__}: {error}"
        raise InputError(what, where="--plugin", mend="run it with python to see where") from error
    return module


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError(f"{file} is larger than a megabyte", where="--plugin", mend="name a Python source file")
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}", where="--plugin", mend="name an existing Python file"
        ) from error
