"""Far rules: which rows of a table are held out as far away. One mechanism for built-in tables and users' data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.core.errors import InputError, suggest
from tasks.reading.expressions import Expression


class Columns(Protocol):
    """What a rule may look at."""

    def column(self, name: str) -> np.ndarray:
        """One column (n,), float64 or text, whether it is an input or not."""
        ...

    def encoded(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """Numeric inputs (n, d) with their names; NaN where a value is missing."""
        ...


class FarRule(Protocol):
    """Chooses the far rows of a table."""

    @property
    def name(self) -> str:
        """Name of the far set."""
        ...

    @property
    def label(self) -> str:
        """How the far set is shown."""
        ...

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows. A row whose value is missing is not far."""
        ...


@dataclass(frozen=True)
class Above:
    """Rows whose ``column`` (a quantity, or a time) lies above ``threshold``."""

    column: str
    threshold: float
    name: str = "above"

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return f"{self.column} > {self.threshold:g}"

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows."""
        return _numeric(table, self.column) > self.threshold


@dataclass(frozen=True)
class Highest:
    """Rows whose ``column`` lies above its own ``quantile``; rows that share that very value stay inside."""

    column: str
    quantile: float = 0.8
    name: str = "highest"

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return f"highest {100 * (1 - self.quantile):.3g}% of {self.column}"

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows."""
        values = _numeric(table, self.column)
        return values > np.nanquantile(values, self.quantile)


@dataclass(frozen=True)
class Furthest:
    """Rows furthest from the mean of all rows by Mahalanobis distance of their inputs, beyond its ``quantile``.

    Constant and linearly dependent columns (one-hot groups are) count once: the covariance is inverted on its range.
    """

    quantile: float = 0.8
    name: str = "furthest"

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return f"furthest {100 * (1 - self.quantile):.3g}% by Mahalanobis distance"

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows."""
        inputs, _ = table.encoded()
        gaps = np.isnan(inputs)
        count = np.maximum((~gaps).sum(axis=0), 1)
        mean = np.where(gaps, 0.0, inputs).sum(axis=0) / count
        centred = np.where(gaps, 0.0, inputs - mean)
        deviation = centred.std(axis=0)
        white = centred / np.where(deviation > 0, deviation, 1.0)
        precision = np.linalg.pinv(white.T @ white / len(white), hermitian=True, rcond=1e-10)
        squares = np.einsum("ij,jk,ik->i", white, precision, white, optimize=True)
        return squares > np.quantile(squares, self.quantile)


@dataclass(frozen=True)
class Group:
    """Rows whose ``column`` holds one of ``members``."""

    column: str
    members: tuple[str, ...]
    name: str = "group"

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return f"{self.column} = {' or '.join(self.members)}"

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows.

        Raises:
            InputError: a member does not occur.
        """
        values = table.column(self.column)
        texts = np.array([f"{value:g}" for value in values]) if values.dtype.kind == "f" else values
        known = np.unique(texts)
        for member in self.members:
            if member not in known:
                raise InputError(f"no row has {self.column} = {member!r}", hint=suggest(member, known.tolist()))
        return np.isin(texts, self.members)


@dataclass(frozen=True)
class Where:
    """Rows for which an expression over columns is true (:mod:`tasks.reading.expressions`)."""

    expression: str
    name: str = "where"

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return self.expression

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows."""
        return Expression.parse(self.expression).mask(table.column)


def _numeric(table: Columns, name: str) -> np.ndarray:
    """The column ``name``.

    Raises:
        InputError: it holds words.
    """
    values = table.column(name)
    if values.dtype.kind != "f":
        raise InputError(f"the column {name!r} is not numeric", hint="a threshold or a quantile needs numbers")
    return values
