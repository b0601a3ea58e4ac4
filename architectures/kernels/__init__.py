"""Kernels of infinitely wide networks, regression with them, the bounds of the theorem. Loads nothing until used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from architectures.kernels.certificates import (
        Bounds,
        KernelGrowth,
        bounds,
        diagonal_exponent,
        growth,
        supremum,
        tight_bound,
    )
    from architectures.kernels.estimators import KernelRegression
    from architectures.kernels.finite import WIDTHS, Convergence, convergence, finite_kernels
    from architectures.kernels.infinite import Kernel, kernel
    from architectures.kernels.regression import MAX_ROWS, Regression, regress

__all__ = [
    "MAX_ROWS",
    "WIDTHS",
    "Bounds",
    "Convergence",
    "Kernel",
    "KernelGrowth",
    "KernelRegression",
    "Regression",
    "bounds",
    "convergence",
    "diagonal_exponent",
    "finite_kernels",
    "growth",
    "kernel",
    "regress",
    "supremum",
    "tight_bound",
]

_HOMES = {
    "certificates": ("Bounds", "KernelGrowth", "bounds", "diagonal_exponent", "growth", "supremum", "tight_bound"),
    "estimators": ("KernelRegression",),
    "finite": ("WIDTHS", "Convergence", "convergence", "finite_kernels"),
    "infinite": ("Kernel", "kernel"),
    "regression": ("MAX_ROWS", "Regression", "regress"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
