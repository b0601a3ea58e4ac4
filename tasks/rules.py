"""Far rules: which rows of a table are held out as far away. One mechanism for built-in tables and users' data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.core.errors import InputError


class Columns(Protocol):
    """What a rule may look at: columns by name, and the numeric inputs as a matrix."""

    @property
    def inputs(self) -> np.ndarray:
        """Inputs (n, d) in raw units."""
        ...

    def column(self, name: str) -> np.ndarray:
        """One column (n,), whether it is an input or not."""
        ...


class FarRule(Protocol):
    """Chooses the far rows of a table by their inputs, never by their targets."""

    @property
    def name(self) -> str:
        """Name of the far set."""
        ...

    @property
    def label(self) -> str:
        """How the far set is shown."""
        ...

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows."""
        ...


@dataclass(frozen=True)
class Above:
    """Rows whose ``column`` lies above ``threshold``."""

    column: str
    threshold: float
    name: str = "above"

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return f"{self.column} > {self.threshold:g}"

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows."""
        return numeric(table, self.column) > self.threshold


@dataclass(frozen=True)
class Highest:
    """Rows whose ``column`` lies above its own ``quantile``; where many rows share that value they stay inside."""

    column: str
    quantile: float = 0.8
    name: str = "highest"

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return f"highest {100 * (1 - self.quantile):.3g}% of {self.column}"

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows."""
        values = numeric(table, self.column)
        return values > np.quantile(values, self.quantile)


def numeric(table: Columns, name: str) -> np.ndarray:
    """The column ``name`` as float64.

    Raises:
        InputError: it holds something else than numbers.
    """
    values = table.column(name)
    if values.dtype.kind not in "biuf":
        raise InputError(f"the column {name!r} is not numeric", mend="a threshold or a quantile needs numbers")
    return values.astype(np.float64)
