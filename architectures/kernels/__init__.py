"""Kernels of infinitely wide networks, regression with them, the bounds of the theorem. Loads nothing until used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from architectures.kernels.infinite import Kernel, kernel

__all__ = ["Kernel", "kernel"]

_HOMES = {
    "Kernel": "infinite",
    "kernel": "infinite",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
