"""What a column is read by, and what is checked of every column of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.core.errors import InputError
from tasks.data.samples import LARGEST
from tasks.reading.columns import KeyColumn, number_key
from tasks.reading.own.numbers import Evidence
from tasks.reading.own.reading import Reading
from tasks.reading.own.source import Said

LARGEST_WHOLE = 2.0**53  # whole numbers beyond are rounded in float64


@dataclass(frozen=True)
class Context:
    """What a column is read by.

    Args:
        reading: as stated.
        evidence: what the file says of its decimal sign.
        said: gathers what was guessed.
        place: of a row by its index: "line 5".
        where: the file.
        texts: columns that stay texts.
    """

    reading: Reading
    evidence: Evidence
    said: Said
    place: Callable[[int], str]
    where: str
    texts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """What a column is needed for.

    Args:
        keys: to tell its groups apart, so that its exact values are kept.
        words: entries that are values there although they usually mean "missing" (groups that are asked for).
        mixed: whether numbers may stand among words: they may in a column of groups.
    """

    keys: bool = False
    words: frozenset[str] = frozenset()
    mixed: bool = False


def too_large(values: np.ndarray) -> bool:
    """Whether some are beyond 2^53, where float64 rounds whole numbers."""
    known = values[~np.isnan(values)]
    return bool(len(known)) and float(np.abs(known).max()) >= LARGEST_WHOLE


def checked(name: str, column: KeyColumn, context: Context) -> KeyColumn:
    """Refuse infinity and numbers whose squares overflow; take -999 and the like for missing."""
    values = column.values
    with np.errstate(invalid="ignore"):
        beyond = np.abs(values) > LARGEST
    if beyond.any():
        row = int(np.argmax(beyond))
        what = "is infinite" if np.isinf(values[row]) else f"holds {values[row]:g}, whose square overflows,"
        hint = "correct or remove it" if np.isinf(values[row]) else "rescale the column"
        raise InputError(f"the column {name!r} {what} in {context.place(row)}", where=context.where, hint=hint)
    if like_dates(values) and column.keys is None:
        context.said.about("dates as 20230113 read as whole numbers: dates=%Y%m%d reads days", name)
    if column.exact is not None and column.keys is None:
        context.said.about("whole numbers beyond 2^53 rounded as inputs", name)
    gone = np.zeros(len(values), dtype=bool)
    for marker, certain in _markers(values, context.reading):
        here = values == marker
        if certain:
            context.said.missing(f"{marker:.10g}", name, int(here.sum()))
            gone |= here
        else:
            context.said.about(f"{marker:.10g} read as a number: missing={marker:.10g} where it is none", name)
    if not gone.any():
        return column
    keys = None if column.keys is None else np.where(gone, "", column.keys)
    return KeyColumn(np.where(gone, np.nan, values), column.kind, keys, column.exact)


def like_dates(values: np.ndarray) -> bool:
    """Whether all are years, months and days in one number, as 20230113."""
    known = values[~np.isnan(values)]
    if not len(known) or known.min() < 1900_01_01 or known.max() > 2100_12_31 or (known % 1).any():
        return False
    month, day = known // 100 % 100, known % 100
    return bool((month >= 1).all() and (month <= 12).all() and (day >= 1).all() and (day <= 31).all())


def _markers(values: np.ndarray, reading: Reading) -> Iterator[tuple[float, bool]]:
    """Numbers that stand for "missing", and whether that is certain enough: those stated, or -99, -999, … alone.

    A marker such as 9999 above all others is only reported: it may be the far value that matters.
    """
    different = np.unique(values[~np.isnan(values)])
    if reading.markers is not None:
        stated = {float(key) for word in reading.markers if (key := number_key(word)) is not None}
        yield from ((marker, True) for marker in sorted(stated) if marker in different)
        return
    while len(different) > 2 and _nines(different[0]):
        marker, different = float(different[0]), different[1:]
        alone = different[0] >= 0 or _nines(different[0])
        if alone or different[0] - marker > different[-1] - different[0]:
            yield marker, marker <= -99
    if len(different) < 3 or different[-1] < 999 or not _nines(different[-1]):
        return
    if different[-1] - different[-2] > max(1.0, different[-2] - different[0]):
        yield float(different[-1]), False


def _nines(value: float) -> bool:
    """Whether it is written with nines alone, as -9, -999.9 or 9999."""
    return abs(value) < 1e10 and set(f"{abs(value):.10g}".replace(".", "")) == {"9"}
