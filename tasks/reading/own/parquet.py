"""Parquet files and data frames as sources of columns; what pandas adds to them is told from what is data."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

from bench.core.errors import InputError
from tasks.reading.cache import cache_directory, locked
from tasks.reading.own import frames
from tasks.reading.own.source import Source
from tasks.reading.own.text import MOST_COLUMNS, tidy


def read_parquet(file: Path, path: str) -> Source:
    """The columns of a Parquet file. Named levels of a pandas index are columns.

    Raises:
        InputError: damaged or too large; duplicate, missing or too many names.
    """
    try:
        head = parquet.read_metadata(file)
        groups = (head.row_group(place).total_byte_size for place in range(head.num_row_groups))
        frames.check_memory(max(sum(groups), 8 * head.num_rows * head.num_columns), path)
        schema = parquet.read_schema(file)
        check_names(schema.names, path)
        _register_extensions(schema)
        table = parquet.ParquetFile(file).read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"the Parquet file cannot be read: {error}", where=path, hint="write it anew") from None
    if not table.num_rows or not table.num_columns:
        raise InputError("the table has no rows", where=path, hint="give a table with rows")
    return _source(table)


def check_names(names: Iterable[str], where: str) -> None:
    """Refuse too many columns, and names that do not tell them apart.

    Raises:
        InputError: more than 1,000 columns, or two of one name.
    """
    listed = [tidy(name) for name in names]
    if len(listed) > MOST_COLUMNS:
        raise InputError(f"{len(listed):,} columns", where=where, hint=f"keep at most {MOST_COLUMNS:,}")
    repeated = [name for name, count in Counter(listed).items() if count > 1]
    if repeated:
        raise InputError(f"two columns are called {repeated[0]!r}", where=where, hint="give each a name of its own")


def _register_extensions(schema: Any) -> None:
    """Periods and intervals of pandas are known to Arrow once pandas has been imported."""
    if any((field.metadata or {}).get(b"ARROW:extension:name", b"").startswith(b"pandas") for field in schema):
        import pandas as pd

        pd.Series(pd.period_range("2000-01", periods=1, freq="M")).array.__arrow_array__()  # type: ignore[attr-defined]


def _source(table: Any) -> Source:
    described = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    names = [tidy(name) or f"Unnamed: {place}" for place, name in enumerate(table.schema.names)]
    columns = [_joined(column) for column in table.columns]
    nameless = frozenset(f"Unnamed: {place}" for place, name in enumerate(table.schema.names) if not tidy(name))
    index, levels = set(), set()
    for level in described.get("index_columns", ()):
        if isinstance(level, str) and level in table.schema.names:
            place = table.schema.names.index(level)
            if not level.startswith("__index_level_"):
                levels.add(names[place])
                continue
            if level == "__index_level_0__" and "index" not in names:
                names[place] = "index"  # as pandas calls it when it makes a column of it
            index.add(names[place])
        elif isinstance(level, dict) and level.get("name") is not None:
            steps = np.arange(level["start"], level["stop"], level["step"])
            names.append(tidy(str(level["name"])))
            levels.add(names[-1])
            columns.append(pa.array(steps))
    return Source(
        tuple(names),
        tuple(columns),
        lambda row: f"row {row + 1:,}",
        None,
        nameless,
        frozenset(index),
        frozenset(levels),
    )


def _joined(column: Any) -> Any:
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) and joined.num_chunks == 1 else joined


def keep_frame(frame: object) -> str:
    """Keep a data frame in the cache, where worker processes find it; its path is ``frame:<hash>``.

    Args:
        frame: of pandas, or anything that Arrow can take in (polars, pyarrow).

    Raises:
        InputError: two columns have the same name, or a column cannot be stored.
    """
    table = as_table(frame)
    folder = cache_directory() / "frames"
    draft = folder / f".draft-{os.getpid()}.parquet"
    with locked(draft):
        try:
            parquet.write_table(table, draft)
        except (pa.ArrowException, ValueError, TypeError, OSError) as error:
            raise InputError(f"the data frame cannot be stored: {error}", hint="leave odd columns out") from None
        name = hashlib.sha256(draft.read_bytes()).hexdigest()[:16]
        os.replace(draft, folder / f"{name}.parquet")
    return f"{frames.FRAME}{name}"


def as_table(frame: object) -> Any:
    """A data frame as an Arrow table; named levels of an index become columns.

    Raises:
        InputError: two columns have the same name, or a column is of no type that Arrow has.
    """
    if not (_is_pandas(frame) or isinstance(frame, pa.Table) or hasattr(frame, "__arrow_c_stream__")):
        raise InputError(f"{type(frame).__name__} is neither a path nor a data frame", hint="give one of them")
    try:
        table = _of_pandas(frame) if _is_pandas(frame) else pa.table(frame)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise InputError(f"the data frame cannot be stored: {error}", hint="leave odd columns out") from None
    check_names(table.schema.names, "data frame")
    return table


def _is_pandas(frame: object) -> bool:
    import pandas as pd

    return isinstance(frame, (pd.DataFrame, dict))


def _of_pandas(frame: Any) -> Any:
    """Column by column, so that one of mixed objects becomes texts and takes no other with it."""
    import pandas as pd

    given = pd.DataFrame(frame)
    levels = [level for level in given.index.names if level is not None]
    given = given.reset_index(level=levels) if levels else given
    unnamed = isinstance(given.index, pd.RangeIndex) or levels
    names = [_joined_name(name) for name in given.columns]
    check_names(names, "data frame")
    arrays = [_array(given.iloc[:, place]) for place in range(given.shape[1])]
    if not unnamed:
        for level in range(given.index.nlevels):
            names.append(f"__index_level_{level}__")
            arrays.append(_array(pd.Series(given.index.get_level_values(level))))
    table = pa.table(arrays, names=names)
    left = [str(level) for level in levels] + [name for name in names if name.startswith("__index_level_")]
    return table.replace_schema_metadata({"pandas": json.dumps({"index_columns": left})}) if left else table


def _joined_name(name: object) -> str:
    """The levels of a name, joined."""
    return "_".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)


def _array(series: Any) -> Any:
    import pandas as pd

    if isinstance(series.dtype, pd.SparseDtype):
        series = series.sparse.to_dense()
    if isinstance(series.dtype, pd.IntervalDtype):
        series = series.astype(str).where(series.notna())
    elif isinstance(series.dtype, pd.CategoricalDtype) and isinstance(series.dtype.categories.dtype, pd.IntervalDtype):
        series = series.cat.rename_categories([str(interval) for interval in series.dtype.categories])
    if series.dtype == object:
        gaps = series.isna().to_numpy()
        kept = [None if gap else value for value, gap in zip(series, gaps, strict=True)]
        if any(hasattr(value, "__float__") and not isinstance(value, (str, bool)) for value in kept):
            types = {type(value) for value in kept if value is not None}
            if len(types) > 1:
                return pa.array([None if value is None else str(value) for value in kept], pa.string())
        try:
            return pa.array(kept, from_pandas=True)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            return pa.array([None if value is None else str(value) for value in kept], pa.string())
    array = pa.array(series, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
