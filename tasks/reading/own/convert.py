"""From an Arrow array of any type to a column of numbers, times, truth values or words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from bench.core.errors import InputError
from tasks.reading.columns import KeyColumn, number_key
from tasks.reading.own.context import Context, Wanted, checked, like_dates, too_large
from tasks.reading.own.words import column_of_texts

_PER_DAY = {"s": 86400.0, "ms": 86400e3, "us": 86400e6, "ns": 86400e9}


def as_column(name: str, array: Any, wanted: Wanted, context: Context) -> KeyColumn:
    """The column ``name``.

    Raises:
        InputError: it holds what is no value (lists, infinity), numbers that may be read in two ways, or a few words
            among numbers.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(name, array, wanted, context)
    if pa.types.is_dictionary(kind):
        return _of_dictionary(name, array, wanted, context)
    if pa.types.is_null(kind):
        return KeyColumn(np.full(len(array), np.nan), "number")
    if pa.types.is_boolean(kind):
        return KeyColumn(_floats(array), "truth")
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return KeyColumn(_days(array), "time")
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return _of_numbers(name, array, wanted, context)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        array = _decoded(name, array, context)
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view"):
        hint = f"leave it out (drop={name}), or spread it over columns"
        raise InputError(f"the column {name!r} holds {kind}, no numbers", where=context.where, hint=hint)
    return column_of_texts(name, array.cast(pa.string()), wanted, context)


def _of_extension(name: str, array: Any, wanted: Wanted, context: Context) -> KeyColumn:
    if array.type.extension_name == "pandas.period":
        stamps = pa.Array.from_pandas(array.to_pandas().dt.to_timestamp())
        context.said.about("periods by their begin", name)
        return as_column(name, stamps, wanted, context)
    return as_column(name, array.storage, wanted, context)


def _of_dictionary(name: str, array: Any, wanted: Wanted, context: Context) -> KeyColumn:
    """Categories: words with or without an order; categories that are numbers are numbers."""
    ordered, levels = array.type.ordered, array.dictionary
    column = as_column(name, array.dictionary_decode(), wanted, context)
    if column.kind in ("number", "truth", "time"):
        context.said.about("categories read as what they hold, numbers or times", name)
        return column
    if not ordered:
        return column
    return KeyColumn(column.values, "order", levels=tuple(str(level) for level in levels.to_pylist()))


def _decoded(name: str, array: Any, context: Context) -> Any:
    try:
        return array.cast(pa.binary()).cast(pa.string())
    except pa.ArrowException:
        hint = f"leave it out (drop={name})"
        raise InputError(f"the column {name!r} holds bytes, no numbers", where=context.where, hint=hint) from None


def _floats(array: Any) -> np.ndarray:
    return np.asarray(array.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False), dtype=np.float64)


def _days(array: Any) -> np.ndarray:
    """Instants and dates in days since 1970 (UTC), times of day and durations in days."""
    kind = array.type
    per_day = 1.0 if pa.types.is_date32(kind) else 86400e3 if pa.types.is_date64(kind) else _PER_DAY[kind.unit]
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    gaps = array.is_null().to_numpy(zero_copy_only=False)
    whole = array.cast(width).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return np.where(gaps, np.nan, whole / per_day)


def _of_numbers(name: str, array: Any, wanted: Wanted, context: Context) -> KeyColumn:
    kind = array.type
    if pa.types.is_floating(kind) and kind.bit_width < 64:
        # 0.1 in float32 is the 0.1 that a person sees, not 0.10000000149: the shortest decimal that means the same
        narrow = array.cast(pa.float32()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        if kind.bit_width == 16:
            narrow = narrow.astype(np.float16)
        different, place = np.unique(narrow, return_inverse=True)
        values = np.array([float(str(value)) for value in different], dtype=np.float64)[place]
    elif pa.types.is_floating(kind):
        values = _floats(array)
    else:
        values = _rounded(array)
    if pa.types.is_integer(kind) and "%" in context.reading.dates and like_dates(values):
        return column_of_texts(name, array.cast(pa.string()), wanted, context)
    keys = exact = None
    if not pa.types.is_floating(kind):
        if wanted.keys:
            keys = _spread(array, lambda value: number_key(str(value)) or "")
        if pa.types.is_integer(kind) and too_large(values):
            exact = np.array(array.to_pylist(), dtype=object)
    return checked(name, KeyColumn(values, "number", keys, exact), context)


def _rounded(array: Any) -> np.ndarray:
    """Whole numbers and decimals in the nearest float64, also beyond 2^53."""
    if pa.types.is_decimal(array.type):
        return np.array([np.nan if value is None else float(value) for value in array.to_pylist()], dtype=np.float64)
    gaps = array.is_null().to_numpy(zero_copy_only=False)
    whole = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(gaps, np.nan, whole)


def _spread(array: Any, word: Callable[[Any], str]) -> np.ndarray:
    """A text for each value (n,), computed once for each different one; "" where there is none."""
    coded = array.dictionary_encode() if not pa.types.is_dictionary(array.type) else array
    words = np.array([word(value) for value in coded.dictionary.to_pylist()] + [""], dtype=np.str_)
    return np.asarray(words[coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)])
