"""Users' tables: CSV and Parquet files and data frames, checked before they are believed."""

from __future__ import annotations

import csv
import functools
import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.core.errors import InputError
from tasks.reading.cache import cache_directory, locked
from tasks.reading.packaged import as_array

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 1000
LONGEST_LINE = 1 << 20  # bytes read of the line of column names
MEMORY_SHARE = 0.25  # of this machine's memory that a table may take
FRAME = "frame:"  # begins the path of a data frame kept in the cache
SUFFIXES = (".csv", ".parquet")
_SEPARATORS = (",", ";", "\t")


def locate(path: str) -> Path:
    """The file behind ``path``, which may be ``frame:<hash>`` for a kept data frame.

    Raises:
        InputError: there is no such file, or it is neither CSV nor Parquet.
    """
    file = Path(path).expanduser()
    if path.startswith(FRAME):
        file = cache_directory() / "frames" / f"{Path(path.removeprefix(FRAME)).name}.parquet"
    if not file.is_file():
        raise InputError(f"there is no file {path}", hint="give the path of a CSV or Parquet file")
    if file.suffix.lower() not in SUFFIXES:
        raise InputError(f"{file.name} is neither .csv nor .parquet", where=path, hint="convert it to one of them")
    return file


def fingerprint(path: str) -> str:
    """SHA-256 of the file behind ``path``, as 64 hexadecimal digits.

    Raises:
        InputError: there is no such file, it cannot be read, or it is too large to be read as a table.
    """
    file = locate(path)
    status = file.stat()
    _check_memory(status.st_size, path)  # before minutes go into reading it
    return _hash(str(file.resolve()), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _hash(file: str, size: int, changed: int) -> str:
    try:
        with open(file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=file) from None


def keep_frame(frame: pd.DataFrame) -> str:
    """Keep a data frame in the cache, where worker processes find it; its path is ``frame:<hash>``.

    Raises:
        InputError: two columns have the same name, or a column cannot be stored.
    """
    import pandas as pd

    checked = pd.DataFrame(frame).reset_index(drop=True)
    checked.columns = [str(name) for name in checked.columns]
    _check_names(checked.columns, "data frame")
    folder = cache_directory() / "frames"
    draft = folder / f".draft-{os.getpid()}.parquet"
    with locked(draft):
        try:
            checked.to_parquet(draft)
        except (ValueError, TypeError, OSError) as error:  # pyarrow's errors are among these
            raise InputError(f"the data frame cannot be stored: {error}", hint="leave odd columns out") from None
        name = hashlib.sha256(draft.read_bytes()).hexdigest()[:16]
        os.replace(draft, folder / f"{name}.parquet")
    return f"{FRAME}{name}"


def read_columns(path: str) -> dict[str, np.ndarray]:
    """The columns of a CSV or Parquet file: float64 (NaN: missing) or text ("": missing).

    Raises:
        InputError: empty, binary, damaged or too large; duplicate or too many columns; infinite values.
    """
    file = locate(path)
    if file.stat().st_size == 0:
        raise InputError("the file is empty", where=path, hint="give a table with a line of column names")
    frame = _read_csv(file, path) if file.suffix.lower() == ".csv" else _read_parquet(file, path)
    if not len(frame):
        raise InputError("the table has no rows", where=path, hint="give a table with rows")
    columns = {str(name): as_array(frame[name]) for name in frame.columns}
    for name, values in columns.items():
        if values.dtype.kind == "f" and np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0]) + 1
            raise InputError(f"the column {name!r} is infinite in row {row:,}", where=path, hint="correct or remove it")
    return columns


def _read_csv(file: Path, path: str) -> pd.DataFrame:
    import pandas as pd

    _check_memory(file.stat().st_size, path)
    names, separator = _header(file, path)
    _check_names(names, path)
    try:
        return pd.read_csv(file, sep=separator, encoding="utf-8-sig", skipinitialspace=True, low_memory=False)
    except (pd.errors.ParserError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"the table cannot be read: {error}", where=path, hint="correct that line") from None


def _header(file: Path, path: str) -> tuple[list[str], str]:
    """Column names and separator of a CSV file; text only."""
    with open(file, "rb") as stream:
        line = next((line for line in iter(lambda: stream.readline(LONGEST_LINE), b"") if line.strip()), b"")
    try:
        text = line.decode("utf-8-sig").strip("\r\n")
        if "\0" in text:
            raise ValueError("NUL")
    except ValueError:
        raise InputError(f"{file.name} is binary, no CSV text in UTF-8", where=path, hint="export it as CSV") from None
    separator = max(_SEPARATORS, key=text.count)
    return [name.strip() for name in next(csv.reader([text], delimiter=separator), [])], separator


def _read_parquet(file: Path, path: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        head = parquet.read_metadata(file)
        groups = (head.row_group(place).total_byte_size for place in range(head.num_row_groups))
        _check_memory(max(sum(groups), 8 * head.num_rows * head.num_columns), path)
        _check_names(parquet.read_schema(file).names, path)
        return pd.read_parquet(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"the Parquet file cannot be read: {error}", where=path, hint="write it anew") from None


def _check_names(names: Iterable[str], where: str) -> None:
    listed = list(names)
    if len(listed) > MOST_COLUMNS:
        raise InputError(f"{len(listed):,} columns", where=where, hint=f"keep at most {MOST_COLUMNS:,}")
    if not all(listed):
        place = listed.index("") + 1
        raise InputError(f"column {place} has no name", where=where, hint="name every column in the first line")
    repeated = [name for name, count in Counter(listed).items() if count > 1]
    if repeated:
        raise InputError(f"two columns are called {repeated[0]!r}", where=where, hint="give each a name of its own")


def _check_memory(needed: int, where: str) -> None:
    """Refuse a table that would take more than a quarter of this machine's memory."""
    available = MEMORY_SHARE * memory()
    if needed > available:
        what = f"a table of {needed / 2**30:.2g} GiB is too large for {available / 2**30:.2g} GiB of memory"
        raise InputError(what, where=where, hint="take a sample of its rows")


def memory() -> float:
    """Bytes of memory of this machine; unlimited where it does not say."""
    names: dict[str, Any] = getattr(os, "sysconf_names", {})
    if not {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(names):
        return float("inf")
    return float(os.sysconf("SC_PAGE_SIZE")) * float(os.sysconf("SC_PHYS_PAGES"))
