"""Options of ``module(my_models.py:build)``: where the network comes from; checked without torch."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import InputError
from bench.core.plugins import read_plugin

_WRITE = "module(my_models.py:build) or module(package.models:build)"


@dataclass(frozen=True)
class ModuleOptions:
    """Where the network comes from.

    Args:
        target: ``file.py:name`` or ``package.module:name`` of a function or class that gives a ``torch.nn.Module``.
    """

    target: str

    def __post_init__(self) -> None:
        place, _, name = self.target.rpartition(":")
        if not place or not name.isidentifier():
            raise ValueError(f"{self.target!r} does not name a function in a file; write {_WRITE}")

    @property
    def place(self) -> str:
        """The file or module."""
        return self.target.rpartition(":")[0]

    @property
    def attribute(self) -> str:
        """The name in it."""
        return self.target.rpartition(":")[2]

    @property
    def is_file(self) -> bool:
        """Whether the place is a file's path, not a module's name."""
        return self.place.endswith(".py")

    def source(self) -> str:
        """SHA-256 of the file; a module's file is found without importing it.

        Raises:
            InputError: there is no such file or module, or it is no Python source.
        """
        if self.is_file:
            return read_plugin(self.place, where=f"module({self.target})").sha256
        return hashlib.sha256(module_file(self).read_bytes()).hexdigest()


def module_file(options: ModuleOptions) -> Path:
    """The file of the module that ``options`` name, found without importing it.

    Raises:
        InputError: there is no such module.
    """
    try:
        spec = importlib.util.find_spec(options.place)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        where = f"module({options.target})"
        raise InputError(f"there is no Python module {options.place!r}", where=where, hint=f"write {_WRITE}")
    return Path(spec.origin)
