"""Far rules: which rows of a table are held out as far away. One mechanism for built-in tables and users' data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.core.errors import InputError, suggest
from tasks.reading.columns import KeyColumn
from tasks.reading.expressions import Expression


class Columns(Protocol):
    """What a rule may look at."""

    def column(self, name: str) -> np.ndarray:
        """One column (n,), float64 or text, whether it is an input or not."""
        ...

    def details(self, name: str) -> KeyColumn:
        """One column with all that is known of it."""
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

    def undecided(self, table: Columns) -> np.ndarray:
        """Mask (n,) of rows that are neither far nor near, as the value that would tell is missing."""
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

    def undecided(self, table: Columns) -> np.ndarray:
        """Mask (n,) of rows without a value of the column."""
        return table.details(self.column).missing


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
        if np.isnan(values).all():
            raise InputError(
                f"the column {self.column!r} is empty", hint="choose a column with values for the far rule"
            )
        return np.asarray(values > np.nanquantile(values, self.quantile))

    def undecided(self, table: Columns) -> np.ndarray:
        """Mask (n,) of rows without a value of the column."""
        return table.details(self.column).missing


@dataclass(frozen=True)
class Furthest:
    """Rows furthest from the mean of all rows by Mahalanobis distance of their inputs, beyond its ``quantile``.

    Constant and linearly dependent columns (one-hot groups are) count once: the covariance is inverted on its range.
    A missing value counts as the mean of its column.
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
        return np.asarray(squares > np.quantile(squares, self.quantile))

    def undecided(self, table: Columns) -> np.ndarray:
        """Mask (n,): none, as missing values count as means."""
        return np.zeros(len(table.encoded()[0]), dtype=bool)


@dataclass(frozen=True)
class GroupRule:
    """Rows whose ``column`` holds one of ``members``, compared by exact value: 1 is 1.0, but no 1.0000001.

    Args:
        column: of groups.
        members: the far groups.
        name: of the far set.
        whole: the members as the user wrote them, for a group whose own name holds commas.
    """

    column: str
    members: tuple[str, ...]
    name: str = "group"
    whole: str = ""

    @property
    def label(self) -> str:
        """How the far set is shown."""
        return f"{self.column} = {' or '.join(self.members)}"

    def far(self, table: Columns) -> np.ndarray:
        """Mask (n,) of the far rows.

        Raises:
            InputError: a member does not occur.
        """
        column = table.details(self.column)
        if self.whole and (whole := column.members(self.whole)).any():
            return whole
        far = np.zeros(len(column.values), dtype=bool)
        for member in self.members:
            found = column.members(member)
            if not found.any():
                raise InputError(f"no row has {self.column} = {member!r}", hint=suggest(member, column.groups()))
            far |= found
        return far

    def undecided(self, table: Columns) -> np.ndarray:
        """Mask (n,) of rows without a value of the column."""
        return table.details(self.column).missing


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
        return Expression.parse(self.expression).mask(table.details)

    def undecided(self, table: Columns) -> np.ndarray:
        """Mask (n,) of rows of which the expression is neither true nor false, as values are missing."""
        return Expression.parse(self.expression).undecided(table.details)


def _numeric(table: Columns, name: str) -> np.ndarray:
    """The column ``name``.

    Raises:
        InputError: it holds words.
    """
    values = table.details(name).ranked()
    if values is None:
        hint = "a threshold or a quantile needs numbers or times: words have no order of their own"
        raise InputError(f"the column {name!r} is not numeric", hint=hint)
    return values
