"""One column of a table as far rules see it: numbers, times, truth values, words, and what tells its groups apart."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Literal

import numpy as np

from tasks.reading.times import days_of

ColumnKind = Literal["number", "truth", "time", "order", "text"]
TRUTHS = {"true": 1.0, "t": 1.0, "yes": 1.0, "y": 1.0, "1": 1.0, "false": 0.0, "f": 0.0, "no": 0.0, "n": 0.0, "0": 0.0}
_EXACT = Context(prec=2000)


@dataclass(frozen=True)
class KeyColumn:
    """A column.

    Args:
        values: (n,) float64 (NaN: missing; times in days since 1970) or text ("": missing).
        kind: what it holds; ``order`` are words with an order of their own (``levels``).
        keys: (n,) the exact value of each row in words, where float64 cannot hold it ("": missing).
        exact: (n,) whole numbers as objects, where float64 cannot hold them (``None``: missing).
        levels: the words of an order, least first.
    """

    values: np.ndarray
    kind: ColumnKind
    keys: np.ndarray | None = None
    exact: np.ndarray | None = None
    levels: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: np.ndarray) -> KeyColumn:
        """The column that an array (n,) of float64 or text is."""
        return cls(values, "number" if values.dtype.kind == "f" else "text")

    @property
    def missing(self) -> np.ndarray:
        """Mask (n,) of rows without a value."""
        return np.isnan(self.values) if self.values.dtype.kind == "f" else np.asarray(self.values == "")

    def take(self, which: np.ndarray) -> KeyColumn:
        """The rows at the given indices, or where a mask is true."""
        keys = None if self.keys is None else self.keys[which]
        exact = None if self.exact is None else self.exact[which]
        return dataclasses.replace(self, values=self.values[which], keys=keys, exact=exact)

    def ranked(self) -> np.ndarray | None:
        """Numbers (n,) that stand in the order of the values; ``None`` for words, which have none."""
        if self.kind == "order":
            return self.ranks(self.values)
        return self.values if self.values.dtype.kind == "f" else None

    def ranks(self, words: np.ndarray) -> np.ndarray:
        """The place (n,) of each word in the order, NaN for one that is not of it."""
        places = {word: float(place) for place, word in enumerate(self.levels)}
        return np.array([places.get(str(word), np.nan) for word in words], dtype=np.float64)

    def members(self, text: str) -> np.ndarray:
        """Mask (n,) of rows that hold exactly the value ``text`` means."""
        if self.values.dtype.kind != "f":
            return np.asarray(self.values == text)
        if self.keys is not None:
            same = np.asarray(self.keys == text)
            if same.any():
                return same
        return self._equal(text)

    def _equal(self, text: str) -> np.ndarray:
        nowhere = np.zeros(len(self.values), dtype=bool)
        if self.kind == "truth":
            truth = TRUTHS.get(text.lower().removesuffix(".0"))
            return nowhere if truth is None else np.asarray(self.values == truth)
        if self.kind == "time":
            days = days_of(text)
            if days is not None:
                return np.asarray(self.values == days)
        key = number_key(text)
        if key is None:
            return nowhere
        if self.keys is not None:
            return np.asarray(self.keys == key)
        return np.asarray(self.values == float(key))

    def groups(self) -> list[str]:
        """The different values in words."""
        if self.values.dtype.kind != "f":
            return [str(word) for word in np.unique(self.values) if word != ""]
        if self.keys is not None:
            return [str(key) for key in np.unique(self.keys) if key != ""]
        known = np.unique(self.values[~self.missing])
        if self.kind == "truth":
            return ["False" if value == 0 else "True" for value in known]
        if self.kind == "time":
            return [str(np.datetime64(round(day * 86400), "s")).removesuffix("T00:00:00") for day in known]
        return [number_key(repr(float(value))) or "" for value in known]


def number_key(text: str) -> str | None:
    """One spelling of each number, exact: ``1``, ``1.0`` and ``1e0`` are one; ``None`` when it is no number."""
    try:
        number = Decimal(text.strip())
    except (InvalidOperation, ValueError):
        return None
    if not number.is_finite():
        return None
    number = number.normalize(_EXACT)
    if number == 0:
        return "0"
    return f"{number:f}" if -12 < number.adjusted() < 40 else str(number)
